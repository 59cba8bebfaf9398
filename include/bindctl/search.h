/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An image's sections, and how something is found in them: a slot of the index, the segment of a port, a scope. One
 * text for the kernel and for user space; match.h decides with it, and says what a decision is.
 *
 * The includer defines, before including this file:
 *
 *   BC_CELL(s, n)        const union bc_cell * to cell n of s->image, or NULL
 *   BC_LOOP(n, fn, ctx)  call fn(i, ctx) for i below n until it returns non-zero; negative if it could not
 *   BC_IS_V6ONLY(m)      whether the socket has IPV6_V6ONLY set
 *   BC_IN_GROUP(m, gid)  whether the task's effective or a supplementary group is this one
 *   BC_NOW(m)            nanoseconds of Unix time
 *   BC_TRACE(s, ref, failed)  a rule was looked at; `failed` is the condition that ruled it out, BC_AUDITS when it
 *                        holds but only audits, 0 when it decides
 *   BC_COMPONENT(m, i)   set m->walk.name to the name of the i-th cgroup below the root on the task's path, and
 *                        return 1; zero when the path ends before, negative on failure
 *   BC_NAME_PART(m, n)   the n-th part of that name into m->walk.part, padded with NUL; its bytes, or BC_NAME_MORE
 *                        when the name goes on behind it; zero or less on failure
 *   BC_NOINLINE          what keeps a function out of line
 *   BC_GLOBAL            the same for one that the kernel's verifier is to look at by itself: once, and not on every
 *                        path that leads to it. Its arguments are numbers and memory without pointers in it
 *
 * A cell that cannot be read stops the search and the answer is BC_NONE: never a grant, and never a wider rule in the
 * place of a nearer one that could not be seen.
 */
#ifndef BINDCTL_SEARCH_H
#define BINDCTL_SEARCH_H

#include "abi.h"

/* The way down from the root along a task's cgroups, as far as rules name them. */
struct bc_walk {
	__u64 name;   /* address of the name of the cgroup being looked at, for BC_NAME_PART */
	__u64 hash;   /* of the name */
	__u64 cgroup; /* address of the task's cgroup, for BC_COMPONENT */
	__u32 level;  /* of that cgroup, for BC_COMPONENT */
	__u32 start;  /* level of the root that paths begin at, for BC_COMPONENT */
	__u32 parts;  /* of the name */
	__u32 labels; /* first cell of the labels */
	__u32 label;  /* first part of the name that it is compared with, counted from the labels' first */
	__u32 scope;  /* where the walk has come to */
	union bc_part part;
};

/* What a decided bind's rules say beyond the verdict: for a rewrite, and for what is to be reported. */
struct bc_reply {
	__u64 generation;
	__u32 relied;	/* the answer holds because the socket is V6ONLY */
	__u32 v4;	/* it is the answer for the IPv4 side of a dual-stack bind */
	__u32 to_port;	/* of a rewrite */
	__u32 to[4];	/* of a rewrite */
	__u32 id;	/* of the deciding rule's meaning */
	__u32 audit_id; /* of the audited rule's meaning */
	__u32 audit_err;
};

/* A bind and the search for its rule. Numbers only: the verifier forgets pointers that a global function is given. */
struct bc_match {
	/* The question. */
	__u32 addr[4];
	__u64 socket; /* for the hooks: address of the socket */
	__u32 uid;
	__u16 port;
	__u8 proto; /* one of enum bc_proto; zero when no rule can speak of it */
	__u8 v4;    /* addr is an IPv4 address */
	__u8 host;  /* in the initial network namespace */

	/* The search. */
	__u8 broken;
	__u8 kind;   /* the next subject in the scope */
	__u8 found;  /* of what a loop looks for */
	__u32 first; /* the deepest of the task's scopes that has rules; 0: none */
	__u32 scope; /* the one being looked at */
	union {
		struct { /* looking for a slot */
			__u32 key;
			__u32 id;
		};
		struct { /* looking for a segment, or going through a list */
			__u32 left;
			__u32 right;
		};
	};
	__u32 ref;
	__u32 ports;

