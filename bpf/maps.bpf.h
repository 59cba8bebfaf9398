/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps that the programs share, and the hook of search.h that reads an image. */
#ifndef BINDCTL_MAPS_BPF_H
#define BINDCTL_MAPS_BPF_H

/*
 * What an image looks like to the verifier. Real images are made by user space with their own number of pages
 * (BPF_F_INNER_MAP lets it differ). This one is empty, and is what `bc_policy` holds until a policy is published.
 */
struct bc_image_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, union bc_page);
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

/* What stands before the image; see abi.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bc_gate);
} bc_gate SEC(".maps");

/*
 * In a map of its own, as the others are: libbpf's for global variables can be mapped by user space, and so has memory
 * that costs a TLB entry of its own.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bc_state);
} bc_state SEC(".maps");

/* Where in the image's scopes the walk down a cgroup's path ended: a cache, see scope.bpf.h. */
struct seen {
	__u64 cgroup; /* id; never used again by the kernel */
	__u64 entry;
};

#define SEEN_MAX 8192

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SEEN_MAX);
	__type(key, __u32);
	__type(value, struct seen);
} bc_seen SEC(".maps");

/*
 * What the answer to a socket's bind leaves behind for the hooks that come after it. The bind hook begins by clearing
 * it, so it never speaks of an earlier bind of the same socket. The socket is locked while a hook runs, but not between
 * the two of a bind: another bind of the socket can come in between, and then the note is that one's. So it says whose
 * it is: the hooks of one bind run in one thread, which has no other bind meanwhile.
 * Accepted sockets inherit it: their getsockname(2) is asked, too.
 */
struct note {
	__u32 what; /* enum noted, and above its bits the thread whose bind it is; 0: programs that did not say */
	__u16 port; /* that the socket is to get; 0: the kernel chooses */
	__u16 asked_port;
	__u32 asked[4]; /* address asked for; an IPv4 one in the last word when the socket is IPv4 */
	__u32 to[4];	/* address given instead, in the same form */
};

enum noted {
	NOTED_V6ONLY = 1u << 0,	  /* the answer relied on IPV6_V6ONLY */
	NOTED_REWRITE = 1u << 1,  /* the port is a rewrite's target: not to be decided once more */
	NOTED_HIDDEN = 1u << 2,	  /* getsockname(2) shows what was asked for */
	NOTED_REPORTED = 1u << 3, /* that a deny would have refused it is in the ring already */
};

#define NOTED_BITS 4 /* a thread's number has 22 at most */

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct note);
} bc_notes SEC(".maps");

/* What a reader's ring looks like to the verifier. Readers make them, of whatever size they like. */
struct bc_ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 12);
} bc_no_ring SEC(".maps");

/* struct bc_event records, for whoever reads them; see event.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BC_READERS);
	__type(key, __u32);
	__array(values, struct bc_ring_map);
} bc_rings SEC(".maps") = {
	.values = { [0] = &bc_no_ring },
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BC_READERS);
	__type(key, __u32);
	__type(value, struct bc_reader);
} bc_readers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BC_REFUSALS);
	__type(key, __u32);
	__type(value, struct bc_refusal);
} bc_refusals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BC_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} bc_counters SEC(".maps");

static __always_inline union bc_page *find_page(void *image, __u32 n)
{
	return bpf_map_lookup_elem(image, &n);
}

/* A look-up is a call, which small policies, that fit into the first page, are spared. */
static __always_inline union bc_cell *find_cell(void *image, union bc_page *first, __u32 n)
{
	union bc_page *page = n < BC_PAGE_CELLS ? first : find_page(image, n / BC_PAGE_CELLS);

	return page ? &page->cells[n % BC_PAGE_CELLS] : NULL;
}

static __always_inline const struct bc_gate *open_gate(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&bc_gate, &only);
}

static __always_inline struct bc_state *open_state(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&bc_state, &only);
}

/* With atomics: a program may be preempted in favour of another on the same CPU. */
static __always_inline void count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&bc_counters, &counter);

	if (value)
		__sync_fetch_and_add(value, 1);
}

#endif
