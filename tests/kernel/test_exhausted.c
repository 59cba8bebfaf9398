// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks, limits and memory that are really used up: the old policy stays, whole, and a sentence says what failed. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "look.h"

#define FILE_NAME "50-bindctl.conf"
#define POLICY "# mine\ngrant user nobody port 80\n"
#define MEMORY "/sys/fs/cgroup/memory"

/* A command under some limit. */
struct run {
	void (*prepare)(const void *limit); /* in the child */
	const void *limit;
	const char *argv[5];
	int status;
	char said[4096];
};

static void run(struct run *run)
{
	const char *args[16] = { getenv("BINDCTL"), "--config", bed.policy, "--pin", bed.pins, "--cgroup", bed.cgroup };
	ssize_t len, used = 0;
	int said[2];
	pid_t child;

	/* Not a file: its size may be what is limited. */
	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 5; i++)
			args[7 + i] = run->argv[i];
		dup2(said[1], STDERR_FILENO);
		close_range(STDERR_FILENO + 1, ~0u, 0);
		if (run->prepare)
			run->prepare(run->limit);
		execv(args[0], (char *const *)args);
		_exit(127);
	}
	close(said[1]);
	memset(run->said, 0, sizeof(run->said));
	while ((len = read(said[0], run->said + used, sizeof(run->said) - 1 - used)) > 0)
		used += len;
	close(said[0]);
	assert_true(child > 0 && waitpid(child, &run->status, 0) == child);
}

static int bind_error(int family, uint16_t port)
{
	return bed_try(&(struct try){ .uid = NOBODY, .family = family, .port = port }).error;
}

/* 80 is granted and 443 is not: the policy of set_scene(). */
static void check_old(const struct run *run, const struct bc_text *files, const struct bc_text *pins)
{
	_cleanup_(bc_text_done) struct bc_text files_now = {}, pins_now = {};
	bool old = !bind_error(AF_INET, 80) && !bind_error(AF_INET6, 80) && bind_error(AF_INET, 443) == EACCES &&
		   bind_error(AF_INET6, 443) == EACCES;

	look_into(bed.policy, true, &files_now);
	look_into(bed.pins, false, &pins_now);
	if (!old || strcmp(files->data, files_now.data) || strcmp(pins->data, pins_now.data))
		fail_msg("%s: status %x, %s: not as it was\n%s%s", run->argv[0], run->status, run->said, files_now.data,
			 pins_now.data);
}

/* Runs it, and wants it to fail with these words, everything as it was, and the next command to succeed. */
static void fails(struct run *command, const char *words)
{
	_cleanup_(bc_text_done) struct bc_text files = {}, pins = {};

	look_into(bed.policy, true, &files);
	look_into(bed.pins, false, &pins);
	run(command);
	if (command->status != 1 << 8 || !strstr(command->said, words))
		fail_msg("%s: status %x, not '%s': %s", command->argv[0], command->status, words, command->said);
	check_old(command, &files, &pins);
}

static void set_scene(void)
{
	bed_write(FILE_NAME, POLICY, strlen(POLICY));
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
}

static void mount_policy(const char *options)
{
	assert_int_equal(mount("small", bed.policy, "tmpfs", 0, options), 0);
	assert_int_equal(chmod(bed.policy, 0755), 0);
	set_scene();
}

/* Also for a test that failed. */
static int clean_up(void **state)
{
	(void)state;
	umount2(bed.policy, MNT_DETACH);
	bed_write("90-many.conf", "", 0);
	return 0;
}

static void unmount_policy(void)
{
	assert_int_equal(umount(bed.policy), 0);
	set_scene();
	assert_int_equal(BINDCTL(NULL, "grant", "nobody", "443"), 0);
	assert_int_equal(bind_error(AF_INET, 443), 0);
	set_scene();
}

static void full_disk(void **state)
{
	static char page[4096];

	(void)state;
	memset(page, '#', sizeof(page));
	mount_policy("size=8k");
	bed_write("filler", page, sizeof(page));
	fails(&(struct run){ .argv = { "grant", "nobody", "443" } }, FILE_NAME ": No space left on device");
	fails(&(struct run){ .argv = { "revoke", "nobody", "80" } }, FILE_NAME ": No space left on device");
	unmount_policy();
	/* A page's worth of names: the directory, the file, and none for what is written aside. */
	mount_policy("nr_inodes=2");
	fails(&(struct run){ .argv = { "grant", "nobody", "443" } }, FILE_NAME ": No space left on device");
	unmount_policy();
}

