// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attacks of a user who is root in a user namespace. IDs there are only other names for what he is outside; IDs that the
 * administrator gave him to use there, in /etc/subuid and /etc/subgid, he is when he likes, as bindctl(8) says.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "static.h"
#include "kernel/events.h"

#define PORT 5432
#define LOW 443
#define INTERNS 3000 /* a group */
#define SUBORDINATES 2000

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
	close(fd);
	return r;
}

/* Anybody may make one in which a number of his choice is himself. Non-zero on failure. */
static int be_called(uint32_t uid, uint32_t gid)
{
	char uids[64], gids[64];

	snprintf(uids, sizeof(uids), "%u %u 1", uid, geteuid());
	snprintf(gids, sizeof(gids), "%u %u 1", gid, getegid());
	/* As what a login starts is; who came here from root is not. */
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) || unshare(CLONE_NEWUSER) || write_file("/proc/self/uid_map", uids) ||
	       write_file("/proc/self/setgroups", "deny") || write_file("/proc/self/gid_map", gids);
}

static int bind_as_somebody_there(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (be_called(SOMEBODY, SOMEBODY) || geteuid() != SOMEBODY || getegid() != SOMEBODY)
		return -1;
	return bind(fd, addr, len) ? errno : 0;
}

static int bind_as_root_there(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (be_called(0, 0) || geteuid())
		return -1;
	return bind(fd, addr, len) ? errno : 0;
}

static void name_of_a_granted_user_is_only_a_name(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = LOW, .call = bind_as_somebody_there };

	(void)state;
	bed_policy("grant user 1234 port 443\ngrant group 1234 port 443\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	bed_policy("deny user nobody port 443 errno EPERM\nallow user 1234 port 443\n");
	assert_int_equal(bed_try(&try).error, EPERM);
	try.call = bind_as_root_there;
	bed_policy("grant user root port 443\ngrant group root port 443\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	bed_policy("deny user nobody port 443 errno EPERM\nallow user root port 443\n");
	assert_int_equal(bed_try(&try).error, EPERM);
	bed_policy("grant user nobody port 443\n");
	assert_int_equal(bed_try(&try).error, 0);
}

static int drop_groups_there(int fd, const struct sockaddr *addr, socklen_t len)
{
	/* The kernel's own rule: who leaves a group could get at what it is kept from. */
	if (be_called(0, 0) || !setgroups(0, NULL))
		return -1;
	return bind(fd, addr, len) ? errno : 0;
}

static void denied_group_cannot_be_left_in_a_namespace_of_his_own(void **state)
{
	static const gid_t groups[] = { INTERNS };
	const struct try try = { .uid = NOBODY,
				 .groups = groups,
				 .ngroups = 1,
				 .family = AF_INET,
				 .port = PORT,
				 .call = drop_groups_there };

	(void)state;
	bed_policy("deny group 3000 port 5432 errno EPERM\n");
	assert_int_equal(bed_try(&try).error, EPERM);
}

/* What newuidmap(1) and newgidmap(1) write for whom /etc/subuid and /etc/subgid give the IDs from 4000 on. */
static int be_given_more(void)
{
	char path[64], map[64];
	int status, ready[2];
	char byte;
	pid_t child;

	if (pipe(ready))
		return -1;
	snprintf(map, sizeof(map), "0 %u 1\n1 4000 %d\n", NOBODY, SUBORDINATES);
	child = fork();
	if (child == 0) {
		if (read(ready[0], &byte, 1) != 1)
			_exit(1);
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)getppid());
		if (write_file(path, map))
			_exit(1);
		snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)getppid());
		_exit(write_file(path, map) ? 1 : 0);
	}
	/* The helper is root; this becomes nobody before it makes the namespace. */
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) || unshare(CLONE_NEWUSER) || write(ready[1], "", 1) != 1)
		return -2;
	return waitpid(child, &status, 0) == child && !status ? 0 : -3;
}

