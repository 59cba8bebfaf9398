// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An unprivileged user's attacks on the socket itself, while it is bound or before: other families, addresses, options
 * and owners. None may give a port that the rules do not.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"

#define PORT 5432
#define LOW 443

/* Another thread does something with each socket while it is bound. */
static struct {
	void (*act)(void);
	int enough; /* sockets refused because of it: then the test has seen what it is about */
	int pause;
	atomic_int fd, begun, ended;
} turn;

static void *take_turns(void *arg)
{
	(void)arg;
	for (int n = 1;; n++) {
		while (turn.begun < n)
			sched_yield();
		if (turn.fd < 0)
			return NULL;
		for (volatile int i = 0; i < turn.pause; i++)
			;
		turn.act();
		turn.ended = n;
	}
}

/*
 * Binds a new socket again and again while it is turned. Nothing comes of it before, for one reason or other. EPERM: that
 * it was turned was seen; 0: the kernel took the port; anything else: the moment was not met.
 */
static int bind_while_turned(const struct sockaddr *addr, socklen_t len, int n)
{
	int error;

	turn.fd = socket(addr->sa_family, SOCK_DGRAM, 0);
	turn.pause = n * 7919 % 2000;
	turn.begun = n;
	do
		error = bind(turn.fd, addr, len) ? errno : 0;
	while (error && error != EPERM && turn.ended < n);
	while (turn.ended < n)
		sched_yield();
	return error;
}

/* How often nobody had a port; -1 if the moment was never met. */
static int race_turns(const struct sockaddr *addr, socklen_t len)
{
	time_t end = time(NULL) + PATIENCE_SECONDS;
	int turned = 0, won = 0, n = 0;
	pthread_t thread;

	/* Of this thread alone, which a library would not do. */
	if (pthread_create(&thread, NULL, take_turns, NULL) || syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY))
		return -1;
	while (turned + won < turn.enough && time(NULL) < end) {
		int error = bind_while_turned(addr, len, ++n);

		turned += error == EPERM;
		won += !error;
		close(turn.fd);
	}
	turn.fd = -1;
	turn.begun = n + 1;
	pthread_join(thread, NULL);
	printf("# %d sockets, %d turned into something else while they were bound\n", n, turned);
	return won ? won : turned ? 0 : -1;
}

/* Two threads that meet at a moment need a processor each, whatever else runs. */
static int try_undisturbed(const struct try *try)
{
	const struct sched_param ahead = { .sched_priority = 1 }, usual = {};
	int error;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		print_message("# SKIP two threads do not meet on one processor\n");
		skip();
	}
	sched_setscheduler(0, SCHED_RR, &ahead);
	error = bed_try(try).error;
	sched_setscheduler(0, SCHED_OTHER, &usual);
	return error;
}

/* Into an IPv4 socket: connected to an IPv4 address, converted, and taken apart again. */
static void make_ipv4(void)
{
	struct sockaddr_in6 peer = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	const int family = AF_INET;

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &peer.sin6_addr);
	if (!connect(turn.fd, (struct sockaddr *)&peer, sizeof(peer)) &&
	    !setsockopt(turn.fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof(family)))
		connect(turn.fd, &none, sizeof(none));
}

/* Another socket has the IPv6 port, so that only an IPv4 port can be had. */
static int race_make_ipv4(int fd, const struct sockaddr *addr, socklen_t len)
{
	int busy = socket(AF_INET6, SOCK_DGRAM, 0);

	(void)fd;
	turn.act = make_ipv4;
	turn.enough = 20;
	return bind(busy, addr, len) ? -1 : race_turns(addr, len);
}

/* The IPv6 port is his, the IPv4 port is not: the kernel would give him 127.0.0.6, which is another thing than ::1. */
static void socket_is_made_ipv4_behind_the_answer(void **state)
{
	static const char *const policies[] = {
		"grant user nobody port 443 addr ::1 netns any\ndeny port 443 addr 0.0.0.0/0 netns any\n",
		"grant user nobody port 443 addr ::1 netns any\n",
		"rewrite user nobody port 443 to [::1]:443 netns any\n",
	};
	const struct try try = {
		.uid = NOBODY, .family = AF_INET6, .addr = "::1", .port = LOW, .call = race_make_ipv4
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		bed_unload();
		bed_policy(policies[i]);
		assert_int_equal(try_undisturbed(&try), 0);
	}
}

/* As root, whom a rule leads to PORT. */
static void bind_as_root(void)
{
	const struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(8443) };

	bind(turn.fd, (const struct sockaddr *)&in, sizeof(in));
}

