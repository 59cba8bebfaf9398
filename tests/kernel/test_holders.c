// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who holds ports, and whether he would still be let: real sockets, of processes that live on, in a network namespace
 * that nobody else binds in.
 */
#include <errno.h>
#include <json-c/json.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holder.h"
#include "host/privilege.h"

static int let_go(void **state)
{
	(void)state;
	release_all();
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
		fail_msg("not JSON: %.600s", out.data);
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
		fail_msg("port %s: not %s, %s: %.600s", port, let, verdict, json_object_to_json_string(document));
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

struct kind {
	int family, type, protocol, flags;
	bool v6only;
	const char *addr, *proto, *state;
};

static void assert_holder(struct json_object *holder, const struct kind *kind, pid_t pid)
{
	assert_string_equal(string(holder, "addr"), kind->addr);
	assert_string_equal(string(holder, "proto"), kind->proto);
	assert_string_equal(string(holder, "state"), kind->state);
	assert_int_equal(number(holder, "port"), 443);
	assert_int_equal(number(holder, "family"), kind->family == AF_INET ? 4 : 6);
	assert_int_equal(number(holder, "pid"), pid);
	assert_int_equal(number(holder, "uid"), NOBODY);
	assert_int_equal(number(holder, "socket_uid"), NOBODY);
	assert_true(number(holder, "inode") > 0 && number(holder, "socket_cgroup_id") > 1);
	assert_string_equal(string(holder, "comm"), "test_holders");
	assert_string_equal(string(holder, "cgroup"), bed.scope);
	assert_string_equal(string(holder, "let"), "true");
	assert_string_equal(string(json_object_object_get(holder, "rule"), "rule"), "grant port 443 netns any");
}

static void assert_count(const char *first, const char *second, size_t n)
{
	struct json_object *document = holders(first, second);

	if (count(document) != n)
		fail_msg("%s: not %zu: %.600s", first, n, json_object_to_json_string(document));
	json_object_put(document);
}

/* One socket of the kind. Each run of bindctl takes its time in a virtual machine, so there is one. */
static void assert_found(const struct kind *kind)
{
	const struct try try = { .uid = NOBODY,
				 .family = kind->family,
				 .port = 443,
				 .type = kind->type,
				 .protocol = kind->protocol,
				 .v6only = kind->v6only };
	bool tcp = !strcmp(kind->proto, "tcp"), listed = !tcp || kind->flags & LISTENS || lists_bound();
	struct json_object *document;
	pid_t pid;

	pid = hold(&try, kind->flags, NULL);
	document = holders("443", NULL);
	if (count(document) != listed)
		fail_msg("not %d: %.600s", listed, json_object_to_json_string(document));
	if (listed)
		assert_holder(get(document, 0), kind, pid);
	json_object_put(document);
	release_all();
}

static void every_kind_of_socket_is_found(void **state)
{
	static const struct kind kinds[] = {
		{ AF_INET, SOCK_STREAM, 0, LISTENS, false, "0.0.0.0", "tcp", "listen" },
		{ AF_INET6, SOCK_STREAM, 0, LISTENS, false, "::", "tcp", "listen" },
		{ AF_INET6, SOCK_STREAM, 0, LISTENS, true, "::", "tcp", "listen" },
		{ AF_INET, SOCK_STREAM, 0, 0, false, "0.0.0.0", "tcp", "bound" },
		{ AF_INET6, SOCK_STREAM, 0, 0, false, "::", "tcp", "bound" },
		{ AF_INET, SOCK_STREAM, IPPROTO_MPTCP, LISTENS, false, "0.0.0.0", "tcp", "listen" },
		{ AF_INET, SOCK_DGRAM, 0, 0, false, "0.0.0.0", "udp", "bound" },
		{ AF_INET6, SOCK_DGRAM, 0, 0, false, "::", "udp", "bound" },
		{ AF_INET, SOCK_DGRAM, 0, CONNECTS, false, "127.0.0.1", "udp", "connected" },
	};

	(void)state;
	bed_policy("grant port 443 netns any\n");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		assert_found(&kinds[i]);
}

static void udp_lite_is_found(void **state)
{
	static const struct kind kinds[] = {
		{ AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, 0, false, "0.0.0.0", "udplite", "bound" },
		{ AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE, 0, false, "::", "udplite", "bound" },
	};

	(void)state;
	if (!bed_has_udp_lite())
		skip();
	bed_policy("grant port 443 netns any\n");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		assert_found(&kinds[i]);
}

static void only_what_is_asked_for_is_shown(void **state)
{
	const struct try tcp = { .uid = NOBODY, .family = AF_INET, .port = 8443 };
	const struct try udp = { .uid = NOBODY, .family = AF_INET, .port = 8443, .type = SOCK_DGRAM };

	(void)state;
	bed_policy("");
	hold(&tcp, LISTENS, NULL);
	hold(&udp, 0, NULL);
	assert_count(NULL, NULL, 2);
	assert_count("80,8440-8450", NULL, 2);
	assert_count("8443/tcp", NULL, 1);
	assert_count("8440-8443/udp", NULL, 1);
	assert_count("1-8442,8444-65535", NULL, 0);
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
	assert_count("--denied", NULL, 0);
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

	(void)state;
	bed_policy("rewrite user nobody port 8443 to :443 netns any\n");
	hold(&try, LISTENS, NULL);
	assert_count("8443", NULL, 0);
	assert_answer("443", "true", "rewrite");
	bed_policy("");
	assert_answer("443", "false", "none");
}

/* [::] takes the IPv4 port along, unless the socket says that it does not. */
static void v6only_socket_is_asked_about_as_such(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET6, .port = 443, .v6only = true };

	(void)state;
	bed_policy("grant port 443 addr ::/0 netns any\ngrant port 444 netns any\n");
	hold(&try, LISTENS, NULL);
	assert_answer("443", "true", "grant");
	try.v6only = false;
	try.port = 444;
	hold(&try, LISTENS, NULL);
	bed_policy("grant port 443-444 addr ::/0 netns any\n");
	assert_answer("443", "true", "grant");
	assert_answer("444", "false", "none");
}

