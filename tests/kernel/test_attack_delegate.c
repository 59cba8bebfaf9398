// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attacks by a user who owns a cgroup, BED/his, whose rule denies him the port, with EPERM; beside it is one that has the
 * port. What he tries goes through or not as the kernel will; the bind after it must be refused by that rule.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "host/mounts.h"

#define PORT 443
#define WENT_THROUGH (-100) /* that an attack could not even be begun, or got further than it should */
#define TROUBLE (-101)

static int bind_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	bed_reuse(fd);
	return bind(fd, (struct sockaddr *)&in, sizeof(in)) ? errno : 0;
}

static int write_to(const char *cgroup, const char *file, const char *text)
{
	char path[4096 + 256];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/%s/%s", bed.cgroup, cgroup, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : errno;
}

/* Makes a cgroup of his own, by its path below BED, and goes there. 0 or errno. */
static int move_into_new(const char *name)
{
	char path[4096];

	for (const char *slash = name; *slash;) {
		slash = strchrnul(slash + 1, '/');
		snprintf(path, sizeof(path), "%s/%.*s", bed.cgroup, (int)(slash - name), name);
		if (mkdir(path, 0755) && errno != EEXIST)
			return errno;
	}
	return write_to(name, "cgroup.procs", "0");
}

/* An attack: what he does, as the user and in BED/his. The errno of the bind that it ends in, or one of the above. */
#define ATTACK(name) static int name(int fd, const struct sockaddr *addr, socklen_t len)
#define UNUSED (void)fd, (void)addr, (void)len

ATTACK(he_moves_into_the_cgroup_beside_his)
{
	UNUSED;
	return write_to("granted", "cgroup.procs", "0") == EACCES ? bind_port() : WENT_THROUGH;
}

ATTACK(he_moves_up)
{
	UNUSED;
	return write_to(".", "cgroup.procs", "0") == EACCES ? bind_port() : WENT_THROUGH;
}

ATTACK(he_moves_one_thread_into_the_cgroup_beside_his)
{
	UNUSED;
	return write_to("granted", "cgroup.threads", "0") == EACCES ? bind_port() : WENT_THROUGH;
}

/* clone3() into a cgroup; the child's bind, or the negative errno of the call. */
static int clone_into(const char *name, bool removed)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	_cleanup_close_ int fd = -1;
	char path[512];
	int status;
	pid_t child;

	snprintf(path, sizeof(path), "%s/%s", bed.cgroup, name);
	if (removed && mkdir(path, 0755))
		return TROUBLE;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (removed && rmdir(path))
		return TROUBLE;
	args.cgroup = fd;
	child = syscall(SYS_clone3, &args, sizeof(args));
	if (child == 0)
		_exit(bind_port());
	if (child < 0)
		return -errno;
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : TROUBLE;
}

ATTACK(he_starts_a_child_in_the_cgroup_beside_his)
{
	UNUSED;
	return clone_into("granted", false) == -EACCES ? bind_port() : WENT_THROUGH;
}

ATTACK(he_starts_a_child_in_a_cgroup_that_is_removed)
{
	int r = clone_into("his/gone", true);

	UNUSED;
	return r < 0 && r != TROUBLE ? bind_port() : r;
}

ATTACK(he_starts_a_child_in_a_cgroup_of_his)
{
	UNUSED;
	if (move_into_new("his/granted"))
		return TROUBLE;
	return clone_into("his/granted", false);
}

/* By the number that is its file handle, and not by its path. */
ATTACK(he_opens_the_cgroup_beside_his_by_its_id)
{
	struct {
		struct file_handle handle;
		uint64_t id;
	} handle = { .handle = { .handle_bytes = sizeof(handle.id), .handle_type = 0xfe } };
	char path[512];
	_cleanup_close_ int own = -1;
	int mount;

	UNUSED;
	snprintf(path, sizeof(path), "%s/granted", bed.cgroup);
	own = open(bed.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own < 0 || name_to_handle_at(AT_FDCWD, path, &handle.handle, &mount, 0))
		return TROUBLE;
	if (open_by_handle_at(own, &handle.handle, O_RDONLY) >= 0 || errno != EPERM)
		return WENT_THROUGH;
	return bind_port();
}

