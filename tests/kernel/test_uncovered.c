// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What bindctl does not cover, as README and bindctl(8) list it: each way past a rule is gone here, beside a plain bind
 * that the same rule refuses. A failure here may be good news, of a kernel that asks us where none did: then the lists
 * are to be changed. RDMA's ports want devices that tests do not have; nothing here is about those.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"

#define PORT 5432 /* denied to everyone, root too */

#define IPPROTO_L2TP_ 115 /* of linux/l2tp.h, which does not go with netinet/in.h */

static const char every_port[] = "deny port any netns any\n";

/* The control: without it, a policy that refuses nobody would pass for a way around it. */
static bool is_refused(int fd, const struct sockaddr *addr, socklen_t len)
{
	return bind(fd, addr, len) && errno == EACCES;
}

/* The loopback address of the same family, and this port of it. */
static struct sockaddr_storage loopback(int family, uint16_t port)
{
	struct sockaddr_storage addr = { .ss_family = family };

	if (family == AF_INET) {
		((struct sockaddr_in *)&addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		((struct sockaddr_in *)&addr)->sin_port = htons(port);
	} else {
		((struct sockaddr_in6 *)&addr)->sin6_addr = in6addr_loopback;
		((struct sockaddr_in6 *)&addr)->sin6_port = htons(port);
	}
	return addr;
}

/* Sockets whose bind(2) asks nobody *********************************************************************************/

static struct {
	int type, protocol;
} other;

/* The address that plain TCP was refused, by a socket of another protocol. */
static int bind_other(int fd, const struct sockaddr *addr, socklen_t len)
{
	int r;

	if (!is_refused(fd, addr, len))
		return -1;
	fd = socket(addr->sa_family, other.type | SOCK_CLOEXEC, other.protocol);
	if (fd < 0)
		return -2;
	r = bind(fd, addr, len) ? errno : 0;
	close(fd);
	return r;
}

static void other_is_not_refused(int family, int type, int protocol)
{
	const struct try try = { .uid = 0,
				 .family = family,
				 .addr = family == AF_INET ? "127.0.0.1" : "::1",
				 .port = PORT,
				 .call = bind_other };

	other.type = type;
	other.protocol = protocol;
	bed_policy(every_port);
	assert_int_equal(bed_try(&try).error, 0);
}

static void raw_sockets(void **state)
{
	(void)state;
	/* They receive all UDP that comes to the address, whatever the port. */
	other_is_not_refused(AF_INET, SOCK_RAW, IPPROTO_UDP);
	other_is_not_refused(AF_INET6, SOCK_RAW, IPPROTO_UDP);
}

/* They are for groups that the network namespace names; the port is the identifier of the echo requests. */
static int bind_ping(int fd, const struct sockaddr *addr, socklen_t len)
{
	static const char all[] = "0 2147483647";
	int sysctl = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);

	if (sysctl < 0 || write(sysctl, all, strlen(all)) < 0 || bed_raise_loopback())
		return -3;
	close(sysctl);
	return bind_other(fd, addr, len);
}

static void ping_sockets(void **state)
{
	struct try try = {
		.uid = 0, .family = AF_INET, .addr = "127.0.0.1", .port = PORT, .foreign_netns = true, .call = bind_ping
	};

	(void)state;
	other.type = SOCK_DGRAM;
	other.protocol = IPPROTO_ICMP;
	bed_policy(every_port);
	assert_int_equal(bed_try(&try).error, 0);
	try.family = AF_INET6;
	try.addr = "::1";
	other.protocol = IPPROTO_ICMPV6;
	assert_int_equal(bed_try(&try).error, 0);
}

/* Neither denied nor granted. */
static void other_is_left_alone(int type, int protocol)
{
	const struct try granted = {
		.uid = NOBODY, .family = AF_INET, .type = type, .protocol = protocol, .port = 443
	};

	other_is_not_refused(AF_INET, type, protocol);
	other_is_not_refused(AF_INET6, type, protocol);
	bed_policy("grant user nobody port 443\n");
	assert_int_equal(bed_try(&granted).error, EACCES);
}

static void try_sctp(void)
{
	other_is_left_alone(SOCK_STREAM, IPPROTO_SCTP);
}

/* Its binds do come to the programs, but no rule is about this protocol. From Linux 6.16 on there is none. */
static void try_dccp(void)
{
	other_is_left_alone(SOCK_DCCP, IPPROTO_DCCP);
}

