/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision: which rule of an image decides a bind. One text, compiled into the BPF programs, into `bindctl
 * explain` and into the tests.
 *
 * Precedence is compiled into the image, so this only searches: from the deepest scope outwards, in each the subject's
 * slot, in it the segment that holds the port, and in the segment the first rule whose conditions hold. A nearer
 * subject goes first; the first rule that holds decides.
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
#ifndef BINDCTL_MATCH_H
#define BINDCTL_MATCH_H

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

/* What a decided bind's rules say, beyond the verdict. */
struct bc_reply {
	__u64 generation;
	__u32 relied;	/* the answer holds because the socket is V6ONLY */
	__u32 v4;	/* it is the answer for the IPv4 side of a dual-stack bind */
	__u32 flags;	/* enum bc_rule_flag of the deciding rule */
	__u32 to_port;	/* of a rewrite */
	__u32 to[4];	/* of a rewrite */
	__u32 id;	/* of the deciding rule's meaning */
	__u32 audit_id; /* of the audited rule's meaning */
	__u32 audit_err;
	__u32 reserved;
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
	__u32 scope;
	__u32 up; /* the next one; 0: none */
	union {
		struct { /* looking for a slot */
			__u32 key;
			__u32 id;
			__u32 bucket;
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
	__u8 verdict; /* enum bc_verdict */
	__u8 reserved;
	__u16 err;     /* with BC_DENY */
	__u32 rule;    /* BC_RULE_NONE with BC_NONE */
	__u32 audited; /* the first rule that would have denied, but only audits; or BC_RULE_NONE */
	union {
		struct bc_walk walk; /* before the answer */
		struct bc_reply reply;
	};
};

/* What loops hand on. */
struct bc_search {
	void *image; /* what BC_CELL reads */
	struct bc_match *m;
	void *env; /* what BC_TRACE needs */
};

enum {
	BC_FOUND,
	BC_ABSENT,
	BC_MORE
};

#define BC_AUDITS (1u << 16) /* for BC_TRACE; no enum bc_condition */

BC_INLINE int bc_addr_within(const struct bc_match *m, const struct bc_rule_cell *r)
{
	__u64 upper = (__u64)(m->addr[0] ^ r->addr[0]) << 32 | (m->addr[1] ^ r->addr[1]);
	__u64 lower = (__u64)(m->addr[2] ^ r->addr[2]) << 32 | (m->addr[3] ^ r->addr[3]);
	__u32 bits = r->prefix;

	if (bits <= 64)
		return !bits || !(upper >> (64 - bits));
	return !upper && (bits > 128 || !(lower >> (128 - bits)));
}

/* The first condition of the rule that does not hold, or 0. `others`: as a reserve concerns everyone else. */
BC_GLOBAL __u32 bc_failed(struct bc_match *m, const struct bc_rule_cell *r, __u32 others)
{
	__u32 family, asked;

	if (!m || !r)
		return BC_IF_PROTO;
	family = m->v4 ? BC_IF_V4 : BC_IF_V6;
	asked = r->conditions;
	if (asked & BC_IF_PROTO && !(r->proto & m->proto))
		return BC_IF_PROTO;
	if (asked & (BC_IF_V4 | BC_IF_V6) && (!(asked & family) || !bc_addr_within(m, r)))
		return asked & (BC_IF_V4 | BC_IF_V6);
	if (asked & BC_IF_HOST && !m->host)
		return BC_IF_HOST;
	if (asked & BC_IF_UNTIL && BC_NOW(m) >= r->until)
		return BC_IF_UNTIL;
	if (asked & BC_IF_GROUP && !others && !BC_IN_GROUP(m, r->gid))
		return BC_IF_GROUP;
	return 0;
}

/* Non-zero: the search is over. */
BC_INLINE int bc_try_rule(struct bc_search *s, __u32 ref)
{
	struct bc_match *m = s->m;
	__u32 number = ref & BC_REF_NUMBER, others = ref & BC_REF_OTHERS, failed, verdict;
	const union bc_cell *cell = BC_CELL(s, m->rules + number);

	if (!cell || !cell->rule.verdict) {
		m->broken = 1;
		return 1;
	}
	verdict = others ? BC_DENY : cell->rule.verdict;
	failed = bc_failed(m, &cell->rule, others);
	if (!failed && verdict == BC_DENY && cell->rule.flags & BC_RULE_AUDIT) {
		failed = BC_AUDITS;
		if (m->audited == BC_RULE_NONE)
			m->audited = number;
	}
	BC_TRACE(s, ref, failed);
	if (failed)
		return 0;
	m->verdict = verdict;
	m->err = cell->rule.err;
	m->rule = number;
	return 1;
}

static long bc_try_list_entry(__u32 i, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_match *m = s->m;
	__u32 entry = m->left + i;
	const union bc_cell *cell = BC_CELL(s, m->lists + entry / BC_REFS);
	__u32 ref;

	if (!cell) {
		m->broken = 1;
		return 1;
	}
	ref = cell->refs[entry % BC_REFS];
	return bc_try_rule(s, ref) || ref & BC_REF_LAST ? 1 : 0;
}

/* m->ref: the rule or rules to try. */
BC_INLINE void bc_try(struct bc_search *s)
{
	struct bc_match *m = s->m;

	if (!(m->ref & BC_REF_LIST)) {
		bc_try_rule(s, m->ref);
		return;
	}
	m->left = m->ref & BC_REF_NUMBER;
	if (BC_LOOP(BC_RULES_MAX, bc_try_list_entry, s) < 0)
		m->broken = 1;
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

/* Which of a bucket's slots it is; BC_SLOTS: none, BC_SLOTS + 1: none, but the next bucket may have it. */
BC_GLOBAL __u32 bc_pick_slot(const union bc_cell *cell, __u32 key, __u32 id)
{
	__u32 found;

	if (!cell)
		return BC_SLOTS;
	found = cell->slots[BC_SLOTS - 1].key ? BC_SLOTS + 1 : BC_SLOTS;
#pragma GCC unroll 4
	for (__u32 i = 0; i < BC_SLOTS; i++)
		if (cell->slots[i].key == key && cell->slots[i].id == id)
			found = i;
	return found;
}

BC_INLINE int bc_scan_bucket(struct bc_search *s)
{
	struct bc_match *m = s->m;
	const union bc_cell *cell = BC_CELL(s, BC_INDEX + m->bucket);
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

static long bc_probe_on(__u32 i, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_match *m = s->m;
	int state;

	(void)i;
	m->bucket = m->bucket + 1 < m->buckets ? m->bucket + 1 : 0;
	state = bc_scan_bucket(s);
	if (state == BC_FOUND)
		m->found = 1;
	return state != BC_MORE;
}

/* m->key and m->id: of the slot that is looked for. Non-zero when there is one: m->ref and m->ports are its. */
BC_INLINE int bc_find_slot(struct bc_search *s)
{
	struct bc_match *m = s->m;
	int state;

	m->bucket = bc_bucket(bc_hash(m->key, m->id, m->seed), m->buckets);
	state = bc_scan_bucket(s);
	if (state != BC_MORE)
		return state == BC_FOUND;
	m->found = 0;
	if (BC_LOOP(BC_PROBES - 1, bc_probe_on, s) < 0)
		m->broken = 1;
	return m->found && !m->broken;
}

/* Non-zero: the search is over. */
BC_INLINE int bc_try_subject(struct bc_search *s, __u32 kind, __u32 id)
{
	struct bc_match *m = s->m;

	m->key = bc_key(m->scope, kind);
	m->id = id;
	if (!bc_find_slot(s))
		return m->broken;
	if (m->ref & BC_REF_RUN) {
		if (!bc_find_segment(s))
			return m->broken;
	} else if (m->port < (m->ports & 0xffff) || m->port > m->ports >> 16) {
		return 0;
	}
	bc_try(s);
	return m->broken || m->verdict != BC_NONE;
}

/* The entry of a scope; NULL when it cannot be read. */
BC_INLINE const struct bc_scope *bc_read_scope(struct bc_search *s, __u32 scope)
{
	const union bc_cell *cell = BC_CELL(s, s->m->scopes + (scope - 1) / BC_SCOPES);

	return cell ? &cell->scopes[(scope - 1) % BC_SCOPES] : NULL;
}

/* Goes on to the next of the task's scopes; zero behind the last. */
BC_INLINE int bc_next_scope(struct bc_search *s)
{
	struct bc_match *m = s->m;

	m->scope = m->up;
	m->up = 0;
	m->kind = BC_USER;
	if (m->scope > BC_SCOPE_ROOT) {
		const struct bc_scope *scope = bc_read_scope(s, m->scope);

		if (!scope)
			m->broken = 1;
		else
			m->up = scope->up;
	}
	return m->scope && !m->broken;
}

/* One subject of one scope: the deepest scope first, and in it the user first. Non-zero: the search is over. */
static long bc_try_next(__u32 i, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_match *m = s->m;
	__u32 kind;

	(void)i;
	if (m->kind > BC_ANYONE && !bc_next_scope(s))
		return 1;
	kind = m->kind;
	m->kind = kind + 1;
	/* The features stand in the order of the kinds, BC_F_USER first. */
	if (!(m->features >> (kind - 1) & 1))
		return 0;
	return bc_try_subject(s, kind, kind == BC_USER ? m->uid : 0) ? 1 : 0;
}

static long bc_hash_part(__u32 n, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_walk *w = &s->m->walk;
	int got = BC_NAME_PART(s->m, n);

	if (got <= 0) {
		s->m->broken = 1;
		return 1;
	}
	w->hash = bc_name_hash(w->hash, &w->part);
	w->parts = n + 1;
	return got != BC_NAME_MORE;
}

static long bc_compare_part(__u32 n, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_walk *w = &s->m->walk;
	const union bc_cell *cell;
	const union bc_part *part;

	if (n >= w->parts)
		return 1;
	cell = BC_CELL(s, w->labels + (w->label + n) / BC_PARTS);
	/* A name of one part is there already. */
	if (!cell || (w->parts > 1 && BC_NAME_PART(s->m, n) <= 0)) {
		s->m->broken = 1;
		return 1;
	}
	part = &cell->parts[(w->label + n) % BC_PARTS];
	s->m->found = !((part->words[0] ^ w->part.words[0]) | (part->words[1] ^ w->part.words[1]) |
			(part->words[2] ^ w->part.words[2]) | (part->words[3] ^ w->part.words[3]));
	return s->m->found ? 0 : 1;
}

/* Whether the name is, byte by byte, that of the scope. */
BC_INLINE int bc_is_named(struct bc_search *s, const struct bc_scope *scope)
{
	struct bc_match *m = s->m;

	m->walk.label = scope->label >> 8;
	m->found = (scope->label & 0xff) == m->walk.parts;
	if (m->found && BC_LOOP(BC_NAME_PARTS, bc_compare_part, s) < 0)
		m->broken = 1;
	return m->found && !m->broken;
}

/* One cgroup further down. Non-zero: no rule speaks of anything deeper on this path. */
static long bc_descend(__u32 i, void *ctx)
{
	struct bc_search *s = ctx;
	struct bc_match *m = s->m;
	struct bc_walk *w = &m->walk;
	const struct bc_scope *scope;
	int more = BC_COMPONENT(m, i);
	__u32 child;

	w->hash = m->seed;
	if (more < 0 || (more && BC_LOOP(BC_NAME_PARTS, bc_hash_part, s) < 0))
		m->broken = 1;
	if (!more || m->broken)
		return 1;
	m->key = bc_key(w->scope, BC_CHILD);
	m->id = bc_name_id(w->hash);
	if (!bc_find_slot(s))
		return 1;
	child = m->ref & BC_REF_NUMBER;
	scope = bc_read_scope(s, child);
	if (!scope)
		m->broken = 1;
	if (!scope || !bc_is_named(s, scope))
		return 1;
	w->scope = child;
	return 0;
}

/*
 * Finds m->first for the task that BC_COMPONENT speaks of. After bc_open(); what m->walk holds for the hooks, and its
 * `labels`, are set. The walk ends where the rules' names do, so what a user builds further down costs nothing and
 * means nothing. Zero when something could not be read.
 */
BC_INLINE int bc_find_scope(struct bc_search *s)
{
	struct bc_match *m = s->m;
	const struct bc_scope *scope;

	m->walk.scope = BC_SCOPE_ROOT;
	if (BC_LOOP(BC_DEPTH_MAX, bc_descend, s) < 0)
		m->broken = 1;
	scope = bc_read_scope(s, m->walk.scope);
	m->first = scope ? scope->first : 0;
	if (!scope)
		m->broken = 1;
	return !m->broken;
}

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

/* The cell of the image that tells whether a rule names the port, and whether it does. */
BC_INLINE __u32 bc_port_cell(__u32 port)
{
	return BC_PORTS + port / 512;
}

BC_INLINE int bc_is_named_port(const union bc_cell *cell, __u32 port)
{
	return cell && cell->ports[port / 64 % 8] >> port % 64 & 1;
}

/* The answer for one address. */
static BC_NOINLINE int bc_decide_side(struct bc_search *s)
{
	struct bc_match *m = s->m;

	m->verdict = BC_NONE;
	m->rule = BC_RULE_NONE;
	m->err = 0;
	m->up = m->first;
	m->kind = BC_ANYONE + 1;
	/* Three subjects a scope. */
	if (m->proto && BC_LOOP(3 * BC_DEPTH_MAX, bc_try_next, s) < 0)
		m->broken = 1;
	if (m->broken) {
		m->verdict = BC_NONE;
		m->rule = BC_RULE_NONE;
		m->audited = BC_RULE_NONE;
	}
	return 0;
}

/*
 * [::] on a dual-stack socket takes the IPv4 port too: both are decided, and the lesser privilege holds; of two
 * rewrites the one that stands first in the policy. On a V6ONLY socket the IPv6 answer alone does.
 */
BC_INLINE void bc_decide_v4_side(struct bc_search *s, struct bc_reply *reply)
{
	struct bc_match *m = s->m;
	__u32 verdict = m->verdict, rule = m->rule, err = m->err, audited = m->audited, lesser;

	m->v4 = 1;
	m->addr[2] = 0xffff;
	bc_decide_side(s);
	m->v4 = 0;
	m->addr[2] = 0;
	lesser = m->verdict < verdict || (m->verdict == verdict && verdict == BC_REWRITE && m->rule < rule);
	if (lesser || m->audited != audited) {
		__u32 v6only = !!BC_IS_V6ONLY(m);

		reply->relied = lesser && v6only;
		reply->v4 = lesser && !v6only;
		if (v6only)
			m->audited = audited;
	}
	if (!reply->v4) {
		m->verdict = verdict;
		m->rule = rule;
		m->err = err;
	}
}

/* Answers the question: m->verdict, m->rule, m->err, m->audited and m->reply. After bc_open() and bc_find_scope(). */
BC_INLINE void bc_decide(struct bc_search *s)
{
	const union bc_cell *about = BC_CELL(s, 1), *cell;
	struct bc_match *m = s->m;
	struct bc_reply *reply = &m->reply;

	__builtin_memset(reply, 0, sizeof(*reply));
	reply->generation = about ? about->about.generation : 0;
	bc_decide_side(s);
	/* Where no rule asks for an address, IPv4 is decided just as IPv6. */
	if (m->features & BC_F_ADDR && !m->v4 && !(m->addr[0] | m->addr[1] | m->addr[2] | m->addr[3]))
		bc_decide_v4_side(s, reply);
	if (m->rule != BC_RULE_NONE) {
		cell = BC_CELL(s, m->rules + m->rule);
		if (cell) {
			reply->id = cell->rule.id;
			reply->flags = cell->rule.flags;
			reply->to_port = cell->rule.to_port;
#pragma GCC unroll 4
			for (int i = 0; i < 4; i++)
				reply->to[i] = cell->rule.to[i];
		}
	}
	if (m->audited != BC_RULE_NONE) {
		cell = BC_CELL(s, m->rules + m->audited);
		if (cell) {
			reply->audit_id = cell->rule.id;
			reply->audit_err = cell->rule.err;
		}
	}
}

#endif
