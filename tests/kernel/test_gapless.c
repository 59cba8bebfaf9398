// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No gap: several processes bind all the time, on both families, by TCP and UDP, while the policy is exchanged for
 * another and back, a small one and one of 100 k rules, and the programs are replaced by those of another build and
 * back, now and then killed half-way. Each bind is judged: it must come out as the policy in force says, or during an
 * exchange as the old one or the new one says; and who has seen the new one must not see the old one again.
 *
 * Takes BINDCTL_GAPLESS_SECONDS, by default 60.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"
#include "survey.h"
#include "trace.h"

#define BINDERS 4
#define MANY 100000
#define FILE_NAME "50-bindctl.conf"

enum {
	SMALL,
	LARGE,
	POLICIES
};

/*
 * What nobody's bind of the port gives under each policy. Without any, those below 1024 would give EACCES and the others
 * succeed, so that a moment without a policy is seen, too.
 */
static const struct {
	uint16_t port;
	int errors[POLICIES];
} ports[] = {
	{ 443, { 0, 0 } },	{ 8443, { EACCES, EACCES } }, { 444, { 0, EACCES } },
	{ 445, { EACCES, 0 } }, { 8444, { EACCES, 0 } },      { 8445, { 0, EACCES } },
};

/* One that all hooks are needed for, by either policy. */
static const char *const heads[POLICIES] = {
	"grant user nobody port 443-444\ndeny port 8443-8444\nrewrite user 1 port 9 to :9999\n",
	"grant user nobody port 443,445\ndeny port 8443,8445\nrewrite user 1 port 9 to :9999\n",
};

/* Which policy may be in force: `from`, or while an exchange is going on, `to`. The number tells two of them apart. */
struct moment {
	uint32_t number;
	uint16_t from, to;
};

struct result {
	uint64_t binds, wrong;
	uint64_t seen[ARRAY_SIZE(ports)][POLICIES]; /* how often a bind came out as only that policy says */
	struct moment before, after;		    /* of the first that came out wrong */
	uint16_t port;
	int family, type, error;
};

/* Shared with the binders. */
static struct {
	struct moment moment;
	struct result results[BINDERS];
} * shared;

static struct moment now_is(void)
{
	struct moment moment;

	__atomic_load(&shared->moment, &moment, __ATOMIC_SEQ_CST);
	return moment;
}

/* Nothing to tell of a bind but whether it was let through: some other socket may hold the port. */
static int bind_once(int family, int type, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	_cleanup_close_ int fd = socket(family, type | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		_exit(120);
	bed_reuse(fd);
	r = family == AF_INET ? bind(fd, (struct sockaddr *)&in, sizeof(in)) :
				bind(fd, (struct sockaddr *)&in6, sizeof(in6));
	return r && errno != EADDRINUSE ? errno : 0;
}

/* `newest`: the exchange of which this binder has seen the new policy already. */
static bool is_right(size_t port, int error, struct moment before, struct moment after, uint32_t *newest)
{
	const int *errors = ports[port].errors;

	if (before.number != after.number)
		return error == errors[before.from] || error == errors[before.to] || error == errors[after.from] ||
		       error == errors[after.to];
	if (error == errors[before.to]) {
		if (error != errors[before.from])
			*newest = before.number;
		return true;
	}
	return error == errors[before.from] && *newest != before.number;
}

static void judge(struct result *result, size_t port, int family, int type, uint32_t *newest)
{
	struct moment before = now_is(), after;
	int error = bind_once(family, type, ports[port].port);

	after = now_is();
	result->binds++;
	if (ports[port].errors[SMALL] != ports[port].errors[LARGE])
		for (int i = 0; i < POLICIES; i++)
			result->seen[port][i] += error == ports[port].errors[i];
	if (is_right(port, error, before, after, newest))
		return;
	if (result->wrong++)
		return;
	result->before = before;
	result->after = after;
	result->port = ports[port].port;
	result->family = family;
	result->type = type;
	result->error = error;
}

/* Binds until it is killed; gives way to the commands, so that much happens in the time. */
static void bind_on(int binder)
{
	const struct try nobody = { .uid = NOBODY };
	uint32_t newest = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bed_become(&nobody);
	if (setpriority(PRIO_PROCESS, 0, 10))
		_exit(121);
	for (unsigned i = binder;; i++)
		judge(&shared->results[binder], i / 4 % ARRAY_SIZE(ports), i & 1 ? AF_INET6 : AF_INET,
		      i & 2 ? SOCK_DGRAM : SOCK_STREAM, &newest);
}

static void set_moment(uint16_t from, uint16_t to)
{
	struct moment moment = { now_is().number + 1, from, to };

	__atomic_store(&shared->moment, &moment, __ATOMIC_SEQ_CST);
}

static void write_policy(int which)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_text_addf(&text, "%s", heads[which]);
	for (int i = 3; i < (which == SMALL ? 10 : MANY); i++)
		bc_text_addf(&text, "grant user %d port %d\n", 20000 + i / 50, 1 + i % 50 * 20);
	assert_false(text.failed);
	bed_write(FILE_NAME, text.data, text.len);
}

