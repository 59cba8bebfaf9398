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

/* A NULL context asks for the initial network namespace. */
static __always_inline int in_host_netns(struct bpf_sock_addr *ctx)
{
	return bpf_get_netns_cookie(ctx) == bpf_get_netns_cookie(NULL);
}

/*
 * Whether the socket takes IPv6 addresses only. bpf_rdonly_cast() would need Linux 6.7, and the verifier lets nobody
 * look behind a socket pointer; read back from the stack as plain memory, the same pointer is a number that
 * bpf_probe_read_kernel() takes on every kernel. Unreadable reads as 0: a dual-stack socket, the stricter answer.
 */
static __always_inline int is_v6only(struct bpf_sock *opaque)
{
	struct sock *sk = NULL;

	if (bpf_probe_read_kernel(&sk, sizeof(sk), &opaque) || !sk)
		return 0;
	return BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only);
}

#endif
