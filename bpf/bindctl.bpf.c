// SPDX-License-Identifier: GPL-2.0-only
/* The programs that the kernel calls at bind(2) and getsockname(2), for a cgroup and all below it. */
#include <linux/bpf.h>
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bindctl/abi.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "path.bpf.h"
#include "match.bpf.h"
#include "scope.bpf.h"
#include "event.bpf.h"
#include "decide.bpf.h"
#include "hooks.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("cgroup/bind4")
int bc_bind4(struct bpf_sock_addr *ctx)
{
	return on_bind4(ctx);
}

SEC("cgroup/bind6")
int bc_bind6(struct bpf_sock_addr *ctx)
{
	return on_bind6(ctx);
}

/* These two run when the port is taken; returning 0 gives it back and fails the bind. */
SEC("cgroup/post_bind4")
int bc_post_bind4(struct bpf_sock *sk)
{
	return on_post_bind4(sk);
}

SEC("cgroup/post_bind6")
int bc_post_bind6(struct bpf_sock *sk)
{
	return on_post_bind6(sk);
}

SEC("cgroup/getsockname4")
int bc_getsockname4(struct bpf_sock_addr *ctx)
{
	return on_getsockname4(ctx);
}

SEC("cgroup/getsockname6")
int bc_getsockname6(struct bpf_sock_addr *ctx)
{
	return on_getsockname6(ctx);
}
