// SPDX-License-Identifier: GPL-2.0-or-later
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holder.h"

#define HELD_MAX 32
static pid_t held[HELD_MAX];
static size_t nheld;

static void hold_on(const struct try *try, int flags, int ready)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(try->port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(try->port) };
	const struct sockaddr *addr = try->family == AF_INET ? (void *)&in : (void *)&in6;
	socklen_t len = try->family == AF_INET ? sizeof(in) : sizeof(in6);
	pid_t pids[2] = { getpid() };
	int fd, one = 1;

	bed_become(try);
	fd = socket(try->family, try->type ?: SOCK_STREAM, try->protocol);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (try->v6only && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one))) || bind(fd, addr, len) ||
	    (flags & LISTENS && listen(fd, 5)) || (flags & CONNECTS && connect(fd, addr, len)) ||
	    (flags & LEAVES && unshare(CLONE_NEWUSER)))
		_exit(1);
	/* One that has it twice is still one. */
	if (dup(fd) < 0)
		_exit(1);
	if (flags & FORKS) {
		pids[1] = fork();
		if (!pids[1]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
	if (write(ready, pids, sizeof(pids)) != sizeof(pids))
		_exit(1);
	for (;;)
		pause();
}

pid_t hold(const struct try *try, int flags, pid_t *ret_second)
{
	pid_t pids[2], child;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipes[0]);
		hold_on(try, flags, pipes[1]);
	}
	assert_true(child > 0 && nheld < HELD_MAX);
	held[nheld++] = child;
	close(pipes[1]);
	if (read(pipes[0], pids, sizeof(pids)) != sizeof(pids))
		fail_msg("port %u cannot be held", try->port);
	close(pipes[0]);
	if (ret_second)
		*ret_second = pids[1];
	return pids[0];
}

void release_all(void)
{
	while (nheld) {
		kill(held[--nheld], SIGKILL);
		waitpid(held[nheld], NULL, 0);
	}
}
