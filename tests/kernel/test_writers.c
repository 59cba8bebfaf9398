// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many writers at once: each that says so has done its work, and of no other is there anything to be seen, in the file
 * and in the kernel alike. Who holds a lock for too long is named.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"
#include "host/lock.h"

#define WRITERS 32
#define FILE_NAME "50-bindctl.conf"
#define GRANTED 600 /* the port that the first writer grants, the next one the next, and so on */
#define REVOKED 700 /* likewise, revoked */
#define MANY 20000  /* rules besides, that each writer has to compile */

/* A running command. */
struct writer {
	const char *verb;
	uint16_t port; /* 0: apply */
	pid_t pid;
	int code;
	long waits; /* how often it gave up the processor */
	FILE *out;  /* what it says */
	char said[512];
};

static void exec_writer(const struct writer *writer, int gate)
{
	const char *const argv[] = { writer->verb, writer->port ? "nobody" : NULL, "", NULL };
	const char *args[BED_ARGUMENTS];
	char port[8], byte;
	int n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bed_arguments(getenv("BINDCTL"), argv, args);
	snprintf(port, sizeof(port), "%u", writer->port);
	while (args[n] && *args[n])
		n++;
	if (args[n])
		args[n] = port;
	dup2(fileno(writer->out), STDOUT_FILENO);
	dup2(fileno(writer->out), STDERR_FILENO);
	/* All start at once: when the test closes the other end. */
	if (read(gate, &byte, 1) == 0)
		execv(args[0], (char *const *)args);
	_exit(127);
}

static void start(struct writer *writer, int gate[2])
{
	writer->out = tmpfile();
	assert_non_null(writer->out);
	writer->pid = fork();
	if (writer->pid == 0) {
		close(gate[1]);
		exec_writer(writer, gate[0]);
	}
	assert_true(writer->pid > 0);
}

static void start_one(struct writer *writer)
{
	int gate[2];

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	start(writer, gate);
	close(gate[0]);
	close(gate[1]);
}

static void finish(struct writer *writer)
{
	struct rusage usage;
	int status;
	size_t len;

	assert_int_equal(wait4(writer->pid, &status, 0, &usage), writer->pid);
	assert_true(WIFEXITED(status));
	writer->code = WEXITSTATUS(status);
	writer->waits = usage.ru_nvcsw;
	rewind(writer->out);
	len = fread(writer->said, 1, sizeof(writer->said) - 1, writer->out);
	writer->said[len] = '\0';
	fclose(writer->out);
}

/* Every fourth revokes, every eighth applies, the others grant. */
static void choose(struct writer writers[WRITERS])
{
	for (int i = 0; i < WRITERS; i++)
		writers[i] = i % 8 == 7 ? (struct writer){ .verb = "apply" } :
			     i % 4 == 1 ? (struct writer){ .verb = "revoke", .port = REVOKED + i } :
					  (struct writer){ .verb = "grant", .port = GRANTED + i };
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* How many seconds they took. */
static time_t run_all(struct writer writers[WRITERS])
{
	time_t begin, took;
	int gate[2];

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	for (int i = 0; i < WRITERS; i++)
		start(&writers[i], gate);
	close(gate[0]);
	begin = seconds();
	close(gate[1]);
	for (int i = 0; i < WRITERS; i++)
		finish(&writers[i]);
	took = seconds() - begin;
	printf("# %d writers took %ld s\n", WRITERS, (long)took);
	return took;
}

/* The rules that there are to be revoked. */
static void write_revocable(void)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	for (int i = 0; i < WRITERS; i++)
		bc_text_addf(&text, "grant user nobody port %d\n", REVOKED + i);
	assert_false(text.failed);
	bed_write(FILE_NAME, text.data, text.len);
}

/* Whether the policy grants nobody the port: what a writer has done, or not. */
static bool is_granted(uint16_t port)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = port };
	int error = bed_try(&try).error;

	assert_true(error == 0 || error == EACCES || error == EADDRINUSE);
	return error != EACCES;
}

