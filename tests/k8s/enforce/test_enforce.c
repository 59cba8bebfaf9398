// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent's file says is what pods may bind, besides all other files; and what is wrong leaves all as it was. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/filename.h"
#include "pods.h"

static char path[256]; /* of the agent's file */
static struct enforcer enforcer;

static int open_enforcer(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/" FILENAME_DEFAULT, bed.policy);
	pods_forget();
	pods_open(&enforcer);
	return 0;
}

static int close_enforcer(void **state)
{
	(void)state;
	enforcer_done(&enforcer);
	return 0;
}

static void pods_are_covered_before_they_are_there(void **state)
{
	(void)state;
	bed_make_cgroup(POD_A CONTAINER);
	assert_int_equal(pod_bind(POD_A, 443), EACCES);
	pods_enforce(&enforcer, pod_grant(POD_A, 443), ENFORCE_CHANGED, 0);
	assert_int_equal(pod_bind(POD_A, 443), 0);
	assert_int_equal(pod_bind(POD_A, 444), EACCES);
	/* Made anew, and others made only now. */
	bed_remove_cgroup("kubepods.slice");
	bed_make_cgroup(POD_A CONTAINER);
	bed_make_cgroup(POD_B CONTAINER);
	bed_make_cgroup(POD_C CONTAINER);
	assert_int_equal(pod_bind(POD_A, 443), 0);
	assert_int_equal(pod_bind(POD_B, 443), EACCES);
	pods_enforce(&enforcer, pod_grant(POD_B, 443), ENFORCE_CHANGED, 0);
	assert_int_equal(pod_bind(POD_A, 443), EACCES);
	assert_int_equal(pod_bind(POD_B, 443), 0);
	pods_enforce(&enforcer, pod_grant(POD_C, 443), ENFORCE_CHANGED, 0);
	assert_int_equal(pod_bind(POD_C, 443), 0);
	pods_agree();
	bed_remove_cgroup("kubepods.slice");
	bed_remove_cgroup("kubepods");
}

static void same_text_is_no_work(void **state)
{
	const char *text = pod_grant(POD_A, 443);
	_cleanup_free_ char *found = NULL;
	struct stat before, after;
	uint64_t generation;
	char aside[256];

	(void)state;
	pods_enforce(&enforcer, text, ENFORCE_CHANGED, 0);
	found = read_path(path);
	assert_string_equal(found, text);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode, S_IFREG | 0644);
	generation = enforcer.facts.generation;
	assert_int_equal(enforcer.facts.rules, 1);
	for (int i = 0; i < 3; i++)
		pods_enforce(&enforcer, text, ENFORCE_NOTHING, 0);
	pods_check(&enforcer, ENFORCE_NOTHING, NULL);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_true(enforcer.facts.generation == generation);
	/* What one that was killed left behind goes. */
	snprintf(aside, sizeof(aside), "%s/." FILENAME_DEFAULT ".new", bed.policy);
	write_path(aside, "grant");
	pods_enforce(&enforcer, text, ENFORCE_NOTHING, 0);
	assert_int_equal(access(aside, F_OK), -1);
	/* Another agent finds what this one left. */
	enforcer_done(&enforcer);
	pods_open(&enforcer);
	pods_enforce(&enforcer, text, ENFORCE_NOTHING, 0);
	assert_true(enforcer.facts.generation == generation);
	/* What only a person sees is written, too. */
	pods_enforce(&enforcer, "", ENFORCE_CHANGED, 0);
	assert_int_equal(enforcer.facts.rules, 0);
	pods_enforce(&enforcer, "# nothing\n", ENFORCE_CHANGED, 0);
	pods_agree();
}

static void other_files_count_besides(void **state)
{
	const struct try somebody = { .uid = SOMEBODY, .family = AF_INET, .port = 445 };

	(void)state;
	bed_make_cgroup(POD_A CONTAINER);
	bed_write("10-host.conf", "grant user 1234 port 445\n", 25);
	pods_enforce(&enforcer, pod_grant(POD_A, 443), ENFORCE_CHANGED, 0);
	assert_int_equal(pod_bind(POD_A, 443), 0);
	assert_int_equal(bed_try(&somebody).error, 0);
	assert_int_equal(enforcer.facts.rules, 2);
	/* A command of the administrator's keeps what is the agent's. */
	assert_int_equal(BINDCTL(NULL, "revoke", "1234", "445"), 1);
	assert_int_equal(BINDCTL(NULL, "deny", "cgroup:/nowhere", "446"), 0);
	assert_int_equal(pod_bind(POD_A, 443), 0);
	pods_check(&enforcer, ENFORCE_NOTHING, NULL);
	assert_int_equal(enforcer.facts.rules, 3);
	bed_remove_cgroup("kubepods.slice");
}

