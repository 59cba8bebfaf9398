// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random policies in force, random binds made for real, and what a plain reading of the rules says of each
 * (tests/unit/reference.h, which shares no code with the compiler and the programs). BINDCTL_RANDOM_SEED and
 * BINDCTL_RANDOM_ROUNDS as in the unit test.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../unit/random.h"
#include "../unit/reference.h"
#include "bed.h"

#define POLICIES 600
#define BINDS 100
#define RULES 24

static const uint32_t random_users[] = { 0, NOBODY, SOMEBODY, 1235 };
static const uint32_t random_groups[] = { 3000, 3001, 3002, 3003 };
static const char *const random_names[] = { "a", "b", "a-name-of-more-than-thirty-two-bytes" };
static const uint16_t random_far[] = { 0, 0, 9500, 60000 };
static const char *const random_prefixes[] = {
	"0.0.0.0/0", "0.0.0.0", "127.0.0.0/8", "127.0.0.0/24", "127.0.0.1", "::/0", "::", "::1", "::ffff:0:0/96",
};
static const char *const random_addrs[] = {
	"0.0.0.0", "::", "::", "127.0.0.1", "127.0.0.2", "127.1.0.1", "::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0",
};
static const char *const random_targets[] = {
	":731", "127.0.0.3", "127.0.0.4:732", "[::1]:733", "::1", ":9600",
};
static const int64_t random_untils[] = { -3600 * BC_SECOND, -BC_SECOND, 3600 * BC_SECOND };

static struct random_tables tables = {
	RANDOM_TABLE(users), RANDOM_TABLE(groups),  RANDOM_TABLE(names),  RANDOM_TABLE(far), RANDOM_TABLE(prefixes),
	RANDOM_TABLE(addrs), RANDOM_TABLE(targets), RANDOM_TABLE(untils), .base = bed.scope, .depth = 2,
	.flat = true,	     .ports = { 700, 760 }, .host = true,	  .other = true,
};

static int host_fd, other_fd; /* network namespaces */

/* What became of one bind. */
struct result {
	int error;
	uint16_t port; /* that getsockname(2) shows */
	uint32_t addr[4];
	bool v4_socket;
};

/* Puts this process where the question is asked from. It keeps a way back: its saved uid stays root's. */
static int take_place(const struct bc_question *q)
{
	gid_t gid = q->gid;
	char path[512];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s%s/cgroup.procs", bed.cgroup, q->cgroup + strlen(bed.scope));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1 || setns(q->host_netns ? host_fd : other_fd, CLONE_NEWNET))
		return -errno;
	if (setgroups(q->ngroups, q->groups) || setresgid(-1, gid, -1) || setresuid(-1, q->uid, 0))
		return -errno;
	return 0;
}

/* An IPv4 address can be asked for on a socket of either family. */
static bool takes_v4_socket(const struct bc_question *q)
{
	return q->v4 && (q->v6only || q->port % 2);
}

static void read_name(int fd, struct result *result)
{
	struct sockaddr_in6 name;
	socklen_t len = sizeof(name);

	if (getsockname(fd, (struct sockaddr *)&name, &len))
		return;
	result->port = ntohs(name.sin6_port);
	if (result->v4_socket) {
		result->addr[2] = 0xffff;
		result->addr[3] = ntohl(((struct sockaddr_in *)&name)->sin_addr.s_addr);
	} else {
		for (int i = 0; i < 4; i++)
			result->addr[i] = ntohl(name.sin6_addr.s6_addr32[i]);
	}
}

static struct result do_bind(const struct bc_question *q)
{
	struct result result = { .v4_socket = takes_v4_socket(q) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(q->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(q->port) };
	int one = 1,
	    fd = socket(result.v4_socket ? AF_INET : AF_INET6, q->proto == BC_TCP ? SOCK_STREAM : SOCK_DGRAM, 0);