	/* The image's header, as bc_open() read it. */
	__u32 features;
	__u32 seed;
	__u32 buckets;
	__u32 segments;
	__u32 lists;
	__u32 rules;
	__u32 scopes;
	__s32 tai_offset; /* for BC_NOW */

	/* The answer. */
	__u8 verdict;	     /* enum bc_verdict */
	__u8 wanted : 1;     /* `reply` is, whatever the verdict */
	__u8 privileged : 1; /* for the hooks: the port needs no grant */
	__u8 tally : 3;	     /* for the hooks: enum tally */
	__u16 err;	     /* with BC_DENY */
	__u32 flags;	     /* enum bc_rule_flag of the deciding rule */
	__u32 rule;	     /* BC_RULE_NONE with BC_NONE */
	__u32 audited;	     /* the first rule that would have denied, but only audits; or BC_RULE_NONE */
	union {
		struct bc_walk walk; /* before the answer */
		struct bc_reply reply;
	};
};

/* What loops hand on. */
struct bc_search {
	void *image; /* what BC_CELL reads */
	void *first; /* for BC_CELL: its first page */
	struct bc_match *m;
	void *env; /* what BC_TRACE needs */
};

enum {
	BC_FOUND,
	BC_ABSENT,
	BC_MORE
};

/* Whether the cell is the header of an image that this program can read. */
BC_INLINE int bc_is_header(const union bc_cell *cell)
{
	return cell && cell->header.magic == BC_MAGIC && cell->header.schema == BC_SCHEMA &&
	       !(cell->header.features & ~BC_F_KNOWN);
}

/* Reads the header; zero when there is no usable image. Does not look at the question. */
BC_INLINE int bc_open(struct bc_search *s)
{
	const union bc_cell *cell = BC_CELL(s, 0);
	struct bc_match *m = s->m;

	if (!bc_is_header(cell))
		return 0;
	m->features = cell->header.features;
	m->seed = cell->header.seed;
	m->buckets = cell->header.buckets;
	m->segments = cell->header.segments;
	m->lists = cell->header.lists;
	m->rules = cell->header.rules;
	m->scopes = cell->header.scopes;
	m->tai_offset = cell->header.tai_offset;
	m->walk.labels = cell->header.labels;
	m->first = BC_SCOPE_ROOT;
	m->audited = BC_RULE_NONE;
	return 1;
}

/* The entry of a scope; NULL when it cannot be read. */
BC_INLINE const struct bc_scope *bc_read_scope(struct bc_search *s, __u32 scope)
{
	const union bc_cell *cell = BC_CELL(s, s->m->scopes + (scope - 1) / BC_SCOPES);

	return cell ? &cell->scopes[(scope - 1) % BC_SCOPES] : NULL;
}

/* A rule by its number; NULL when it cannot be read. */
BC_INLINE const struct bc_rule_cell *bc_read_rule(struct bc_search *s, __u32 number)
{
	const union bc_cell *cell = BC_CELL(s, s->m->rules + number / BC_RULES);
	const struct bc_rule_cell *rule = cell ? &cell->rules[number % BC_RULES] : NULL;

	/* One pointer, and not what it could be made of again: in the kernel there is no room on the stack for both. */
	__asm__("" : "+r"(rule));
	return rule;
}

/*
 * A detail by its number, which goes on where those of the rules end; NULL when it cannot be read. Out of line: few
 * rules have one, and the others would pay for it with the stack.
 */
static BC_NOINLINE const struct bc_detail *bc_read_detail(struct bc_search *s, __u32 number)
{
	const union bc_cell *cell = BC_CELL(s, s->m->rules + number / BC_RULES);

	return cell ? &cell->details[number % BC_RULES] : NULL;
}

