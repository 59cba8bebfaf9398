// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "static.h"

int static_open(void)
{
	int fd = open(getenv("STATIC_BIND"), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void copy_path(char path[128], const char *name)
{
	snprintf(path, 128, "%s/policy/%s", bed.dir, name);
}

int static_copy(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	_cleanup_free_ char *program = NULL;
	int from = static_open(), to;
	char path[128];
	size_t len;

	copy_path(path, name);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	assert_true(to >= 0);
	assert_int_equal(bc_read_all(from, 1 << 24, &program, &len), 0);
	assert_int_equal(bc_write_all(to, program, len), 0);
	/* The mode last: chown(2) takes set-user-ID and set-group-ID away. */
	assert_int_equal(fchown(to, uid, gid) || fchmod(to, mode) || close(to) || close(from), 0);
	to = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(to >= 0);
	return to;
}

void static_remove(const char *name)
{
	char path[128];

	copy_path(path, name);
	assert_int_equal(unlink(path), 0);
}

int static_exec(int program, const struct sockaddr *addr)
{
	char port[8];
	int status;
	pid_t child;

	snprintf(port, sizeof(port), "%u", ntohs(((const struct sockaddr_in *)addr)->sin_port));
	child = fork();
	if (child == 0) {
		fexecve(program, (char *[]){ "static_bind", port, NULL }, (char *[]){ NULL });
		_exit(126);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
