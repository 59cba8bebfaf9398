/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiled policy ("image"), as user space writes it and the kernel reads it.
 *
 * An image is one BPF array of 64-byte cells (one cache line each). It is written once, frozen, and put whole into the
 * one-slot outer map `bc_policy`; nothing in it ever changes afterwards. The same machine writes and reads it, so
 * integers are in host byte order, addresses included (four 32-bit words, most significant word first; an IPv4 address
 * is its v4-mapped form ::ffff:a.b.c.d).
 *
 * Cells, in order:
 *
 *   header     one cell
 *   ports      BC_PORT_CELLS: one bit for each port that any rule names
 *   index      buckets of four slots: (scope, subject kind, subject id) -> ports and reference
 *   segments   disjoint port ranges, each with a reference; those of one subject lie side by side, ascending
 *   lists      references to rules, in the order in which they are tried
 *   rules      one cell a rule
 *   names      source file names, each ended by NUL
 *
 * Every section but the header may be empty, and starts where the header says.
 */
#ifndef BINDCTL_ABI_H
#define BINDCTL_ABI_H

#include <linux/types.h>

#define BC_MAGIC 0x6c746362u /* "bctl", read as a little-endian word */
#define BC_SCHEMA 1u	     /* changes whenever a structure here changes its meaning */

#define BC_CELL_SIZE 64u
#define BC_PORT_CELLS 128u /* 65536 ports / 512 bits a cell */

/*
 * What the program may find in an image, so that it can skip what is not there. A feature that a program does not
 * know makes the image unreadable to it: it then leaves every bind to the kernel's own rule.
 */
enum bc_feature {
	BC_F_USER = 1u << 0,   /* slots of kind BC_USER */
	BC_F_ANYONE = 1u << 1, /* slots of kind BC_ANYONE */
	BC_F_ADDR = 1u << 2,   /* some rule asks for an address: IPv4 and IPv6 may be decided differently */
};
#define BC_F_KNOWN (BC_F_USER | BC_F_ANYONE | BC_F_ADDR)

/*
 * The answer to one bind. The order is the order of privilege: of two answers to one bind (a dual-stack socket takes
 * an IPv4 and an IPv6 port at once) the smaller one holds, and of two rules of equal rank the smaller one decides.
 * Zero is not a verdict, so that cleared memory never means anything.
 */
enum bc_verdict {
	BC_DENY = 1,	/* refused, with the rule's errno */
	BC_ALLOW = 2,	/* a rule leaves it to the kernel's own check */
	BC_NONE = 3,	/* no rule speaks: the kernel's own check */
	BC_REWRITE = 4, /* proceeds at another address or port */
	BC_GRANT = 5,	/* proceeds, CAP_NET_BIND_SERVICE not needed */
};

/* Whom a slot speaks of. Smaller is nearer: within a scope a user's rules go before everyone's. */
enum bc_subject_kind {
	BC_USER = 1, /* id: effective uid, in the initial user namespace */
	BC_ANYONE = 3,
};

/* The scope of rules that name no cgroup. Zero is not a scope. */
#define BC_SCOPE_ROOT 1u

enum bc_proto {
	BC_TCP = 1u << 0, /* and MPTCP */
	BC_UDP = 1u << 1, /* and UDP-Lite */
};

/* Which of a rule cell's fields must hold for the rule to apply. */
enum bc_condition {
	BC_IF_PROTO = 1u << 0,
	BC_IF_V4 = 1u << 1,   /* an IPv4 address within addr/prefix */
	BC_IF_V6 = 1u << 2,   /* an IPv6 address within addr/prefix */
	BC_IF_HOST = 1u << 3, /* the initial network namespace */
};

/* A reference: a 28-bit number and what it counts. */
#define BC_REF_NUMBER 0x0fffffffu
#define BC_REF_LAST (1u << 28)	/* in a list: its last reference */
#define BC_REF_START (1u << 29) /* on a rule: one of the ranges it was written with starts in this segment */
#define BC_REF_LIST (1u << 30)	/* the number is an entry of `lists`; otherwise a rule */
#define BC_REF_RUN (1u << 31)	/* in a slot: the number is a segment, the first of the subject's several */

