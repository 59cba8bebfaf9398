/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiled policy ("image"), as user space writes it and the kernel reads it.
 *
 * An image is one BPF array of 64-byte cells (one cache line each), 64 of them to an element: fewer elements are
 * sooner written. It is written, gets the counts of what it has in common with the image in force, is frozen, and put
 * whole into the one-slot outer map `bc_policy`; nothing in it ever changes afterwards but what the programs count of
 * each rule. The same machine writes and reads it, so integers are in host byte order, addresses included (four 32-bit
 * words, most significant word first; an IPv4 address is its v4-mapped form ::ffff:a.b.c.d).
 *
 * Cells, in order:
 *
 *   header     one cell: what a decision needs to know
 *   about      one cell: what only user space wants to know
 *   index      buckets of four slots: (scope, subject kind, subject id) -> ports and reference;
 *              and (scope, hash of a cgroup's name) -> the scope below it
 *   segments   disjoint port ranges, each with a reference; those of one subject lie side by side, ascending
 *   lists      references to rules, in the order in which they are tried
 *   rules      two to a cell, and behind the last one the details of those that have any, in the same order
 *   scopes     cgroups that rules name, and all above them: a tree, its root being scope 1
 *   labels     names of those cgroups, each in parts of 32 bytes of its own, the last one padded with NUL
 *   names      source file names, each ended by NUL
 *
 * Every section but the first two may be empty, and starts where the header says.
 */
#ifndef BINDCTL_ABI_H
#define BINDCTL_ABI_H

#include <linux/types.h>

#define BC_MAGIC 0x6c746362u /* "bctl", read as a little-endian word */
#define BC_SCHEMA 4u	     /* changes whenever a structure here changes its meaning */

#define BC_CELL_SIZE 64u
#define BC_PAGE_CELLS 64u /* in an element of the array, which is as large as the smallest page of any machine */
#define BC_INDEX 2u	  /* first cell of the index */

/*
 * What the program may find in an image, so that it can skip what is not there. A feature that a program does not
 * know makes the image unreadable to it: it then leaves every bind to the kernel's own rule.
 */
enum bc_feature {
	BC_F_USER = 1u << 0,   /* slots of kind BC_USER */
	BC_F_GROUP = 1u << 1,  /* slots of kind BC_GROUP */
	BC_F_ANYONE = 1u << 2, /* slots of kind BC_ANYONE */
	BC_F_ADDR = 1u << 3,   /* some rule asks for an address: IPv4 and IPv6 may be decided differently */
	BC_F_SCOPE = 1u << 4,  /* scopes besides the root */
	BC_F_DENY = 1u << 5,   /* some rule denies: ports that the kernel chose are looked at */
	BC_F_REWRITE = 1u << 6,
};
#define BC_F_KNOWN (BC_F_USER | BC_F_ANYONE | BC_F_ADDR | BC_F_GROUP | BC_F_SCOPE | BC_F_DENY | BC_F_REWRITE)

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

/*
 * Whom a slot speaks of. Smaller is nearer: within a scope a user's rules go before groups', and those before
 * everyone's. The rules of all groups share one slot, since a process is in many groups and the rules of all of them
 * compete by rank; each such rule has its group as a condition.
 */
enum bc_subject_kind {
	BC_CHILD = 0, /* no subject: id is the hash of a cgroup's name, the reference a scope */
	BC_USER = 1,  /* id: effective uid, in the initial user namespace */
	BC_GROUP = 2, /* id: zero */
	BC_ANYONE = 3,
};

/* The scope of rules that name no cgroup. Zero is not a scope. */
#define BC_SCOPE_ROOT 1u

enum bc_proto {
	BC_TCP = 1u << 0, /* and MPTCP */
	BC_UDP = 1u << 1, /* and UDP-Lite */
};

/* What must hold for the rule to apply. */
enum bc_condition {
	BC_IF_PROTO = 1u << 0, /* a protocol of `proto` */
	BC_IF_V4 = 1u << 1,    /* an IPv4 address within addr/prefix, see its detail */
	BC_IF_V6 = 1u << 2,    /* an IPv6 address within addr/prefix, see its detail */
	BC_IF_HOST = 1u << 3,  /* the initial network namespace */
	BC_IF_GROUP = 1u << 4, /* its group is the task's effective one or a supplementary one; see `more` */
	BC_IF_UNTIL = 1u << 5, /* a moment before `until`, see its detail */
};

/* What else a rule cell says. */
enum bc_rule_flag {
	BC_RULE_AUDIT = 1u << 0,   /* its deny is only reported, and the next rule decides */
	BC_RULE_LOG = 1u << 1,	   /* report the decision whatever it is */
	BC_RULE_RESERVE = 1u << 2, /* a grant whose BC_REF_OTHERS references deny */
	BC_RULE_UNIT = 1u << 3,	   /* its cgroup was written as a unit */
	BC_RULE_TO_V4 = 1u << 4,   /* rewrite: to the address in its second detail, which is IPv4 */
	BC_RULE_TO_V6 = 1u << 5,   /* rewrite: to the address in its second detail, which is IPv6 */
	BC_RULE_TO_PORT = 1u << 6, /* rewrite: to the port in its detail */
	BC_RULE_HIDDEN = 1u << 7,  /* rewrite: getsockname(2) shows what was asked for */
};

/* A reference: a 27-bit number and what it counts; on a rule, 25 bits and what spares the look at its cell. */
#define BC_REF_NUMBER 0x07ffffffu
#define BC_REF_RULE 0x01ffffffu
#define BC_REF_HOST (1u << 25)	 /* with BC_REF_PLAIN: in the initial network namespace */
#define BC_REF_PLAIN (1u << 26)	 /* on a rule: it grants, asks for nothing else, and is not to be reported */
#define BC_REF_OTHERS (1u << 27) /* on a rule: a reserve, as it concerns everyone else */
#define BC_REF_LAST (1u << 28)	 /* in a list: its last reference */
#define BC_REF_START (1u << 29)	 /* on a rule: one of the ranges it was written with starts in this segment */
#define BC_REF_LIST (1u << 30)	 /* the number is an entry of `lists`; otherwise a rule */
#define BC_REF_RUN (1u << 31)	 /* in a slot: the number is a segment, the first of the subject's several */

struct bc_header {
	__u32 magic;	/* BC_MAGIC */
	__u16 schema;	/* BC_SCHEMA */
	__u16 features; /* enum bc_feature */
	__u32 seed;	/* of the index's hashes */
	__u32 buckets;	/* of the index; never zero */
	__u32 segments; /* first cell of the segments */
	__u32 lists;	/* first cell of the lists */
	__u32 rules;	/* first cell of the rules */
	__u32 scopes;	/* first cell of the scopes */
	__u32 labels;	/* first cell of the labels */
	/* The rest is not compiled but filled in at publication. */
	__s32 tai_offset; /* seconds by which the TAI clock is ahead of Unix time */
	__u64 root;	  /* id of the cgroup that paths begin at: the root that the publisher saw */
	__u64 epoch;	  /* random; another one whenever the scopes, or the root, are other ones */
	__u64 generation; /* of the policy; one more at each publication, never zero */
};

struct bc_about {
	__u64 digest; /* of the rules, whatever their order, file or line */
	__u32 cells;  /* in the whole image */
	__u32 nrules;
	__u32 nscopes; /* the root included */
	__u32 names;   /* first cell of the names */
	__u32 nsources;
	__u32 reserved[9];
};

/*
 * One subject in one scope. It is in the bucket of its hash, or, where that has no free slot, in that of its rehash.
 * Slots of a bucket are filled in order.
 */
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
	__u8 err;	 /* of a deny, a reserve's too: the errno that bind(2) gives */
	__u16 flags;	 /* enum bc_rule_flag */
	__u16 source;	 /* index of the name of the file that the rule was read from */
	__u32 line;	 /* in that file, from 1 */
	__u32 id;	 /* of the rule's meaning; what commands show and take as its id */
	__u32 more;	 /* its first detail, numbered on from the last rule; of a rule without details, its group */
	/* Written by the programs, and by user space into the image that is to follow. */
	__u32 last; /* time of its last hit, in units of 2^30 ns (1.07 s) of CLOCK_MONOTONIC */
	__u64 hits; /* binds that the rule decided, or that it would have but that it only audits */
};

