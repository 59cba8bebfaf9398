// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every changing command, killed in turn before and after every one of its system calls that can change what others
 * see (files, directories, BPF objects, locks). What is left must be the old policy or the new one, whole, for both
 * families; and the next command must find its way.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"

#define FILE_NAME "50-bindctl.conf"

/* One command and the states around it: the errno of nobody's binds of 443. */
struct scene {
	const char *name;
	const char *before; /* the policy file, loaded; NULL: nothing is loaded, and no file */
	const char *file;   /* what the file says when the command starts, if not `before` */
	const char *argv[6];
	int old, new;
	int other; /* the errno of binds of 8443 in the end, which were free before */
};

static const struct scene scenes[] = {
	{ "grant", "# mine\n", NULL, { "grant", "nobody", "443" }, EACCES, 0 },
	{ "revoke", "grant user nobody port 443\n", NULL, { "revoke", "nobody", "443" }, 0, EACCES },
	{ "apply", "grant user nobody port 443\n", "deny port 443,8443 errno EPERM\n", { "apply" }, 0, EPERM, EPERM },
	{ "load", NULL, "grant user nobody port 443\n", { "load" }, EACCES, 0 },
	{ "grant, nothing loaded", NULL, NULL, { "grant", "nobody", "443" }, EACCES, 0 },
	{ "unload", "grant user nobody port 443\n", NULL, { "unload" }, 0, EACCES },
};

static void exec_command(const struct scene *scene)
{
	const char *args[16] = { getenv("BINDCTL"), "--config", bed.policy, "--pin", bed.pins, "--cgroup", bed.cgroup };
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	for (int i = 0; i < 6; i++)
		args[7 + i] = scene->argv[i];
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	execv(args[0], (char *const *)args);
	_exit(127);
}

static bool changes_something(const struct __ptrace_syscall_info *info)
{
	static const long numbers[] = {
		SYS_bpf,      SYS_mkdir, SYS_mkdirat, SYS_rmdir,  SYS_unlink, SYS_unlinkat, SYS_rename,
		SYS_renameat, SYS_write, SYS_fsync,   SYS_fchmod, SYS_mount,  SYS_flock,    SYS_renameat2,
	};

	/* Opening a file changes nothing, unless it makes one. */
	if (info->entry.nr == SYS_openat)
		return info->entry.args[2] & O_CREAT;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i] == (long)info->entry.nr)
			return true;
	return false;
}

/* Whether the stopped child is on its way into (*ret_inside then true) or out of a call that counts. */
static bool is_kill_point(pid_t child, bool *inside)
{
	struct __ptrace_syscall_info info;

	assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) > 0);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		*inside = changes_something(&info);
		return *inside;
	}
	return info.op == PTRACE_SYSCALL_INFO_EXIT && *inside;
}

/* Runs the command up to its n-th kill point and kills it there. Zero when it ended before. */
static int run_and_kill(const struct scene *scene, long n)
{
	bool inside = false;
	int status;
	pid_t child = fork();

	if (child == 0)
		exec_command(scene);
	assert_int_equal(waitpid(child, &status, 0), child);
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (long point = 0; point <= n;) {
		ptrace(PTRACE_SYSCALL, child, NULL, NULL);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return 0;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			point += is_kill_point(child, &inside);
	}
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	return 1;
}

static void set_scene(const struct scene *scene)
{
	char path[256];

	/* Hooks that the end needs and the beginning does not stay linked until then. */
	if (scene->other || !scene->before)
		assert_int_equal(BINDCTL(NULL, "unload"), 0);
	if (scene->before) {
		bed_write(FILE_NAME, scene->before, strlen(scene->before));
		assert_int_equal(BINDCTL(NULL, "apply"), 0);
	} else {
		snprintf(path, sizeof(path), "%s/" FILE_NAME, bed.policy);
		unlink(path);
	}
	if (scene->file)
		bed_write(FILE_NAME, scene->file, strlen(scene->file));
}

static int bind_port(int family, uint16_t port)
{
	const struct try try = { .uid = NOBODY, .family = family, .port = port };

	return bed_try(&try).error;
}

static int bind_error(int family)
{
	return bind_port(family, 443);
}

/* A policy in force has everything that it needs: the gate lets through what it speaks of, and its hooks are there. */
static void check_whole(const struct scene *scene, long n, bool new)
{
	int error = bind_port(AF_INET, 8443);
	_cleanup_(bc_text_done) struct bc_text said = {};

	if (error != (new ? scene->other : 0))
		fail_msg("%s killed at point %ld: %s policy decides 443, and 8443 gives %d", scene->name, n,
			 new ? "the new" : "the old", error);
	if (strcmp(scene->argv[0], "apply"))
		return;
	BINDCTL(&said, "status");
	if (strstr(said.data, "not attached"))
		fail_msg("%s killed at point %ld: a hook is missing\n%s", scene->name, n, said.data);
}

static void check_aftermath(const struct scene *scene, long n)
{
	int v4 = bind_error(AF_INET), v6 = bind_error(AF_INET6);

	if (v4 != v6 || (v4 != scene->old && v4 != scene->new))
		fail_msg("%s killed at point %ld: IPv4 gives %d, IPv6 %d", scene->name, n, v4, v6);
	check_whole(scene, n, v4 == scene->new);
	if (BINDCTL(NULL, "check"))
		fail_msg("%s killed at point %ld: the files are broken", scene->name, n);
	/* The next command: the same again must succeed, unless it was done already. */
	if (!strcmp(scene->argv[0], "revoke"))
		assert_int_equal(BINDCTL(NULL, "apply"), 0);
	else if (bed_bindctl(NULL, scene->argv))
		fail_msg("%s killed at point %ld: it does not succeed afterwards", scene->name, n);
	if (strcmp(scene->argv[0], "revoke"))
		assert_int_equal(bind_error(AF_INET), scene->new);
}

static void kill_everywhere(void **state)
{
	const struct scene *scene = *state;
	long n = 0;

	set_scene(scene);
	while (run_and_kill(scene, n)) {
		check_aftermath(scene, n);
		n++;
		set_scene(scene);
	}
	printf("# %s: killed at %ld places\n", scene->name, n);
	assert_true(n > 20);
	assert_int_equal(bind_error(AF_INET), scene->new);
	assert_int_equal(bind_error(AF_INET6), scene->new);
	if (!strcmp(scene->name, "unload"))
		assert_int_equal(access(bed.pins, F_OK), -1);
}

static int tests(void)
{
	struct CMUnitTest table[ARRAY_SIZE(scenes)];
	int failures;

	/* What commands say is not of interest here. */
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++)
		table[i] = (struct CMUnitTest){ scenes[i].name, kill_everywhere, NULL, NULL, (void *)&scenes[i] };
	failures = cmocka_run_group_tests(table, NULL, NULL);
	return failures;
}

int main(void)
{
	return bed_main(tests);
}