static void check_writer(const struct writer *writer, const char *list)
{
	char rule[64];
	bool there;

	if (writer->code)
		printf("# %s %u fails: %s", writer->verb, writer->port, writer->said);
	if (writer->code && (writer->code != 1 || strncmp(writer->said, "bindctl: ", 9)))
		fail_msg("%s %u: exit code %d, and '%s'", writer->verb, writer->port, writer->code, writer->said);
	if (!writer->port)
		return;
	snprintf(rule, sizeof(rule), "grant user nobody port %u\n", writer->port);
	there = strstr(list, rule);
	if (there != ((writer->code == 0) == !strcmp(writer->verb, "grant")))
		fail_msg("%s %u ends with %d, and its rule is %s", writer->verb, writer->port, writer->code,
			 there ? "there" : "not there");
	if (there != is_granted(writer->port))
		fail_msg("%s %u: the file and the kernel differ", writer->verb, writer->port);
}

static void read_rules(struct bc_text *ret)
{
	_cleanup_free_ char *path = NULL, *content = NULL;
	_cleanup_close_ int fd = -1;
	size_t len;

	assert_true(asprintf(&path, "%s/" FILE_NAME, bed.policy) > 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(bc_read_all(fd, 1 << 20, &content, &len), 0);
	bc_text_add(ret, content, len);
	assert_false(ret->failed);
}

/* The file has what the writers say, the kernel what the file says. */
static void check_all(const struct writer writers[WRITERS])
{
	_cleanup_(bc_text_done) struct bc_text rules = {}, difference = {};

	read_rules(&rules);
	for (int i = 0; i < WRITERS; i++)
		check_writer(&writers[i], rules.data);
	assert_int_equal(BINDCTL(&difference, "apply", "--dry-run"), 0);
	if (difference.len)
		fail_msg("the kernel and the file differ:\n%s", difference.data);
	assert_int_equal(BINDCTL(NULL, "status"), 0);
}

/* Waiting is bounded: on a machine that has more to do some may give up. Before that none has reason to. */
static void check_patient(const struct writer writers[WRITERS], time_t took)
{
	int done = 0;

	for (int i = 0; i < WRITERS; i++) {
		const struct writer *writer = &writers[i];

		done += writer->code == 0;
		if (writer->code && (took < BC_LOCK_SECONDS || !strstr(writer->said, "; gave up after")))
			fail_msg("%s %u: exit code %d, and '%s'", writer->verb, writer->port, writer->code,
				 writer->said);
	}
	assert_true(done > 0);
}

static void all_at_once(void)
{
	struct writer writers[WRITERS];
	time_t took;

	write_revocable();
	choose(writers);
	took = run_all(writers);
	check_all(writers);
	check_patient(writers, took);
}

static void small_policy(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		write_revocable();
		assert_int_equal(BINDCTL(NULL, "apply"), 0);
		all_at_once();
	}
}

/* They all find that nothing is loaded, and the first one loads. */
static void nothing_loaded(void **state)
{
	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	all_at_once();
}

static void large_policy(void **state)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	(void)state;
	for (int i = 0; i < MANY; i++)
		bc_text_addf(&text, "grant user %d port %d\n", 20000 + i / 50, 1 + i % 50 * 20);
	assert_false(text.failed);
	bed_write("10-many.conf", text.data, text.len);
	all_at_once();
	bed_write("10-many.conf", "", 0);
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
}

/* Some take away what the others work on: whoever comes next must make it again, not write into what is gone. */
static void unloaded_meanwhile(void **state)
{
	struct writer writers[WRITERS];
	time_t took;

	(void)state;
	write_revocable();
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	choose(writers);
	for (int i = 0; i < WRITERS; i += 8)
		writers[i + 7].verb = "unload";
	took = run_all(writers);
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	check_all(writers);
	check_patient(writers, took);
}