/* A slip in the administrator's file: all stays as it is, until it is mended. */
static void fault_elsewhere_changes_nothing(void **state)
{
	const char *old = pod_grant(POD_A, 443), *new = pod_grant(POD_A, 444);
	_cleanup_free_ char *found = NULL;

	(void)state;
	bed_make_cgroup(POD_A CONTAINER);
	pods_enforce(&enforcer, old, ENFORCE_CHANGED, 0);
	bed_write("10-host.conf", "grnat user nobody port 80\n", 26);
	pods_refuse(&enforcer, new, -EINVAL, "1 error in the policy", "10-host.conf");
	pods_refuse(&enforcer, old, -EINVAL, "1 error in the policy", "unknown verb 'grnat'");
	bed_write("10-host.conf", "grant user no-such-user port 80\n", 32);
	pods_refuse(&enforcer, new, -ENOENT, "1 error in the policy", "no-such-user");
	found = read_path(path);
	assert_string_equal(found, old);
	assert_int_equal(pod_bind(POD_A, 443), 0);
	assert_int_equal(pod_bind(POD_A, 444), EACCES);
	bed_write("10-host.conf", "grant user nobody port 80\n", 26);
	pods_enforce(&enforcer, new, ENFORCE_CHANGED, 0);
	assert_int_equal(pod_bind(POD_A, 443), EACCES);
	assert_int_equal(pod_bind(POD_A, 444), 0);
	/* Its own text is no exception. */
	pods_refuse(&enforcer, "grant cgroup / port 99999\n", -EINVAL, "1 error in the policy", FILENAME_DEFAULT);
	assert_int_equal(pod_bind(POD_A, 444), 0);
	bed_remove_cgroup("kubepods.slice");
}

