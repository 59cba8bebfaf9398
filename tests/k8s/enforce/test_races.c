// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Killed at any moment, beside other writers, and while pods bind: the file is the old one or the new one, the kernel's
 * policy, too, nobody's change is lost, and no pod is decided otherwise than its rules say.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/filename.h"
#include "pods.h"

#define KILLS bed_share(200)	/* at least, and */
#define MORE_KILLS (10 * KILLS) /* at most, until some were before the change and some behind it */
#define GRANTS 24		/* at least, and */
#define TEXTS 8
#define FIRST_PORT 600
#define LAST_PORT 1000

static char path[256]; /* of the agent's file */
static struct enforcer enforcer;

static int open_enforcer(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/" FILENAME_DEFAULT, bed.policy);
	pods_forget();
	bed_make_cgroup(POD_A CONTAINER);
	bed_make_cgroup(POD_B CONTAINER);
	pods_open(&enforcer);
	return 0;
}

static int close_enforcer(void **state)
{
	(void)state;
	enforcer_done(&enforcer);
	bed_remove_cgroup("kubepods.slice");
	return 0;
}

static long microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

/* A child that carries the text out, and ends. */
static pid_t start(const char *text)
{
	pid_t pid = fork();

	if (pid == 0) {
		_cleanup_(bc_report_done) struct bc_report report = {};
		enum enforce_result result;
		struct bc_error error;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(enforce(&enforcer, text, strlen(text), &result, &report, &error) ? 1 : 0);
	}
	assert_true(pid > 0);
	return pid;
}

/* How long that takes from here, in microseconds. */
static long measure(const char *text)
{
	long begin = microseconds();
	int status;
	pid_t pid = start(text);

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return microseconds() - begin;
}

static int binds(int family, uint16_t port)
{
	const struct try try = { .in = POD_A CONTAINER, .uid = NOBODY, .family = family, .port = port };

	return bed_try(&try).error;
}

/* The port that both families grant, of the two; 0 when none. Anything else is a mixture. */
static uint16_t granted(void)
{
	int v4[] = { binds(AF_INET, 443), binds(AF_INET, 444) }, v6[] = { binds(AF_INET6, 443), binds(AF_INET6, 444) };

	assert_memory_equal(v4, v6, sizeof(v4));
	if ((v4[0] && v4[0] != EACCES) || (v4[1] && v4[1] != EACCES) || (!v4[0] && !v4[1]))
		fail_msg("443: %s; 444: %s", strerror(v4[0]), strerror(v4[1]));
	return !v4[0] ? 443 : !v4[1] ? 444 : 0;
}

/* `was`: the port before, 0 when nothing was loaded. */
static void check_whole(uint16_t was, uint16_t is, const char *const texts[2])
{
	_cleanup_free_ char *found = read_path(path);
	uint16_t port = granted();

	if (found && strcmp(found, texts[0]) && strcmp(found, texts[1]))
		fail_msg("the file is neither: '%s'", found);
	if (port != was && port != is)
		fail_msg("neither %u nor %u is granted, but %u", was, is, port);
	/* Who lost a file, or has it not in order, is told so. */
	assert_int_equal(BINDCTL(NULL, "check"), 0);
}

/* Where the kills went. */
struct kills {
	int before, behind, late; /* the change, which was in force; the end */
};

/*
 * How long it takes changes with what else the machine has to do: of what comes too late a ninth is about right for moments
 * that are spread over a little more than that.
 */
static void learn(long *whole, bool late)
{
	*whole += late ? -*whole / 16 : *whole / 128 + 1;
}

static void killed_at_any_moment(void **state)
{
	const char *const texts[2] = { pod_grant(POD_A, 443), pod_grant(POD_A, 444) };
	struct kills kills = {};
	long whole[2];
	char aside[256];
	int status, n;

	(void)state;
	whole[0] = measure(texts[0]); /* with nothing loaded */
	whole[1] = measure(texts[1]);
	measure(texts[0]);
	srandom(getpid());
	for (n = 0; n < KILLS || ((!kills.before || !kills.behind) && n < MORE_KILLS); n++) {
		int turn = n % 2;
		bool fresh = n % 4 == 3;
		uint16_t was = fresh ? 0 : 443 + !turn, is = 443 + turn;
		pid_t pid;

		if (fresh)
			pods_forget();
		else
			pods_enforce(&enforcer, texts[!turn], was == granted() ? ENFORCE_NOTHING : ENFORCE_CHANGED,
				     PODS_ANY);
		pid = start(texts[turn]);
		usleep(random() % (whole[!fresh] * 11 / 10 + 1));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		learn(&whole[!fresh], WIFEXITED(status));
		check_whole(was, is, texts);
		if (WIFEXITED(status))
			kills.late++;
		else if (granted() == is)
			kills.behind++;
		else
			kills.before++;
		/* The next one heals all: from the old file, from the new one before an old policy, or there is no need. */
		pods_enforce(&enforcer, texts[turn], PODS_ANY, PODS_ANY);
		assert_int_equal(granted(), is);
		snprintf(aside, sizeof(aside), "%s/." FILENAME_DEFAULT ".new", bed.policy);
		assert_int_equal(access(aside, F_OK), -1);
		pods_agree();
	}
	printf("# killed %d times, %d before and %d behind the change; %d too late\n", n, kills.before, kills.behind,
	       kills.late);
	assert_true(kills.before && kills.behind);
}

