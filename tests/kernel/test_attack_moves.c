// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attacks on who is where: sockets, rings and threads that are of one cgroup and used from another, and cgroups that come
 * and go while it is decided. BED/granted has the port, BED/his is denied it with EPERM, nowhere else a rule speaks of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"

#define TROUBLE 250

static struct sockaddr_in address = { .sin_family = AF_INET };

static void apply(const char *more)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_text_addf(&text, "deny cgroup %s/his port 443 errno EPERM\ngrant cgroup %s/granted port 443\n%s", bed.scope,
		     bed.scope, more);
	bed_policy(text.data);
}

static int set_up(void **state)
{
	(void)state;
	address.sin_port = htons(443);
	bed_unload();
	bed_make_cgroup("granted");
	bed_make_cgroup("his");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bed_remove_cgroup("granted");
	bed_remove_cgroup("his");
	return 0;
}

static void write_in(const char *cgroup, const char *file, const char *text)
{
	if (bed_write_cgroup(cgroup, file, text))
		_exit(TROUBLE);
}

static void become_nobody(void)
{
	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(TROUBLE);
}

static int make_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	bed_reuse(fd);
	return fd;
}

static int bind_it(int fd)
{
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;
}

/* What it ends with, run in a child. */
static int in_child(int (*run)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(run());
	}
	assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const char *made_in, *bound_in;

static int made_in_one_and_bound_in_another(void)
{
	int fd;

	write_in(made_in, "cgroup.procs", "0");
	fd = make_socket();
	write_in(bound_in, "cgroup.procs", "0");
	become_nobody();
	return bind_it(fd);
}

/* The cgroup of who binds counts, not that of who made the socket. */
static void socket_that_was_made_where_the_port_is_granted(void **state)
{
	(void)state;
	apply("");
	made_in = "granted", bound_in = "his";
	assert_int_equal(in_child(made_in_one_and_bound_in_another), EPERM);
	made_in = "his", bound_in = "granted";
	assert_int_equal(in_child(made_in_one_and_bound_in_another), 0);
	/* With an instance of a part of the hierarchy: what was made outside of it stays outside, as the manual says. */
	made_in = "..", bound_in = "his";
	assert_int_equal(in_child(made_in_one_and_bound_in_another), EACCES);
}

/*
 * A child that makes its sockets in a cgroup, goes to BED/his, and binds one each time that it is told to. What comes of
 * it is what it answers.
 */
struct orphan {
	pid_t pid;
	int to[2], from[2];
};

static void start_orphan(struct orphan *orphan)
{
	char ready;

	assert_int_equal(pipe(orphan->to) || pipe(orphan->from), 0);
	bed_make_cgroup("gone");
	orphan->pid = fork();
	if (orphan->pid == 0) {
		int fds[3];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_in("gone", "cgroup.procs", "0");
		for (int i = 0; i < 3; i++)
			fds[i] = make_socket();
		write_in("his", "cgroup.procs", "0");
		become_nobody();
		for (int i = -1; i < 3; i++) {
			unsigned char answer = i < 0 ? 0 : bind_it(fds[i]);

			if (write(orphan->from[1], &answer, 1) != 1 || read(orphan->to[0], &ready, 1) != 1)
				break;
		}
		_exit(0);
	}
	assert_int_equal(read(orphan->from[0], &ready, 1), 1);
	bed_remove_cgroup("gone");
}

static int ask_orphan(struct orphan *orphan)
{
	unsigned char answer;

	assert_int_equal(write(orphan->to[1], "", 1), 1);
	assert_int_equal(read(orphan->from[0], &answer, 1), 1);
	return answer;
}

/* Attached, replaced and added to while the socket's own cgroup is there no more. */
static void socket_whose_cgroup_was_removed_before_the_programs_came(void **state)
{
	struct orphan orphan;
	int status;

	(void)state;
	start_orphan(&orphan);
	apply("");
	assert_int_equal(ask_orphan(&orphan), EPERM);
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	apply("rewrite user 4711 port 81 to :82 hidden\n");
	assert_int_equal(ask_orphan(&orphan), EPERM);
	bed_unload();
	assert_int_equal(ask_orphan(&orphan), EACCES);
	assert_int_equal(write(orphan.to[1], "", 1), 1);
	assert_int_equal(waitpid(orphan.pid, &status, 0), orphan.pid);
}

#define IORING_OP_BIND_ 56 /* linux/io_uring.h of Linux 6.11; newer than Debian 12's headers */

static struct io_uring ring;

static int ring_bind(int fd, unsigned flags)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	struct io_uring_cqe *cqe;
	int r;

	if (!sqe)
		return TROUBLE;
	io_uring_prep_rw(IORING_OP_BIND_, sqe, fd, &address, 0, sizeof(address));
	sqe->flags |= flags;
	r = io_uring_submit(&ring);
	if (r == 1)
		r = io_uring_wait_cqe(&ring, &cqe);
	if (r)
		return TROUBLE;
	r = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	return -r;
}

static unsigned ring_flags, bind_flags;

/* Where it was set up, the port is granted; the kernel's threads of it must not stay behind. */
static int ring_moved(void)
{
	write_in("granted", "cgroup.procs", "0");
	become_nobody();
	if (io_uring_queue_init(4, &ring, ring_flags) || ring_bind(make_socket(), bind_flags))
		return TROUBLE;
	/* Whoever moves it is root: here, the parent. */
	raise(SIGSTOP);
	return ring_bind(make_socket(), bind_flags);
}

