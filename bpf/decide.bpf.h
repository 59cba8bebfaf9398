/* SPDX-License-Identifier: GPL-2.0-only */
/* The answer to one bind, for every hook that asks: opens the policy, asks who binds, and searches. */
#ifndef BINDCTL_DECIDE_BPF_H
#define BINDCTL_DECIDE_BPF_H

static __always_inline void *open_image(void)
{
	__u32 slot = 0;

	return bpf_map_lookup_elem(&bc_policy, &slot);
}

/* Whether any rule may name the port. */
static __always_inline int is_named(const struct bc_gate *gate, __u32 port)
{
	__u32 word = port / 64;

	/* For the verifier, to which a port in host byte order is any number. */
	barrier_var(word);
	return gate->ports[word % 1024] >> port % 64 & 1;
}

static __always_inline int is_host(__u64 netns)
{
	struct bc_state *state = open_state();

	if (!state)
		return 0;
	if (!state->host_netns)
		state->host_netns = bpf_get_netns_cookie(NULL); /* NULL: the initial one */
	return netns == state->host_netns;
}

/* Which rules decide() is to count a hit of. */
enum tally {
	TALLY_NONE = 0,
	TALLY_DENY = 1u << 0,	/* the one that decides, if it denies */
	TALLY_OTHERS = 1u << 1, /* ... if it does not */
	TALLY_AUDIT = 1u << 2,	/* one that would have denied, but only audits */
	TALLY_ALL = TALLY_DENY | TALLY_OTHERS | TALLY_AUDIT,
};

/* Ticks, of which the kernel has at least 100 a second, after which the clock is looked at again. */
#define TICKS 32

/* The time of a hit. Ticks are a load from memory, where the clock, even the coarse one, is a call of a third of a bind. */
static __always_inline __u32 now(void)
{
	struct bc_state *state = open_state();
	__u32 ticks = bpf_jiffies64();
	__u64 clock;

	if (!state)
		return 0;
	clock = state->clock;
	if (!clock || ticks - (__u32)(clock >> 32) >= TICKS) {
		clock = (__u64)ticks << 32 | (__u32)(bpf_ktime_get_coarse_ns() >> BC_HIT_SHIFT);
		state->clock = clock;
	}
	return clock;
}

static __always_inline void hit(struct bc_search *s, __u32 rule)
{
	union bc_cell *cell =
		rule == BC_RULE_NONE ? NULL : find_cell(s->image, s->first, s->m->rules + rule / BC_RULES);

	if (!cell)
		return;
	__sync_fetch_and_add(&cell->rules[rule % BC_RULES].hits, 1);
	cell->rules[rule % BC_RULES].last = now();
}

static __always_inline void tally(struct bc_search *s)
{
	struct bc_match *m = s->m;

	if (m->tally & (m->verdict == BC_DENY ? TALLY_DENY : TALLY_OTHERS))
		hit(s, m->rule);
	if (m->tally & TALLY_AUDIT)
		hit(s, m->audited);
}

/* Answers the question in *m: see bc_decide(). Zero when there is no policy any more. */
__noinline int decide(struct bc_match *m)
{
	struct bc_search s = { .image = open_image(), .m = m };

	if (!s.image || !m)
		return 0;
	s.first = find_page(s.image, 0);
	if (!bc_open(&s))
		return 0;
	m->uid = effective_uid();
	if (m->features & BC_F_SCOPE)
		find_scope(&s);
	bc_decide(&s);
	tally(&s);
	return 1;
}

static __always_inline void ask(struct bc_match *m, __u32 port, __u32 protocol, __u64 netns)
{
	m->port = port;
	m->proto = proto_of(protocol);
	m->host = is_host(netns);
}

static __always_inline void ask_v4(struct bc_match *m, __u32 addr)
{
	m->v4 = 1;
	m->addr[2] = 0xffff;
	m->addr[3] = bpf_ntohl(addr);
}

static __always_inline void ask_v6(struct bc_match *m, __u32 a, __u32 b, __u32 c, __u32 d, struct bpf_sock *sk)
{
	m->addr[0] = bpf_ntohl(a);
	m->addr[1] = bpf_ntohl(b);
	m->addr[2] = bpf_ntohl(c);
	m->addr[3] = bpf_ntohl(d);
	m->v4 = !a && !b && m->addr[2] == 0xffff;
	m->socket = address_of(sk);
}

#endif