/* Holds the lock on the directory until it is killed. */
static pid_t hold(const char *dir)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "slow writer");
		if (fd < 0 || flock(fd, LOCK_EX) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void check_gave_up(struct writer *writer, pid_t holder, const char *dir)
{
	char wanted[256];

	snprintf(wanted, sizeof(wanted), "process %d (slow writer) holds the lock on %s; gave up after", holder, dir);
	finish(writer);
	assert_int_equal(writer->code, 1);
	if (!strstr(writer->said, wanted))
		fail_msg("%s says '%s', not '%s'", writer->verb, writer->said, wanted);
}

/* The files' directory is everybody's to open: whoever keeps it locked is named, and waited for no longer than this. */
static void check_went_on(struct writer *writer, pid_t holder)
{
	char wanted[256];

	snprintf(wanted, sizeof(wanted), "process %d (slow writer) holds a lock on %s; went on without it after 5 s",
		 holder, bed.policy);
	finish(writer);
	assert_int_equal(writer->code, 0);
	if (!strstr(writer->said, wanted))
		fail_msg("%s says '%s', not '%s'", writer->verb, writer->said, wanted);
}

static bool has_open(pid_t pid, const char *dir)
{
	struct dirent *entry;
	char path[64];
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	while (fds && !found && (entry = readdir(fds))) {
		char target[256];
		ssize_t len = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);

		target[len < 0 ? 0 : len] = '\0';
		found = !strcmp(target, dir);
	}
	if (fds)
		closedir(fds);
	return found;
}

/* How often the process has given up the processor so far. */
static long waits_of(pid_t pid)
{
	char path[64], line[256];
	long waits = -1;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = fopen(path, "r");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &waits) == 1)
			break;
	if (status)
		fclose(status);
	return waits;
}

/* Starts one that waits for the lock on the directory, and stops it at that. How often it has waited. */
static long stop_waiting(struct writer *writer, const char *dir)
{
	long first = -1;
	int status;

	start_one(writer);
	for (int i = 0; i < PATIENCE && (first < 0 || waits_of(writer->pid) < first + 5); i++) {
		if (first < 0 && has_open(writer->pid, dir))
			first = waits_of(writer->pid);
		nap();
	}
	assert_int_equal(kill(writer->pid, SIGSTOP), 0);
	assert_int_equal(waitpid(writer->pid, &status, WUNTRACED), writer->pid);
	assert_true(WIFSTOPPED(status) && first >= 0);
	return waits_of(writer->pid);
}

/*
 * Some wait for the pins, for nothing. One of them is stopped meanwhile, and is late when it goes on: the clock says when
 * to give up, not a number of naps, each of which takes longer on a busy machine.
 */
static void lock_held(void **state)
{
	struct writer grant = { .verb = "grant", .port = GRANTED }, revoke = { .verb = "revoke", .port = GRANTED },
		      apply = { .verb = "apply" }, unload = { .verb = "unload" };
	pid_t files, pins;
	time_t begin;
	long waits;

	(void)state;
	write_revocable();
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	files = hold(bed.policy);
	begin = seconds();
	start_one(&grant);
	check_went_on(&grant, files);
	assert_true(seconds() - begin >= BC_LOCK_OPEN_SECONDS - 1);
	assert_true(is_granted(GRANTED));
	pins = hold(bed.pins);
	waits = stop_waiting(&revoke, bed.pins);
	begin = seconds();
	start_one(&apply);
	start_one(&unload);
	check_gave_up(&apply, pins, bed.pins);
	check_gave_up(&unload, pins, bed.pins);
	assert_true(seconds() - begin >= BC_LOCK_SECONDS);
	assert_int_equal(kill(revoke.pid, SIGCONT), 0);
	check_gave_up(&revoke, pins, bed.pins);
	/* Of the 50 naps a second hardly any was left. */
	assert_in_range(revoke.waits, waits, waits + BC_LOCK_SECONDS * 25);
	kill(files, SIGKILL);
	kill(pins, SIGKILL);
	assert_int_equal(waitpid(files, NULL, 0), files);
	assert_int_equal(waitpid(pins, NULL, 0), pins);
	/* Nothing of them is left, and the kernel has let go of the locks. */
	assert_true(is_granted(GRANTED));
	assert_true(is_granted(REVOKED));
	assert_int_equal(BINDCTL(NULL, "revoke", "nobody", "600"), 0);
	assert_false(is_granted(GRANTED));
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(small_policy),	      cmocka_unit_test(nothing_loaded), cmocka_unit_test(large_policy),
		cmocka_unit_test(unloaded_meanwhile), cmocka_unit_test(lock_held),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