static int (*then)(void);

static int be_given_more_and_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (be_given_more())
		return -1;
	if (then())
		return -2;
	return bind(fd, addr, len) ? errno : 0;
}

static int be_oneself(void)
{
	return 0;
}

static int leave_groups(void)
{
	return setgroups(0, NULL);
}

static int be_subordinate(void)
{
	return setresuid(1, 1, 1);
}

/*
 * By design: subordinate IDs are IDs of his, and who may change his groups leaves one. A deny for a user or a group is
 * no wall for whoever has them; one for everyone, or for his cgroup, is.
 */
static void subordinate_ids_are_other_users(void **state)
{
	static const gid_t groups[] = { INTERNS };
	struct try try = {
		.groups = groups, .ngroups = 1, .family = AF_INET, .port = PORT, .call = be_given_more_and_bind
	};
	static const char *const walls[] = { "deny port 5432 errno EPERM\nallow user root port 5432\n",
					     "reserve user root port 5432 errno EPERM\n", NULL };
	char text[256];

	(void)state;
	bed_policy("deny group 3000 port 5432 errno EPERM\n");
	then = be_oneself;
	assert_int_equal(bed_try(&try).error, EPERM);
	then = leave_groups;
	assert_int_equal(bed_try(&try).error, 0);
	bed_policy("deny user nobody port 5432 errno EPERM\n");
	assert_int_equal(bed_try(&try).error, EPERM);
	then = be_subordinate;
	assert_int_equal(bed_try(&try).error, 0);
	snprintf(text, sizeof(text), "deny cgroup %s port 5432 errno EPERM\n", bed.scope);
	for (size_t i = 0; i < ARRAY_SIZE(walls); i++) {
		bed_policy(walls[i] ?: text);
		then = be_subordinate;
		assert_int_equal(bed_try(&try).error, EPERM);
		then = leave_groups;
		assert_int_equal(bed_try(&try).error, EPERM);
	}
	/* And what is granted to the user is not granted to his subordinates. */
	try.port = LOW;
	then = be_subordinate;
	bed_policy("grant user nobody port 443\n");
	assert_int_equal(bed_try(&try).error, EACCES);
}

/* One refusal as each of them: of more users than there are places to remember users in. */
static int be_refused_as_all(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (be_given_more())
		return -1;
	for (int i = 1; i <= SUBORDINATES; i++)
		if (setresuid(-1, i, 0) || !bind(fd, addr, len) || errno != EPERM || setresuid(-1, 0, 0))
			return -2;
	return 0;
}

static void refusals_of_others_are_not_forgotten_for_his_subordinates(void **state)
{
	const struct try victim = { .uid = SOMEBODY, .family = AF_INET, .port = PORT };
	const struct try flood = { .family = AF_INET, .port = PORT, .call = be_refused_as_all };
	_cleanup_free_ struct bc_refused *all = NULL;
	bool found = false;
	size_t n;

	(void)state;
	bed_unload();
	bed_policy("deny port 5432 errno EPERM\n");
	assert_int_equal(bed_try(&victim).error, EPERM);
	assert_int_equal(bed_try(&flood).error, 0);
	assert_int_equal(bc_refusals_read(bed.pins, &all, &n, NULL), 0);
	for (size_t i = 0; i < n; i++)
		found |= all[i].last.uid == SOMEBODY;
	assert_true(found && n == 2);
}

/* A copy of $STATIC_BIND that anybody can have made for another group that he is in: setgid, it leaves the first. */
static int setgid_fd;

static int exec_setgid(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd, (void)len;
	return static_exec(setgid_fd, addr);
}