/* What both writers have done so far. */
struct turns {
	volatile int granted, enforced;
};

/* `bindctl grant`, again and again, until both writers have had their turns. */
static pid_t start_grants(struct turns *turns)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (turns->granted < GRANTS || turns->enforced < TEXTS) {
			char port[12];

			snprintf(port, sizeof(port), "%d", FIRST_PORT + turns->granted);
			if (FIRST_PORT + turns->granted > LAST_PORT || BINDCTL(NULL, "grant", "nobody", port))
				_exit(1);
			turns->granted++;
		}
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static int bind_granted(int i)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = FIRST_PORT + i };

	return bed_try(&try).error;
}

static void nothing_of_other_writers_is_lost(void **state)
{
	const char *const texts[2] = { pod_grant(POD_A, 443), pod_grant(POD_A, 444) };
	struct turns *turns = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	_cleanup_free_ char *found = NULL;
	pid_t writer;
	int status;

	(void)state;
	assert_ptr_not_equal(turns, MAP_FAILED);
	writer = start_grants(turns);
	while (waitpid(writer, &status, WNOHANG) == 0) {
		int turn = turns->enforced % 2;

		pods_enforce(&enforcer, texts[turn], ENFORCE_CHANGED, 0);
		/* Now, for the next one's turn would heal it. */
		if (turns->granted)
			assert_int_equal(bind_granted(turns->granted - 1), 0);
		assert_int_equal(pod_bind(POD_A, 443 + turn), 0);
		turns->enforced++;
	}
	assert_int_equal(status, 0);
	printf("# %d grants, meanwhile %d texts enforced\n", turns->granted, turns->enforced);
	found = read_path(path);
	assert_string_equal(found, texts[!(turns->enforced % 2)]);
	for (int i = 0; i < turns->granted; i++)
		assert_int_equal(bind_granted(i), 0);
	assert_int_equal(enforcer.facts.rules, turns->granted + 1);
	pods_agree();
	munmap(turns, sizeof(*turns));
}

/* Binds in a pod whose rules never change, until it is told to end, or one comes out otherwise. */
static pid_t start_binding(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		long n = 0, bad = 0;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bed_become(&(struct try){ .in = POD_B CONTAINER, .uid = NOBODY });
		for (long end = microseconds() + 600000000L; microseconds() < end && getppid() != 1; n++) {
			struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443 + n % 2) };
			int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

			bed_reuse(fd);
			error = bind(fd, (struct sockaddr *)&in, sizeof(in)) ? errno : 0;
			/* 443 is granted, 444 is not. */
			bad += error != (n % 2 ? EACCES : 0);
			close(fd);
			if (bad)
				_exit(1);
		}
		_exit(2);
	}
	assert_true(pid > 0);
	return pid;
}

static void untouched_pod_is_decided_as_ever(void **state)
{
	struct bc_text texts[2] = {};
	int status;
	pid_t binder;

	(void)state;
	for (int i = 0; i < 2; i++) {
		bc_text_addf(&texts[i], "%s", pod_grant(POD_B, 443));
		for (int port = 0; port < 200; port++)
			bc_text_addf(&texts[i], "grant cgroup %s/kubepods/pod%d/%d port %d\n", bed.scope, port, i,
				     1 + port);
	}
	pods_enforce(&enforcer, texts[1].data, ENFORCE_CHANGED, 0);
	binder = start_binding();
	for (int i = 0; i < bed_share(100); i++)
		pods_enforce(&enforcer, texts[i % 2].data, ENFORCE_CHANGED, 0);
	assert_int_equal(waitpid(binder, &status, WNOHANG), 0);
	assert_int_equal(kill(binder, SIGTERM), 0);
	assert_int_equal(waitpid(binder, &status, 0), binder);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	bc_text_done(&texts[0]);
	bc_text_done(&texts[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_enforcer, close_enforcer)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(killed_at_any_moment),
		TEST(nothing_of_other_writers_is_lost),
		TEST(untouched_pod_is_decided_as_ever),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
