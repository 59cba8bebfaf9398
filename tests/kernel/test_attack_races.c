// SPDX-License-Identifier: GPL-2.0-or-later
/* Attacks by whoever owns cgroups: on the moment in which it is decided, and on what is told of it afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"
#include "cycle.h"

#define PORT 443
#define SECONDS 3

/* What came of binds, counted where parent and children see it. */
struct counts {
	int done, first, second, wrong, error;
};

static struct counts *share_counts(size_t n)
{
	void *shared = mmap(NULL, n * sizeof(struct counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(shared != MAP_FAILED);
	return shared;
}

static void write_in(const char *cgroup, const char *file, const char *text)
{
	if (bed_write_cgroup(cgroup, file, text))
		fail_msg("cannot write to %s/%s: %s", cgroup, file, strerror(errno));
}

static int bind_port(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	bed_reuse(fd);
	return bind(fd, (struct sockaddr *)&in, sizeof(in)) ? errno : 0;
}

static void bind_without_end(struct counts *counts)
{
	bed_become(&(struct try){ .in = "first", .uid = NOBODY });
	for (;;) {
		int error = bind_port(PORT);

		counts->first += error == EPERM;
		counts->second += error == EADDRNOTAVAIL;
		if (error != EPERM && error != EADDRNOTAVAIL) {
			counts->wrong++;
			counts->error = error;
		}
		counts->done++;
	}
}

static time_t until_seconds(int seconds)
{
	return time(NULL) + (bed_share(seconds) ?: 1);
}

/* It is decided by one cgroup or the other. To freeze it, or to kill it, changes nothing either. */
static void thread_is_moved_and_frozen_while_it_binds(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	struct counts *counts = share_counts(1);
	char pid[16];
	time_t end;
	int status;
	pid_t child;

	(void)state;
	bed_make_cgroup("first");
	bed_make_cgroup("second");
	bc_text_addf(&text,
		     "deny cgroup %s/first port 443 errno EPERM\ndeny cgroup %s/second port 443 errno EADDRNOTAVAIL\n",
		     bed.scope, bed.scope);
	bed_policy(text.data);
	child = fork();
	if (child == 0)
		bind_without_end(counts);
	snprintf(pid, sizeof(pid), "%d", (int)child);
	end = until_seconds(SECONDS);
	while (time(NULL) < end || !counts->first || !counts->second) {
		write_in("second", "cgroup.procs", pid);
		write_in("second", "cgroup.freeze", "1");
		write_in("second", "cgroup.freeze", "0");
		write_in("first", "cgroup.procs", pid);
		if (time(NULL) > end + PATIENCE_SECONDS)
			break;
	}
	write_in("first", "cgroup.kill", "1");
	assert_int_equal(waitpid(child, &status, 0), child);
	printf("# %d binds of a thread that was moved: %d decided by one cgroup, %d by the other\n", counts->done,
	       counts->first, counts->second);
	if (counts->wrong)
		fail_msg("%d by neither: %s", counts->wrong, strerror(counts->error));
	assert_true(counts->first && counts->second);
	bed_remove_cgroup("first");
	bed_remove_cgroup("second");
}

static const struct {
	const char *path; /* of cgroups that are made, bound in and removed */
	int error;
} churned[] = {
	{ "granted/u", 0 },
	{ "his/u", EPERM },
	{ "his/granted", EPERM },
	{ "elsewhere/granted", EACCES },
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void churn(const char *name, int wanted, struct counts *counts)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/%s", bed.cgroup, name);
	while (!stopped) {
		int error = cycle(path);

		if (error != wanted) {
			counts->wrong++;
			counts->error = error;
		}
		counts->done++;
	}
}

/* The same for those that are churned, but each scope has another number. */
static void change_policy(int turn)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	for (int i = 0; i < turn % 4; i++)
		bc_text_addf(&text, "grant cgroup %s/a%d/b port 443\n", bed.scope, i);
	bc_text_addf(&text, "%s cgroup %s/%s port 443%s\n", turn & 1 ? "grant" : "deny", bed.scope,
		     turn & 1 ? "granted" : "his", turn & 1 ? "" : " errno EPERM");
	bc_text_addf(&text, "%s cgroup %s/%s port 443%s\n", turn & 1 ? "deny" : "grant", bed.scope,
		     turn & 1 ? "his" : "granted", turn & 1 ? " errno EPERM" : "");
	bed_policy(text.data);
}

static bool all_had_a_turn(const struct counts *counts)
{
	for (size_t i = 0; i < ARRAY_SIZE(churned); i++)
		if (!counts[i].done)
			return false;
	return true;
}

/* More cgroups than are remembered, by far, and policies whose scopes have the same numbers as others had before. */
static void thousands_of_cgroups_come_and_go_while_policies_change(void **state)
{
	struct counts *counts = share_counts(ARRAY_SIZE(churned));
	pid_t children[ARRAY_SIZE(churned)];
	int turns = 0, all = 0, status;
	time_t end;

	(void)state;
	bed_make_cgroup("granted");
	bed_make_cgroup("his");
	bed_make_cgroup("elsewhere");
	change_policy(turns++);
	signal(SIGTERM, stop);
	for (size_t i = 0; i < ARRAY_SIZE(churned); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			churn(churned[i].path, churned[i].error, &counts[i]);
			_exit(0);
		}
	}
	signal(SIGTERM, SIG_DFL);
	end = until_seconds(SECONDS);
	while (time(NULL) < end || (!all_had_a_turn(counts) && time(NULL) < end + PATIENCE_SECONDS))
		change_policy(turns++);
	for (size_t i = 0; i < ARRAY_SIZE(churned); i++) {
		kill(children[i], SIGTERM);
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		all += counts[i].done;
	}
	printf("# %d cgroups made, bound in and removed, under %d policies\n", all, turns);
	for (size_t i = 0; i < ARRAY_SIZE(churned); i++)
		if (counts[i].wrong || !counts[i].done)
			fail_msg("%s: %d of %d wrong: %d", churned[i].path, counts[i].wrong, counts[i].done,
				 counts[i].error);
	bed_remove_cgroup("granted");
	bed_remove_cgroup("his");
	bed_remove_cgroup("elsewhere");
}

