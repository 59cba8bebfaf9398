// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who holds ports, and whether he would still be let: real sockets, of processes that live on, in a network namespace
 * that nobody else binds in.
 */
#include <errno.h>
#include <json-c/json.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "host/privilege.h"

/* What a holder does besides binding. */
enum {
	LISTENS = 1,
	FORKS = 2, /* a second process with the same socket */
	CONNECTS = 4,
};

#define HELD_MAX 32
static pid_t held[HELD_MAX];
static size_t nheld;

static void hold_on(const struct try *try, int flags, int ready)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(try->port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(try->port) };
	const struct sockaddr *addr = try->family == AF_INET ? (void *)&in : (void *)&in6;
	socklen_t len = try->family == AF_INET ? sizeof(in) : sizeof(in6);
	pid_t pids[2] = { getpid() };
	int fd, one = 1;

	bed_become(try);
	fd = socket(try->family, try->type ?: SOCK_STREAM, try->protocol);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (try->v6only && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one))) || bind(fd, addr, len) ||
	    (flags & LISTENS && listen(fd, 5)) || (flags & CONNECTS && connect(fd, addr, len)))
		_exit(1);
	/* One that has it twice is still one. */
	if (dup(fd) < 0)
		_exit(1);
	if (flags & FORKS) {
		pids[1] = fork();
		if (!pids[1]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
	if (write(ready, pids, sizeof(pids)) != sizeof(pids))
		_exit(1);
	for (;;)
		pause();
}

/* Starts a holder, which lives until let_go(). Its process, and the second one of one that forks. */
static pid_t hold(const struct try *try, int flags, pid_t *ret_second)
{
	pid_t pids[2], child;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipes[0]);
		hold_on(try, flags, pipes[1]);
	}
	assert_true(child > 0 && nheld < HELD_MAX);
	held[nheld++] = child;
	close(pipes[1]);
	if (read(pipes[0], pids, sizeof(pids)) != sizeof(pids))
		fail_msg("port %u cannot be held", try->port);
	close(pipes[0]);
	if (ret_second)
		*ret_second = pids[1];
	return pids[0];
}

static int let_go(void **state)
{
	(void)state;
	while (nheld) {
		kill(held[--nheld], SIGKILL);
		waitpid(held[nheld], NULL, 0);
	}
	bed_unload();
	return 0;
}

/* `bindctl holders --json` with those arguments; put it. */
static struct json_object *holders(const char *first, const char *second)
{
	_cleanup_(bc_text_done) struct bc_text out = {};
	struct json_object *document;

	assert_int_equal(BINDCTL(&out, "holders", "--json", first, second), 0);
	document = json_tokener_parse(out.data);
	if (!document)
		fail_msg("not JSON: %s", out.data);
	return document;
}

static size_t count(struct json_object *document)
{
	return json_object_array_length(json_object_object_get(document, "holders"));
}

static struct json_object *get(struct json_object *document, size_t i)
{
	return json_object_array_get_idx(json_object_object_get(document, "holders"), i);
}

static const char *string(struct json_object *holder, const char *name)
{
	return json_object_get_string(json_object_object_get(holder, name)) ?: "null";
}

static int64_t number(struct json_object *holder, const char *name)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(holder, name, &value));
	return json_object_get_int64(value);
}

/* The only holder of the port: let or not, and by which verdict. */
static void assert_answer(const char *port, const char *let, const char *verdict)
{
	struct json_object *document = holders(port, NULL), *holder = get(document, 0);

	if (count(document) != 1 || strcmp(string(holder, "let"), let) || strcmp(string(holder, "verdict"), verdict))
		fail_msg("port %s: not %s, %s: %s", port, let, verdict, json_object_to_json_string(document));
	json_object_put(document);
}

/* Since 6.8 the kernel lists sockets that are bound and do not listen. */
static bool lists_bound(void)
{
	struct utsname name;
	unsigned major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	return major > 6 || (major == 6 && minor >= 8);
}

