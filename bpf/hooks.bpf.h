/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From each hook's context to the kernel's answer.
 *
 * The address family comes from the hook, so from the socket. What the caller wrote into sa_family (AF_UNSPEC passes,
 * for one) decides nothing.
 */
#ifndef BINDCTL_HOOKS_BPF_H
#define BINDCTL_HOOKS_BPF_H

/* What a bind program returns. */
enum {
	REFUSE = 0, /* with the errno that bpf_set_retval() left */
	KERNEL = 1, /* on to the kernel's own check */
	PERMIT = 3, /* bit 1: without CAP_NET_BIND_SERVICE */
};

/* linux/socket.h */
#define AF_INET6_ 10

/* A positive value would reach the caller as bind's own result, and 0 as success: only an errno gets through. */
static __always_inline int refuse(__u32 err)
{
	if (err > 0 && err < 4096)
		bpf_set_retval(-(int)err);
	return REFUSE;
}

/* What an earlier hook, or an earlier bind, left with the socket. */
static __always_inline struct note *find_note(struct bpf_sock *sk)
{
	const struct bc_state *state = open_state();

	return state && state->notes_left ? bpf_sk_storage_get(&bc_notes, sk, NULL, 0) : NULL;
}

/* The thread that binds, as a note has it. */
static __always_inline __u32 binder(void)
{
	return (__u32)bpf_get_current_pid_tgid() << NOTED_BITS;
}

/* The note of a socket's earlier bind, if there was one, says nothing of this one. */
static __always_inline void clear_note(struct bpf_sock *sk)
{
	struct note *note = find_note(sk);

	if (note)
		note->what = binder();
}

/* Leaves the note with the socket; zero when there was no memory for it. */
static __always_inline int keep_note(struct bpf_sock *sk, struct note *note)
{
	struct bc_state *state = open_state();
	struct note *kept;

	if (!state)
		return 0;
	state->notes_left = 1;
	kept = bpf_sk_storage_get(&bc_notes, sk, note, BPF_SK_STORAGE_GET_F_CREATE);

	if (!kept)
		return 0;
	*kept = *note;
	kept->what |= binder();
	return 1;
}

/* Leads the bind where its rule says. Zero: the socket cannot take an address of that family. */
static __always_inline int rewrite(const struct bc_match *m, struct bpf_sock_addr *ctx, struct note *note, int v6)
{
	const struct bc_reply *reply = &m->reply;

	if (m->flags & BC_RULE_TO_PORT) {
		note->port = reply->to_port;
		ctx->user_port = bpf_htons(reply->to_port);
	}
	if (!(m->flags & (BC_RULE_TO_V4 | BC_RULE_TO_V6)))
		return 1;
	note->to[0] = bpf_htonl(reply->to[0]);
	note->to[1] = bpf_htonl(reply->to[1]);
	note->to[2] = bpf_htonl(reply->to[2]);
	note->to[3] = bpf_htonl(reply->to[3]);
	if (!v6) {
		ctx->user_ip4 = note->to[3];
		return !(m->flags & BC_RULE_TO_V6);
	}
	ctx->user_ip6[0] = note->to[0];
	ctx->user_ip6[1] = note->to[1];
	ctx->user_ip6[2] = note->to[2];
	ctx->user_ip6[3] = note->to[3];
	/* Should V6ONLY be set behind our back, the kernel itself refuses the mapped address. */
	return !(m->flags & BC_RULE_TO_V4 && is_v6only(m->socket));
}

/* A refusal that no rule speaks of, for one reason or other; it is reported as what it is. */
static __always_inline int fail(struct bc_match *m, __u32 err)
{
	m->verdict = BC_DENY;
	m->err = err;
	return refuse(err);
}

