/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets that hold ports, as the kernel lists them over netlink (NETLINK_SOCK_DIAG). */
#ifndef BINDCTL_SOCKETS_H
#define BINDCTL_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum bc_socket_state {
	BC_SOCKET_LISTENS = 1,
	BC_SOCKET_BOUND,     /* TCP: bound, but does not listen; UDP: not connected */
	BC_SOCKET_CONNECTED, /* UDP */
};

struct bc_socket {
	uint64_t inode;	  /* what /proc/PID/fd calls it by */
	uint64_t cgroup;  /* id of the cgroup that it was made in; 0 where the kernel does not say */
	uint32_t addr[4]; /* as in bindctl/abi.h */
	uint32_t uid;	  /* who made it */
	uint16_t port;
	uint8_t state;	  /* enum bc_socket_state */
	uint8_t protocol; /* IPPROTO_TCP, which MPTCP is here too, IPPROTO_UDP or IPPROTO_UDPLITE */
	uint8_t proto;	  /* to the policy: enum bc_proto */
	uint8_t family;	  /* 4 or 6: of the socket */
	bool v4;	  /* `addr` is an IPv4 address */
	bool v6only;	  /* it leaves the IPv4 port alone; where the kernel does not say, it does not */
};

/*
 * Those of this network namespace, by port, protocol, family and address; malloc'ed. Takes no privilege. TCP: those that
 * listen, and since Linux 6.8 those that are only bound; connections are not holders. UDP and UDP-Lite: all that have a
 * port. 0, or -errno with a sentence.
 */
int bc_sockets_read(struct bc_socket **ret_sockets, size_t *ret_n, struct bc_error *reterr);

#endif
