/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps that the programs share, and the match.h hooks that read them. */
#ifndef BINDCTL_MAPS_BPF_H
#define BINDCTL_MAPS_BPF_H

/*
 * What an image looks like to the verifier. Real images are made by user space with their own number of cells
 * (BPF_F_INNER_MAP lets it differ). This one is empty, and is what `bc_policy` holds until a policy is published.
 */
struct bc_image_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, union bc_cell);
} bc_no_image SEC(".maps");

/* The policy in force: one slot. Each program reads it once a call, so no bind ever sees half a policy. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct bc_image_map);
} bc_policy SEC(".maps") = {
	.values = { [0] = &bc_no_image },
};

/*
 * Sockets whose bind of [::] was answered on the strength of IPV6_V6ONLY, with the port: the option can be taken back by
 * another thread between the answer and the bind itself, so bc_post_bind6 looks at it once more.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} bc_v6only SEC(".maps");

static __always_inline const union bc_cell *read_cell(void *image, __u32 n)
{
	return bpf_map_lookup_elem(image, &n);
}

#endif