static int race_root(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd;
	turn.act = bind_as_root;
	turn.enough = 2; /* of which each takes seconds: mostly the other bind comes first */
	return race_turns(addr, len);
}

/* The kernel can choose nothing but PORT, which is denied; what was noted of another's bind must not speak for it. */
static void answer_is_not_that_of_anothers_bind(void **state)
{
	const struct try try = { .family = AF_INET, .local_ports = "5432 5432", .call = race_root };

	(void)state;
	bed_policy("deny user nobody port 5432 netns any\nrewrite user root port 8443 to :5432 netns any\n");
	assert_int_equal(try_undisturbed(&try), 0);
}

struct odd {
	const char *what;
	int family, type, protocol;
	const char *addr;
	int level, option, value;
	int addrlen;
	bool may_fail; /* the kernel itself does not take the address or its length, whatever the policy says */
};

static const struct odd odds[] = {
	{ "broadcast", AF_INET, SOCK_DGRAM, 0, "255.255.255.255" },
	{ "multicast", AF_INET, SOCK_DGRAM, 0, "224.0.0.1" },
	{ "end of loopback", AF_INET, SOCK_STREAM, 0, "127.255.255.254" },
	{ "IPv6 multicast", AF_INET6, SOCK_DGRAM, 0, "ff02::1", .may_fail = true },
	{ "link-local", AF_INET6, SOCK_STREAM, 0, "fe80::1", .may_fail = true },
	{ "mapped multicast", AF_INET6, SOCK_DGRAM, 0, "::ffff:224.0.0.1" },
	{ "mapped end of loopback", AF_INET6, SOCK_STREAM, 0, "::ffff:127.255.255.254" },
	{ "IPv4-compatible", AF_INET6, SOCK_STREAM, 0, "::127.0.0.1" },
	{ "foreign address", AF_INET, SOCK_STREAM, 0, "192.0.2.1", SOL_IP, IP_FREEBIND, 1 },
	{ "foreign IPv6 address", AF_INET6, SOCK_STREAM, 0, "2001:db8::1", SOL_IPV6, 78 /* IPV6_FREEBIND */, 1 },
	{ "transparent", AF_INET, SOCK_STREAM, 0, "192.0.2.1", SOL_IP, IP_TRANSPARENT, 1 },
	{ "transparent IPv6", AF_INET6, SOCK_STREAM, 0, "2001:db8::1", SOL_IPV6, IPV6_TRANSPARENT, 1 },
	{ "shared port", AF_INET, SOCK_STREAM, 0, NULL, SOL_SOCKET, SO_REUSEPORT, 1 },
	{ "shared IPv6 port", AF_INET6, SOCK_DGRAM, 0, NULL, SOL_SOCKET, SO_REUSEPORT, 1 },
	{ "one interface", AF_INET, SOCK_STREAM, 0, NULL, SOL_SOCKET, SO_BINDTOIFINDEX, 1 },
	{ "one interface, IPv6", AF_INET6, SOCK_STREAM, 0, NULL, SOL_SOCKET, SO_BINDTOIFINDEX, 1 },
	{ "address without port", AF_INET, SOCK_STREAM, 0, "127.0.0.1", SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1 },
	{ "broadcaster", AF_INET, SOCK_DGRAM, 0, NULL, SOL_SOCKET, SO_BROADCAST, 1 },
	{ "repaired", AF_INET, SOCK_STREAM, 0, NULL, SOL_TCP, TCP_REPAIR, 1 },
	{ "fast open", AF_INET, SOCK_STREAM, 0, NULL, SOL_TCP, TCP_FASTOPEN, 16 },
	{ "old length", AF_INET6, SOCK_STREAM, 0, "::1", .addrlen = 24 },
	{ "shorter", AF_INET6, SOCK_STREAM, 0, "::1", .addrlen = 23, .may_fail = true },
	{ "IPv4 length", AF_INET6, SOCK_STREAM, 0, "::1", .addrlen = 16, .may_fail = true },
	{ "short", AF_INET, SOCK_STREAM, 0, NULL, .addrlen = 15, .may_fail = true },
	{ "port alone", AF_INET, SOCK_STREAM, 0, NULL, .addrlen = 4, .may_fail = true },
	{ "longest", AF_INET6, SOCK_DGRAM, 0, NULL, .addrlen = 128 },
	{ "MPTCP on one interface", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, NULL, SOL_SOCKET, SO_BINDTOIFINDEX, 1 },
};

static const struct odd *odd;