static void disk_that_is_only_read(void **state)
{
	(void)state;
	mount_policy("size=1m");
	assert_int_equal(mount(NULL, bed.policy, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	fails(&(struct run){ .argv = { "grant", "nobody", "443" } }, FILE_NAME ": Read-only file system");
	fails(&(struct run){ .argv = { "revoke", "nobody", "80" } }, FILE_NAME ": Read-only file system");
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	unmount_policy();
}

struct limit {
	int resource;
	rlim_t value;
};

static void set_limit(const void *data)
{
	const struct limit *limit = data;

	if (setrlimit(limit->resource, &(struct rlimit){ limit->value, limit->value }))
		_exit(126);
}

static void large_file(void **state)
{
	const struct limit limit = { RLIMIT_FSIZE, strlen(POLICY) + 1 };

	(void)state;
	set_scene();
	fails(&(struct run){ set_limit, &limit, { "grant", "nobody", "443" } }, FILE_NAME ": File too large");
}

/* The command with each value of the limit from `first` on in such steps until it is enough; how many were not. */
static unsigned sweep(int resource, rlim_t first, rlim_t step)
{
	_cleanup_(bc_text_done) struct bc_text files = {}, pins = {};
	unsigned failures = 0;

	set_scene();
	look_into(bed.policy, true, &files);
	look_into(bed.pins, false, &pins);
	for (struct limit limit = { resource, first };; limit.value += step) {
		struct run command = { set_limit, &limit, { "grant", "nobody", "443" } };

		run(&command);
		if (!command.status)
			break;
		/* 127: the dynamic loader's own word. */
		if (WEXITSTATUS(command.status) != 127 &&
		    (command.status != 1 << 8 || strncmp(command.said, "bindctl: ", 9)))
			fail_msg("with %lu: status %x: %s", (unsigned long)limit.value, command.status, command.said);
		check_old(&command, &files, &pins);
		failures += command.status == 1 << 8;
	}
	assert_int_equal(bind_error(AF_INET, 443), 0);
	assert_int_equal(bind_error(AF_INET6, 443), 0);
	return failures;
}

static void file_descriptors(void **state)
{
	unsigned failures;

	(void)state;
	failures = sweep(RLIMIT_NOFILE, 4, 1);
	printf("# too few file descriptors: %u times\n", failures);
	assert_true(failures > 2);
}

/* 100,000 rules more. */
static void write_many(void)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	for (unsigned i = 0; i < 100000; i++)
		bc_text_addf(&text, "grant user %u port %u\n", 100000 + i % 2, 1000 + i / 2);
	assert_false(text.failed);
	bed_write("90-many.conf", text.data, text.len);
}

static void address_space(void **state)
{
	unsigned failures;

	(void)state;
	write_many();
	failures = sweep(RLIMIT_AS, 8 << 20, 2 << 20);
	printf("# too little address space: %u times\n", failures);
	assert_true(failures > 2);
}

static void write_word(const char *dir, const char *name, const char *word)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, word, strlen(word)) != (ssize_t)strlen(word))
		_exit(125);
	close(fd);
}

static void join_memory_group(const void *dir)
{
	write_word(dir, "cgroup.procs", "0");
}

/* Where the kernel charges maps: the group's limit makes them fail, or kills who asks for them. */
static void memory_group(void **state)
{
	static const char *const limits[] = { "2M", "4M", "8M", "12M", "16M", "24M", "32M", "40M" };
	_cleanup_(bc_text_done) struct bc_text files = {}, pins = {};
	char dir[128], name[32];
	unsigned failures = 0;

	(void)state;
	snprintf(dir, sizeof(dir), MEMORY "/%s", strrchr(bed.dir, '/') + 1);
	if (mkdir(dir, 0755)) {
		printf("# no memory controller of cgroup v1 at " MEMORY "\n");
		skip();
	}
	set_scene();
	write_many();
	look_into(bed.policy, true, &files);
	look_into(bed.pins, false, &pins);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct run command = { join_memory_group, dir, { "apply" } };

		snprintf(name, sizeof(name), "%s", limits[i]);
		write_word(dir, "memory.limit_in_bytes", name);
		run(&command);
		if (!command.status)
			break;
		if (!WIFSIGNALED(command.status) && strncmp(command.said, "bindctl: ", 9))
			fail_msg("within %s: status %x: %s", limits[i], command.status, command.said);
		printf("# within %s: %s\n", limits[i], WIFSIGNALED(command.status) ? "killed" : command.said);
		if (!WIFSIGNALED(command.status))
			check_old(&command, &files, &pins);
		assert_int_equal(bind_error(AF_INET, 80), 0);
		assert_int_equal(bind_error(AF_INET6, 443), EACCES);
		failures++;
	}
	while (rmdir(dir) && errno == EBUSY)
		usleep(20000);
	assert_true(failures > 0);
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test_teardown(full_disk, clean_up),
		cmocka_unit_test_teardown(disk_that_is_only_read, clean_up),
		cmocka_unit_test_teardown(large_file, clean_up),
		cmocka_unit_test_teardown(file_descriptors, clean_up),
		cmocka_unit_test_teardown(address_space, clean_up),
		cmocka_unit_test_teardown(memory_group, clean_up),
	};

	/* What is mounted here ends with us. */
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 1;
	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