/* A capability counts where the network namespace belongs to. */
static void capability_of_another_user_namespace_does_not_count(void **state)
{
	const struct try theirs = { .uid = NOBODY, .family = AF_INET, .port = 443 };
	const struct try ours = { .family = AF_INET, .port = 444 };

	(void)state;
	bed_policy("grant port 443-444 netns any\n");
	hold(&theirs, LISTENS | LEAVES, NULL);
	hold(&ours, LISTENS, NULL);
	bed_policy("");
	assert_answer("443", "false", "none");
	assert_answer("444", "true", "none");
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
static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test_teardown(every_kind_of_socket_is_found, let_go),
		cmocka_unit_test_teardown(udp_lite_is_found, let_go),
		cmocka_unit_test_teardown(only_what_is_asked_for_is_shown, let_go),
		cmocka_unit_test_teardown(every_process_of_a_socket_is_named, let_go),
		cmocka_unit_test_teardown(revoked_one_is_no_longer_let, let_go),
		cmocka_unit_test_teardown(verdicts_are_those_of_the_policy, let_go),
		cmocka_unit_test_teardown(rewritten_socket_is_let_by_its_rewrite, let_go),
		cmocka_unit_test_teardown(v6only_socket_is_asked_about_as_such, let_go),
		cmocka_unit_test_teardown(capability_of_another_user_namespace_does_not_count, let_go),
		cmocka_unit_test_teardown(cgroup_is_the_processes_own, let_go),
		cmocka_unit_test_teardown(policy_counts_within_its_cgroup_alone, let_go),
		cmocka_unit_test_teardown(other_network_namespace_is_not_shown, let_go),
		cmocka_unit_test_teardown(without_a_policy_who_holds_is_still_told, let_go),
		cmocka_unit_test_teardown(owner_stands_for_hidden_processes, let_go),
	};

	if (unshare(CLONE_NEWNET) || bed_raise_loopback()) {
		printf("not ok - network namespace: %s\n", strerror(errno));
		return 1;
	}
	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
