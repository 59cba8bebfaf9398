/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports of decisions into the ring buffer. Nothing here can change one: where there is no room, that is counted. */
#ifndef BINDCTL_EVENT_BPF_H
#define BINDCTL_EVENT_BPF_H

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

/* `family`: of the socket, 4 or 6. `chosen`: the kernel may have chosen the port. */
__noinline int report(struct bc_match *m, __u32 kind, __u32 family, __u32 chosen, __u64 netns)
{
	struct bc_event *event = bpf_ringbuf_reserve(&bc_events, sizeof(*event), 0);
	__u32 audit = kind == BC_EVENT_AUDIT;

	if (!event || !m) {
		if (event)
			bpf_ringbuf_discard(event, 0);
		count(BC_COUNT_LOST);
		return 0;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time = BC_NOW(m);
	event->generation = m->reply.generation;
	event->netns = netns;
	event->port = event->to_port = m->port;
	event->proto = m->proto;
	event->family = family;
	event->chosen = chosen;
	event->kind = kind;
	event->verdict = audit ? BC_DENY : m->verdict;
	event->rule = audit ? m->audited : m->rule;
	event->id = audit ? m->reply.audit_id : m->reply.id;
	event->err = audit ? m->reply.audit_err : m->err;
	__builtin_memcpy(event->addr, m->addr, sizeof(event->addr));
	__builtin_memcpy(event->to, m->addr, sizeof(event->to));
	if (event->verdict == BC_REWRITE && m->flags & BC_RULE_TO_PORT)
		event->to_port = m->reply.to_port;
	if (event->verdict == BC_REWRITE && m->flags & (BC_RULE_TO_V4 | BC_RULE_TO_V6))
		__builtin_memcpy(event->to, m->reply.to, sizeof(event->to));
	set_who(event);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

#endif