/* By design, as of any file of the group: what counts of a group is to be in it, effectively or besides. */
static void effective_group_alone_is_left_by_a_setgid_program(void **state)
{
	static const gid_t other[] = { 3001 }, both[] = { INTERNS, 3001 };
	struct try try = { .uid = NOBODY,
			   .gid = INTERNS,
			   .groups = other,
			   .ngroups = 1,
			   .family = AF_INET,
			   .port = PORT,
			   .call = exec_setgid };

	(void)state;
	setgid_fd = static_copy("setgid", NOBODY, 3001, 02755);
	bed_policy("deny group 3000 port 5432 errno EPERM\n");
	assert_int_equal(bed_try(&try).error, 0);
	/* Whoever logged in has his first group among the others as well. */
	try.groups = both;
	try.ngroups = 2;
	assert_int_equal(bed_try(&try).error, EPERM);
	close(setgid_fd);
	static_remove("setgid");
}

/* The socket is of the host's network; the namespaces that its owner moves into later do not change that. */
static int move_after_socket(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (be_called(0, 0) || unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC))
		return -1;
	return bind(fd, addr, len) ? errno : 0;
}

static void socket_stays_in_the_network_it_was_made_in(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = LOW, .call = move_after_socket };

	(void)state;
	bed_policy("deny port 5432 errno EPERM\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	try.family = AF_INET6;
	assert_int_equal(bed_try(&try).error, EACCES);
	try.port = PORT;
	assert_int_equal(bed_try(&try).error, EPERM);
	bed_policy("grant user nobody port 5432\ndeny port 1-65535 errno EPERM\n");
	assert_int_equal(bed_try(&try).error, 0);
}

