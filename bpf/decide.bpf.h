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

/* [::] on a dual-stack socket takes the IPv4 port too: both are decided, and the lesser privilege holds. */
static __always_inline void decide_both(struct bc_match *m)
{
	__u32 verdict = m->verdict, err = m->err;

	set_v4(m, 0);
	bc_decide(m);
	if (verdict < m->verdict) {
		m->verdict = verdict;
		m->err = err;
	}
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
	if (m.features & BC_F_ADDR && !(m.addr[0] | m.addr[1] | m.addr[2] | m.addr[3]) && !is_v6only(ctx))
		decide_both(&m);
	return enact(&m);
}

#endif
