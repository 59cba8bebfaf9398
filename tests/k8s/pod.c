// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pod CGROUP NETNS UID: a container's process. Goes to the cgroup's directory, to the network namespace (a file; "new" is
 * one of its own), and becomes this user, without groups and capabilities. Then it does what standard input says, a line
 * each, and answers with a line:
 *
 *     bind tcp|udp ADDRESS PORT           "ADDRESS PORT" where it now is, or the error's name
 *     keep tcp|udp ADDRESS PORT WANTED    does so again and again, until there is another line; WANTED is "ok" or an
 *                                         error's name. Answers with how often it did, how often it saw something else,
 *                                         and what that was first, or "-"
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Returns 0, and where the socket is, or the number of the error. */
static int try_bind(int type, union address where, union address *ret_is)
{
	int fd, one = 1, error = 0;
	socklen_t size = sizeof(*ret_is);

	fd = socket(where.any.sa_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		error = errno;
	else if (bind(fd, &where.any, where.any.sa_family == AF_INET ? sizeof(where.v4) : sizeof(where.v6)) ||
		 getsockname(fd, &ret_is->any, &size))
		error = errno;
	close(fd);
	return error;
}

static int read_address(const char *text, int port, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons((uint16_t)port);
		return 0;
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons((uint16_t)port);
	return inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1 ? 0 : -1;
}

static void answer_bind(int type, const union address *where)
{
	char text[INET6_ADDRSTRLEN];
	union address is;
	int error;

	error = try_bind(type, *where, &is);
	if (error) {
		puts(strerrorname_np(error));
		return;
	}
	if (is.any.sa_family == AF_INET)
		inet_ntop(AF_INET, &is.v4.sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &is.v6.sin6_addr, text, sizeof(text));
	printf("%s %d\n", text, ntohs(is.v4.sin_port));
}

/* Somebody else's socket on the port is no decision of the policy's: whoever hears of it was let through. */
static void answer_keep(int type, const union address *where, const char *wanted)
{
	const struct timespec pause = { .tv_nsec = 500000 };
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned long tries = 0, wrong = 0;
	const char *first = "-", *seen;
	union address is;
	int error;

	while (poll(&in, 1, 0) == 0) {
		error = try_bind(type, *where, &is);
		seen = error && error != EADDRINUSE ? strerrorname_np(error) : "ok";
		tries++;
		if (strcmp(seen, wanted) != 0 && wrong++ == 0)
			first = seen;
		nanosleep(&pause, NULL);
	}
	printf("%lu %lu %s\n", tries, wrong, first);
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request)) {
		perror("pod: lo");
		exit(1);
	}
	close(fd);
}

static void become(const char *cgroup, const char *netns, uid_t uid)
{
	int fd, dir = open(cgroup, O_DIRECTORY | O_CLOEXEC);

	fd = dir < 0 ? -1 : openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1) {
		perror(cgroup);
		exit(1);
	}
	close(fd);
	close(dir);
	if (strcmp(netns, "new") == 0) {
		if (unshare(CLONE_NEWNET)) {
			perror("pod: unshare");
			exit(1);
		}
		loopback_up();
	} else {
		fd = open(netns, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET)) {
			perror(netns);
			exit(1);
		}
		close(fd);
	}
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)) {
		perror("pod: setresuid");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	char line[256], verb[8], proto[8], text[64], wanted[32];
	union address where;
	int port, n;

	if (argc != 4) {
		fputs("usage: pod CGROUP NETNS UID\n", stderr);
		return 2;
	}
	become(argv[1], argv[2], (uid_t)strtoul(argv[3], NULL, 10));
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		n = sscanf(line, "%7s %7s %63s %d %31s", verb, proto, text, &port, wanted);
		if (n >= 1 && strcmp(verb, "stop") == 0)
			continue;
		if (n < 4 || read_address(text, port, &where)) {
			puts("what?");
			continue;
		}
		if (strcmp(verb, "bind") == 0)
			answer_bind(strcmp(proto, "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM, &where);
		else if (strcmp(verb, "keep") == 0 && n == 5)
			answer_keep(strcmp(proto, "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM, &where, wanted);
		else
			puts("what?");
	}
	return 0;
}