struct bc_header {
	__u32 magic;	  /* BC_MAGIC */
	__u16 schema;	  /* BC_SCHEMA */
	__u16 features;	  /* enum bc_feature */
	__u64 generation; /* of the policy; one more at each publication, never zero */
	__u64 digest;	  /* of the rules, whatever their order, file or line */
	__u32 cells;	  /* in the whole image */
	__u32 seed;	  /* of the index's hash */
	__u32 index;	  /* first cell of the index */
	__u32 buckets;	  /* of the index; never zero */
	__u32 segments;	  /* first cell of the segments */
	__u32 lists;	  /* first cell of the lists */
	__u32 rules;	  /* first cell of the rules */
	__u32 nrules;
	__u32 names; /* first cell of the names */
	__u32 nsources;
};

/* One subject in one scope. Slots of a bucket are filled in order; a bucket whose last slot is free ends a probe. */
struct bc_slot {
	__u32 key;   /* scope << 2 | subject kind; zero: free */
	__u32 id;    /* subject id; zero for anyone */
	__u32 ref;   /* of the only segment; or BC_REF_RUN */
	__u32 ports; /* the only segment's first port | last << 16; with BC_REF_RUN, the number of segments */
};

struct bc_segment {
	__u16 first;
	__u16 last;
	__u32 ref;
};

struct bc_rule_cell {
	__u8 verdict;	 /* enum bc_verdict; never BC_NONE */
	__u8 conditions; /* enum bc_condition */
	__u8 proto;	 /* enum bc_proto, a mask; with BC_IF_PROTO */
	__u8 prefix;	 /* length in bits of 128; with BC_IF_V4 or BC_IF_V6 */
	__u16 err;	 /* BC_DENY: the errno that bind(2) gives */
	__u16 source;	 /* index of the name of the file that the rule was read from */
	__u32 line;	 /* in that file, from 1 */
	__u32 reserved;
	__u32 addr[4];
	__u8 unused[32];
};

#define BC_RULE_NONE (~0u) /* the number of no rule */

#define BC_SLOTS 4u	      /* in a cell */
#define BC_SEGMENTS 8u	      /* in a cell */
#define BC_REFS 16u	      /* in a cell */
#define BC_PROBES 8u	      /* buckets looked at for one subject: the compiler never places one further away */
#define BC_RULES_MAX 4194304u /* keeps every number below BC_REF_NUMBER and an image below 1 GiB */

union bc_cell {
	struct bc_header header;
	__u64 ports[8];
	struct bc_slot slots[BC_SLOTS];
	struct bc_segment segments[BC_SEGMENTS];
	__u32 refs[BC_REFS];
	struct bc_rule_cell rule;
	char names[BC_CELL_SIZE];
};

/* The value of the map `bc_schema`, which says whose pins these are. */
struct bc_schema {
	__u32 magic;  /* BC_MAGIC */
	__u32 schema; /* BC_SCHEMA */
};

#define BC_INLINE static inline __attribute__((always_inline))

/* Where a subject's slot is looked for: mixes every bit of key, id and seed into every bit of the result. */
BC_INLINE __u32 bc_hash(__u32 key, __u32 id, __u32 seed)
{
	__u32 h = (id + seed) * 0x9e3779b1u ^ (key + (seed << 7)) * 0x85ebca6bu;

	h ^= h >> 15;
	h *= 0x2c1b3c6du;
	h ^= h >> 12;
	h *= 0x297a2d39u;
	return h ^ h >> 15;
}

BC_INLINE __u32 bc_bucket(__u32 hash, __u32 buckets)
{
	return (__u64)hash * buckets >> 32;
}

BC_INLINE __u32 bc_key(__u32 scope, __u32 kind)
{
	return scope << 2 | kind;
}

#define BC_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " is not " #size " bytes")
BC_ASSERT_SIZE(struct bc_header, 64);
BC_ASSERT_SIZE(struct bc_slot, 16);
BC_ASSERT_SIZE(struct bc_segment, 8);
BC_ASSERT_SIZE(struct bc_rule_cell, 64);
BC_ASSERT_SIZE(union bc_cell, 64);
BC_ASSERT_SIZE(struct bc_schema, 8);

#endif
