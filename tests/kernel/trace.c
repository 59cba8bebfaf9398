// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "trace.h"

pid_t trace_start(const char *program, const char *const *argv)
{
	const char *args[BED_ARGUMENTS];
	int status;
	pid_t pid;

	bed_arguments(program, argv, args);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execv(args[0], (char *const *)args);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
	return pid;
}

void trace_next(pid_t pid, struct trace_stop *stop)
{
	struct __ptrace_syscall_info info = {};
	int status;

	do {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status)) {
			stop->ended = true;
			stop->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
			return;
		}
		/* Else the trap behind execve(2). */
	} while (WSTOPSIG(status) != (SIGTRAP | 0x80));
	assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	stop->entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
	if (stop->entry) {
		stop->nr = info.entry.nr;
		for (int i = 0; i < 6; i++)
			stop->args[i] = info.entry.args[i];
	}
}

/* main() begins with opening /dev/null, and the dynamic linker opens nothing of that name. */
static bool is_main(pid_t pid, const struct trace_stop *stop)
{
	static const char path[] = "/dev/null";
	char said[sizeof(path)];
	const struct iovec here = { said, sizeof(said) }, there = { (void *)stop->args[1], sizeof(said) };

	return stop->entry && stop->nr == SYS_openat && stop->args[2] == O_RDONLY &&
	       process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof(said) && !memcmp(said, path, sizeof(path));
}

void trace_to_main(pid_t pid, struct trace_stop *stop)
{
	*stop = (struct trace_stop){};
	do
		trace_next(pid, stop);
	while (!stop->ended && !is_main(pid, stop));
	if (stop->ended)
		fail_msg("main() did not begin as expected: exit code %d", stop->code);
}

void trace_kill(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}