static void every_kind_of_socket_is_found(void **state)
{
	static const struct {
		int family, type, protocol, flags;
		bool v6only;
		const char *addr, *proto, *state;
	} kinds[] = {
		{ AF_INET, SOCK_STREAM, 0, LISTENS, false, "0.0.0.0", "tcp", "listen" },
		{ AF_INET6, SOCK_STREAM, 0, LISTENS, false, "::", "tcp", "listen" },
		{ AF_INET6, SOCK_STREAM, 0, LISTENS, true, "::", "tcp", "listen" },
		{ AF_INET, SOCK_STREAM, 0, 0, false, "0.0.0.0", "tcp", "bound" },
		{ AF_INET6, SOCK_STREAM, 0, 0, false, "::", "tcp", "bound" },
		{ AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */, LISTENS, false, "0.0.0.0", "tcp", "listen" },
		{ AF_INET, SOCK_DGRAM, 0, 0, false, "0.0.0.0", "udp", "bound" },
		{ AF_INET6, SOCK_DGRAM, 0, 0, false, "::", "udp", "bound" },
		{ AF_INET, SOCK_DGRAM, 0, CONNECTS, false, "127.0.0.1", "udp", "connected" },
		{ AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, 0, false, "0.0.0.0", "udplite", "bound" },
		{ AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE, 0, false, "::", "udplite", "bound" },
	};

	(void)state;
	bed_policy("grant port 443 netns any\n");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct try try = { .uid = NOBODY,
					 .family = kinds[i].family,
					 .port = 443,
					 .type = kinds[i].type,
					 .protocol = kinds[i].protocol,
					 .v6only = kinds[i].v6only };
		struct json_object *document, *holder;
		pid_t pid;

		if (kinds[i].protocol == IPPROTO_UDPLITE && !bed_has_udp_lite())
			continue;
		if (!strcmp(kinds[i].proto, "tcp") && !kinds[i].flags && !lists_bound())
			continue;
		pid = hold(&try, kinds[i].flags, NULL);
		document = holders("443", NULL);
		if (count(document) != 1)
			fail_msg("kind %zu: %s", i, json_object_to_json_string(document));
		holder = get(document, 0);
		assert_string_equal(string(holder, "addr"), kinds[i].addr);
		assert_string_equal(string(holder, "proto"), kinds[i].proto);
		assert_string_equal(string(holder, "state"), kinds[i].state);
		assert_int_equal(number(holder, "port"), 443);
		assert_int_equal(number(holder, "family"), kinds[i].family == AF_INET ? 4 : 6);
		assert_int_equal(number(holder, "pid"), pid);
		assert_int_equal(number(holder, "uid"), NOBODY);
		assert_int_equal(number(holder, "socket_uid"), NOBODY);
		assert_true(number(holder, "inode") > 0 && number(holder, "socket_cgroup_id") > 1);
		assert_string_equal(string(holder, "comm"), "test_holders");
		assert_string_equal(string(holder, "cgroup"), bed.scope);
		assert_string_equal(string(holder, "let"), "true");
		assert_string_equal(string(json_object_object_get(holder, "rule"), "rule"), "grant port 443 netns any");
		json_object_put(document);
		/* The same, asked for by its protocol, and not by the other. */
		document = holders(strcmp(kinds[i].proto, "tcp") ? "80,440-450/udp" : "80,440-450/tcp", NULL);
		assert_int_equal(count(document), 1);
		json_object_put(document);
		document = holders(strcmp(kinds[i].proto, "tcp") ? "443/tcp" : "443/udp", NULL);
		assert_int_equal(count(document), 0);
		json_object_put(document);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		nheld--;
	}
}

static void every_process_of_a_socket_is_named(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET6, .port = 443 };
	struct json_object *document;
	pid_t first, second;

	(void)state;
	bed_policy("grant port 443 netns any\n");
	first = hold(&try, LISTENS | FORKS, &second);
	document = holders("443", NULL);
	assert_int_equal(count(document), 2);
	assert_int_equal(number(get(document, 0), "inode"), number(get(document, 1), "inode"));
	assert_int_equal(number(get(document, 0), "pid") + number(get(document, 1), "pid"), first + second);
	assert_int_not_equal(number(get(document, 0), "pid"), number(get(document, 1), "pid"));
	json_object_put(document);
}

static void revoked_one_is_no_longer_let(void **state)
{
	const struct try nobodys = { .uid = NOBODY, .family = AF_INET, .port = 443 };
	const struct try roots = { .family = AF_INET, .port = 444 };
	struct json_object *document;

	(void)state;
	assert_int_equal(BINDCTL(NULL, "grant", "nobody", "443", "netns", "any"), 0);
	hold(&nobodys, LISTENS, NULL);
	hold(&roots, LISTENS, NULL);
	assert_answer("443", "true", "grant");
	assert_answer("444", "true", "none");
	document = holders("--denied", NULL);
	assert_int_equal(count(document), 0);
	json_object_put(document);
	assert_int_equal(BINDCTL(NULL, "revoke", "nobody", "443"), 0);
	assert_answer("443", "false", "none");
	assert_answer("444", "true", "none");
	document = holders("--denied", NULL);
	assert_int_equal(count(document), 1);
	assert_int_equal(number(get(document, 0), "port"), 443);
	json_object_put(document);
}

static void verdicts_are_those_of_the_policy(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 8443 };

	(void)state;
	hold(&try, LISTENS, NULL);
	bed_policy("deny user nobody port 8443 netns any errno EPERM\n");
	assert_answer("8443", "false", "deny");
	bed_policy("allow user nobody port 8443 netns any\n");
	assert_answer("8443", "true", "allow");
	bed_policy("rewrite user nobody port 8443 to :9443 netns any\n");
	assert_answer("8443", "false", "rewrite");
	bed_policy("reserve user root port 8443 netns any\n");
	assert_answer("8443", "false", "deny");
	bed_policy("deny port 8443 proto udp netns any\n");
	assert_answer("8443", "true", "none");
	/* Here is not the initial network namespace. */
	bed_policy("deny port 8443\n");
	assert_answer("8443", "true", "none");
}