/* A clock of his own, years ahead of or behind the host's. */
static int bind_at_another_time(int fd, const struct sockaddr *addr, socklen_t len)
{
	const char *offset =
		then() ? "monotonic 100000000 0\nboottime 100000000 0\n" : "monotonic -1 0\nboottime -1 0\n";
	int status;
	pid_t child;

	if (be_called(0, 0) || unshare(CLONE_NEWTIME) || write_file("/proc/self/timens_offsets", offset))
		return -1;
	/* Who makes it is not in it. */
	child = fork();
	if (child == 0)
		_exit(bind(fd, addr, len) ? errno : 0);
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

static int ahead(void)
{
	return 1;
}

static void until_is_not_moved_by_a_clock_of_his_own(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = LOW, .call = bind_at_another_time };
	_cleanup_(bc_text_done) struct bc_text over = {}, soon = {};

	(void)state;
	if (access("/proc/self/ns/time", F_OK)) {
		print_message("# SKIP this kernel has no time namespaces\n");
		skip();
	}
	then = be_oneself;
	bed_policy("grant user nobody port 443 until 2025-01-01T00:00:00Z\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	then = ahead;
	assert_int_equal(bed_try(&try).error, EACCES);
	bed_policy("deny user nobody port 443 until 2199-01-01T00:00:00Z errno EPERM\n");
	assert_int_equal(bed_try(&try).error, EPERM);
}

/* A cgroup namespace changes what paths look like from within, and nothing else. */
static int hide_path(int fd, const struct sockaddr *addr, socklen_t len)
{
	char text[256] = "";
	int self;

	if (be_called(0, 0) || unshare(CLONE_NEWCGROUP))
		return -1;
	self = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	if (self < 0 || read(self, text, sizeof(text) - 1) <= 0 || !strstr(text, "0::/\n"))
		return -2;
	close(self);
	return bind(fd, addr, len) ? errno : 0;
}

static void path_looks_otherwise_and_is_the_same(void **state)
{
	struct try try = { .uid = NOBODY, .in = "a/web", .family = AF_INET, .port = LOW, .call = hide_path };
	char text[512];

	(void)state;
	bed_make_cgroup("a/web");
	bed_policy("grant cgroup /web port 443\ngrant cgroup /a port 443\ngrant unit web.service port 443\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	snprintf(text, sizeof(text), "deny cgroup %s/a port 443 errno EPERM\n", bed.scope);
	bed_policy(text);
	assert_int_equal(bed_try(&try).error, EPERM);
	bed_remove_cgroup("a");
}

/* $BINDCTL, opened by root; what it says comes to `said`. */
static int bindctl_fd, said[2];

/* Root of everything that he can have: a BPF file system, cgroups and policy of his own. Then bindctl. */
static int run_bindctl_there(int fd, const struct sockaddr *addr, socklen_t len)
{
	static const char *const grant[] = { "bindctl",	      "--config", "/tmp/policy", "--pin",
					     "/tmp/bpf/pins", "--cgroup", "/tmp/cgroup", "grant",
					     "root",	      "443",	  NULL };
	int status;
	pid_t child;

	if (be_called(0, 0) || unshare(CLONE_NEWNS | CLONE_NEWCGROUP) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("tmp", "/tmp", "tmpfs", 0, NULL) ||
	    mkdir("/tmp/bpf", 0755) || mkdir("/tmp/cgroup", 0755) || mkdir("/tmp/policy", 0755) ||
	    mount("cgroup2", "/tmp/cgroup", "cgroup2", 0, NULL))
		return -errno;
	/* Some kernels keep this to root, and then there is none. */
	mount("bpf", "/tmp/bpf", "bpf", 0, NULL);
	child = fork();
	if (child == 0) {
		dup2(said[1], STDERR_FILENO);
		fexecve(bindctl_fd, (char *const *)grant, (char *[]){ NULL });
		_exit(126);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 1)
		return -1000 - status;
	return bind(fd, addr, len) ? errno : 0;
}

static void bindctl_of_his_own_enforces_nothing(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = LOW, .call = run_bindctl_there };
	char text[512] = "";
	ssize_t n;

	(void)state;
	bed_policy("");
	bindctl_fd = open(getenv("BINDCTL"), O_RDONLY | O_CLOEXEC);
	assert_true(bindctl_fd >= 0);
	assert_int_equal(pipe2(said, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(bed_try(&try).error, EACCES);
	n = read(said[0], text, sizeof(text) - 1);
	/* One line, which says why. */
	if (n <= 0 || strncmp(text, "bindctl: ", 9) || strchr(text, '\n') != text + n - 1 ||
	    (!strstr(text, "permitted") && !strstr(text, "is not on a BPF file system")))
		fail_msg("it says '%s'", text);
	print_message("# %s", text);
	close(said[0]);
	close(said[1]);
	close(bindctl_fd);
}

/* A token would let him load programs: the kernel gives them only where the initial namespace's root said so. */
static int mount_with_delegation(int fd, const struct sockaddr *addr, socklen_t len)
{
	static const char *const options[] = { "delegate_cmds=any", "delegate_maps=any", "delegate_progs=any",
					       "delegate_attachs=any" };

	(void)fd, (void)addr, (void)len;
	if (be_called(0, 0) || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (!mount("bpf", "/tmp", "bpf", 0, options[i]))
			return -2;
	return 0;
}

static void nobody_delegates_bpf_to_himself(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = LOW, .call = mount_with_delegation };

	(void)state;
	bed_policy("");
	assert_int_equal(bed_try(&try).error, 0);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(name_of_a_granted_user_is_only_a_name),
		cmocka_unit_test(denied_group_cannot_be_left_in_a_namespace_of_his_own),
		cmocka_unit_test(subordinate_ids_are_other_users),
		cmocka_unit_test(refusals_of_others_are_not_forgotten_for_his_subordinates),
		cmocka_unit_test(effective_group_alone_is_left_by_a_setgid_program),
		cmocka_unit_test(socket_stays_in_the_network_it_was_made_in),
		cmocka_unit_test(until_is_not_moved_by_a_clock_of_his_own),
		cmocka_unit_test(path_looks_otherwise_and_is_the_same),
		cmocka_unit_test(bindctl_of_his_own_enforces_nothing),
		cmocka_unit_test(nobody_delegates_bpf_to_himself),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