static int bind_oddly(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (odd->option && setsockopt(fd, odd->level, odd->option, &odd->value, sizeof(odd->value)))
		return -errno;
	return bind(fd, addr, len) ? errno : 0;
}

/* Root, who needs no grant, is refused by a deny and by another's reserve. */
static void odd_address_or_option_passes_no_deny(void **state)
{
	static const char *const policies[] = { "deny port 5432 netns any errno EPERM\n",
						"reserve user 1234 port 5432 netns any errno EPERM\n" };

	(void)state;
	for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
		bed_policy(policies[p]);
		for (size_t i = 0; i < ARRAY_SIZE(odds); i++) {
			struct try try = { .family = odds[i].family,
					   .type = odds[i].type,
					   .protocol = odds[i].protocol,
					   .addr = odds[i].addr,
					   .addrlen = odds[i].addrlen,
					   .port = PORT,
					   .call = bind_oddly };
			int error;

			odd = &odds[i];
			error = bed_try(&try).error;
			if (error != EPERM && (!odd->may_fail || error <= 0))
				fail_msg("%s: %s", odd->what, strerror(error < 0 ? -error : error));
		}
	}
}

/* What is refused for a user's own address is refused, and what the wildcard takes besides is another question. */
static void wildcard_is_not_the_address_that_is_denied(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = PORT, .addr = "127.0.0.1" };

	(void)state;
	bed_policy("deny port 5432 addr 127.0.0.0/8 netns any\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	try.family = AF_INET6;
	try.addr = "::ffff:127.0.0.1";
	assert_int_equal(bed_try(&try).error, EACCES);
	/* As bindctl-policy(5) says. With SO_BINDTODEVICE it is as good as the address. */
	try = (struct try){ .family = AF_INET, .port = PORT, .call = bind_oddly };
	odd = &(struct odd){ .level = SOL_SOCKET, .option = SO_BINDTOIFINDEX, .value = 1 };
	assert_int_equal(bed_try(&try).error, 0);
	bed_policy("deny port 5432 addr 0.0.0.0/0 netns any\n");
	assert_int_equal(bed_try(&try).error, EACCES);
}

#define IP_LOCAL_PORT_RANGE_ 51 /* linux/in.h since 6.3 */

/* The kernel is to choose from one port, by an option that anybody can set. */
static int aim(int fd)
{
	const uint32_t only = PORT << 16 | PORT;

	return setsockopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE_, &only, sizeof(only)) ? errno : 0;
}

static int bind_aimed(int fd, const struct sockaddr *addr, socklen_t len)
{
	return aim(fd) ?: bind(fd, addr, len) ? errno : 0;
}

static int listen_aimed(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)addr, (void)len;
	return aim(fd) ?: listen(fd, 1) ? errno : 0;
}

/* A bind to port 0 is held against the rules. listen(2) alone asks nobody: bindctl(8) says so. */
static void kernels_choice_is_aimed_at_a_reserved_port(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .local_ports = "5430 5440", .call = bind_aimed };
	struct outcome outcome;

	(void)state;
	bed_policy("reserve user 1234 port 5432 netns any errno EPERM\n");
	outcome = bed_try(&try);
	if (outcome.error == ENOPROTOOPT) {
		print_message("# SKIP this kernel has no IP_LOCAL_PORT_RANGE\n");
		skip();
	}
	assert_int_equal(outcome.error, EPERM);
	try.call = listen_aimed;
	outcome = bed_try(&try);
	assert_int_equal(outcome.error, 0);
	assert_int_equal(outcome.port, PORT);
}