/* Of the address it takes the family and the address, and in the place of a port nothing. */
static void try_l2tp(void)
{
	other_is_not_refused(AF_INET, SOCK_DGRAM, IPPROTO_L2TP_);
}

static int bind_vsock(int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_vm vm = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = PORT };
	int r;

	if (!is_refused(fd, addr, len))
		return -1;
	fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = bind(fd, (const struct sockaddr *)&vm, sizeof(vm)) ? errno : 0;
	close(fd);
	return r;
}

static void try_vsock(void)
{
	const struct try try = { .uid = 0, .family = AF_INET, .port = PORT, .call = bind_vsock };

	bed_policy(every_port);
	assert_int_equal(bed_try(&try).error, 0);
}

/* Those that not every kernel has; it says which it has not. */
static void sockets_of_other_protocols(void **state)
{
	static const struct {
		const char *name;
		int family, type, protocol;
		void (*try)(void);
	} all[] = {
		{ "SCTP", AF_INET, SOCK_STREAM, IPPROTO_SCTP, try_sctp },
		{ "DCCP", AF_INET, SOCK_DCCP, IPPROTO_DCCP, try_dccp },
		{ "L2TP over IP", AF_INET, SOCK_DGRAM, IPPROTO_L2TP_, try_l2tp },
		{ "vsock", AF_VSOCK, SOCK_STREAM, 0, try_vsock },
	};
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		int fd = socket(all[i].family, all[i].type | SOCK_CLOEXEC, all[i].protocol);

		if (fd < 0) {
			print_message("# not tried, as this kernel has none: %s\n", all[i].name);
			continue;
		}
		close(fd);
		all[i].try();
		tried++;
	}
	if (!tried) {
		print_message("# SKIP this kernel has none of them\n");
		skip();
	}
}

/* Ports without bind(2) *********************************************************************************************/

/* In each of these the very socket that was refused the port gets it, or one beside it: there are no others. */
static int listen_unbound(int fd, const struct sockaddr *addr, socklen_t len)
{
	if (!is_refused(fd, addr, len))
		return -1;
	return listen(fd, 1) ? errno : 0;
}

static int connect_unbound(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_storage peer = { .ss_family = addr->sa_family };
	socklen_t size = sizeof(peer);
	int server = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* The server has its port in the first of these ways. */
	if (!is_refused(fd, addr, len) || bed_raise_loopback() || listen(server, 1) ||
	    getsockname(server, (struct sockaddr *)&peer, &size))
		return -1;
	peer = loopback(addr->sa_family, ntohs(((struct sockaddr_in *)&peer)->sin_port));
	return connect(fd, (struct sockaddr *)&peer, len) ? errno : 0;
}

static int send_unbound(int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_storage peer = loopback(addr->sa_family, 9);

	if (!is_refused(fd, addr, len) || bed_raise_loopback())
		return -1;
	return sendto(fd, "", 1, 0, (const struct sockaddr *)&peer, len) == 1 ? 0 : errno;
}

static int connect_unbound_udp(int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_storage peer = loopback(addr->sa_family, 9);

	if (!is_refused(fd, addr, len) || bed_raise_loopback())
		return -1;
	return connect(fd, (const struct sockaddr *)&peer, len) ? errno : 0;
}

static void port_is_chosen_in_spite_of(const char *policy, int type,
				       int (*call)(int fd, const struct sockaddr *addr, socklen_t len))
{
	static const int families[] = { AF_INET, AF_INET6 };

	bed_policy(policy);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct try try = { .uid = 0,
					 .family = families[i],
					 .type = type,
					 .port = PORT,
					 .local_ports = "5432 5433",
					 .call = call };
		struct outcome outcome = bed_try(&try);

		assert_int_equal(outcome.error, 0);
		assert_in_range(outcome.port, PORT, PORT + 1);
	}
}

static void port_that_listen_chooses(void **state)
{
	(void)state;
	port_is_chosen_in_spite_of(every_port, SOCK_STREAM, listen_unbound);
	port_is_chosen_in_spite_of("reserve user 1234 port 5432-5433 netns any\n", SOCK_STREAM, listen_unbound);
}