	in.sin_addr.s_addr = htonl(q->addr[3]);
	for (int i = 0; i < 4; i++)
		in6.sin6_addr.s6_addr32[i] = htonl(q->addr[i]);
	bed_reuse(fd);
	if (q->v6only && !result.v4_socket)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (result.v4_socket ? bind(fd, (struct sockaddr *)&in, sizeof(in)) :
			       bind(fd, (struct sockaddr *)&in6, sizeof(in6)))
		result.error = errno;
	else
		read_name(fd, &result);
	close(fd);
	return result;
}

/* What the rules say that bind(2) gives; the address and port that it leads to. */
static int expected_error(const struct bc_question *q, const struct reference_answer *answer)
{
	bool to_v4 = !answer->addr[0] && !answer->addr[1] && answer->addr[2] == 0xffff;
	bool moved = answer->verdict == BC_REWRITE && memcmp(answer->addr, q->addr, sizeof(q->addr));

	if (answer->verdict == BC_DENY)
		return answer->err;
	if (answer->verdict == BC_REWRITE)
		return moved && (takes_v4_socket(q) ? !to_v4 : to_v4 && q->v6only) ? EAFNOSUPPORT : 0;
	if (answer->verdict == BC_GRANT)
		return 0;
	return q->uid && q->port && q->port < 1024 ? EACCES : 0;
}

/* Whether the bind's result is one that the rules allow. */
static bool agrees(const struct bc_policy *policy, const struct bc_question *q, const struct result *result)
{
	struct reference_answer answer, chosen;
	struct bc_question then = *q;
	bool rewritten;

	reference_ask(policy, q, &answer);
	rewritten = answer.verdict == BC_REWRITE;
	if (expected_error(q, &answer) || result->error) {
		/* The kernel chose a port and the rules refused it: which one, nobody tells. */
		if (!expected_error(q, &answer) && !(rewritten ? answer.port : q->port))
			return result->error == EACCES || result->error == EPERM || result->error == EADDRINUSE ||
			       result->error == EADDRNOTAVAIL;
		return result->error == expected_error(q, &answer);
	}
	if (rewritten && !answer.hidden && memcmp(result->addr, answer.addr, sizeof(answer.addr)))
		return false;
	if ((!rewritten || answer.hidden) && memcmp(result->addr, q->addr, sizeof(q->addr)))
		return false;
	if (rewritten && answer.port)
		return result->port == (answer.hidden ? q->port : answer.port);
	if (q->port)
		return result->port == q->port;
	/* The port that was chosen is one that could have been asked for. */
	then.port = result->port;
	if (rewritten) {
		memcpy(then.addr, answer.addr, sizeof(then.addr));
		then.v4 = !then.addr[0] && !then.addr[1] && then.addr[2] == 0xffff;
	}
	reference_ask(policy, &then, &chosen);
	return chosen.verdict != BC_DENY;
}

/* Binds as `q` says in a process of its own. */
static struct result bind_apart(const struct bc_question *q)
{
	struct result result = { .error = -1 };
	int pipes[2];
	pid_t child;