/* The answer to a bind hook: what the verdict says, and the note that the hooks behind it need. */
static __always_inline int enact(struct bc_match *m, struct bpf_sock_addr *ctx, struct note *note, int v6)
{
	if (m->verdict == BC_DENY)
		return refuse(m->err);
	note->what = m->reply.relied ? NOTED_V6ONLY : 0;
	if (m->verdict == BC_REWRITE) {
		if (!rewrite(m, ctx, note, v6))
			return fail(m, EAFNOSUPPORT_);
		/* With port 0 the kernel still chooses, and its choice is held against the rules. */
		note->what |= note->port ? NOTED_REWRITE : 0;
		note->what |= m->flags & BC_RULE_HIDDEN ? NOTED_HIDDEN : 0;
	}
	note->what |= m->audited != BC_RULE_NONE ? NOTED_REPORTED : 0;
	/* Without memory for what the policy rests on, the bind cannot be let through. */
	if (note->what && !keep_note(ctx->sk, note) && note->what != NOTED_REPORTED)
		return fail(m, ENOMEM_);
	return m->verdict == BC_GRANT || m->verdict == BC_REWRITE ? PERMIT : KERNEL;
}

/* Whether nobody wants to know more of the answer than what it is, and nothing is to be remembered. */
static __always_inline int is_simple(const struct bc_match *m, __u32 watch)
{
	return !bc_is_remarkable(m) && !m->reply.relied && !(watch >> BC_READERS);
}

static __noinline int enact_v4(struct bc_match *m, struct bpf_sock_addr *ctx)
{
	struct note note = { .port = m->port, .asked_port = m->port };

	note.asked[3] = note.to[3] = ctx->user_ip4;
	return enact(m, ctx, &note, 0);
}

static __noinline int enact_v6(struct bc_match *m, struct bpf_sock_addr *ctx)
{
	struct note note = { .port = m->port, .asked_port = m->port };

	note.asked[0] = note.to[0] = ctx->user_ip6[0];
	note.asked[1] = note.to[1] = ctx->user_ip6[1];
	note.asked[2] = note.to[2] = ctx->user_ip6[2];
	note.asked[3] = note.to[3] = ctx->user_ip6[3];
	return enact(m, ctx, &note, 1);
}

/* Whether the caller may have the port without a grant. */
static __always_inline int is_privileged(struct bpf_sock *sk, __u32 port)
{
	return port - 1 >= LOW_PORTS - 1 || may_take_any() || may_take(address_of(sk), port);
}

/*
 * Whether a bind with a simple answer is to be reported all the same: the kernel, to which it was left, will refuse it.
 * Then what the rule that left it says is wanted after all. Should the policy have changed meanwhile, nothing is said.
 */
static __always_inline int is_refused_next(struct bc_match *m, struct bpf_sock *sk)
{
	m->privileged = is_privileged(sk, m->port);
	if (m->privileged || !is_left_to_kernel(m))
		return 0;
	if (m->rule == BC_RULE_NONE)
		return 1;
	m->wanted = 1;
	m->tally = TALLY_NONE;
	return decide(m) && is_left_to_kernel(m);
}

/* A bind of which no rule speaks: the question and its answer, without a policy. */
static __always_inline void leave_to_kernel(struct bc_match *m, const struct bc_gate *gate)
{
	m->uid = effective_uid();
	m->verdict = BC_NONE;
	m->rule = m->audited = BC_RULE_NONE;
	m->tai_offset = gate ? gate->tai_offset : 0;
}

static __always_inline void count_decision(const struct bc_match *m, int v6)
{
	count(BC_COUNT_DECIDED + (v6 ? 6 : 0) + m->verdict);
}

/*
 * From the question to the answer and what is told of it. What the callers of decide() keep on their stack is part of
 * the deepest way down, for which the kernel has 512 bytes: so little, and the gate is opened again behind it.
 */