/*
 * What few rules say, and so is not in every rule's cell: see bc_has_details(). A rewrite to an address has a second
 * one behind the first, of which `addr` is that address.
 */
struct bc_detail {
	__u32 addr[4]; /* with BC_IF_V4 or BC_IF_V6 */
	__u64 until;   /* nanoseconds of Unix time; with BC_IF_UNTIL */
	__u32 gid;     /* with BC_IF_GROUP */
	__u16 to_port; /* with BC_RULE_TO_PORT */
	__u8 prefix;   /* length in bits of 128; with BC_IF_V4 or BC_IF_V6 */
	__u8 reserved;
};

/* A cgroup that rules name, or one above such a cgroup. Number n is entry n - 1 of the scopes. */
struct bc_scope {
	__u32 first;  /* the nearest scope that has rules: itself or one above it; 0: none */
	__u32 up;     /* the nearest scope above it that has rules; 0: none */
	__u32 parent; /* 0: it is the root */
	__u32 label;  /* first part of its name, counted from the labels' first, << 8 | number of parts */
};

#define BC_RULE_NONE (~0u) /* the number of no rule */

#define BC_SLOTS 4u	      /* in a cell */
#define BC_SEGMENTS 8u	      /* in a cell */
#define BC_REFS 16u	      /* in a cell */
#define BC_RULES 2u	      /* in a cell; and as many details */
#define BC_SCOPES 4u	      /* in a cell */
#define BC_RULES_MAX 4194304u /* keeps every number below BC_REF_RULE and an image below 1 GiB */
#define BC_SCOPES_MAX 1048576u
#define BC_DEPTH_MAX 2048u /* cgroups in a path; more than a line of policy can name */
#define BC_NAME_MAX 255u   /* bytes of a cgroup's name: NAME_MAX, linux/limits.h */
#define BC_PART_SIZE 32u
#define BC_NAME_PARTS 8u /* that hold such a name */
#define BC_NAME_MORE 33	 /* for a part's length: a whole part, and more of the name behind it */