static void unsafe_files_are_refused(void **state)
{
	const char *text = pod_grant(POD_A, 443);
	struct stat st;

	(void)state;
	pods_enforce(&enforcer, text, ENFORCE_CHANGED, 0);
	assert_int_equal(chmod(path, 0666), 0);
	pods_refuse(&enforcer, text, -EPERM, "writable by others", NULL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	pods_refuse(&enforcer, text, -ELOOP, "symbolic link", NULL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(bed.policy, 0777), 0);
	pods_refuse(&enforcer, text, -EPERM, "writable by others", NULL);
	assert_int_equal(chmod(bed.policy, 0755), 0);
	pods_enforce(&enforcer, text, ENFORCE_CHANGED, PODS_ANY);
	/* Whoever let root alone read it meant it. */
	assert_int_equal(chmod(path, 0600), 0);
	pods_enforce(&enforcer, "", ENFORCE_CHANGED, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void names_are_checked(void **state)
{
	static const char *const bad[] = {
		"",	    ".conf",	"60-kubernetes", ".60-kubernetes.conf", "../60-kubernetes.conf",
		"a/b.conf", "a b.conf", "a\n.conf",	 BC_FILE_PERSISTENT,	BC_FILE_RUNTIME,
	};
	struct enforcer_config config = { .instance = bed.instance, .store = bc_store_at(bed.policy) };
	struct bc_error error;
	struct enforcer other;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		config.file = bad[i];
		if (enforcer_init(&other, &config, &error) != -EINVAL)
			fail_msg("'%s' is taken for a name", bad[i]);
	}
	config.file = "70-other.conf";
	assert_int_equal(enforcer_init(&other, &config, &error), 0);
	pods_enforce(&other, "# other\n", ENFORCE_CHANGED, 0);
	enforcer_done(&other);
	snprintf(path, sizeof(path), "%s/70-other.conf", bed.policy);
	assert_int_equal(access(path, F_OK), 0);
}

static void lock_that_is_held_is_not_waited_for_long(void **state)
{
	struct timespec start, end;
	int fd;

	(void)state;
	pods_enforce(&enforcer, "", ENFORCE_CHANGED, 0);
	fd = open(bed.pins, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	clock_gettime(CLOCK_MONOTONIC, &start);
	pods_refuse(&enforcer, "# more\n", -ETIMEDOUT, "holds the lock on", NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - start.tv_sec >= ENFORCE_LOCK_SECONDS - 1);
	close(fd);
	/* The text is not forgotten. */
	pods_check(&enforcer, ENFORCE_MENDED, "did not say");
	pods_check(&enforcer, ENFORCE_NOTHING, NULL);
}

/* The files' directory is everybody's to open: whoever keeps it locked holds nothing up, and is a warning. */
static void lock_of_a_user_is_a_warning(void **state)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	enum enforce_result result;
	struct bc_error error;
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(bed.policy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bed_become(&(struct try){ .uid = NOBODY });
		if (fd < 0 || flock(fd, LOCK_EX) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(pid > 0 && read(ready[0], &byte, 1) == 1);
	assert_int_equal(enforce(&enforcer, "# locked\n", 9, &result, &report, &error), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(result, ENFORCE_CHANGED);
	assert_int_equal(report.n, 1);
	assert_non_null(strstr(report.items[0].text, "which is not root's, holds a lock on"));
	assert_int_equal(report.items[0].severity, BC_WARNING);
}

/* Who is told to end does not wait for others, and leaves all as it was. */
static void wait_ends_when_it_is_told_to(void **state)
{
	const char *const dirs[] = { bed.policy, bed.pins };
	const uint64_t once = 1;
	int told = eventfd(0, EFD_CLOEXEC);

	(void)state;
	pods_enforce(&enforcer, "# first\n", ENFORCE_CHANGED, 0);
	enforcer.instance.patience.stop_fd = told;
	assert_int_equal(write(told, &once, sizeof(once)), sizeof(once));
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		int fd = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		_cleanup_free_ char *found = NULL;

		assert_int_equal(flock(fd, LOCK_EX), 0);
		pods_refuse(&enforcer, "# more\n", -ECANCELED, "told to stop while another process held the lock on",
			    NULL);
		found = read_path(path);
		assert_string_equal(found, "# first\n");
		close(fd);
	}
	/* A lock that is free is not waited for. */
	pods_enforce(&enforcer, "# more\n", ENFORCE_CHANGED, 0);
	close(told);
}

static void dry_run_changes_nothing(void **state)
{
	_cleanup_(bc_text_done) struct bc_text difference = {}, none = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	const char *old = pod_grant(POD_A, 443), *new = pod_grant(POD_A, 444);
	_cleanup_free_ char *found = NULL;
	struct bc_error error;
	char wanted[1024];

	(void)state;
	assert_int_equal(enforce_dry(&enforcer, old, strlen(old), &difference, &report, &error), 0);
	snprintf(wanted, sizeof(wanted), "+ grant cgroup %s/" POD_A " port 443  # %s:2\n", bed.scope, path);
	assert_string_equal(difference.data, wanted);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(bed.pins, F_OK), -1);
	pods_enforce(&enforcer, old, ENFORCE_CHANGED, 0);
	bc_text_done(&difference);
	difference = (struct bc_text){};
	assert_int_equal(enforce_dry(&enforcer, new, strlen(new), &difference, &report, &error), 0);
	snprintf(wanted, sizeof(wanted),
		 "- grant cgroup %s/" POD_A " port 443  # %s:2\n+ grant cgroup %s/" POD_A " port 444  # %s:2\n",
		 bed.scope, path, bed.scope, path);
	assert_string_equal(difference.data, wanted);
	found = read_path(path);
	assert_string_equal(found, old);
	assert_int_equal(enforce_dry(&enforcer, old, strlen(old), &none, &report, &error), 0);
	assert_int_equal(none.len, 0);
	assert_int_equal(report.n, 0);
	assert_int_equal(enforce_dry(&enforcer, "x\n", 2, &none, &report, &error), -EINVAL);
	assert_int_equal(report.errors, 1);
	pods_enforce(&enforcer, old, ENFORCE_NOTHING, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_enforcer, close_enforcer)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(pods_are_covered_before_they_are_there),
		TEST(same_text_is_no_work),
		TEST(other_files_count_besides),
		TEST(fault_elsewhere_changes_nothing),
		TEST(unsafe_files_are_refused),
		TEST(names_are_checked),
		TEST(lock_that_is_held_is_not_waited_for_long),
		TEST(lock_of_a_user_is_a_warning),
		TEST(wait_ends_when_it_is_told_to),
		TEST(dry_run_changes_nothing),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