static void rewritten_socket_is_let_by_its_rewrite(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 8443 };
	struct json_object *document;

	(void)state;
	bed_policy("rewrite user nobody port 8443 to :443 netns any\n");
	hold(&try, LISTENS, NULL);
	document = holders("8443", NULL);
	assert_int_equal(count(document), 0);
	json_object_put(document);
	assert_answer("443", "true", "rewrite");
	bed_policy("");
	assert_answer("443", "false", "none");
}

/* Where it is now, not where it was when it bound. */
static void cgroup_is_the_processes_own(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443, .in = "a" };
	char text[256], path[320], digits[16];
	FILE *procs;
	pid_t pid;

	(void)state;
	bed_make_cgroup("a");
	bed_make_cgroup("b");
	snprintf(text, sizeof(text), "grant cgroup %s/a port 443 netns any\n", bed.scope);
	bed_policy(text);
	pid = hold(&try, LISTENS, NULL);
	assert_answer("443", "true", "grant");
	snprintf(path, sizeof(path), "%s/b/cgroup.procs", bed.cgroup);
	snprintf(digits, sizeof(digits), "%d", (int)pid);
	procs = fopen(path, "w");
	assert_non_null(procs);
	assert_true(fputs(digits, procs) >= 0 && !fclose(procs));
	assert_answer("443", "false", "none");
}

/* The programs are not attached there. */
static void policy_counts_within_its_cgroup_alone(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 8443, .outside = true };

	(void)state;
	bed_policy("deny port any netns any\n");
	hold(&try, LISTENS, NULL);
	assert_answer("8443", "true", "none");
}

static void other_network_namespace_is_not_shown(void **state)
{
	const struct try there = { .uid = NOBODY, .family = AF_INET, .port = 443, .foreign_netns = true };
	const struct try here = { .uid = NOBODY, .family = AF_INET, .port = 444 };
	struct json_object *document;

	(void)state;
	bed_policy("grant port 443-444 netns any\n");
	hold(&there, LISTENS, NULL);
	hold(&here, LISTENS, NULL);
	document = holders(NULL, NULL);
	assert_int_equal(count(document), 1);
	assert_int_equal(number(get(document, 0), "port"), 444);
	json_object_put(document);
}

static void without_a_policy_who_holds_is_still_told(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 8443 };
	struct json_object *document;
	pid_t pid;

	(void)state;
	pid = hold(&try, LISTENS, NULL);
	document = holders("8443", NULL);
	assert_int_equal(count(document), 1);
	assert_int_equal(number(get(document, 0), "pid"), pid);
	assert_string_equal(string(get(document, 0), "let"), "null");
	assert_string_equal(string(get(document, 0), "verdict"), "unknown");
	json_object_put(document);
	assert_int_equal(BINDCTL(NULL, "holders", "--denied"), 1);
}

/* Of a process that may not be looked into, there is the socket's owner. */
static void owner_stands_for_hidden_processes(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443 };
	struct json_object *document;
	int status;
	pid_t child;

	(void)state;
	bed_policy("grant user nobody port 443 netns any\n");
	hold(&try, LISTENS, NULL);
	child = fork();
	if (child == 0) {
		for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
			if (!(BC_CAPS_BPF & BC_CAP(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
				_exit(1);
		document = holders("443", NULL);
		if (count(document) != 1 || json_object_object_get(get(document, 0), "pid") ||
		    number(get(document, 0), "uid") != NOBODY || strcmp(string(get(document, 0), "let"), "true") ||
		    strcmp(string(get(document, 0), "cgroup"), bed.scope))
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Loopback is there, but down. */
static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request)) {
		printf("not ok - loopback: %s\n", strerror(errno));
		exit(1);
	}
	close(fd);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test_teardown(every_kind_of_socket_is_found, let_go),
		cmocka_unit_test_teardown(every_process_of_a_socket_is_named, let_go),
		cmocka_unit_test_teardown(revoked_one_is_no_longer_let, let_go),
		cmocka_unit_test_teardown(verdicts_are_those_of_the_policy, let_go),
		cmocka_unit_test_teardown(rewritten_socket_is_let_by_its_rewrite, let_go),
		cmocka_unit_test_teardown(cgroup_is_the_processes_own, let_go),
		cmocka_unit_test_teardown(policy_counts_within_its_cgroup_alone, let_go),
		cmocka_unit_test_teardown(other_network_namespace_is_not_shown, let_go),
		cmocka_unit_test_teardown(without_a_policy_who_holds_is_still_told, let_go),
		cmocka_unit_test_teardown(owner_stands_for_hidden_processes, let_go),
	};

	if (unshare(CLONE_NEWNET)) {
		printf("not ok - network namespace: %s\n", strerror(errno));
		return 1;
	}
	raise_loopback();
	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
