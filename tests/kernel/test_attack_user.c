// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An unprivileged user's attacks on who he is and where he is: threads, rings and sockets that are somebody else's, or
 * were made somewhere else. Who calls bind(2), and from where, decides; where that is the user's own affair, it stands
 * in bindctl(8), and the test holds it to that.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"

#define GRANTED 443

static int bind_port(int fd, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	return bind(fd, (struct sockaddr *)&in, sizeof(in)) ? errno : 0;
}

static int bind_new(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	bed_reuse(fd);
	error = bind_port(fd, port);
	close(fd);
	return error;
}

/* The kernel keeps IDs for each thread; only the C library changes all of them at once. */
static int become_alone(uint32_t uid)
{
	return syscall(SYS_setresuid, uid, uid, uid) ? errno : 0;
}

static void *bind_as_somebody(void *arg)
{
	*(int *)arg = become_alone(SOMEBODY) ?: bind_new(GRANTED);
	return NULL;
}

static void *bind_as_started(void *arg)
{
	*(int *)arg = bind_new(GRANTED);
	return NULL;
}

static int in_thread(void *(*run)(void *arg))
{
	pthread_t thread;
	int error = -1;

	if (pthread_create(&thread, NULL, run, &error))
		return -1;
	pthread_join(thread, NULL);
	return error;
}

/* Of one process, a thread is SOMEBODY and another one nobody. */
static int bind_in_mixed_threads(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd, (void)addr, (void)len;
	if (in_thread(bind_as_somebody))
		return -1;
	if (become_alone(NOBODY))
		return -2;
	/* Nor does a thread get anything of the one that started it when that was another. */
	return bind_new(GRANTED) == EACCES && in_thread(bind_as_started) == EACCES ? 0 : -3;
}

static void thread_binds_as_itself_and_not_as_its_process(void **state)
{
	const struct try try = { .uid = 0, .family = AF_INET, .port = GRANTED, .call = bind_in_mixed_threads };

	(void)state;
	bed_policy("grant user 1234 port 443\n");
	assert_int_equal(bed_try(&try).error, 0);
}

static int bind_with_fsuid(int fd, const struct sockaddr *addr, socklen_t len)
{
	setfsuid(SOMEBODY);
	setfsgid(SOMEBODY);
	return bind(fd, addr, len) ? errno : 0;
}

/* Neither the IDs for files, nor the real ones, nor the saved ones say who binds. */
static void ids_for_files_are_not_asked(void **state)
{
	const struct try try = { .uid = 0, .family = AF_INET, .port = 5432, .call = bind_with_fsuid };

	(void)state;
	bed_policy("deny user 1234 port 5432\ndeny group 1234 port 5432\n");
	assert_int_equal(bed_try(&try).error, 0);
	bed_policy("deny user root port 5432\nallow user 1234 port 5432\n");
	assert_int_equal(bed_try(&try).error, EACCES);
}

/* What a ring is to do: bind a new socket, as a registered personality unless that is 0. 0, or errno. */
static int ring_bind(struct io_uring *ring, uint16_t port, unsigned flags, int personality)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;

	bed_reuse(fd);
	io_uring_prep_rw(56 /* IORING_OP_BIND */, sqe, fd, &in, 0, sizeof(in));
	io_uring_sqe_set_flags(sqe, flags);
	sqe->personality = personality;
	r = io_uring_submit(ring);
	if (r == 1)
		r = io_uring_wait_cqe(ring, &cqe);
	if (!r) {
		r = cqe->res;
		io_uring_cqe_seen(ring, cqe);
	}
	close(fd);
	return -r;
}

static bool ring_can_bind(void)
{
	struct io_uring ring;
	int r = io_uring_queue_init(4, &ring, 0);

	if (!r) {
		r = ring_bind(&ring, 8443, 0, 0);
		io_uring_queue_exit(&ring);
	}
	if (!r || r == EACCES || r == EADDRINUSE)
		return true;
	print_message("# SKIP io_uring here has no bind: %s\n", strerror(r < 0 ? -r : r));
	return false;
}

/* Each of the ways in which another thread than the caller's does the work. */
static const struct {
	const char *what;
	unsigned setup, flags;
} ring_ways[] = {
	{ "the caller", 0, 0 },
	{ "a worker", 0, IOSQE_ASYNC },
	{ "a thread that polls", IORING_SETUP_SQPOLL, 0 },
	{ "a worker of a thread that polls", IORING_SETUP_SQPOLL, IOSQE_ASYNC },
};

static int way, out_fd; /* of ring_ways; cgroup.procs of where to go, opened by root */

/* The kernel's threads for the ring are made where it is permitted, and then the process goes elsewhere. */
static int ring_that_moves(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct io_uring ring;
	int here, there;

	(void)fd, (void)addr, (void)len;
	if (io_uring_queue_init(4, &ring, ring_ways[way].setup))
		return -1;
	here = ring_bind(&ring, GRANTED, ring_ways[way].flags, 0);
	if (here)
		return here;
	if (write(out_fd, "0", 1) != 1)
		return -3;
	there = ring_bind(&ring, GRANTED + 1, ring_ways[way].flags, 0);
	io_uring_queue_exit(&ring);
	return there == EACCES ? 0 : -4;
}