ATTACK(he_renames_his_cgroup_to_one_that_has_the_port)
{
	char from[512], to[512];

	UNUSED;
	snprintf(from, sizeof(from), "%s/his/named", bed.cgroup);
	snprintf(to, sizeof(to), "%s/his/twin", bed.cgroup);
	if (move_into_new("his/named"))
		return TROUBLE;
	return rename(from, to) ? bind_port() : WENT_THROUGH;
}

/* In namespaces of his own, his cgroup is the root, where one of that name is easily made. */
ATTACK(he_makes_his_cgroup_the_root_of_a_namespace)
{
	char at[] = "/tmp";
	_cleanup_close_ int procs = -1;

	UNUSED;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP))
		return TROUBLE;
	if (mount("cgroup2", at, "cgroup2", 0, NULL))
		return TROUBLE;
	if ((mkdir("/tmp/granted", 0755) && errno != EEXIST) ||
	    (procs = open("/tmp/granted/cgroup.procs", O_WRONLY)) < 0 || write(procs, "0", 1) != 1)
		return TROUBLE;
	return bind_port();
}

/* The names between are ones that no rule knows: the walk must not go on behind them. */
ATTACK(he_puts_names_between_that_no_rule_knows)
{
	static const char *const names[] = { "his/x/leaf",   "his/x/y/leaf",  "his/twins/leaf",
					     "his/his/leaf", "his/x/granted", "his/x/his/leaf" };

	UNUSED;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (move_into_new(names[i]) || bind_port() != EPERM)
			return WENT_THROUGH;
	return EPERM;
}

/* Far more than any rule has. */
ATTACK(he_goes_down_four_hundred_levels)
{
	_cleanup_close_ int at = -1, procs = -1;
	char path[512];

	UNUSED;
	snprintf(path, sizeof(path), "%s/his", bed.cgroup);
	at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 400; i++) {
		int below;

		if (mkdirat(at, "his", 0755))
			return TROUBLE;
		below = openat(at, "his", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = below;
	}
	procs = openat(at, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	return procs >= 0 && write(procs, "0", 1) == 1 ? bind_port() : TROUBLE;
}

/* The kernel does not keep to NAME_MAX: the first 255 bytes are those of a cgroup that has the port. */
ATTACK(he_makes_a_name_longer_than_any_rules)
{
	static const int lengths[] = { 256, 257, 287, 288, 289, 512, 3000 };

	UNUSED;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		char name[3072] = "his/";
		int error;

		memset(name + 4, 'n', lengths[i]);
		name[4 + lengths[i]] = '\0';
		error = move_into_new(name);
		if (error != ENAMETOOLONG && (error || bind_port() != EPERM))
			return WENT_THROUGH;
		if (write_to("his", "cgroup.procs", "0"))
			return TROUBLE;
	}
	return bind_port();
}

ATTACK(he_has_every_byte_in_a_name)
{
	UNUSED;
	for (int byte = 1; byte < 256; byte++) {
		char name[] = { 'h', 'i', 's', '/', 'l', 'e', 'a', 'f', byte, '\0' };
		int error;

		if (byte == '/')
			continue;
		error = move_into_new(name);
		if (byte == '\n' ? error != EINVAL : error || bind_port() != EPERM)
			return WENT_THROUGH;
		if (write_to("his", "cgroup.procs", "0"))
			return TROUBLE;
	}
	return bind_port();
}

static void *thread_in_threaded(void *arg)
{
	char tid[16];

	snprintf(tid, sizeof(tid), "%d", (int)syscall(SYS_gettid));
	*(int *)arg = write_to("his/process/thread", "cgroup.threads", tid) ? TROUBLE : bind_port();
	return NULL;
}