/* A part of a cgroup's name, padded with NUL. */
union bc_part {
	char bytes[BC_PART_SIZE];
	__u64 words[4];
};

#define BC_PARTS 2u /* in a cell */

#define BC_HIT_SHIFT 30 /* of nanoseconds, for the time of a rule's last hit */

union bc_cell {
	struct bc_header header;
	struct bc_about about;
	struct bc_slot slots[BC_SLOTS];
	struct bc_segment segments[BC_SEGMENTS];
	__u32 refs[BC_REFS];
	struct bc_rule_cell rules[BC_RULES];
	struct bc_detail details[BC_RULES];
	struct bc_scope scopes[BC_SCOPES];
	char names[BC_CELL_SIZE];
	union bc_part parts[BC_PARTS];
};

/*
 * An element of the array; the last one is padded with zeros. A union, because Linux 6.1 looks for timers in a structure,
 * and then takes the programs' array, which has BTF, and one without for two different kinds.
 */
union bc_page {
	union bc_cell cells[BC_PAGE_CELLS];
};

/*
 * The value of the map `bc_gate`, which stands before the image and is all that most binds meet. It decides nothing
 * and may let anything through to the image, but it must let through what the image speaks of: it holds at least the
 * ports and features of whatever image is in force. Who publishes one opens the gate for it before, and closes it to
 * what the last one needed afterwards.
 */
struct bc_gate {
	__u64 features;		 /* enum bc_feature, all rules together */
	__u32 watch;		 /* a bit for each reader of events, BC_WATCH_ALL() besides for one that wants all */
	__s32 tai_offset;	 /* as in the header of the image */
	__u64 ports[65536 / 64]; /* a bit for each port that any rule names; all of them while a reader wants all */
};

/*
 * Who reads events has a number, below this. Each gets every event, in a ring buffer of its own, which it puts into the
 * map `bc_rings`.
 */