	if (pipe(pipes))
		return result;
	child = fork();
	if (child == 0) {
		result.error = take_place(q);
		if (!result.error)
			result = do_bind(q);
		_exit(write(pipes[1], &result, sizeof(result)) != sizeof(result));
	}
	close(pipes[1]);
	if (read(pipes[0], &result, sizeof(result)) != sizeof(result))
		result.error = -1;
	close(pipes[0]);
	waitpid(child, NULL, 0);
	return result;
}

static bool differs(const char *text, void *ctx)
{
	const struct bc_question *q = ctx;
	struct bc_error error;
	struct result result;

	if (bed_apply(text, &error))
		return false;
	result = bind_apart(q);
	return result.error >= 0 && !agrees(&bed_build.policy, q, &result);
}

static void describe(const char *text, struct bc_question *q, const struct result *result)
{
	_cleanup_(bc_text_done) struct bc_text bind = {};
	_cleanup_free_ char *smallest = random_minimise(text, differs, q);
	struct reference_answer answer;

	random_describe(&bind, q);
	printf("# %s, %s socket: errno %d, port %u\n", bind.data, result->v4_socket ? "IPv4" : "IPv6", result->error,
	       result->port);
	if (!bed_apply(smallest, &(struct bc_error){})) {
		reference_ask(&bed_build.policy, q, &answer);
		printf("# the rules say: verdict %d by rule %d, errno %d, port %u\n", answer.verdict, answer.rule,
		       expected_error(q, &answer), answer.port);
	}
	printf("# the fewest rules that show it:\n");
	for (char *save = NULL, *line = strtok_r(smallest, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		printf("#   %s\n", line);
}

/* What a worker found: how many binds it made, and the first that differs. */
struct finding {
	unsigned binds;
	int wrong; /* its number; -1: none; -2: the worker could not work */
	struct result result;
};

/* Makes the binds one after the other, as many identities as they have. */
static void work(const struct bc_policy *policy, struct random_bind *binds, struct finding *finding)
{
	finding->wrong = -1;
	for (int i = 0; i < BINDS; i++) {
		if (setresuid(-1, 0, 0) || take_place(&binds[i].question)) {
			finding->wrong = -2;
			return;
		}
		finding->result = do_bind(&binds[i].question);
		finding->binds++;
		if (!agrees(policy, &binds[i].question, &finding->result)) {
			finding->wrong = i;
			return;
		}
	}
}

static int compare_places(const void *left, const void *right)
{
	return strcmp(((const struct random_bind *)left)->cgroup, ((const struct random_bind *)right)->cgroup);
}

static void ask(uint64_t *state, struct random_bind *binds)
{
	for (int i = 0; i < BINDS; i++)
		random_ask(state, &tables, &binds[i]);
	/* Moving to another cgroup is what takes time. The questions point into their binds. */
	qsort(binds, BINDS, sizeof(*binds), compare_places);
	for (int i = 0; i < BINDS; i++) {
		binds[i].question.groups = binds[i].groups;
		binds[i].question.cgroup = binds[i].cgroup;
	}
}

/* One policy and its binds; returns the number of binds, or fails the test. */
static unsigned compare(uint64_t seed, unsigned number)
{
	static struct random_bind binds[BINDS];
	_cleanup_(bc_text_done) struct bc_text text = {};
	uint64_t state = random_state(seed, number);
	struct finding finding = { .wrong = -2 };
	struct bc_error error = {};
	int pipes[2];
	pid_t child;

	tables.now = time(NULL) * BC_SECOND;
	random_policy(&state, &tables, 1 + random_below(&state, RULES), &text);
	ask(&state, binds);
	if (bed_apply(text.data, &error))
		fail_msg("seed %#lx, policy %u: %s in\n%s", (long)seed, number, error.text, text.data);
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		work(&bed_build.policy, binds, &finding);
		_exit(write(pipes[1], &finding, sizeof(finding)) != sizeof(finding));
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &finding, sizeof(finding)), sizeof(finding));
	close(pipes[0]);
	waitpid(child, NULL, 0);
	assert_int_not_equal(finding.wrong, -2);
	if (finding.wrong >= 0) {
		printf("# seed %#lx, policy %u, bind %d\n", (long)seed, number, finding.wrong);
		describe(text.data, &binds[finding.wrong].question, &finding.result);
		fail_msg("the kernel and the rules differ");
	}
	return finding.binds;
}

/* A network namespace with its loopback up; we stay in ours. */
static int make_netns(void)
{
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	_cleanup_close_ int fd = -1;
	int made;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &up), 0);
	made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(host_fd, CLONE_NEWNET), 0);
	return made;
}

static void kernel_and_reference_agree(void **state)
{
	const char *seed = getenv("BINDCTL_RANDOM_SEED"), *rounds = getenv("BINDCTL_RANDOM_ROUNDS");
	unsigned policies = bed_share(POLICIES) * (rounds ? strtoul(rounds, NULL, 10) : 1), all = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(random_names); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(random_names); k++) {
			char path[128];

			snprintf(path, sizeof(path), "%s/%s", random_names[i], random_names[k]);
			bed_make_cgroup(path);
		}
	}
	host_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	other_fd = make_netns();
	for (unsigned i = 0; i < policies; i++)
		all += compare(seed ? strtoull(seed, NULL, 0) : 0xb1d, i);
	printf("# %u binds under %u policies compared with the reference, 0 differences\n", all, policies);
	assert_true(all >= (unsigned)bed_share(20000));
}

static int tests(void)
{
	const struct CMUnitTest table[] = { cmocka_unit_test(kernel_and_reference_agree) };

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
