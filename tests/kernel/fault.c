// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "bed.h"
#include "fault.h"

#define LISTENER 200 /* a descriptor that nothing else has */

/* What a call of the kind can fail with. Of those that only ask there are many, so that some of them must do. */
struct kind {
	int call, error;
	bool asks;
};

static const struct kind kinds[] = {
	{ SYS_openat, EMFILE, true },	  { SYS_socket, EMFILE, true },	   { SYS_dup, EMFILE, true },
	{ SYS_fcntl, EMFILE, true },	  { SYS_mmap, ENOMEM, true },	   { SYS_mremap, ENOMEM, true },
	{ SYS_read, EIO, true },	  { SYS_pread64, EIO, true },	   { SYS_fstat, EIO, true },
	{ SYS_newfstatat, EIO, true },	  { SYS_statfs, EIO, true },	   { SYS_fstatfs, EIO, true },
	{ SYS_getrandom, EIO, true },	  { SYS_prctl, EPERM, true },	   { SYS_name_to_handle_at, EIO, false },
	{ SYS_getdents64, EIO, false },	  { SYS_capget, EPERM, false },	   { SYS_capset, EPERM, false },
	{ SYS_write, ENOSPC, false },	  { SYS_fsync, EIO, false },	   { SYS_fchmod, EROFS, false },
	{ SYS_flock, ENOLCK, false },	  { SYS_mkdirat, ENOSPC, false },  { SYS_unlinkat, EROFS, false },
	{ SYS_renameat2, ENOSPC, false },
#ifdef SYS_mkdir /* calls that newer machines never had */
	{ SYS_mkdir, ENOSPC, false },	  { SYS_rmdir, EROFS, false },	   { SYS_unlink, EROFS, false },
	{ SYS_rename, ENOSPC, false },	  { SYS_renameat, ENOSPC, false },
#endif
};

static const struct kind bpf_kinds[] = {
	{ BPF_OBJ_PIN, ENOSPC, false },		  { BPF_OBJ_GET, EMFILE, true },
	{ BPF_OBJ_GET_INFO_BY_FD, EFAULT, true }, { BPF_MAP_LOOKUP_ELEM, ENOMEM, true },
	{ BPF_MAP_UPDATE_ELEM, E2BIG, false },	  { BPF_MAP_DELETE_ELEM, ENOMEM, false },
	{ BPF_MAP_CREATE, ENOMEM, false },	  { BPF_PROG_LOAD, ENOMEM, false },
	{ BPF_BTF_LOAD, ENOMEM, true },		  { BPF_MAP_FREEZE, EBUSY, false },
	{ BPF_LINK_CREATE, ENOMEM, false },	  { BPF_LINK_UPDATE, ENOMEM, false },
	{ BPF_LINK_DETACH, ENOMEM, false },
};

/* Of calls that only ask one in so many fails; in the end it is the kernel's BTF that is read, page by page. */
#define ASKING_STEP(n) ((n) < 240 ? 5 : 200)

static const struct kind *find_kind(const struct seccomp_data *data)
{
	bool is_bpf = data->nr == SYS_bpf;
	const struct kind *from = is_bpf ? bpf_kinds : kinds;
	size_t n = is_bpf ? ARRAY_SIZE(bpf_kinds) : ARRAY_SIZE(kinds);
	int wanted = is_bpf ? (int)data->args[0] : data->nr;

	/* What it says must be seen. */
	if (data->nr == SYS_write && data->args[0] == STDERR_FILENO)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (from[i].call == wanted)
			return &from[i];
	return NULL;
}

#define ANSWER(answer) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer))
#define IF_CALL(nr) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1))

/* Has the kernel ask whoever has the descriptor LISTENER, before it makes one of these calls. */
static int ask_before_calls(void)
{
	struct sock_filter rules[2 * ARRAY_SIZE(kinds) + 8] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
									 offsetof(struct seccomp_data, nr)) };
	struct sock_fprog program = { .filter = rules, .len = 1 };
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) + 2; i++) {
		int nr = i < ARRAY_SIZE(kinds) ? kinds[i].call : i == ARRAY_SIZE(kinds) ? SYS_bpf : SYS_umask;

		rules[program.len++] = IF_CALL(nr);
		rules[program.len++] = ANSWER(SECCOMP_RET_USER_NOTIF);
	}
	rules[program.len++] = ANSWER(SECCOMP_RET_ALLOW);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	return fd < 0 || dup3(fd, LISTENER, O_CLOEXEC) != LISTENER ? -1 : 0;
}

/* In a child: the command, what it says into `said`. */
static void exec_command(const char *const *argv, int said)
{
	const char *args[BED_ARGUMENTS];

	bed_arguments(getenv("BINDCTL"), argv, args);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(said, STDERR_FILENO);
	if (ask_before_calls())
		_exit(126);
	raise(SIGSTOP);
	execv(args[0], (char *const *)args);
	_exit(127);
}

/* The child's descriptor, once it has one. */
static int take_listener(pid_t child)
{
	_cleanup_close_ int pidfd = -1;
	int status, fd;

	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	pidfd = syscall(SYS_pidfd_open, child, 0);
	assert_true(pidfd >= 0);
	fd = syscall(SYS_pidfd_getfd, pidfd, LISTENER, 0);
	assert_true(fd >= 0);
	assert_int_equal(kill(child, SIGCONT), 0);
	return fd;
}

/* How far a run has come. */
struct progress {
	bool started; /* main() has: what the dynamic linker does before is not ours */
	long asking;  /* calls that only ask */
	long at;      /* calls that can be made to fail */
};

/* What is to come of the call: its errno, or 0 to make it. */
static int answer(const struct seccomp_data *data, struct progress *progress, struct fault *fault)
{
	const struct kind *kind;

	progress->started |= data->nr == SYS_umask;
	kind = progress->started && fault->call < 0 ? find_kind(data) : NULL;
	if (!kind)
		return 0;
	if (kind->asks) {
		long n = progress->asking++;

		if (n % ASKING_STEP(n))
			return 0;
	}
	if (progress->at++ != fault->n)
		return 0;
	fault->call = data->nr;
	fault->arg0 = data->args[0];
	fault->error = kind->error;
	return kind->error;
}

static void answer_all(int listener, struct fault *fault)
{
	struct pollfd ready = { .fd = listener, .events = POLLIN };
	struct progress progress = {};

	for (;;) {
		struct seccomp_notif call = {};
		struct seccomp_notif_resp reply = {};

		assert_true(poll(&ready, 1, -1) > 0 || errno == EINTR);
		if (ready.revents & POLLHUP)
			return;
		/* It may have been killed meanwhile. */
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
			continue;
		reply.id = call.id;
		reply.error = -answer(&call.data, &progress, fault);
		reply.flags = reply.error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
	}
}

void fault_run(const char *const *argv, struct fault *fault)
{
	_cleanup_close_ int said = memfd_create("said", MFD_CLOEXEC), listener = -1;
	pid_t child = fork();
	int status;

	if (child == 0)
		exec_command(argv, said);
	assert_true(child > 0);
	fault->call = -1;
	listener = take_listener(child);
	answer_all(listener, fault);
	assert_int_equal(waitpid(child, &status, 0), child);
	fault->exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	memset(fault->said, 0, sizeof(fault->said));
	assert_true(pread(said, fault->said, sizeof(fault->said) - 1, 0) >= 0);
}
