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

typedef struct {
	__u32 val;
} kgid_t;

/* include/linux/cred.h */
struct group_info {
	int ngroups;
	kgid_t gid[];
};

/* Its members have changed, its 64 bits have not. */
struct kernel_cap {
	__u64 val;
};

struct cred {
	kuid_t uid;
	kuid_t euid;
	kgid_t egid;
	struct kernel_cap cap_effective;
	struct user_namespace *user_ns;
	struct group_info *group_info;
};

/* include/linux/user_namespace.h */
struct user_namespace {
	struct user_namespace *parent;
	int level; /* 0: the initial one */
	kuid_t owner;
};

/* include/linux/kernfs.h */
struct kernfs_node {
	const char *name;
	__u64 id;
};

/* include/linux/cgroup-defs.h */
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[]; /* level + 1 of them, from the root to the cgroup itself */
};

struct css_set {
	struct cgroup *dfl_cgrp; /* of the v2 hierarchy */
};

/* include/linux/sched.h */
struct task_struct {
	const struct cred *cred; /* what the task acts as: io_uring and the like put another's here */
	struct css_set *cgroups;
};

/* include/net/netns/ipv4.h */
struct netns_ipv4 {
	int sysctl_ip_prot_sock;
};

/* include/net/net_namespace.h */
struct net {
	struct user_namespace *user_ns;
	struct netns_ipv4 ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

/* include/net/sock.h */
struct sock_common {
	possible_net_t skc_net;
	unsigned char skc_ipv6only : 1;
};

struct sock {
	struct sock_common __sk_common;
};

#pragma clang attribute pop

#endif
