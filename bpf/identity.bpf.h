/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is binding, and what kind of socket. */
#ifndef BINDCTL_IDENTITY_BPF_H
#define BINDCTL_IDENTITY_BPF_H

/* Numbers of the kernel's user interface (linux/in.h), named here to keep socket headers out of the program. */
enum {
	IPPROTO_TCP_ = 6,
	IPPROTO_UDP_ = 17,
	IPPROTO_UDPLITE_ = 136,
	IPPROTO_MPTCP_ = 262,
};

/* enum bc_proto, or zero for a protocol that policy does not speak of. */
static __always_inline __u8 proto_of(__u32 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP_:
	case IPPROTO_MPTCP_:
		return BC_TCP;
	case IPPROTO_UDP_:
	case IPPROTO_UDPLITE_:
		return BC_UDP;
	}
	return 0;
}

/*
 * The effective uid in the initial user namespace. The bpf_get_current_uid_gid() helper gives the real one, which for
 * a setuid program is the caller's.
 */
static __always_inline __u32 effective_uid(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->cred->euid.val;
}

/* NGROUPS_MAX (linux/limits.h) is 65,536: 17 halvings leave none. */
#define GROUP_STEPS 17

#define GROUP_FOUND (~0ULL)

/* Halves a range [left, right) of sorted group ids, right in the upper half of the number. Also returns GROUP_FOUND. */
__noinline __u64 halve_groups(__u64 gids, __u32 gid, __u64 range)
{
	__u32 left = range, right = range >> 32, middle = (left + right) / 2, found = 0;

	if (bpf_probe_read_kernel(&found, sizeof(found), (const void *)gids + 4UL * middle))
		return 0;
	if (found == gid)
		return GROUP_FOUND;
	return found < gid ? (__u64)right << 32 | (middle + 1) : (__u64)middle << 32 | left;
}

/*
 * Whether the group is the task's effective one or among its supplementary ones, as ids in the initial user namespace.
 * The kernel keeps the latter sorted for its own in_group_p(), so a process in 65,536 groups costs 17 steps and one in
 * none costs none; the work for one bind is that times the rules of groups that name its port, which is the policy
 * author's affair and not the caller's.
 */
__noinline int in_group(__u32 gid)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct cred *cred = task->cred;
	__u64 groups = 0, range;

	if (cred->egid.val == gid)
		return 1;
	/* Read as memory the address is a number, which a global function can be given. */
	if (bpf_core_read(&groups, sizeof(groups), &cred->group_info))
		return 0;
	range = (__u64)BPF_CORE_READ((struct group_info *)groups, ngroups) << 32;
	groups += bpf_core_field_offset(struct group_info, gid);
#pragma GCC unroll 17
	for (int i = 0; i < GROUP_STEPS; i++) {
		if ((__u32)range >= range >> 32)
			return 0;
		range = halve_groups(groups, gid, range);
		if (range == GROUP_FOUND)
			return 1;
	}
	return 0;
}

/*
 * The address of a socket as a number. The verifier lets nobody look behind a socket pointer (bpf_rdonly_cast() would
 * need Linux 6.7), but read back from the stack as plain memory it is a number that bpf_probe_read_kernel() takes on
 * every kernel.
 */
static __always_inline __u64 address_of(struct bpf_sock *opaque)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &opaque);
	return address;
}

/* Whether the socket takes IPv6 addresses only. Unreadable reads as 0: a dual-stack socket, the stricter answer. */
static __always_inline int is_v6only(__u64 socket)
{
	struct sock *sk = (struct sock *)socket;

	return sk ? BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only) : 0;
}

/* linux/capability.h */
#define CAP_NET_BIND_SERVICE_ 10

/* What net.ipv4.ip_unprivileged_port_start is unless somebody changes it. Above it nothing is known to be refused. */
#define LOW_PORTS 1024

/* The kernel nests user namespaces to 32 levels below the initial one (kernel/user_namespace.c). */
#define USERNS_DEPTH 33

/* Whether the task has the capability in that user namespace: the kernel's own rule, from its security/commoncap.c. */
static __always_inline int is_capable_in(const struct cred *cred, struct user_namespace *ns, int held)
{
	struct user_namespace *own = cred->user_ns;

#pragma GCC unroll 33
	for (int i = 0; i < USERNS_DEPTH; i++) {
		struct user_namespace *parent;

		if (ns == own)
			return held;
		if (BPF_CORE_READ(ns, level) <= own->level)
			return 0;
		parent = BPF_CORE_READ(ns, parent);
		/* Who made a namespace below its own has every capability there. */
		if (parent == own && BPF_CORE_READ(ns, owner.val) == cred->euid.val)
			return 1;
		ns = parent;
	}
	return 0;
}

/* One word of 64 bits or two of 32: no capability has number 42, so it is one of these in any byte order. */
static __always_inline int holds_capability(const struct cred *cred)
{
	const __u32 *caps = (const __u32 *)&cred->cap_effective;

	return (caps[0] | caps[1]) >> CAP_NET_BIND_SERVICE_ & 1;
}

static __always_inline const struct cred *current_cred(void)
{
	return ((struct task_struct *)bpf_get_current_task_btf())->cred;
}

/*
 * Who answers for the task: its user, or where it is in user namespaces whoever made the outermost of them. With
 * subordinate IDs he is tens of thousands of users when he likes.
 */
__noinline __u32 answerable_uid(void)
{
	const struct cred *cred = current_cred();
	struct user_namespace *ns = cred->user_ns;

	if (!ns->level)
		return cred->euid.val;
#pragma GCC unroll 33
	for (int i = 0; i < USERNS_DEPTH; i++) {
		if (BPF_CORE_READ(ns, level) <= 1)
			break;
		ns = BPF_CORE_READ(ns, parent);
	}
	return BPF_CORE_READ(ns, owner.val);
}

/* Whether the task may bind any port of any network namespace: known without a look at the socket. */
static __always_inline int may_take_any(void)
{
	const struct cred *cred = current_cred();

	return holds_capability(cred) && !cred->user_ns->level;
}

/* Whether the kernel would let the task bind that low port with that socket (an address_of()) if nobody grants it. */
__noinline int may_take(__u64 socket, __u32 port)
{
	const struct cred *cred = current_cred();
	struct sock *sk = (struct sock *)socket;
	struct net *net = BPF_CORE_READ(sk, __sk_common.skc_net.net);

	if (bpf_core_field_exists(net->ipv4.sysctl_ip_prot_sock) &&
	    port >= (__u32)BPF_CORE_READ(net, ipv4.sysctl_ip_prot_sock))
		return 1;
	return is_capable_in(cred, BPF_CORE_READ(net, user_ns), holds_capability(cred));
}

#endif