/* The ring is the parent's, who stays where the port is granted; so are socket and memory. */
static int ring_inherited(void)
{
	int fd, status;
	pid_t child;

	write_in("granted", "cgroup.procs", "0");
	fd = make_socket();
	if (io_uring_queue_init(4, &ring, IORING_SETUP_SQPOLL))
		return TROUBLE;
	child = fork();
	if (child == 0) {
		write_in("his", "cgroup.procs", "0");
		become_nobody();
		_exit(bind_it(fd) == EPERM ? ring_bind(fd, 0) : TROUBLE);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : TROUBLE;
}

static int ring_at_all(void)
{
	return io_uring_queue_init(4, &ring, 0) ? ENOSYS : ring_bind(make_socket(), 0);
}

static bool has_ring_bind(void)
{
	int error = in_child(ring_at_all);

	if (error != EINVAL && error != ENOSYS && error != EPERM)
		return true;
	print_message("# SKIP io_uring here has no bind: %s\n", strerror(error));
	return false;
}

/* Moved by the parent while it stands still; the errno of its bind then. */
static int move_ring(void)
{
	char text[16];
	int status;
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(ring_moved());
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	snprintf(text, sizeof(text), "%d", (int)child);
	write_in("his", "cgroup.procs", text);
	kill(child, SIGCONT);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void ring_that_was_set_up_where_the_port_is_granted(void **state)
{
	static const struct {
		unsigned ring, bind;
	} ways[] = { { 0, 0 }, { 0, IOSQE_ASYNC }, { IORING_SETUP_SQPOLL, 0 }, { IORING_SETUP_SQPOLL, IOSQE_ASYNC } };

	(void)state;
	if (!has_ring_bind())
		skip();
	apply("");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		ring_flags = ways[i].ring;
		bind_flags = ways[i].bind;
		assert_int_equal(move_ring(), EPERM);
	}
}

/* By design: the kernel's thread is its maker's, and binds the maker's socket. As the manual says. */
static void ring_that_somebody_hands_on_binds_as_its_maker(void **state)
{
	(void)state;
	if (!has_ring_bind())
		skip();
	apply("");
	assert_int_equal(in_child(ring_inherited), 0);
}

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static pid_t victim;

static int steal(void)
{
	int pidfd, fd;

	write_in("his", "cgroup.procs", "0");
	become_nobody();
	pidfd = syscall(SYS_pidfd_open, victim, 0);
	fd = syscall(SYS_pidfd_getfd, pidfd, 3, 0);
	if (fd < 0)
		return errno;
	return listen(fd, 1) ? errno : 0;
}

static int hold_for_thief(void)
{
	write_in("granted", "cgroup.procs", "0");
	become_nobody();
	prctl(PR_SET_DUMPABLE, 1);
	close(3);
	if (make_socket() != 3 || bind_it(3))
		return TROUBLE;
	raise(SIGSTOP);
	return 0;
}

/* By design: who may trace a process has what it has. As the manual says. */
static void socket_is_taken_from_a_process_of_the_same_user(void **state)
{
	int status, error;

	(void)state;
	apply("");
	victim = fork();
	if (victim == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(hold_for_thief());
	}
	assert_int_equal(waitpid(victim, &status, WUNTRACED), victim);
	assert_true(WIFSTOPPED(status));
	error = in_child(steal);
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	if (error == EPERM) {
		print_message("# SKIP this system lets nobody trace another's process\n");
		skip();
	}
	assert_int_equal(error, 0);
}

/* Joins groups until the socket may take no more memory for its options: there is none for a note of ours either. */
static int bind_without_room(void)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(445) };
	int fd, joined, one = 1;

	write_in("granted", "cgroup.procs", "0");
	become_nobody();
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		return TROUBLE;
	for (joined = 0; joined < 100000; joined++) {
		struct ipv6_mreq group = { .ipv6mr_interface = 1 };

		inet_pton(AF_INET6, "ff01::1:0:0", &group.ipv6mr_multiaddr);
		group.ipv6mr_multiaddr.s6_addr32[3] = htonl(joined);
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group, sizeof(group)))
			break;
	}
	if (errno != ENOMEM && errno != ENOBUFS)
		return TROUBLE;
	return bind(fd, (struct sockaddr *)&in6, sizeof(in6)) ? errno : 0;
}

/* What the answer rests on cannot be noted, and is not taken on trust. */
static void socket_that_has_no_room_for_a_note(void **state)
{
	(void)state;
	apply("deny port 445 addr 0.0.0.0/0\ngrant port 445 addr ::/0\n");
	assert_int_equal(in_child(bind_without_room), ENOMEM);
}

static int tests(void)
{
#define TEST(it) cmocka_unit_test_setup_teardown(it, set_up, tear_down)
	const struct CMUnitTest table[] = {
		TEST(socket_that_was_made_where_the_port_is_granted),
		TEST(socket_whose_cgroup_was_removed_before_the_programs_came),
		TEST(socket_that_has_no_room_for_a_note),
		TEST(ring_that_was_set_up_where_the_port_is_granted),
		TEST(ring_that_somebody_hands_on_binds_as_its_maker),
		TEST(socket_is_taken_from_a_process_of_the_same_user),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