#define LEVELS 25 /* of 200 bytes each: more than a path can have */

static int open_below(int at, int level)
{
	char name[256];

	snprintf(name, sizeof(name), "%0200d", level);
	mkdirat(at, name, 0755);
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The cgroups at each level; the first is BED/his. */
static int levels[LEVELS];

static int make_levels(void **state)
{
	char path[512];

	(void)state;
	bed_make_cgroup("his");
	snprintf(path, sizeof(path), "%s/his", bed.cgroup);
	levels[0] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 1; i < LEVELS; i++)
		levels[i] = open_below(levels[i - 1], i);
	return levels[LEVELS - 1] < 0;
}

/* By descriptors: no path leads there. */
static int remove_levels(void **state)
{
	(void)state;
	write_in("his", "cgroup.kill", "1");
	for (int i = LEVELS - 1; i > 0; i--) {
		char name[256];

		snprintf(name, sizeof(name), "%0200d", i);
		close(levels[i]);
		for (int k = 0; unlinkat(levels[i - 1], name, AT_REMOVEDIR) && errno == EBUSY && k < PATIENCE; k++)
			nap();
	}
	close(levels[0]);
	bed_remove_cgroup("his");
	return 0;
}

/* In the deepest one: holds a port, is refused another, and waits. */
static void hide(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(15443) };
	_cleanup_close_ int procs = openat(levels[LEVELS - 1], "cgroup.procs", O_WRONLY | O_CLOEXEC);
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (procs < 0 || write(procs, "0", 1) != 1)
		_exit(1);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	bed_reuse(fd);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 1) || bind_port(15444) != EACCES)
		_exit(2);
	raise(SIGSTOP);
	_exit(0);
}

