// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random configurations of authbind, what Debian's authbind lets some users bind with each, and what the policy that
 * `bindctl import authbind` makes of it grants them: the same. BINDCTL_RANDOM_SEED and BINDCTL_RANDOM_ROUNDS as in
 * test_random. authbind looks into /etc/authbind alone, so that is a file system of our own in a mount namespace of our
 * own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/random.h"
#include "authtree.h"
#include "bed.h"
#include "pure/decide.h"
#include "pure/parse.h"

#define LIBRARY "/usr/lib/authbind/libauthbind.so.1"
#define CONFIGURATIONS 300
#define ASKED 3 /* of the people, under each of them */
#define BINDS 8 /* of each of those */
#define REAL 8	/* under every so-manieth the kernel is asked, too */

/* The last one is root without the capability, whom authbind does not help. */
static const struct {
	uint32_t uid, gid;
	gid_t groups[2];
	size_t ngroups;
} people[] = {
	{ 12341, 22001, {}, 0 },	{ 12342, 22002, { 22001 }, 1 }, { 12343, 22009, { 22001, 22002 }, 2 },
	{ 12344, 22009, { 22003 }, 1 }, { 12345, 22009, {}, 0 },	{ 0, 22001, {}, 0 },
};

static int netns;

/* One bind. [::] is asked for with IPV6_V6ONLY, or (dual) without. */
struct request {
	const char *addr;
	uint16_t port;
	bool dual;
};

typedef int bind_call(int fd, const struct sockaddr *addr, socklen_t len);

static int try_bind(bind_call *call, const char *addr, uint16_t port, bool v6only)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool v4 = inet_pton(AF_INET, addr, &in.sin_addr) == 1;
	int one = 1, error = 0, fd = socket(v4 ? AF_INET : AF_INET6, port % 2 ? SOCK_STREAM : SOCK_DGRAM, 0);

	if (!v4 && inet_pton(AF_INET6, addr, &in6.sin6_addr) != 1)
		return EINVAL;
	/* Most of the addresses are nobody's here. */
	if (v4)
		setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof(one));
	if (!v4 && v6only)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (v4 ? call(fd, (struct sockaddr *)&in, sizeof(in)) : call(fd, (struct sockaddr *)&in6, sizeof(in6)))
		error = errno;
	close(fd);
	return error;
}

/*
 * What authbind says. bindctl decides [::] of a dual-stack socket as 0.0.0.0 besides, which authbind does not ask
 * about: there it must permit both.
 */
static int ask_authbind(bind_call *call, const struct request *request)
{
	int error = try_bind(call, request->addr, request->port, !request->dual);

	return error || !request->dual ? error : try_bind(call, "0.0.0.0", request->port, false);
}

static void drop_capability(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	prctl(PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE);
	syscall(SYS_capset, &header, data);
}

/* Becomes one of the people and binds: by authbind, or (in the bed's cgroup) by the kernel alone. 0 or errno of each. */
static void work(unsigned person, bool kernel, const struct request *requests, uint8_t *errors)
{
	char path[300];
	bind_call *call = bind;
	int fd = -1, null = open("/dev/null", O_WRONLY);

	snprintf(path, sizeof(path), "%s/cgroup.procs", bed.cgroup);
	if (kernel)
		fd = open(path, O_WRONLY);
	if ((kernel && write(fd, "0", 1) != 1) || setns(netns, CLONE_NEWNET) ||
	    setgroups(people[person].ngroups, people[person].groups) || setgid(people[person].gid) ||
	    setuid(people[person].uid))
		_exit(1);
	if (!people[person].uid)
		drop_capability();
	/* The helper says what it does not like of a file. */
	dup2(null, STDERR_FILENO);
	if (!kernel)
		call = (bind_call *)dlsym(dlopen(LIBRARY, RTLD_NOW) ?: RTLD_NEXT, "bind");
	if (!call || (!kernel && call == bind))
		_exit(2);
	for (unsigned i = 0; i < BINDS; i++)
		errors[i] = kernel ? try_bind(call, requests[i].addr, requests[i].port, !requests[i].dual) :
				     ask_authbind(call, &requests[i]);
}

static void ask(unsigned person, bool kernel, const struct request *requests, uint8_t errors[BINDS])
{
	int pipes[2], status;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		work(person, kernel, requests, errors);
		_exit(write(pipes[1], errors, BINDS) != BINDS);
	}
	close(pipes[1]);
	if (read(pipes[0], errors, BINDS) != BINDS)
		memset(errors, 255, BINDS);
	close(pipes[0]);
	waitpid(child, &status, 0);
	if (status)
		fail_msg("the one who binds could not: %#x", status);
	for (unsigned i = 0; i < BINDS; i++)
		if (errors[i] && errors[i] != EACCES && errors[i] != EPERM && errors[i] != ENOENT &&
		    errors[i] != ENOTDIR && errors[i] != ELOOP)
			fail_msg("[%s]:%u: %s", requests[i].addr, requests[i].port, strerror(errors[i]));
}

/* The policy, as bindctl prints it. Some configurations cannot be imported whole: that is said on stderr, too. */
static int import(struct bc_text *text)
{
	int code, saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDERR_FILENO);
	code = BINDCTL(text, "import", "authbind");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
	return code;
}

static void compile(const struct bc_text *text, struct bc_cells *cells)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	struct bc_error error = {};
	int r = bc_parse(&policy, "import", text->data, text->len, 0, &report) ?:
			bc_resolve(&policy, &bed_names, BC_ERROR, &report)     ?:
			bc_compile(&policy, BC_ERROR, cells, &report, &error);

	if (r || report.n)
		fail_msg("%s in\n%s", report.n ? report.items[0].text : error.text, text->data);
}