static void rings_threads_do_not_stay_behind_in_a_granted_cgroup(void **state)
{
	struct try try = { .uid = NOBODY, .in = "in", .family = AF_INET, .port = GRANTED, .call = ring_that_moves };
	char text[256], path[320];

	(void)state;
	bed_policy("");
	if (!ring_can_bind())
		skip();
	bed_make_cgroup("in");
	bed_make_cgroup("out");
	snprintf(path, sizeof(path), "%s/out/cgroup.procs", bed.cgroup);
	out_fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(out_fd >= 0);
	snprintf(text, sizeof(text), "grant cgroup %s/in port 443-444\n", bed.scope);
	bed_policy(text);
	for (way = 0; way < (int)ARRAY_SIZE(ring_ways); way++) {
		int error = bed_try(&try).error;

		if (error)
			fail_msg("by %s: %d", ring_ways[way].what, error);
	}
	close(out_fd);
	bed_remove_cgroup("in");
	bed_remove_cgroup("out");
}

/* A ring of SOMEBODY's, used by what has become nobody. 0 if all is as bindctl(8) says. */
static int ring_that_is_kept(int fd, const struct sockaddr *addr, socklen_t len)
{
	bool polls = ring_ways[way].setup & IORING_SETUP_SQPOLL;
	struct io_uring ring;
	int id, plain;

	(void)fd, (void)addr, (void)len;
	if (syscall(SYS_setresuid, -1, SOMEBODY, -1) || io_uring_queue_init(4, &ring, ring_ways[way].setup))
		return -1;
	id = io_uring_register_personality(&ring);
	if (id < 0 || syscall(SYS_setresuid, -1, 0, -1) || become_alone(NOBODY))
		return -2;
	plain = ring_bind(&ring, GRANTED, ring_ways[way].flags, 0);
	if (plain != (polls ? 0 : EACCES))
		return -3;
	/* It kept the right to act as SOMEBODY, as it would have kept a socket of his. */
	return ring_bind(&ring, GRANTED, ring_ways[way].flags, id) || bind_new(GRANTED) != EACCES ? -4 : 0;
}

static void ring_binds_as_whose_it_is(void **state)
{
	const struct try try = { .uid = 0, .family = AF_INET, .port = GRANTED, .call = ring_that_is_kept };

	(void)state;
	bed_policy("");
	if (!ring_can_bind())
		skip();
	bed_policy("grant user 1234 port 443\n");
	for (way = 0; way < (int)ARRAY_SIZE(ring_ways); way++) {
		int error = bed_try(&try).error;

		if (error)
			fail_msg("by %s: %d", ring_ways[way].what, error);
	}
}

static int given; /* a socket that another made, or a cgroup */

static int bind_given(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd;
	return bind(given, addr, len) ? errno : 0;
}

/* Makes a socket in another process, and has it sent here. */
static int socket_of(const struct try *who)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {};
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};
	int ends[2], fd = -1;
	pid_t child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	if (child == 0) {
		bed_become(who);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		bed_reuse(fd);
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)),
							     .cmsg_level = SOL_SOCKET,
							     .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
		_exit(sendmsg(ends[1], &message, 0) != 1);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(recvmsg(ends[0], &message, MSG_DONTWAIT), 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	close(ends[0]);
	close(ends[1]);
	return fd;
}

/* A socket is nobody's until it is bound: neither who made it counts nor where. */
static void socket_made_by_another_gives_nothing(void **state)
{
	const struct try maker = { .uid = SOMEBODY, .in = "in" };
	const struct try root = { .uid = 0 };
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = GRANTED, .call = bind_given };
	char text[256];

	(void)state;
	bed_make_cgroup("in");
	snprintf(text, sizeof(text), "grant cgroup %s/in port 443\ngrant user 1234 port 443\n", bed.scope);
	bed_policy(text);
	given = socket_of(&maker);
	assert_int_equal(bed_try(&try).error, EACCES);
	close(given);
	given = socket_of(&root);
	assert_int_equal(bed_try(&try).error, EACCES);
	/* And who may bind, may bind his. */
	try.uid = SOMEBODY;
	assert_int_equal(bed_try(&try).error, 0);
	close(given);
	bed_policy("deny user nobody port 443 errno EPERM\n");
	given = socket_of(&(struct try){ .uid = NOBODY });
	try.uid = 0;
	assert_int_equal(bed_try(&try).error, 0);
	close(given);
	bed_remove_cgroup("in");
}

static int write_zero(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return errno;
	r = write(fd, "0", 1) == 1 ? 0 : errno;
	close(fd);
	return r;
}