/* One step of the binary search among the cells that a run of segments lies in. */
static long bc_halve(__u32 i, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_match *m = s->m;
	__u32 middle = (m->left + m->right + 1) / 2;
	const union bc_cell *cell;

	(void)i;
	if (m->left >= m->right)
		return 1;
	cell = BC_CELL(s, m->segments + middle);
	if (!cell) {
		m->broken = 1;
		return 1;
	}
	/* `middle` is not the run's first cell, so its first segment belongs to the run. */
	if (cell->segments[0].first <= m->port)
		m->left = middle;
	else
		m->right = middle - 1;
	return 0;
}

/*
 * Which of a cell's segments, the first of which is number `at`, holds the port, of those from `first` to `end` - 1
 * alone; BC_SEGMENTS for none.
 */
BC_GLOBAL __u32 bc_pick_segment(const union bc_cell *cell, __u32 at, __u32 first, __u32 end, __u32 port)
{
	__u32 found = BC_SEGMENTS;

	if (!cell)
		return BC_SEGMENTS;
#pragma GCC unroll 8
	for (__u32 i = 0; i < BC_SEGMENTS; i++) {
		const struct bc_segment *segment = &cell->segments[i];

		if (at + i >= first && at + i < end && segment->first <= port && port <= segment->last)
			found = i;
	}
	return found;
}

/* Takes the slot's run (m->ref, m->ports); non-zero when a segment holds the port, m->ref then being its own. */
BC_INLINE int bc_find_segment(struct bc_search *s)
{
	struct bc_match *m = s->m;
	__u32 first = m->ref & BC_REF_NUMBER, end = first + m->ports, found;
	const union bc_cell *cell;

	m->left = first / BC_SEGMENTS;
	m->right = (end - 1) / BC_SEGMENTS;
	/* A run holds at most 65,536 segments, so 8,192 cells: 14 steps always end the search. */
	if (m->left < m->right && BC_LOOP(16, bc_halve, s) < 0)
		m->broken = 1;
	cell = BC_CELL(s, m->segments + m->left);
	if (!cell || m->broken) {
		m->broken = 1;
		return 0;
	}
	found = bc_pick_segment(cell, m->left * BC_SEGMENTS, first, end, m->port);
	if (found >= BC_SEGMENTS)
		return 0;
	m->ref = cell->segments[found].ref;
	return 1;
}

/* Which of a bucket's slots it is; BC_SLOTS: none, BC_SLOTS + 1: none, but the other bucket may have it. */
BC_GLOBAL __u32 bc_pick_slot(const union bc_cell *cell, __u32 key, __u32 id)
{
	if (!cell)
		return BC_SLOTS;
#pragma GCC unroll 4
	for (__u32 i = 0; i < BC_SLOTS; i++)
		if (cell->slots[i].key == key && cell->slots[i].id == id)
			return i;
	return cell->slots[BC_SLOTS - 1].key ? BC_SLOTS + 1 : BC_SLOTS;
}

BC_INLINE int bc_scan_bucket(struct bc_search *s, __u32 hash)
{
	struct bc_match *m = s->m;
	const union bc_cell *cell = BC_CELL(s, BC_INDEX + bc_bucket(hash, m->buckets));
	__u32 found;

	if (!cell) {
		m->broken = 1;
		return BC_ABSENT;
	}
	found = bc_pick_slot(cell, m->key, m->id);
	if (found < BC_SLOTS) {
		m->ref = cell->slots[found].ref;
		m->ports = cell->slots[found].ports;
		return BC_FOUND;
	}
	return found > BC_SLOTS ? BC_MORE : BC_ABSENT;
}

/* m->key and m->id: of the slot that is looked for. Non-zero when there is one: m->ref and m->ports are its. */
BC_INLINE int bc_find_slot(struct bc_search *s)
{
	__u32 hash = bc_hash(s->m->key, s->m->id, s->m->seed);
	int state = bc_scan_bucket(s, hash);

	if (state == BC_MORE)
		state = bc_scan_bucket(s, bc_rehash(hash));
	return state == BC_FOUND;
}

#endif