#define BC_READERS 8u
#define BC_WATCH(reader) (1u << (reader))
#define BC_WATCH_ALL(reader) (1u << ((reader) + BC_READERS)) /* not reports alone, but each bind */

/* An element of the map `bc_readers`. */
struct bc_reader {
	__u64 lost;    /* events that found no room in its ring */
	__u64 limited; /* events kept back by its rate */
	__u64 second;  /* of Unix time, in which `spent` events were handed out */
	__u64 spent;
	__u32 rate; /* events a second of binds that nothing refused; 0: as many as there are */
	__u32 reserved;
};

/* The value of the map `bc_state`: what the programs remember. */
struct bc_state {
	__u64 host_netns; /* cookie of the initial network namespace; 0: not looked up yet */
	__u64 notes_left; /* whether any socket was ever left a note: most policies leave none */
	__u64 clock;	  /* when it was last looked at: the kernel's ticks << 32 | units of bc_rule_cell's `last` */
};

#define BC_LINKED 6u /* one for each hook */

/*
 * The value of the map `bc_schema`, which says whose pins these are. Of any schema the first two fields are what they
 * are here.
 */
struct bc_schema {
	__u32 magic;	/* BC_MAGIC */
	__u32 schema;	/* BC_SCHEMA */
	__u32 features; /* that the linked programs know; 0 while they are being replaced */
	__u32 reserved;
	__u64 cgroup;		   /* id of the cgroup that they were attached to last; 0: none yet */
	__u32 programs[BC_LINKED]; /* ids of what was linked then, by hook; 0: not known */
};

/* What the map `bc_counters` counts. */
enum bc_counter {
	BC_COUNT_LOST,	  /* events that found no room in a reader's ring */
	BC_COUNT_REFUSED, /* binds left to the kernel that it is known to refuse: IPv4, and behind it IPv6 */
	/* Binds of ports that a rule names, of IPv4 by enum bc_verdict, and behind them of IPv6. */
	BC_COUNT_DECIDED = BC_COUNT_REFUSED + 2,
	BC_COUNTERS = BC_COUNT_DECIDED + 2 * 6,
};

/* What an event is of. Of one bind there may be one of the kind BC_EVENT_AUDIT, and one of another kind. */
enum bc_event_kind {
	BC_EVENT_DENY = 1, /* bind(2) was refused */
	BC_EVENT_AUDIT, /* it would have been, but the rule only audits; what was decided instead is another matter */
	BC_EVENT_LOG,	/* the deciding rule asks to be reported */
	BC_EVENT_KERNEL, /* no rule grants it, and the kernel is about to refuse it: a low port, an unprivileged caller */
	BC_EVENT_BIND,	 /* any other, for readers that want all */
};

/* What else is known of it. */
enum bc_event_flag {
	BC_EVENT_CHOSEN = 1u << 0,     /* the bind asked for port 0 and got this one */
	BC_EVENT_PRIVILEGED = 1u << 1, /* the port needs no grant: it is not low, or the caller has the capability */
	BC_EVENT_HOST = 1u << 2,       /* in the initial network namespace */
	BC_EVENT_V6ONLY = 1u << 3,     /* the socket takes IPv6 addresses only, so [::] leaves the IPv4 port alone */
};

/* One record of a reader's ring buffer. */
struct bc_event {
	__u64 time;	  /* nanoseconds of Unix time */
	__u64 generation; /* of the policy that decided */
	__u64 cgroup;	  /* id of the task's cgroup */
	__u64 netns;	  /* cookie of the socket's network namespace */
	__u32 addr[4];	  /* asked for */
	__u32 to[4];	  /* rewritten to; otherwise `addr` again */
	__u16 port;	  /* asked for, or chosen by the kernel with BC_EVENT_CHOSEN */
	__u16 to_port;
	__u16 err;    /* with BC_EVENT_DENY, BC_EVENT_AUDIT and BC_EVENT_KERNEL */
	__u8 proto;   /* one of enum bc_proto */
	__u8 family;  /* 4 or 6: of the socket */
	__u8 kind;    /* enum bc_event_kind */
	__u8 verdict; /* enum bc_verdict */
	__u8 flags;   /* enum bc_event_flag */
	__u8 reserved;
	__u32 rule; /* its number in the image of that generation; BC_RULE_NONE: no rule decided */
	__u32 id;   /* of the rule's meaning */
	__u32 pid;  /* in the initial pid namespace */
	__u32 tid;
	__u32 uid; /* effective, as all ids in the initial user namespace */
	__u32 ruid;
	__u32 gid; /* effective */
	char comm[16];
};

