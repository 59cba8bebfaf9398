// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "trace.h"

/* Calls that leave nothing behind when the process dies; what is not known here may be of the other kind. */
static const uint32_t unseen[] = {
	SYS_close,
	SYS_read,
	SYS_pread64,
	SYS_lseek,
	SYS_getdents64,
	SYS_newfstatat,
	SYS_fstat,
	SYS_statfs,
	SYS_fstatfs,
	SYS_faccessat,
	SYS_faccessat2,
	SYS_getcwd,
	SYS_name_to_handle_at,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_brk,
	SYS_prctl,
	SYS_capget,
	SYS_capset,
	SYS_uname,
	SYS_getrandom,
	SYS_prlimit64,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_execve,
	SYS_rseq,
	SYS_set_tid_address,
	SYS_clock_gettime,
	SYS_set_robust_list,
#ifdef SYS_arch_prctl /* calls that newer machines never had */
	SYS_access,
	SYS_arch_prctl,
	SYS_stat,
#endif
};

static const uint32_t unseen_bpf[] = {
	BPF_MAP_CREATE,	       BPF_PROG_LOAD,	       BPF_BTF_LOAD,	    BPF_MAP_LOOKUP_ELEM,   BPF_MAP_GET_NEXT_KEY,
	BPF_OBJ_GET,	       BPF_OBJ_GET_INFO_BY_FD, BPF_PROG_QUERY,	    BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,
	BPF_LINK_GET_FD_BY_ID, BPF_PROG_GET_NEXT_ID,   BPF_MAP_GET_NEXT_ID, BPF_LINK_GET_NEXT_ID,  BPF_MAP_LOOKUP_BATCH,
};

#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define ANSWER(answer) BPF_STMT(BPF_RET | BPF_K, answer)
#define IF(what, value, skip) BPF_JUMP(BPF_JMP | what | BPF_K, value, 0, skip)
#define RULES_MAX 128

static unsigned add_unseen(struct sock_filter *rules, unsigned n, const uint32_t *values, size_t nvalues)
{
	for (size_t i = 0; i < nvalues; i++) {
		rules[n++] = (struct sock_filter)IF(BPF_JEQ, values[i], 1);
		rules[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	}
	rules[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_TRACE);
	return n;
}

/* The lower half of an argument, which is all that flags and commands have. */
#define ARGUMENT(i) LOAD(offsetof(struct seccomp_data, args[i]) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))

/* Has the kernel stop this process, and what it executes, at the other calls alone. */
static int stop_at_changes(void)
{
	struct sock_filter rules[RULES_MAX] = {
		LOAD(offsetof(struct seccomp_data, nr)),
		IF(BPF_JEQ, SYS_openat, 4),
		ARGUMENT(2),
		IF(BPF_JSET, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 1),
		ANSWER(SECCOMP_RET_TRACE),
		ANSWER(SECCOMP_RET_ALLOW),
		IF(BPF_JEQ, SYS_bpf, 2 * ARRAY_SIZE(unseen_bpf) + 2),
		ARGUMENT(0),
	};
	struct sock_fprog program = { .filter = rules };
	unsigned n = add_unseen(rules, 8, unseen_bpf, ARRAY_SIZE(unseen_bpf));

	program.len = add_unseen(rules, n, unseen, ARRAY_SIZE(unseen));
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

pid_t trace_start(const char *program, const char *const *argv, enum trace_calls calls)
{
	const int options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP;
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
		if (calls == TRACE_CHANGES && stop_at_changes())
			_exit(126);
		execv(args[0], (char *const *)args);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, options), 0);
	return pid;
}

static bool is_at_call(int status)
{
	return WSTOPSIG(status) == (SIGTRAP | 0x80) || status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
}

void trace_next(pid_t pid, struct trace_stop *stop)
{
	/* The filter stops it on its way in; its way out is the next stop of any. */
	int request = stop->calls == TRACE_ALL || stop->entry ? PTRACE_SYSCALL : PTRACE_CONT;
	struct __ptrace_syscall_info info = {};
	int status;

	do {
		assert_int_equal(ptrace(request, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status)) {
			stop->ended = true;
			stop->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
			return;
		}
		/* Else the trap behind execve(2). */
	} while (!is_at_call(status));
	assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	stop->entry = info.op != PTRACE_SYSCALL_INFO_EXIT;
	if (stop->entry) {
		/* The same of both kinds of entry. */
		stop->nr = info.entry.nr;
		for (int i = 0; i < 6; i++)
			stop->args[i] = info.entry.args[i];
	}
}

void trace_to_main(pid_t pid, enum trace_calls calls, struct trace_stop *stop)
{
	*stop = (struct trace_stop){ .calls = calls };
	do
		trace_next(pid, stop);
	/* The dynamic linker makes no files, and so does not call it. */
	while (!stop->ended && !(stop->entry && stop->nr == SYS_umask));
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
