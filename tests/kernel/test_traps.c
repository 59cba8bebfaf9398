// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways of calling bind(2) that other tools do not see: none may pass a deny, or miss a grant. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "static.h"

#define GRANTED 443 /* to nobody */
#define DENIED 5432 /* to everyone */

static const char policy[] = "grant user nobody port 443\ndeny port 5432\n";

static const struct try granted4 = { .uid = NOBODY, .family = AF_INET, .port = GRANTED };
static const struct try granted6 = { .uid = NOBODY, .family = AF_INET6, .port = GRANTED };
static const struct try denied4 = { .uid = 0, .family = AF_INET, .port = DENIED };
static const struct try denied6 = { .uid = 0, .family = AF_INET6, .port = DENIED };
static const struct try refused4 = { .uid = NOBODY, .family = AF_INET, .port = 442 };

/* All of them by one way of calling. */
static void try_all(int (*call)(int fd, const struct sockaddr *addr, socklen_t len))
{
	const struct {
		const struct try *try;
		int error;
	} all[] = {
		{ &granted4, 0 }, { &granted6, 0 }, { &denied4, EACCES }, { &denied6, EACCES }, { &refused4, EACCES },
	};

	bed_policy(policy);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct try try = *all[i].try;

		try.call = call;
		assert_int_equal(bed_try(&try).error, all[i].error);
	}
}

/* Past any library's bind(): what a static or Go program does. */
static int raw_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return syscall(SYS_bind, fd, addr, len) ? errno : 0;
}

static void raw_system_call(void **state)
{
	(void)state;
	try_all(raw_bind);
}

#define IORING_OP_BIND_ 56 /* linux/io_uring.h of Linux 6.11; newer than Debian 12's headers */

static int ring_bind(int fd, const struct sockaddr *addr, socklen_t len, unsigned flags, unsigned sqe_flags)
{
	struct io_uring ring;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	int r = io_uring_queue_init(4, &ring, flags);

	if (r)
		return -r;
	sqe = io_uring_get_sqe(&ring);
	if (!sqe)
		return -1;
	io_uring_prep_rw(IORING_OP_BIND_, sqe, fd, addr, 0, len);
	sqe->flags |= sqe_flags;
	r = io_uring_submit(&ring);
	if (r == 1)
		r = io_uring_wait_cqe(&ring, &cqe);
	if (!r)
		r = cqe->res;
	io_uring_queue_exit(&ring);
	return -r;
}

static int uring_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return ring_bind(fd, addr, len, 0, 0);
}

/* A kernel thread submits, with the credentials of whoever made the ring. */
static int uring_thread_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return ring_bind(fd, addr, len, IORING_SETUP_SQPOLL, 0);
}

/* One of the ring's workers binds. */
static int uring_worker_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return ring_bind(fd, addr, len, 0, IOSQE_ASYNC);
}

static void io_uring_binds(void **state)
{
	int (*const calls[])(int, const struct sockaddr *, socklen_t) = { uring_bind, uring_thread_bind,
									  uring_worker_bind };
	struct try try = { .uid = 0, .family = AF_INET, .port = 8443, .call = uring_bind };
	int error;

	(void)state;
	bed_policy("");
	error = bed_try(&try).error;
	if (error == EINVAL || error == ENOSYS || error == EPERM) {
		print_message("# SKIP io_uring here has no bind: %s\n", strerror(error));
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct try noted = { .uid = NOBODY, .family = AF_INET6, .v6only = true, .port = GRANTED };

		try_all(calls[i]);
		/* What one hook notes the other takes for the same bind's. */
		noted.call = calls[i];
		bed_policy("grant user nobody port 443 addr ::/0\n");
		assert_int_equal(bed_try(&noted).error, 0);
	}
}

static int reaped;

static void reap(int signal)
{
	(void)signal;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		reaped++;
}

#define THREADS 8
#define BINDS 50

static void *bind_often(void *arg)
{
	int port = *(int *)arg, bound = 0;

	for (int i = 0; i < BINDS; i++) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		bed_reuse(fd);
		bound += !bind(fd, (struct sockaddr *)&in, sizeof(in));
		close(fd);
	}
	*(int *)arg = bound;
	return NULL;
}

/* Many threads at once in a program that reaps its children itself, as servers do. */
static int bind_in_threads(int fd, const struct sockaddr *addr, socklen_t len)
{
	pthread_t threads[THREADS];
	int numbers[THREADS], bound = 0;

	(void)fd, (void)addr, (void)len;
	signal(SIGCHLD, reap);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = 800 + i;
		if (pthread_create(&threads[i], NULL, bind_often, &numbers[i]))
			return -1;
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		bound += numbers[i];
	}
	/* Nothing forked behind the program's back. */
	return reaped ? -2 : bound == THREADS * BINDS ? 0 : bound ? bound : -3;
}