/* Not from a rule of a cgroup above, nor from what is told of him. */
static void he_hides_in_a_cgroup_deeper_than_a_path_can_be(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {}, holders = {}, why = {};
	char where[96], pid[16];
	int status;
	pid_t child;

	(void)state;
	bc_text_addf(&text, "deny cgroup %s/his port 15444\n", bed.scope);
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	bed_write("deep.conf", text.data, text.len);
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	child = fork();
	if (child == 0)
		hide();
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	bc_text_addf(&text, "deny cgroup %s/his port 15443 errno EPERM\n", bed.scope);
	bed_write("deep.conf", text.data, text.len);
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	snprintf(pid, sizeof(pid), " %d ", (int)child);
	snprintf(where, sizeof(where), " in %s/his/000", bed.scope);
	assert_int_equal(BINDCTL(&holders, "holders", "15443"), 0);
	assert_int_equal(BINDCTL(&why, "why", "--last"), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* The rule counts for him that came when he had the port. */
	if (!holders.data || !strstr(holders.data, pid) || !strstr(holders.data, " no   deny "))
		fail_msg("holders does not tell of it: %s", holders.data ?: "");
	if (!why.data || !strstr(why.data, where) || !strstr(why.data, "/...: "))
		fail_msg("why does not tell where it was: %s", why.data ?: "");
}

static int private_table, holds[2];

static void *hold_in_thread(void *arg)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(15445) };
	int fd;

	(void)arg;
	if (private_table && unshare(CLONE_FILES))
		_exit(1);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	bed_reuse(fd);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 1) || write(holds[1], "", 1) != 1)
		_exit(2);
	for (;;)
		pause();
}

/* The state by /proc, such as 'Z' of a process whose first thread has ended. */
static char state_of(pid_t pid)
{
	char path[32], state = '?';
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	stat = fopen(path, "r");
	if (!stat || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	if (stat)
		fclose(stat);
	return state;
}

/* Its first thread has ended, unless descriptors are the other one's own; that one holds the port. */
static pid_t start_with_thread(void)
{
	pid_t child;
	pthread_t thread;
	char byte;

	assert_int_equal(pipe2(holds, O_CLOEXEC), 0);
	child = fork();
	if (child) {
		close(holds[1]);
		assert_int_equal(read(holds[0], &byte, 1), 1);
		close(holds[0]);
		for (int i = 0; !private_table && state_of(child) != 'Z' && i < PATIENCE; i++)
			nap();
		return child;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bed_become(&(struct try){ .uid = NOBODY });
	if (pthread_create(&thread, NULL, hold_in_thread, NULL))
		_exit(3);
	if (!private_table)
		syscall(SYS_exit, 0);
	for (;;)
		pause();
}

/* Neither descriptors of one thread alone, nor threads whose first one has ended, are seen in /proc/PID/fd. */
static void he_hides_a_socket_in_one_thread(void **state)
{
	(void)state;
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	for (private_table = 0; private_table < 2; private_table++) {
		_cleanup_(bc_text_done) struct bc_text holders = {};
		pid_t child = start_with_thread();
		char pid[16];
		bool found;

		snprintf(pid, sizeof(pid), " %d ", (int)child);
		assert_int_equal(BINDCTL(&holders, "holders", "15445"), 0);
		found = holders.data && strstr(holders.data, pid);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		if (!found)
			fail_msg("it is not shown%s", private_table ? " with descriptors of its own" : "");
	}
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(thread_is_moved_and_frozen_while_it_binds),
		cmocka_unit_test(thousands_of_cgroups_come_and_go_while_policies_change),
		cmocka_unit_test_setup_teardown(he_hides_in_a_cgroup_deeper_than_a_path_can_be, make_levels,
						remove_levels),
		cmocka_unit_test(he_hides_a_socket_in_one_thread),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
