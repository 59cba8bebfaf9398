/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports of decisions: into the ring of each reader, and refusals into the map where they are remembered. Nothing here
 * can change a decision: where there is no room, that is counted.
 */
#ifndef BINDCTL_EVENT_BPF_H
#define BINDCTL_EVENT_BPF_H

/*
 * How a report is to be read, in one number since a function takes five at most: the socket's family (4 or 6), whether
 * the kernel chose the port, and who reads events.
 */
#define HOW(family, chosen, watch) ((family) | (chosen) << 8 | (watch) << 16)
#define HOW_FAMILY(how) ((how)&0xff)
#define HOW_CHOSEN(how) ((how) >> 8 & 1)
#define HOW_WATCH(how) ((how) >> 16)

/* asm-generic/errno-base.h and errno.h */
enum {
	ENOMEM_ = 12,
	EACCES_ = 13,
	EAFNOSUPPORT_ = 97,
};

static __always_inline void set_who(struct bc_event *event)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	event->cgroup = task->cgroups->dfl_cgrp->kn->id;
	event->pid = pid_tgid >> 32;
	event->tid = pid_tgid;
	event->uid = task->cred->euid.val;
	event->ruid = task->cred->uid.val;
	event->gid = task->cred->egid.val;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

__noinline int fill_in(struct bc_event *event, struct bc_match *m, __u32 kind, __u32 how, __u64 netns)
{
	__u32 audit = kind == BC_EVENT_AUDIT;

	if (!event || !m)
		return 0;
	event->time = BC_NOW(m);
	event->generation = m->reply.generation;
	event->netns = netns;
	event->port = event->to_port = m->port;
	event->proto = m->proto;
	event->family = HOW_FAMILY(how);
	event->kind = kind;
	event->verdict = audit ? BC_DENY : m->verdict;
	event->flags = (HOW_CHOSEN(how) ? BC_EVENT_CHOSEN : 0) | (m->privileged ? BC_EVENT_PRIVILEGED : 0) |
		       (m->host ? BC_EVENT_HOST : 0) |
		       (HOW_FAMILY(how) == 6 && is_v6only(m->socket) ? BC_EVENT_V6ONLY : 0);
	event->reserved = 0;
	event->rule = audit ? m->audited : m->rule;
	event->id = audit ? m->reply.audit_id : m->reply.id;
	event->err = audit ? m->reply.audit_err : kind == BC_EVENT_KERNEL ? EACCES_ : m->err;
	__builtin_memcpy(event->addr, m->addr, sizeof(event->addr));
	__builtin_memcpy(event->to, m->addr, sizeof(event->to));
	if (event->verdict == BC_REWRITE && m->flags & BC_RULE_TO_PORT)
		event->to_port = m->reply.to_port;
	if (event->verdict == BC_REWRITE && m->flags & (BC_RULE_TO_V4 | BC_RULE_TO_V6))
		__builtin_memcpy(event->to, m->reply.to, sizeof(event->to));
	set_who(event);
	return 0;
}

/*
 * Keeps the refusal for `bindctl why`. Who finds its place being written by another leaves it: that is a refusal of the
 * same moment, of the same user or nearly.
 */
__noinline int remember(struct bc_match *m, __u32 kind, __u32 how, __u64 netns)
{
	struct bc_refusal *refusal;
	__u64 turn;
	__u32 at;

	if (!m)
		return 0;
	at = bc_hash(answerable_uid(), 0, 0) % BC_REFUSALS_USERS * BC_REFUSALS_USER +
	     bc_hash(m->port, m->proto, 0) % BC_REFUSALS_USER;
	refusal = bpf_map_lookup_elem(&bc_refusals, &at);
	if (!refusal)
		return 0;
	turn = refusal->turn;
	if (turn & 1 || __sync_val_compare_and_swap(&refusal->turn, turn, turn + 1) != turn)
		return 0;
	if (refusal->last.uid != m->uid || refusal->last.port != m->port || refusal->last.proto != m->proto)
		refusal->times = 0;
	refusal->times++;
	fill_in(&refusal->last, m, kind, how, netns);
	__sync_fetch_and_add(&refusal->turn, 1);
	return 0;
}

/*
 * Whether the reader is to have it. What refuses is never kept back; anything else is beyond the reader's rate, and must
 * leave the last quarter of the ring to refusals, a burst of which is what a reader must not miss.
 */
static __always_inline int is_welcome(struct bc_reader *reader, void *ring, __u32 kind, __u64 time)
{
	__u64 second = time / 1000000000;

	if (kind == BC_EVENT_DENY || kind == BC_EVENT_KERNEL)
		return 1;
	if (reader->rate) {
		if (reader->second != second) {
			reader->second = second;
			reader->spent = 0;
		}
		__sync_fetch_and_add(&reader->spent, 1);
		if (reader->spent > reader->rate) {
			__sync_fetch_and_add(&reader->limited, 1);
			return 0;
		}
	}
	if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 4 * 3) {
		__sync_fetch_and_add(&reader->lost, 1);
		count(BC_COUNT_LOST);
		return 0;
	}
	return 1;
}

/* `to`: the reader's number, and the kind << 8. */
__noinline int hand_out(struct bc_match *m, __u32 to, __u32 how, __u64 netns)
{
	__u32 slot = to & 0xff, kind = to >> 8;
	struct bc_reader *reader = bpf_map_lookup_elem(&bc_readers, &slot);
	void *ring = bpf_map_lookup_elem(&bc_rings, &slot);
	struct bc_event *event;

	if (!m || !reader || !ring || !is_welcome(reader, ring, kind, BC_NOW(m)))
		return 0;
	event = bpf_ringbuf_reserve(ring, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&reader->lost, 1);
		count(BC_COUNT_LOST);
		return 0;
	}
	fill_in(event, m, kind, how, netns);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

__noinline int report(struct bc_match *m, __u32 kind, __u32 how, __u64 netns)
{
	__u32 watch = HOW_WATCH(how);

	if (!m)
		return 0;
	if (kind == BC_EVENT_DENY || kind == BC_EVENT_KERNEL)
		remember(m, kind, how, netns);
	if (kind == BC_EVENT_BIND)
		watch >>= BC_READERS;
#pragma GCC unroll 8
	for (__u32 i = 0; i < BC_READERS; i++)
		if (watch & BC_WATCH(i))
			hand_out(m, i | kind << 8, how, netns);
	return 0;
}

/* Whether the kernel's own check comes next. */
static __always_inline int is_left_to_kernel(const struct bc_match *m)
{
	return m->verdict == BC_NONE || m->verdict == BC_ALLOW;
}

/*
 * Reports what is to be known of an answer: refusals, what rules ask for, and to those who want all of it each bind.
 * Nothing is said of a port that was granted and not asked for.
 */
static __always_inline void report_decision(struct bc_match *m, __u32 how, __u64 netns)
{
	__u32 chosen = HOW_CHOSEN(how);

	if (m->audited != BC_RULE_NONE)
		report(m, BC_EVENT_AUDIT, how, netns);
	if (m->verdict == BC_DENY)
		report(m, BC_EVENT_DENY, how, netns);
	else if (chosen)
		return;
	else if (is_left_to_kernel(m) && !m->privileged)
		report(m, BC_EVENT_KERNEL, how, netns);
	else if (m->flags & BC_RULE_LOG)
		report(m, BC_EVENT_LOG, how, netns);
	else if (HOW_WATCH(how) >> BC_READERS)
		report(m, BC_EVENT_BIND, how, netns);
}

#endif
