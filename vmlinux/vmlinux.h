/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel-internal types that the programs read, kept by hand.
 *
 * Only the members in use are here. libbpf finds each by name in the running kernel's own BTF when it loads the
 * programs (CO-RE), so order and offsets do not matter, and no BTF of the build machine is needed.
 * What user space may see of the kernel (struct bpf_sock_addr and the like) comes from <linux/bpf.h>.
 */
#ifndef BINDCTL_VMLINUX_H
#define BINDCTL_VMLINUX_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/uidgid.h: an id in the initial user namespace */
typedef struct {
	__u32 val;
} kuid_t;

/* include/linux/cred.h */
struct cred {
	kuid_t euid;
};

/* include/linux/sched.h */
struct task_struct {
	const struct cred *cred; /* what the task acts as: io_uring and the like put another's here */
};

/* include/net/sock.h */
struct sock_common {
	unsigned char skc_ipv6only : 1;
};

struct sock {
	struct sock_common __sk_common;
};

#pragma clang attribute pop

#endif