/* In a network namespace of his own he leaves his sockets no memory for what the programs note of them. */
static int bind_without_memory(int fd, const struct sockaddr *addr, socklen_t len)
{
	int limit, one = 1;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -1;
	limit = open("/proc/sys/net/core/optmem_max", O_WRONLY | O_CLOEXEC);
	if (limit < 0 || write(limit, "1", 1) != 1)
		return ENOSYS;
	close(limit);
	fd = socket(addr->sa_family, SOCK_STREAM, 0);
	if (addr->sa_family == AF_INET6 && setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		return -2;
	return bind(fd, addr, len) ? errno : 0;
}

/* An answer that rests on a note is none without it; what is only reported twice without it may be. */
static void answer_fails_that_finds_no_memory_to_rest_on(void **state)
{
	static const struct {
		const char *policy;
		int family, error;
	} rows[] = {
		{ "grant user nobody port 443 addr ::/0 netns any\ndeny port 443 addr 0.0.0.0/0 netns any\n", AF_INET6,
		  ENOMEM },
		{ "rewrite user nobody port 443 to :5432 hidden netns any\n", AF_INET, ENOMEM },
		{ "rewrite user nobody port 443 to :5432 netns any\ndeny port 5432 netns any\n", AF_INET6, ENOMEM },
		{ "deny user nobody port 443 netns any audit\ngrant port 443 netns any\n", AF_INET, 0 },
		{ "deny user nobody port 443 netns any\n", AF_INET, EACCES },
		{ "grant user nobody port 443 netns any\n", AF_INET, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct try try = {
			.uid = NOBODY, .family = rows[i].family, .port = LOW, .call = bind_without_memory
		};
		int error;

		bed_policy(rows[i].policy);
		error = bed_try(&try).error;
		if (error == ENOSYS) {
			print_message("# SKIP in this kernel the limit is the host's\n");
			skip();
		}
		if (error != rows[i].error)
			fail_msg("%s: %s", rows[i].policy, strerror(error < 0 ? 0 : error));
	}
}

static void write_sysctl(const char *name, const char *value)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	file = fopen(path, "w");
	assert_true(file && fputs(value, file) >= 0 && !fclose(file));
}

/* What `check` and `status` tell an administrator to do about it keeps the port, aimed at or not. */
static void aim_misses_what_the_host_keeps_from_choice(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .call = listen_aimed };
	struct outcome outcome;

	(void)state;
	bed_policy("reserve user 1234 port 5432 netns any\n");
	write_sysctl("ip_local_port_range", "5430 5440");
	write_sysctl("ip_local_reserved_ports", "5432");
	outcome = bed_try(&try);
	write_sysctl("ip_local_reserved_ports", "");
	write_sysctl("ip_local_port_range", "32768 60999");
	if (outcome.error == ENOPROTOOPT) {
		print_message("# SKIP this kernel has no IP_LOCAL_PORT_RANGE\n");
		skip();
	}
	/* There is nothing left to choose. */
	assert_int_equal(outcome.error, EADDRINUSE);
}

static pid_t held;
#define HELD_FD 99 /* of that process */

/* In a process of that user's that holds the port: a copy of its socket. 0, or errno. */
static int take_socket(int fd, const struct sockaddr *addr, socklen_t len)
{
	int pidfd = syscall(SYS_pidfd_open, held, 0), taken = syscall(SYS_pidfd_getfd, pidfd, HELD_FD, 0);

	(void)fd, (void)addr, (void)len;
	if (taken < 0)
		return errno;
	return listen(taken, 1) ? errno : 0;
}

/* By design, as bindctl(8) says: who may trace a process has what it has. Others have not. */
static void bound_socket_is_taken_by_who_may_trace(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = LOW, .call = take_socket };
	int ready[2], status;
	char text[256], byte;

	(void)state;
	bed_make_cgroup("in");
	snprintf(text, sizeof(text), "grant cgroup %s/in port 443 netns any\n", bed.scope);
	bed_policy(text);
	assert_int_equal(pipe(ready), 0);
	held = fork();
	if (held == 0) {
		const struct try holder = { .uid = NOBODY, .in = "in" };
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(LOW) };

		bed_become(&holder);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		if (dup2(socket(AF_INET, SOCK_STREAM, 0), HELD_FD) != HELD_FD ||
		    bind(HELD_FD, (struct sockaddr *)&in, sizeof(in)) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(bed_try(&try).error, 0);
	try.uid = SOMEBODY;
	assert_int_equal(bed_try(&try).error, EPERM);
	try.call = NULL;
	assert_int_equal(bed_try(&try).error, EACCES);
	kill(held, SIGKILL);
	assert_int_equal(waitpid(held, &status, 0), held);
	bed_remove_cgroup("in");
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(odd_address_or_option_passes_no_deny),
		cmocka_unit_test(wildcard_is_not_the_address_that_is_denied),
		cmocka_unit_test(kernels_choice_is_aimed_at_a_reserved_port),
		cmocka_unit_test(aim_misses_what_the_host_keeps_from_choice),
		cmocka_unit_test(answer_fails_that_finds_no_memory_to_rest_on),
		cmocka_unit_test(bound_socket_is_taken_by_who_may_trace),
		cmocka_unit_test(socket_is_made_ipv4_behind_the_answer),
		cmocka_unit_test(answer_is_not_that_of_anothers_bind),
	};

	if (unshare(CLONE_NEWNET) || bed_raise_loopback()) {
		printf("not ok - network namespace: %s\n", strerror(errno));
		return 1;
	}
	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
