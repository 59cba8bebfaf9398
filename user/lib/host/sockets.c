// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/util.h"
#include "host/sockets.h"
#include "pure/policy.h"

/* linux/tcp_states.h, since 6.8: how a listing of TCP asks for sockets that are bound, but do not listen. */
#define BOUND_INACTIVE 13

#define STATE(number) (1u << (number))

/* What an answer is added to. */
struct listing {
	struct bc_socket *sockets;
	size_t n, room;
	uint8_t protocol; /* that was asked for */
};

static void listing_done(struct listing *listing)
{
	free(listing->sockets);
}

static void close_socket(struct mnl_socket **socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}

static void copy_address(const struct inet_diag_msg *msg, struct bc_socket *socket)
{
	for (int i = 0; i < 4; i++)
		socket->addr[i] = ntohl(msg->id.idiag_src[i]);
	if (msg->idiag_family == AF_INET) {
		socket->addr[3] = socket->addr[0];
		socket->addr[0] = socket->addr[1] = 0;
		socket->addr[2] = 0xffff;
	}
	socket->v4 = bc_addr_is_v4(socket->addr);
}

static int add_socket(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(message);
	struct listing *listing = data;
	bool tcp = listing->protocol == IPPROTO_TCP;
	struct bc_socket socket = {
		.port = ntohs(msg->id.idiag_sport),
		.inode = msg->idiag_inode,
		.uid = msg->idiag_uid,
		.protocol = listing->protocol,
		.proto = tcp ? BC_TCP : BC_UDP,
		.family = msg->idiag_family == AF_INET ? 4 : 6,
		.state = tcp && msg->idiag_state == TCP_LISTEN	     ? BC_SOCKET_LISTENS :
			 !tcp && msg->idiag_state == TCP_ESTABLISHED ? BC_SOCKET_CONNECTED :
								       BC_SOCKET_BOUND,
	};
	const struct nlattr *attr;

	if (message->nlmsg_len < mnl_nlmsg_size(sizeof(*msg)) || !socket.port)
		return MNL_CB_OK;
	copy_address(msg, &socket);
	mnl_attr_for_each(attr, message, sizeof(*msg))
	{
		if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY && !mnl_attr_validate(attr, MNL_TYPE_U8))
			socket.v6only = mnl_attr_get_u8(attr);
		else if (mnl_attr_get_type(attr) == INET_DIAG_CGROUP_ID && !mnl_attr_validate(attr, MNL_TYPE_U64))
			socket.cgroup = mnl_attr_get_u64(attr);
	}
	if (bc_grow(&listing->sockets, &listing->room, listing->n + 1)) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	listing->sockets[listing->n++] = socket;
	return MNL_CB_OK;
}

/* One protocol of one family. 0 or -errno. */
static int list(struct mnl_socket *nl, uint8_t family, struct listing *listing)
{
	union {
		struct nlmsghdr align;
		char bytes[32768];
	} buffer;
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer.bytes);
	struct inet_diag_req_v2 *what;
	unsigned port = mnl_socket_get_portid(nl);
	int r = MNL_CB_OK;

	request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = family << 8 | listing->protocol;
	what = mnl_nlmsg_put_extra_header(request, sizeof(*what));
	what->sdiag_family = family;
	what->sdiag_protocol = listing->protocol;
	what->idiag_states = listing->protocol == IPPROTO_TCP ? STATE(TCP_LISTEN) | STATE(BOUND_INACTIVE) :
								STATE(TCP_ESTABLISHED) | STATE(TCP_CLOSE);
	if (mnl_socket_sendto(nl, request, request->nlmsg_len) < 0)
		return -errno;
	while (r == MNL_CB_OK) {
		ssize_t len = mnl_socket_recvfrom(nl, buffer.bytes, sizeof(buffer.bytes));

		if (len < 0)
			return -errno;
		r = mnl_cb_run(buffer.bytes, len, family << 8 | listing->protocol, port, add_socket, listing);
	}
	return r == MNL_CB_STOP ? 0 : -errno;
}

static int compare(const void *left, const void *right)
{
	const struct bc_socket *a = left, *b = right;

	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	for (int i = 0; i < 4; i++)
		if (a->addr[i] != b->addr[i])
			return a->addr[i] < b->addr[i] ? -1 : 1;
	return BC_COMPARE(a->inode, b->inode);
}

/* Sorts them, and leaves out what was listed twice because it moved meanwhile. */
static void tidy(struct listing *listing)
{
	size_t kept = 0;

	if (listing->n)
		qsort(listing->sockets, listing->n, sizeof(*listing->sockets), compare);
	for (size_t i = 0; i < listing->n; i++)
		if (!kept || !listing->sockets[i].inode || compare(&listing->sockets[kept - 1], &listing->sockets[i]))
			listing->sockets[kept++] = listing->sockets[i];
	listing->n = kept;
}

int bc_sockets_read(struct bc_socket **ret_sockets, size_t *ret_n, struct bc_error *reterr)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE },
			     families[] = { AF_INET, AF_INET6 };
	_cleanup_(close_socket) struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	_cleanup_(listing_done) struct listing listing = {};

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return bc_fail_errno(reterr, -errno, "cannot ask the kernel for its sockets");
	for (size_t i = 0; i < ARRAY_SIZE(protocols) * ARRAY_SIZE(families); i++) {
		int r;

		listing.protocol = protocols[i / ARRAY_SIZE(families)];
		r = list(nl, families[i % ARRAY_SIZE(families)], &listing);
		/* One module lists both, so UDP-Lite, where UDP was listed, is what this kernel has not. */
		if (r == -ENOENT && listing.protocol == IPPROTO_UDPLITE)
			continue;
		if (r == -ENOENT)
			return bc_fail(reterr, -EOPNOTSUPP, "this kernel cannot list its %s sockets (%s)",
				       listing.protocol == IPPROTO_TCP ? "TCP" : "UDP",
				       listing.protocol == IPPROTO_TCP ? "CONFIG_INET_DIAG, CONFIG_INET_TCP_DIAG" :
									 "CONFIG_INET_UDP_DIAG");
		if (r)
			return bc_fail_errno(reterr, r, "cannot list the sockets of the kernel");
	}
	tidy(&listing);
	*ret_sockets = TAKE_PTR(listing.sockets);
	*ret_n = listing.n;
	return 0;
}