static __always_inline int answer(struct bc_match *m, struct bpf_sock_addr *ctx, __u32 named, int v6)
{
	int known = named && decide(m), answer = KERNEL;
	const struct bc_gate *gate = open_gate();
	__u32 watch = gate ? gate->watch : 0;

	if (known)
		count_decision(m, v6);
	else
		leave_to_kernel(m, gate);
	if (is_simple(m, watch)) {
		if (m->verdict == BC_GRANT)
			return PERMIT;
		if (!is_refused_next(m, ctx->sk))
			return KERNEL;
	} else {
		answer = v6 ? enact_v6(m, ctx) : enact_v4(m, ctx);
		m->privileged = is_privileged(ctx->sk, m->port);
	}
	if (is_left_to_kernel(m) && !m->privileged)
		count(BC_COUNT_REFUSED + v6);
	report_decision(m, HOW(v6 ? 6 : 4, 0, watch), bpf_get_netns_cookie(ctx));
	return answer;
}

static __always_inline int on_bind4(struct bpf_sock_addr *ctx)
{
	__u32 port = bpf_ntohs(ctx->user_port), named;
	const struct bc_gate *gate = open_gate();
	struct bc_match m;

	clear_note(ctx->sk);
	if (!gate)
		return KERNEL;
	named = is_named(gate, port);
	if (!named && is_privileged(ctx->sk, port))
		return KERNEL;
	__builtin_memset(&m, 0, sizeof(m));
	m.wanted = gate->watch >> BC_READERS != 0;
	m.tally = TALLY_ALL;
	ask(&m, port, ctx->protocol, bpf_get_netns_cookie(ctx));
	ask_v4(&m, ctx->user_ip4);
	return answer(&m, ctx, named, 0);
}

static __always_inline int on_bind6(struct bpf_sock_addr *ctx)
{
	__u32 port = bpf_ntohs(ctx->user_port), named;
	const struct bc_gate *gate = open_gate();
	struct bc_match m;

	clear_note(ctx->sk);
	if (!gate)
		return KERNEL;
	named = is_named(gate, port);
	if (!named && is_privileged(ctx->sk, port))
		return KERNEL;
	__builtin_memset(&m, 0, sizeof(m));
	m.wanted = gate->watch >> BC_READERS != 0;
	m.tally = TALLY_ALL;
	ask(&m, port, ctx->protocol, bpf_get_netns_cookie(ctx));
	ask_v6(&m, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3], ctx->sk);
	return answer(&m, ctx, named, 1);
}

/*
 * The port is the socket's now. Nothing tells whether it was asked for or chosen by the kernel, so if any rule denies
 * it is decided once more: what was asked for gets the answer that it got before, and what was chosen gets one at all.
 * So does what a program behind ours has put in the place of either.
 */
static __always_inline int is_decided(const struct bc_gate *gate, const struct note *note, struct bpf_sock *sk, int v6)
{
	if (!is_named(gate, sk->src_port) || !(gate->features & BC_F_DENY))
		return 1;
	if (!note || !(note->what & NOTED_REWRITE) || note->port != sk->src_port)
		return 0;
	return v6 ? note->to[0] == sk->src_ip6[0] && note->to[1] == sk->src_ip6[1] && note->to[2] == sk->src_ip6[2] &&
			    note->to[3] == sk->src_ip6[3] :
		    note->to[3] == sk->src_ip4;
}

/* The answer to a port that the socket has by now. */
static __always_inline int confirm(struct bc_match *m, const struct note *note, struct bpf_sock *sk, __u32 family)
{
	const struct bc_gate *gate;

	/* Rules that do not deny were counted when the bind began, or have nothing to say of a port that was chosen. */
	m->tally = note && note->what & NOTED_REPORTED ? TALLY_DENY : TALLY_DENY | TALLY_AUDIT;
	if (!decide(m))
		return KERNEL;
	if (!(m->tally & TALLY_AUDIT))
		m->audited = BC_RULE_NONE;
	m->privileged = 1;
	if (m->verdict == BC_DENY)
		count_decision(m, family == 6);
	gate = open_gate();
	report_decision(m, HOW(family, 1, gate ? gate->watch : 0), bpf_get_netns_cookie(sk));
	return m->verdict == BC_DENY ? refuse(m->err) : KERNEL;
}

