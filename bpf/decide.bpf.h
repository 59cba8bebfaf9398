/* SPDX-License-Identifier: GPL-2.0-only */
/* From a bind's context to the kernel's answer, through match.h. */
#ifndef BINDCTL_DECIDE_BPF_H
#define BINDCTL_DECIDE_BPF_H

#define BC_CELL(m, n) read_cell((m)->image, n)
#define BC_LOOP(n, fn, m) bpf_loop(n, fn, m, 0)
#define BC_IS_HOST(m) in_host_netns((m)->env)
#define BC_TRACE(m, number, failed) ((void)0)
#define BC_NOINLINE __noinline
#include "bindctl/match.h"

/* What a bind program returns. */
enum {
	REFUSE = 0, /* with the errno that bpf_set_retval() left */
	KERNEL = 1, /* on to the kernel's own check */
	PERMIT = 3, /* bit 1: without CAP_NET_BIND_SERVICE */
};

/* Opens the policy and asks who binds; zero when no rule can speak of this bind, which is most of them. */
static __always_inline int begin(struct bc_match *m, struct bpf_sock_addr *ctx)
{
	__u32 slot = 0;

	m->image = bpf_map_lookup_elem(&bc_policy, &slot);
	if (!m->image || !bc_open(m))
		return 0;
	m->port = bpf_ntohs(ctx->user_port);
	if (!bc_port_named(m, m->port))
		return 0;
	m->env = ctx;
	m->proto = proto_of(ctx->protocol);
	m->scope = BC_SCOPE_ROOT;
	m->uid = effective_uid();
	return 1;
}

static __always_inline void set_v4(struct bc_match *m, __u32 addr)
{
	m->v4 = 1;
	m->addr[0] = 0;
	m->addr[1] = 0;
	m->addr[2] = 0xffff;
	m->addr[3] = addr;
}

static __always_inline void set_v6(struct bc_match *m, struct bpf_sock_addr *ctx)
{
	m->v4 = 0;
	m->addr[0] = bpf_ntohl(ctx->user_ip6[0]);
	m->addr[1] = bpf_ntohl(ctx->user_ip6[1]);
	m->addr[2] = bpf_ntohl(ctx->user_ip6[2]);
	m->addr[3] = bpf_ntohl(ctx->user_ip6[3]);
}

static __always_inline int enact(const struct bc_match *m)
{
	if (m->verdict == BC_GRANT)
		return PERMIT;
	if (m->verdict != BC_DENY)
		return KERNEL;
	/* A positive value would reach the caller as bind's own result: only an errno gets through. */
	if (m->err > 0 && m->err < 4096)
		bpf_set_retval(-(int)m->err);
	return REFUSE;
}

/*
 * The address family comes from the hook, so from the socket. What the caller wrote into sa_family (AF_UNSPEC passes,
 * for one) decides nothing.
 */
static __always_inline int decide_v4(struct bpf_sock_addr *ctx)
{
	struct bc_match m = {};

	if (!begin(&m, ctx))
		return KERNEL;
	set_v4(&m, bpf_ntohl(ctx->user_ip4));
	bc_decide(&m);
	return enact(&m);
}

static __always_inline int is_wildcard(const struct bc_match *m)
{
	return !(m->addr[0] | m->addr[1] | m->addr[2] | m->addr[3]);
}

/* In bc_v6only: the answer relied on IPV6_V6ONLY; the lower half is the port that was asked for. */
#define RELIED (1u << 16)

/* Notes what the answer relied on: RELIED and a port, or 0. Zero when that found no memory. */
static __always_inline int note_v6only(struct bpf_sock_addr *ctx, __u32 what)
{
	__u32 *noted = bpf_sk_storage_get(&bc_v6only, ctx->sk, NULL, what ? BPF_SK_STORAGE_GET_F_CREATE : 0);

	if (noted)
		*noted = what;
	return noted != NULL;
}

/*
 * [::] on a dual-stack socket takes the IPv4 port too: both are decided, and the lesser privilege holds. On a V6ONLY
 * socket the IPv6 answer alone does.
 */
static __always_inline void decide_both(struct bc_match *m, struct bpf_sock_addr *ctx)
{
	__u32 verdict = m->verdict, err = m->err;

	set_v4(m, 0);
	bc_decide(m);
	/* The IPv4 answer stands if it is the lesser one and the socket takes the IPv4 port. */
	if (m->verdict < verdict && !(is_v6only(ctx->sk) && note_v6only(ctx, RELIED | m->port))) {
		note_v6only(ctx, 0);
		return;
	}
	if (m->verdict >= verdict)
		note_v6only(ctx, 0);
	m->verdict = verdict;
	m->err = err;
}

static __always_inline int decide_v6(struct bpf_sock_addr *ctx)
{
	struct bc_match m = {};

	if (!begin(&m, ctx))
		return KERNEL;
	set_v6(&m, ctx);
	if (!m.addr[0] && !m.addr[1] && m.addr[2] == 0xffff)
		m.v4 = 1;
	bc_decide(&m);
	/* Without a rule that asks for an address, IPv4 is decided just as IPv6 was. */
	if (m.features & BC_F_ADDR && is_wildcard(&m))
		decide_both(&m, ctx);
	return enact(&m);
}

/* The port is the socket's now, and V6ONLY cannot change any more: was it what the answer relied on? */
static __always_inline int confirm_v6only(struct bpf_sock *sk)
{
	__u32 *noted = bpf_sk_storage_get(&bc_v6only, sk, NULL, 0);
	__u32 asked;

	if (!noted || !(*noted & RELIED))
		return 1;
	/* Of an earlier bind, which failed. Port 0 was asked for any. */
	asked = *noted & 0xffff;
	if (asked && asked != sk->src_port)
		return 1;
	return is_v6only(sk);
}

#endif