static bool is_granted(const struct bc_cells *cells, unsigned person, const struct request *request)
{
	struct bc_question question = {
		.uid = people[person].uid,
		.gid = people[person].gid,
		.groups = people[person].groups,
		.ngroups = people[person].ngroups,
		.port = request->port,
		.proto = request->port % 2 ? BC_TCP : BC_UDP,
		.v6only = !request->dual,
		.host_netns = true,
	};
	struct bc_answer answer = {};
	enum bc_verdict verdict;

	question.v4 = random_addr(request->addr, question.addr);
	assert_int_equal(bc_decide_image(cells, &question, &answer), 0);
	verdict = answer.verdict;
	bc_answer_done(&answer);
	assert_int_not_equal(verdict, BC_DENY);
	return verdict == BC_GRANT;
}

/* Puts it into force for the network namespace where the binds are. */
static void enforce(const struct bc_text *text)
{
	_cleanup_(bc_text_done) struct bc_text policy = {};

	for (const char *at = text->data, *end; (end = strchr(at, '\n')); at = end + 1)
		if (*at != '#' && end != at)
			bc_text_addf(&policy, "%.*s netns any\n", (int)(end - at), at);
	bed_policy(policy.data ?: "");
}

static struct {
	unsigned binds, permitted, real, whole, rules, parts;
} counts;

static void choose(uint64_t *state, const struct bc_cells *cells, unsigned person, struct request requests[BINDS])
{
	for (unsigned i = 0; i < BINDS; i++) {
		/* Every other one rather of those that are granted, which are the fewer. */
		for (unsigned draws = i % 2 ? 12 : 1; draws; draws--) {
			requests[i].addr = authtree_addrs[random_below(state, ARRAY_SIZE(authtree_addrs))];
			requests[i].port = authtree_ports[random_below(state, ARRAY_SIZE(authtree_ports))];
			requests[i].dual = !strcmp(requests[i].addr, "::") && random_below(state, 2);
			if (i % 2 && is_granted(cells, person, &requests[i]))
				break;
		}
	}
}

static void compare_one(uint64_t seed, unsigned number)
{
	_cleanup_(bc_text_done) struct bc_text told = {}, text = {};
	_cleanup_(bc_cells_done) struct bc_cells cells = {};
	uint64_t state = random_state(seed, number);
	bool real = number % REAL == 0, part;
	int code;

	authtree_make(&state, &told);
	code = import(&text);
	assert_true(code == 0 || code == 1);
	/* Then the import may grant less, and never more. */
	part = strstr(text.data, "only some may search");
	compile(&text, &cells);
	if (real)
		enforce(&text);
	for (unsigned asked = 0; asked < ASKED; asked++) {
		unsigned person = random_below(&state, ARRAY_SIZE(people));
		uint8_t errors[BINDS], kernel[BINDS];
		struct request requests[BINDS];

		choose(&state, &cells, person, requests);
		ask(person, false, requests, errors);
		if (real)
			ask(person, true, requests, kernel);
		for (unsigned i = 0; i < BINDS; i++) {
			bool granted = is_granted(&cells, person, &requests[i]);

			counts.binds++;
			counts.permitted += !errors[i];
			counts.real += real;
			if ((granted == !errors[i] || (part && !granted)) && (!real || granted == !kernel[i]))
				continue;
			printf("# seed %#lx, configuration %u: [%s]:%u%s by %u: authbind says %s, the import %s\n",
			       (long)seed, number, requests[i].addr, requests[i].port, requests[i].dual ? " dual" : "",
			       people[person].uid, errors[i] ? strerror(errors[i]) : "yes",
			       granted ? "grants" : "does not");
			printf("%s%s", told.data, text.data);
			fail_msg("authbind and the policy that was imported differ");
		}
	}
	counts.parts += part;
	counts.whole += code == 0;
	for (const char *at = text.data; (at = strchr(at, '\n')); at++)
		counts.rules += at[1] && at[1] != '#' && at[1] != '\n';
}

/* A network namespace for the binds, and a mount namespace for the configurations. We stay in the host's network. */
static void make_namespaces(void)
{
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	_cleanup_close_ int host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd = -1;

	assert_int_equal(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &up), 0);
	netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(host, CLONE_NEWNET), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("tmpfs", AUTHTREE_DIR, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"), 0);
}

static void import_permits_what_authbind_does(void **unused)
{
	const char *seed = getenv("BINDCTL_RANDOM_SEED"), *rounds = getenv("BINDCTL_RANDOM_ROUNDS");
	unsigned n = bed_share(CONFIGURATIONS) * (rounds ? strtoul(rounds, NULL, 10) : 1);
	uint64_t number = seed ? strtoull(seed, NULL, 0) : 0xab1d;

	(void)unused;
	if (access(LIBRARY, R_OK) || access(AUTHTREE_DIR, F_OK)) {
		printf("# no authbind: scripts/setup --test installs it\n");
		skip();
	}
	make_namespaces();
	for (unsigned i = 0; i < n; i++)
		compare_one(number, i);
	printf("# seed %#lx: %u configurations, %u imported whole, %u not for a directory's sake, %u rules\n",
	       (long)number, n, counts.whole, counts.parts, counts.rules);
	printf("# %u binds, %u permitted by authbind, %u made under the policy, too: 0 differences\n", counts.binds,
	       counts.permitted, counts.real);
	assert_true(counts.permitted > counts.binds / 10);
}

static int tests(void)
{
	const struct CMUnitTest table[] = { cmocka_unit_test(import_permits_what_authbind_does) };

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
