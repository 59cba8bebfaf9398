// SPDX-License-Identifier: GPL-2.0-only
/* The programs that the kernel calls at bind(2), for a cgroup and all below it. */
#include <linux/bpf.h>
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bindctl/abi.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "decide.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("cgroup/bind4")
int bc_bind4(struct bpf_sock_addr *ctx)
{
	return decide_v4(ctx);
}

SEC("cgroup/bind6")
int bc_bind6(struct bpf_sock_addr *ctx)
{
	return decide_v6(ctx);
}

/* Runs when the port is taken; returning 0 gives it back and fails the bind with EPERM. */
SEC("cgroup/post_bind6")
int bc_post_bind6(struct bpf_sock *sk)
{
	return confirm_v6only(sk);
}