/* Every way that the kernel has into a cgroup. 0 if none leads in. */
static int break_in(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = given };
	char path[320];
	pid_t child;

	(void)fd, (void)addr, (void)len;
	snprintf(path, sizeof(path), "%s/in/cgroup.procs", bed.cgroup);
	if (!write_zero(path))
		return -1;
	snprintf(path, sizeof(path), "%s/in/cgroup.threads", bed.cgroup);
	if (!write_zero(path))
		return -2;
	snprintf(path, sizeof(path), "%s/in/mine", bed.cgroup);
	if (!mkdir(path, 0755))
		return -3;
	child = syscall(SYS_clone3, &args, sizeof(args));
	if (child == 0)
		_exit(0);
	if (child > 0)
		return -4;
	/* Of the subtree that is his he has every cgroup, and from there no way out. */
	snprintf(path, sizeof(path), "%s/his/in/cgroup.procs", bed.cgroup);
	if (write_zero(path))
		return -5;
	snprintf(path, sizeof(path), "%s/in/cgroup.procs", bed.cgroup);
	if (!write_zero(path))
		return -6;
	return bind_new(GRANTED) == EACCES ? 0 : -7;
}

static void granted_cgroup_cannot_be_broken_into(void **state)
{
	const struct try try = { .uid = NOBODY, .in = "his", .family = AF_INET, .port = GRANTED, .call = break_in };
	char text[256], path[320];

	(void)state;
	bed_make_cgroup("in");
	bed_make_cgroup("his/in");
	bed_give_cgroup("his", NOBODY);
	bed_give_cgroup("his/in", NOBODY);
	snprintf(text, sizeof(text), "grant cgroup %s/in port 443\n", bed.scope);
	bed_policy(text);
	snprintf(path, sizeof(path), "%s/in", bed.cgroup);
	given = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(given >= 0);
	assert_int_equal(bed_try(&try).error, 0);
	close(given);
	bed_remove_cgroup("in");
	bed_remove_cgroup("his");
}

#define DEEP 300

/* A deny reaches as deep as cgroups go, which is deeper than a rule can name. */
static void deny_holds_however_deep_he_digs(void **state)
{
	_cleanup_(bc_text_done) struct bc_text path = {}, text = {};
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = 5432 };

	(void)state;
	for (int i = 0; i < DEEP; i++)
		bc_text_addf(&path, "%sd", i ? "/" : "");
	bc_text_addf(&text, "deny cgroup %s/d port 5432\nallow cgroup %s port 5432\n", bed.scope, bed.scope);
	bed_make_cgroup(path.data);
	bed_policy(text.data);
	try.in = path.data;
	assert_int_equal(bed_try(&try).error, EACCES);
	/* From the cache, too. */
	assert_int_equal(bed_try(&try).error, EACCES);
	try.in = NULL;
	assert_int_equal(bed_try(&try).error, 0);
	bed_remove_cgroup("d");
}

/* Threads of one process in different cgroups: each binds from its own. */
static void *bind_from_beside(void *arg)
{
	*(int *)arg = write(out_fd, "0", 1) != 1 ? -1 : bind_new(GRANTED);
	return NULL;
}

static int bind_in_threaded_cgroups(int fd, const struct sockaddr *addr, socklen_t len)
{
	int beside;

	if (bind(fd, addr, len))
		return errno;
	beside = in_thread(bind_from_beside);
	return beside == EACCES && !bind_new(GRANTED + 1) ? 0 : beside ?: -2;
}

static void thread_binds_from_its_own_cgroup(void **state)
{
	const struct try try = {
		.uid = NOBODY, .in = "t/a", .family = AF_INET, .port = GRANTED, .call = bind_in_threaded_cgroups
	};
	static const char *const threaded[] = { "t/a", "t/b" };
	char text[256], path[320];

	(void)state;
	bed_make_cgroup("t/a");
	bed_make_cgroup("t/b");
	for (size_t i = 0; i < ARRAY_SIZE(threaded); i++) {
		snprintf(path, sizeof(path), "%s/%s/cgroup.type", bed.cgroup, threaded[i]);
		out_fd = open(path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(write(out_fd, "threaded", 8), 8);
		close(out_fd);
	}
	snprintf(text, sizeof(text), "grant cgroup %s/t/a port 443-444\n", bed.scope);
	bed_policy(text);
	snprintf(path, sizeof(path), "%s/t/b/cgroup.threads", bed.cgroup);
	out_fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(bed_try(&try).error, 0);
	close(out_fd);
	bed_remove_cgroup("t");
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(thread_binds_as_itself_and_not_as_its_process),
		cmocka_unit_test(ids_for_files_are_not_asked),
		cmocka_unit_test(rings_threads_do_not_stay_behind_in_a_granted_cgroup),
		cmocka_unit_test(ring_binds_as_whose_it_is),
		cmocka_unit_test(socket_made_by_another_gives_nothing),
		cmocka_unit_test(granted_cgroup_cannot_be_broken_into),
		cmocka_unit_test(deny_holds_however_deep_he_digs),
		cmocka_unit_test(thread_binds_from_its_own_cgroup),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