static void port_that_connect_chooses(void **state)
{
	(void)state;
	port_is_chosen_in_spite_of(every_port, SOCK_STREAM, connect_unbound);
	port_is_chosen_in_spite_of(every_port, SOCK_DGRAM, connect_unbound_udp);
}

static void port_that_sendto_chooses(void **state)
{
	(void)state;
	port_is_chosen_in_spite_of(every_port, SOCK_DGRAM, send_unbound);
}

/* bind(2) to port 0 takes none with this option, so there is nothing to hold against the rules. */
static int bind_without_port(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_storage any = loopback(addr->sa_family, 0);
	int on = 1;

	if (bed_raise_loopback() || !is_refused(fd, addr, len) || !is_refused(fd, (struct sockaddr *)&any, len) ||
	    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)))
		return -1;
	return bind(fd, (struct sockaddr *)&any, len) ? errno : 0;
}

static int bind_without_port_and_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_storage peer = loopback(addr->sa_family, 9);
	int r = bind_without_port(fd, addr, len);

	return r ?: connect(fd, (const struct sockaddr *)&peer, len) ? errno : 0;
}

static void port_that_is_chosen_later(void **state)
{
	const struct try try = {
		.uid = 0, .family = AF_INET, .port = PORT, .local_ports = "5432 5433", .call = bind_without_port
	};

	(void)state;
	port_is_chosen_in_spite_of("deny port 1-65535 netns any\n", SOCK_DGRAM, bind_without_port_and_connect);
	port_is_chosen_in_spite_of("reserve user 1234 port 5432-5433 netns any\n", SOCK_DGRAM,
				   bind_without_port_and_connect);
	/* The bind to port 0 itself is one like any other: with `any`, it is refused. */
	bed_policy(every_port);
	assert_int_equal(bed_try(&try).error, EACCES);
}

/* Sockets that have their port **************************************************************************************/

static int send_socket(int to, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	return sendmsg(to, &message, 0) == 1 ? 0 : -1;
}

static int receive_socket(int from)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	char byte;
	struct iovec room = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &room, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int fd = -1;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(int));
	return fd;
}

/* Somebody whose own bind of it is refused listens at the port that he was handed. 0, or what went wrong. */
static int serve_what_is_handed(int from, const struct sockaddr *addr, socklen_t len)
{
	int handed = receive_socket(from), own = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (handed < 0 || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	bed_reuse(own);
	if (!is_refused(own, addr, len))
		return 2;
	return listen(handed, 1) ? 3 : 0;
}

static int bind_and_hand_over(int fd, const struct sockaddr *addr, socklen_t len)
{
	int pair[2], status;
	pid_t child;

	if (bind(fd, addr, len) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	child = fork();
	if (child == 0) {
		close(fd);
		_exit(serve_what_is_handed(pair[1], addr, len));
	}
	if (send_socket(pair[0], fd) || waitpid(child, &status, 0) != child)
		return -2;
	return status;
}

static void socket_that_is_handed_over(void **state)
{
	const struct try try = { .uid = 0, .family = AF_INET, .port = 443, .call = bind_and_hand_over };

	(void)state;
	bed_policy("deny port 443\nallow user root port 443\n");
	assert_int_equal(bed_try(&try).error, 0);
}

/* Bound, and then denied: it listens all the same, and another one is refused. */
static int bind_before_the_rule(int fd, const struct sockaddr *addr, socklen_t len)
{
	int late = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct bc_error error;

	bed_reuse(late);
	if (bind(fd, addr, len) || bed_apply("deny port 5432\n", &error) || !is_refused(late, addr, len))
		return -1;
	return listen(fd, 1) ? errno : 0;
}

static void socket_that_was_bound_before(void **state)
{
	const struct try try = { .uid = 0, .family = AF_INET, .port = PORT, .call = bind_before_the_rule };

	(void)state;
	bed_policy("");
	assert_int_equal(bed_try(&try).error, 0);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(raw_sockets),
		cmocka_unit_test(ping_sockets),
		cmocka_unit_test(sockets_of_other_protocols),
		cmocka_unit_test(port_that_listen_chooses),
		cmocka_unit_test(port_that_connect_chooses),
		cmocka_unit_test(port_that_sendto_chooses),
		cmocka_unit_test(port_that_is_chosen_later),
		cmocka_unit_test(socket_that_is_handed_over),
		cmocka_unit_test(socket_that_was_bound_before),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