/*
 * The last refusals of each user, whoever may be reading events or not: elements of the map `bc_refusals`. A user has
 * BC_REFUSALS_USER of them, shared with those whose uid has the same place, and with all whom he becomes in a user
 * namespace that he made. Refusals of one port and protocol are kept in one place, so that a program that tries again and
 * again leaves the others there. While `turn` is odd, or another one behind the copying than before, the rest is being
 * written.
 */
struct bc_refusal {
	__u64 turn;
	__u64 times; /* in a row, of one port and protocol; 0: none ever */
	struct bc_event last;
};

#define BC_REFUSALS_USER 16u
#define BC_REFUSALS_USERS 64u
#define BC_REFUSALS (BC_REFUSALS_USER * BC_REFUSALS_USERS)

#define BC_INLINE static inline __attribute__((always_inline))

/* Whether part of what the rule says is in a detail, or in two. */
BC_INLINE int bc_has_details(const struct bc_rule_cell *rule)
{
	return rule->conditions & (BC_IF_V4 | BC_IF_V6 | BC_IF_UNTIL) ||
	       rule->flags & (BC_RULE_TO_V4 | BC_RULE_TO_V6 | BC_RULE_TO_PORT);
}

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

/* Another hash, as good and as far from the first as chance allows. */
BC_INLINE __u32 bc_rehash(__u32 hash)
{
	hash ^= hash >> 16;
	hash *= 0x7feb352du;
	hash ^= hash >> 15;
	hash *= 0x846ca68bu;
	return hash ^ hash >> 16;
}

BC_INLINE __u32 bc_bucket(__u32 hash, __u32 buckets)
{
	return (__u64)hash * buckets >> 32;
}

BC_INLINE __u32 bc_key(__u32 scope, __u32 kind)
{
	return scope << 2 | kind;
}

/*
 * The hash of a cgroup's name, one part of it after the other, beginning with the image's seed. Only finds the
 * name's place: whoever finds it compares the whole name. But no two names may share it under every seed, or no image
 * could hold both. One multiplication would not do: a difference in a word's highest bits goes through it as it is,
 * whatever the seed, and the next word can undo it. Of the second what it does depends on all the bits below.
 */
BC_INLINE __u64 bc_name_hash(__u64 hash, const union bc_part *part)
{
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		hash = (hash ^ part->words[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
		hash *= 0xd6e8feb86659fd93u;
		hash ^= hash >> 29;
	}
	return hash;
}

/* What the slot of a name has as its id, of the hash of all its parts. */
BC_INLINE __u32 bc_name_id(__u64 hash)
{
	return hash ^ hash >> 32;
}

#define BC_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " is not " #size " bytes")
BC_ASSERT_SIZE(struct bc_header, 64);
BC_ASSERT_SIZE(struct bc_about, 64);
BC_ASSERT_SIZE(struct bc_scope, 16);
BC_ASSERT_SIZE(struct bc_slot, 16);
BC_ASSERT_SIZE(struct bc_segment, 8);
BC_ASSERT_SIZE(struct bc_rule_cell, 32);
BC_ASSERT_SIZE(struct bc_detail, 32);
BC_ASSERT_SIZE(union bc_cell, 64);
BC_ASSERT_SIZE(union bc_page, 4096);
BC_ASSERT_SIZE(struct bc_gate, 8208);
BC_ASSERT_SIZE(struct bc_reader, 40);
BC_ASSERT_SIZE(struct bc_refusal, 136);
BC_ASSERT_SIZE(struct bc_schema, 48);
BC_ASSERT_SIZE(struct bc_event, 120);

#endif