static void threads_with_a_reaper(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = 800, .call = bind_in_threads };

	(void)state;
	bed_policy("grant user nobody port 800-807\n");
	assert_int_equal(bed_try(&try).error, 0);
}

static int v6only_fd;
static volatile int flipping;
static bool is_crossed; /* the other thread binds as well, to what comes to nothing */

static void *flip_v6only(void *arg)
{
	struct sockaddr_in6 elsewhere = { .sin6_family = AF_INET6, .sin6_port = htons(8444) };

	(void)arg;
	inet_pton(AF_INET6, "ff02::1", &elsewhere.sin6_addr);
	while (flipping) {
		int on = 1, off = 0;

		if (is_crossed)
			bind(v6only_fd, (struct sockaddr *)&elsewhere, sizeof(elsewhere));
		setsockopt(v6only_fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		setsockopt(v6only_fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	return NULL;
}

/* What came of the binds: of those that the program let pass, how many were refused when the port was taken. */
struct race {
	int granted;
	int caught;
};

/* One bind with the option flipped all the while: 0 refused or V6ONLY in the end, 1 dual-stack. */
static int race_once(const struct sockaddr *addr, socklen_t len, struct race *race)
{
	int on = 1, is_v6only = 1;
	socklen_t size = sizeof(is_v6only);
	pthread_t thread;
	bool bound = false;

	v6only_fd = socket(AF_INET6, SOCK_STREAM, 0);
	bed_reuse(v6only_fd);
	setsockopt(v6only_fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	flipping = 1;
	if (pthread_create(&thread, NULL, flip_v6only, NULL))
		return -1;
	for (int i = 0; i < 200 && !bound; i++) {
		bound = !bind(v6only_fd, addr, len);
		/* The rules' own refusals are EACCES. */
		race->caught += !bound && errno == EPERM;
	}
	flipping = 0;
	pthread_join(thread, NULL);
	race->granted += bound;
	if (bound)
		getsockopt(v6only_fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6only, &size);
	close(v6only_fd);
	return !is_v6only;
}

#define RACES 2000

/* Where a rule denies, what was taken back may also be refused with the rule's errno: those are not told from others. */
static bool is_caught_alone;

/*
 * A test in which no bind ever passed would have proved nothing, and neither would one in which the option was never
 * taken back at that moment. On one processor that hardly comes at all.
 */
static int race_v6only(int fd, const struct sockaddr *addr, socklen_t len)
{
	bool wait = is_caught_alone && sysconf(_SC_NPROCESSORS_ONLN) > 1;
	time_t end = time(NULL) + PATIENCE_SECONDS;
	struct race race = {};
	int races = 0;

	(void)fd;
	while (races++ < RACES || !race.granted || (wait && !race.caught)) {
		if (race_once(addr, len, &race))
			return -1;
		if (time(NULL) > end)
			return -2;
	}
	return 0;
}

/* Two threads that meet at a moment need a processor each, whatever else runs. */
static int try_undisturbed(const struct try *try)
{
	const struct sched_param ahead = { .sched_priority = 1 }, usual = {};
	int error;

	sched_setscheduler(0, SCHED_RR, &ahead);
	error = bed_try(try).error;
	sched_setscheduler(0, SCHED_OTHER, &usual);
	return error;
}

/*
 * The IPv6 port is granted, the IPv4 port denied. A socket is V6ONLY when the program looks, and dual-stack a moment
 * later: it must not end up with the IPv4 port.
 */
static void v6only_taken_back(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET6, .port = GRANTED, .call = race_v6only };

	(void)state;
	is_caught_alone = false;
	bed_policy("deny port 443 addr 0.0.0.0/0\ngrant user nobody port 443 addr ::/0\n");
	assert_int_equal(try_undisturbed(&try), 0);
	/* Without what a deny has attached. */
	bed_unload();
	/* Nor with one that nobody denies, but that needs a privilege: a port of which a rule denies is decided twice. */
	is_caught_alone = true;
	bed_policy("grant user nobody port 443 addr ::/0\n");
	assert_int_equal(try_undisturbed(&try), 0);
}

/* Nor when another bind of the same socket comes in between, which relies on nothing. */
static void v6only_taken_back_behind_another_bind(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET6, .port = GRANTED, .call = race_v6only };

	(void)state;
	is_caught_alone = is_crossed = true;
	bed_policy("grant user nobody port 443 addr ::/0\n");
	assert_int_equal(try_undisturbed(&try), 0);
	is_crossed = false;
}

static int v6only_then_dual(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in6 other = *(const struct sockaddr_in6 *)addr;
	int on = 1, off = 0, busy = socket(AF_INET6, SOCK_STREAM, 0);

	/* The first bind is answered for V6ONLY and fails behind the policy: the port is taken, and not shared. */
	bed_reuse(busy);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off));
	setsockopt(busy, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(busy, addr, len) || !bind(fd, addr, len) || errno != EADDRINUSE)
		return -1;
	close(busy);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	/* What was noted of it must not be held against another bind of the same socket, of a port no rule names. */
	other.sin6_port = htons(8444);
	return bind(fd, (struct sockaddr *)&other, len) ? errno : 0;
}