static int run(const char *program, const char *command)
{
	return bed_run(getenv(program), NULL, (const char *const[]){ command, NULL });
}

/* The other policy. */
static void swap(void)
{
	uint16_t from = now_is().to, to = from == SMALL ? LARGE : SMALL;

	write_policy(to);
	set_moment(from, to);
	assert_int_equal(run("BINDCTL", "apply"), 0);
	set_moment(to, to);
}

static void upgrade(const char *program)
{
	struct hooked before[BC_HOOKS], after[BC_HOOKS];

	survey_hooks(before);
	assert_int_equal(run(program, "load"), 0);
	survey_hooks(after);
	assert_int_equal(survey_replaced(before, after), BC_HOOKS);
}

/* The same, killed when `done` links have the new program; then again, to its end. */
static void upgrade_twice(const char *program, int done)
{
	struct hooked before[BC_HOOKS], between[BC_HOOKS], after[BC_HOOKS];
	pid_t pid = trace_start(getenv(program), (const char *const[]){ "load", NULL }, TRACE_CHANGES);
	const struct timespec moment = { .tv_nsec = 200000000 };
	struct trace_stop stop;
	int updates = 0;

	survey_hooks(before);
	trace_to_main(pid, TRACE_CHANGES, &stop);
	do {
		trace_next(pid, &stop);
		assert_false(stop.ended);
		updates += stop.entry && stop.nr == SYS_bpf && stop.args[0] == BPF_LINK_UPDATE;
	} while (updates <= done);
	trace_kill(pid);
	survey_hooks(between);
	assert_int_equal(survey_replaced(before, between), done);
	nanosleep(&moment, NULL);
	assert_int_equal(run(program, "load"), 0);
	survey_hooks(after);
	assert_int_equal(survey_replaced(before, after), BC_HOOKS);
	assert_int_equal(survey_replaced(between, after), BC_HOOKS);
}

static void say_wrong(const struct result *result)
{
	printf("# wrong: port %u, %s, %s gave %d; before it %u: %u to %u, behind it %u: %u to %u\n", result->port,
	       result->family == AF_INET ? "IPv4" : "IPv6", result->type == SOCK_STREAM ? "TCP" : "UDP", result->error,
	       result->before.number, result->before.from, result->before.to, result->after.number, result->after.from,
	       result->after.to);
}

/* All that the binders saw. Ports that tell the policies apart must have come out both ways, or nothing was swapped. */
static void check_results(void)
{
	uint64_t binds = 0, wrong = 0;

	for (int i = 0; i < BINDERS; i++) {
		const struct result *result = &shared->results[i];

		binds += result->binds;
		wrong += result->wrong;
		if (result->wrong)
			say_wrong(result);
		for (size_t port = 0; port < ARRAY_SIZE(ports); port++)
			if (ports[port].errors[SMALL] != ports[port].errors[LARGE])
				assert_true(result->seen[port][SMALL] && result->seen[port][LARGE]);
	}
	printf("# binds during swaps: %lu, wrong: %lu\n", (unsigned long)binds, (unsigned long)wrong);
	assert_true(binds > 0);
	assert_int_equal(wrong, 0);
}

static void swap_and_upgrade(time_t end)
{
	unsigned rounds = 0;

	do {
		int done = 1 + rounds % (BC_HOOKS - 1);

		swap();
		upgrade("OTHER_BINDCTL");
		swap();
		swap();
		upgrade_twice("BINDCTL", done);
		swap();
		upgrade("OTHER_BINDCTL");
		upgrade("BINDCTL");
		rounds++;
	} while (time(NULL) < end);
	printf("# %u swaps of policies, %u upgrades, %u of them killed half-way\n", 4 * rounds, 4 * rounds, rounds);
}

static void gapless(void **state)
{
	const char *seconds = getenv("BINDCTL_GAPLESS_SECONDS");
	pid_t binders[BINDERS];
	int status;

	(void)state;
	write_policy(SMALL);
	assert_int_equal(run("BINDCTL", "load"), 0);
	for (int i = 0; i < BINDERS; i++) {
		binders[i] = fork();
		if (binders[i] == 0)
			bind_on(i);
		assert_true(binders[i] > 0);
	}
	swap_and_upgrade(time(NULL) + (seconds ? atoi(seconds) : 60));
	for (int i = 0; i < BINDERS; i++) {
		/* None of them ends by itself. */
		assert_int_equal(waitpid(binders[i], &status, WNOHANG), 0);
		kill(binders[i], SIGKILL);
		waitpid(binders[i], &status, 0);
	}
	check_results();
}

static int tests(void)
{
	const struct CMUnitTest table[] = { cmocka_unit_test(gapless) };

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared == MAP_FAILED ? 1 : cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