/*
 * Whether another thread's bind of the same socket came between this one's answer and the port. Then nobody knows any
 * more what that answer relied on.
 */
static __always_inline int is_crossed(const struct note *note)
{
	return note && note->what >> NOTED_BITS && note->what >> NOTED_BITS != binder() >> NOTED_BITS;
}

static __always_inline int on_post_bind4(struct bpf_sock *sk)
{
	const struct bc_gate *gate = open_gate();
	struct note *note = find_note(sk);
	struct bc_match m;

	if (is_crossed(note))
		return REFUSE;
	if (!gate || is_decided(gate, note, sk, 0))
		return KERNEL;
	__builtin_memset(&m, 0, sizeof(m));
	ask(&m, sk->src_port, sk->protocol, bpf_get_netns_cookie(sk));
	ask_v4(&m, sk->src_ip4);
	return confirm(&m, note, sk, 4);
}

static __always_inline int on_post_bind6(struct bpf_sock *sk)
{
	const struct bc_gate *gate = open_gate();
	struct note *note = find_note(sk);
	struct bc_match m;

	/*
	 * Another thread can make it an IPv4 socket (IPV6_ADDRFORM) while its bind is under way: then it has taken an IPv4
	 * port that nobody was asked about.
	 */
	if (sk->family != AF_INET6_)
		return REFUSE;
	if (is_crossed(note))
		return REFUSE;
	/*
	 * Another thread can take IPV6_V6ONLY back between the answer and the bind itself. Now that the socket has its
	 * port the option cannot change any more: was it what the answer relied on?
	 */
	if (note && note->what & NOTED_V6ONLY && !is_v6only(address_of(sk)))
		return REFUSE;
	if (!gate || is_decided(gate, note, sk, 1))
		return KERNEL;
	__builtin_memset(&m, 0, sizeof(m));
	ask(&m, sk->src_port, sk->protocol, bpf_get_netns_cookie(sk));
	ask_v6(&m, sk->src_ip6[0], sk->src_ip6[1], sk->src_ip6[2], sk->src_ip6[3], sk);
	return confirm(&m, note, sk, 6);
}

/*
 * What getsockname(2) shows of a socket whose rewrite is hidden. An accepted or connected socket that asked for a
 * wildcard has an address of its own by now, which stays visible.
 */
static __always_inline const struct note *hidden_note(struct bpf_sock_addr *ctx)
{
	const struct note *note = find_note(ctx->sk);

	if (!note || !(note->what & NOTED_HIDDEN))
		return NULL;
	return !note->port || note->port == bpf_ntohs(ctx->user_port) ? note : NULL;
}

static __always_inline int on_getsockname4(struct bpf_sock_addr *ctx)
{
	const struct note *note = hidden_note(ctx);

	if (!note)
		return 1;
	if (note->port)
		ctx->user_port = bpf_htons(note->asked_port);
	if (ctx->user_ip4 == note->to[3] && (note->asked[3] || !ctx->sk->dst_port))
		ctx->user_ip4 = note->asked[3];
	return 1;
}

static __always_inline int on_getsockname6(struct bpf_sock_addr *ctx)
{
	const struct note *note = hidden_note(ctx);

	if (!note)
		return 1;
	if (note->port)
		ctx->user_port = bpf_htons(note->asked_port);
	if (ctx->user_ip6[0] != note->to[0] || ctx->user_ip6[1] != note->to[1] || ctx->user_ip6[2] != note->to[2] ||
	    ctx->user_ip6[3] != note->to[3])
		return 1;
	if (ctx->sk->dst_port && !(note->asked[0] | note->asked[1] | note->asked[2] | note->asked[3]))
		return 1;
	ctx->user_ip6[0] = note->asked[0];
	ctx->user_ip6[1] = note->asked[1];
	ctx->user_ip6[2] = note->asked[2];
	ctx->user_ip6[3] = note->asked[3];
	return 1;
}

#endif
