/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of the cgroups on the way from the root to the task's own. Addresses of the kernel's are plain numbers. */
#ifndef BINDCTL_PATH_BPF_H
#define BINDCTL_PATH_BPF_H

/* The kernfs node of the cgroup at a level of the path that ends with `cgroup`, or NULL. */
static __always_inline struct kernfs_node *node_at(__u64 cgroup, __u32 level)
{
	struct cgroup *ancestor = NULL;
	struct kernfs_node *node = NULL;
	const char *ancestors = (const char *)cgroup + bpf_core_field_offset(struct cgroup, ancestors);

	if (bpf_probe_read_kernel(&ancestor, sizeof(ancestor), ancestors + 8UL * level))
		return NULL;
	if (BPF_CORE_READ_INTO(&node, ancestor, kn))
		return NULL;
	return node;
}

/* The name of the cgroup at `level`, if the path goes so far; see BC_COMPONENT in search.h. */
static __always_inline int component(__u64 cgroup, __u32 level, __u32 last, __u64 *ret_name)
{
	struct kernfs_node *node;
	const char *name = NULL;

	if (level > last)
		return 0;
	node = node_at(cgroup, level);
	if (!node || BPF_CORE_READ_INTO(&name, node, name))
		return -1;
	*ret_name = (__u64)name;
	return 1;
}

/* The n-th part of a name; see BC_NAME_PART in search.h. */
__noinline int name_part(__u64 name, __u32 n, union bc_part *part)
{
	const char *from = (const char *)name + n * BC_PART_SIZE;
	char next;
	long len;

	if (!part)
		return -1;
	__builtin_memset(part, 0, sizeof(*part));
	len = bpf_probe_read_kernel_str(part->bytes, sizeof(part->bytes), from);
	if (len < (long)sizeof(part->bytes))
		return len - 1;
	/* The NUL that the helper ends with may have taken the place of a byte of the name. */
	if (bpf_probe_read_kernel(&part->bytes[BC_PART_SIZE - 1], 1, from + BC_PART_SIZE - 1))
		return -1;
	if (!part->bytes[BC_PART_SIZE - 1])
		return len - 1;
	if (bpf_probe_read_kernel(&next, 1, from + BC_PART_SIZE))
		return -1;
	return next ? BC_NAME_MORE : (int)BC_PART_SIZE;
}

#endif
