// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "cycle.h"

static int bind_443(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	bed_reuse(fd);
	return bind(fd, (struct sockaddr *)&in, sizeof(in)) ? errno : 0;
}

int cycle(const char *path)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	_cleanup_close_ int fd = -1;
	int status;
	pid_t child;

	if (mkdir(path, 0755))
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	args.cgroup = fd;
	child = syscall(SYS_clone3, &args, sizeof(args));
	if (child == 0) {
		/* No library between: this child was not made by fork(3). */
		if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY))
			_exit(200);
		_exit(bind_443());
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -2;
	while (rmdir(path))
		if (errno != EBUSY)
			return -3;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -4;
}

int cycles(const char *path, int wanted)
{
	int count = 0;

	for (int i = CYCLES; i > 0; i--)
		count += cycle(path) == wanted;
	return count;
}