/* Its threads in another cgroup than its leader. */
ATTACK(he_has_a_thread_elsewhere_than_its_process)
{
	pthread_t thread;
	char path[512];
	int bound = TROUBLE;

	UNUSED;
	snprintf(path, sizeof(path), "%s/his/process/thread", bed.cgroup);
	if (move_into_new("his/process") || mkdir(path, 0755) ||
	    write_to("his/process/thread", "cgroup.type", "threaded"))
		return TROUBLE;
	if (pthread_create(&thread, NULL, thread_in_threaded, &bound) || pthread_join(thread, NULL))
		return TROUBLE;
	return bound == EPERM ? bind_port() : bound;
}

ATTACK(he_makes_his_cgroup_anew_a_hundred_times)
{
	char path[512];

	UNUSED;
	snprintf(path, sizeof(path), "%s/his/anew", bed.cgroup);
	for (int i = 0; i < 100; i++) {
		if (move_into_new("his/anew") || bind_port() != EPERM || write_to("his", "cgroup.procs", "0"))
			return WENT_THROUGH;
		if (rmdir(path))
			return TROUBLE;
	}
	return bind_port();
}

struct attack {
	const char *name;
	int (*call)(int fd, const struct sockaddr *addr, socklen_t len);
};

static void he_tries(void **state)
{
	const struct attack *attack = *state;
	struct try try = { .in = "granted", .uid = NOBODY, .family = AF_INET, .port = PORT };
	int error;

	/* The port is there, for whom it is granted. */
	assert_int_equal(bed_try(&try).error, 0);
	try.in = "his";
	try.call = attack->call;
	error = bed_try(&try).error;
	if (error != EPERM)
		fail_msg("%s: %d", attack->name, error);
}

static int set_up(void **state)
{
	static const char *const granted[] = { "granted", "leaf", "his/leaf", "his/twin" };
	_cleanup_(bc_text_done) struct bc_text text = {};

	(void)state;
	bed_make_cgroup("granted");
	/* This one is a unit's of the system's, and he owns the one that it is in. */
	bed_make_cgroup("his/leaf");
	bed_give_cgroup("his", NOBODY);
	bc_text_addf(&text, "deny cgroup %s/his port 443 errno EPERM\ngrant cgroup /granted port 443\n", bed.scope);
	for (size_t i = 0; i < ARRAY_SIZE(granted); i++)
		bc_text_addf(&text, "grant cgroup %s/%s port 443\n", bed.scope, granted[i]);
	bc_text_addf(&text, "grant cgroup %s/his/", bed.scope);
	for (int i = 0; i < 255; i++)
		bc_text_addf(&text, "n");
	bc_text_addf(&text, " port 443\n");
	bed_policy(text.data);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bed_remove_cgroup("his");
	bed_remove_cgroup("granted");
	return 0;
}

/* clang-format off */
#define TRY(it) { #it, he_tries, set_up, tear_down, &(struct attack){ #it, it } }
/* clang-format on */

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TRY(he_moves_into_the_cgroup_beside_his),
		TRY(he_moves_up),
		TRY(he_moves_one_thread_into_the_cgroup_beside_his),
		TRY(he_starts_a_child_in_the_cgroup_beside_his),
		TRY(he_starts_a_child_in_a_cgroup_that_is_removed),
		TRY(he_starts_a_child_in_a_cgroup_of_his),
		TRY(he_opens_the_cgroup_beside_his_by_its_id),
		TRY(he_renames_his_cgroup_to_one_that_has_the_port),
		TRY(he_makes_his_cgroup_the_root_of_a_namespace),
		TRY(he_puts_names_between_that_no_rule_knows),
		TRY(he_goes_down_four_hundred_levels),
		TRY(he_makes_a_name_longer_than_any_rules),
		TRY(he_has_every_byte_in_a_name),
		TRY(he_has_a_thread_elsewhere_than_its_process),
		TRY(he_makes_his_cgroup_anew_a_hundred_times),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