static void v6only_is_forgotten(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET6, .port = GRANTED, .call = v6only_then_dual };

	(void)state;
	bed_policy("deny port 443 addr 0.0.0.0/0\ngrant user nobody port 443 addr ::/0\n");
	assert_int_equal(bed_try(&try).error, 0);
}

static void v6only_port_zero(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET6, .v6only = true };

	(void)state;
	bed_policy("deny port any addr 0.0.0.0/0\n");
	assert_int_equal(bed_try(&try).error, 0);
	try.v6only = false;
	assert_int_equal(bed_try(&try).error, EACCES);
}

/* $STATIC_BIND, or a copy of it. */
static int static_fd;

static int exec_static(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd, (void)len;
	return static_exec(static_fd, addr);
}

static void static_program(void **state)
{
	struct try granted = granted4, refused = refused4, denied = denied4;

	(void)state;
	static_fd = static_open();
	granted.call = refused.call = denied.call = exec_static;
	granted.no_new_privs = refused.no_new_privs = true;
	bed_policy(policy);
	assert_int_equal(bed_try(&granted).error, 0);
	assert_int_equal(bed_try(&refused).error, EACCES);
	assert_int_equal(bed_try(&denied).error, EACCES);
	close(static_fd);
}

/* Becomes root of a user namespace of its own, with every capability there, and binds. */
static int bind_as_own_root(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (unshare(CLONE_NEWUSER))
		return -1;
	return bind(fd, addr, len) ? errno : 0;
}

/* The same with a network namespace that it owns, where the kernel's own check lets it bind any port. */
static int bind_in_own_netns(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -1;
	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return bind(fd, addr, len) ? errno : 0;
}

static void root_of_a_user_namespace(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = GRANTED, .call = bind_as_own_root };

	(void)state;
	/* It is still nobody: root's grant is not for it, nobody's is, and a deny is. */
	bed_policy("grant user root port 443\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	bed_policy("grant user nobody port 443\n");
	assert_int_equal(bed_try(&try).error, 0);
	try.call = bind_in_own_netns;
	bed_policy("");
	assert_int_equal(bed_try(&try).error, 0);
	bed_policy("deny user nobody port 443 netns any\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	bed_policy("deny port 443 netns any\ngrant user root port 443 netns any\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	try.family = AF_INET6;
	assert_int_equal(bed_try(&try).error, EACCES);
}

/* A copy runs as SOMEBODY, whoever starts it. */
static void setuid_program(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = GRANTED, .call = exec_static };

	(void)state;
	static_fd = static_copy("setuid", SOMEBODY, SOMEBODY, 04755);
	bed_policy("grant user 1234 port 443\n");
	assert_int_equal(bed_try(&try).error, 0);
	/* Without new privileges it stays what its starter is. */
	try.no_new_privs = true;
	assert_int_equal(bed_try(&try).error, EACCES);
	try.no_new_privs = false;
	bed_policy("grant user nobody port 443\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	bed_policy("grant port 443\ndeny user 1234 port 443 errno EPERM\n");
	assert_int_equal(bed_try(&try).error, EPERM);
	close(static_fd);
	static_remove("setuid");
}

/* A socket that was bound, connected and taken apart again can be bound once more: to be decided once more. */
static int bind_again(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in any = { .sin_family = AF_INET }, peer = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* Bound by the kernel's choice alone, so that the port is let go with the connection. */
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || connect(fd, (struct sockaddr *)&peer, sizeof(peer)) ||
	    connect(fd, &none, sizeof(none)))
		return -errno;
	return bind(fd, addr, len) ? errno : 0;
}

static void socket_bound_again(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .type = SOCK_DGRAM, .port = GRANTED, .call = bind_again };

	(void)state;
	bed_policy("grant user nobody port 443\n");
	assert_int_equal(bed_try(&try).error, 0);
	bed_policy("deny port 443 errno EPERM\n");
	assert_int_equal(bed_try(&try).error, EPERM);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(raw_system_call),	    cmocka_unit_test(static_program),
		cmocka_unit_test(io_uring_binds),	    cmocka_unit_test(threads_with_a_reaper),
		cmocka_unit_test(v6only_taken_back),	    cmocka_unit_test(v6only_taken_back_behind_another_bind),
		cmocka_unit_test(v6only_is_forgotten),	    cmocka_unit_test(v6only_port_zero),
		cmocka_unit_test(root_of_a_user_namespace), cmocka_unit_test(setuid_program),
		cmocka_unit_test(socket_bound_again),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
