/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision: which rule of an image decides a bind. One text, compiled into the BPF programs, into `bindctl
 * explain` and into the tests.
 *
 * Precedence is compiled into the image, so this only searches: the subject's slot, in it the segment that holds the
 * port, and in the segment the first rule whose conditions hold. A nearer subject goes first; the first rule that
 * holds decides.
 *
 * The includer defines, before including this file:
 *
 *   BC_CELL(m, n)      const union bc_cell * to cell n of m->image, or NULL
 *   BC_LOOP(n, fn, m)  call fn(i, m) for i below n until it returns non-zero; negative if it could not
 *   BC_IS_HOST(m)      whether the bind happens in the initial network namespace
 *   BC_TRACE(m, number, failed)  a rule was looked at; `failed` is the condition that ruled it out, 0 for none
 *   BC_NOINLINE        what keeps a function out of line
 *
 * A cell that cannot be read stops the search and the answer is BC_NONE: never a grant, and never a wider rule in the
 * place of a nearer one that could not be seen.
 */
#ifndef BINDCTL_MATCH_H
#define BINDCTL_MATCH_H

#include "abi.h"

struct bc_match {
	/* The question. */
	void *image; /* what BC_CELL reads */
	void *env;   /* what the includer's other hooks need */
	__u32 addr[4];
	__u32 uid;
	__u32 scope;
	__u16 port;
	__u8 proto; /* one of enum bc_proto; zero when no rule can speak of it */
	__u8 v4;    /* addr is an IPv4 address */

	/* The image's header, as bc_open() read it. */
	__u32 features;
	__u32 seed;
	__u32 index;
	__u32 buckets;
	__u32 segments;
	__u32 lists;
	__u32 rules;

	/* The search. */
	__u32 key;
	__u32 id;
	__u32 bucket;
	__u32 ref;
	__u32 ports;
	__u32 left;
	__u32 right;
	__u32 host; /* 0: not asked yet, 1: the initial network namespace, 2: another */
	__u32 broken;

	/* The answer. */
	__u32 verdict;
	__u32 rule; /* BC_RULE_NONE with BC_NONE */
	__u32 err;  /* with BC_DENY */
};

enum {
	BC_FOUND,
	BC_ABSENT,
	BC_MORE
};

BC_INLINE int bc_addr_within(const struct bc_match *m, const struct bc_rule_cell *r)
{
	int bits = r->prefix;

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++, bits -= 32) {
		__u32 mask = bits >= 32 ? ~0u : bits <= 0 ? 0 : ~0u << (32 - bits);

		if ((m->addr[i] ^ r->addr[i]) & mask)
			return 0;
	}
	return 1;
}

/* The first condition of the rule that does not hold, or 0. */
BC_INLINE __u32 bc_failed(struct bc_match *m, const struct bc_rule_cell *r)
{
	__u32 family = m->v4 ? BC_IF_V4 : BC_IF_V6;
	__u32 asked = r->conditions;

	if (asked & BC_IF_PROTO && !(r->proto & m->proto))
		return BC_IF_PROTO;
	if (asked & (BC_IF_V4 | BC_IF_V6) && (!(asked & family) || !bc_addr_within(m, r)))
		return asked & (BC_IF_V4 | BC_IF_V6);
	if (asked & BC_IF_HOST) {
		if (!m->host)
			m->host = BC_IS_HOST(m) ? 1 : 2;
		if (m->host != 1)
			return BC_IF_HOST;
	}
	return 0;
}

/* Non-zero: the search is over. */
static BC_NOINLINE int bc_try_rule(struct bc_match *m, __u32 number)
{
	const union bc_cell *cell = BC_CELL(m, m->rules + number);
	__u32 failed;

	if (!cell || !cell->rule.verdict) {
		m->broken = 1;
		return 1;
	}
	failed = bc_failed(m, &cell->rule);
	BC_TRACE(m, number, failed);
	if (failed)
		return 0;
	m->verdict = cell->rule.verdict;
	m->err = cell->rule.err;
	m->rule = number;
	return 1;
}

static long bc_try_list_entry(__u32 i, void *ctx)
{
	struct bc_match *m = ctx;
	__u32 entry = m->left + i;
	const union bc_cell *cell = BC_CELL(m, m->lists + entry / BC_REFS);
	__u32 ref;

	if (!cell) {
		m->broken = 1;
		return 1;
	}
	ref = cell->refs[entry % BC_REFS];
	if (bc_try_rule(m, ref & BC_REF_NUMBER))
		return 1;
	return !!(ref & BC_REF_LAST);
}

/* m->ref: the rule or rules to try. */
BC_INLINE void bc_try(struct bc_match *m)
{
	if (!(m->ref & BC_REF_LIST)) {
		bc_try_rule(m, m->ref & BC_REF_NUMBER);
		return;
	}
	m->left = m->ref & BC_REF_NUMBER;
	if (BC_LOOP(BC_RULES_MAX, bc_try_list_entry, m) < 0)
		m->broken = 1;
}

/* One step of the binary search among the cells that a run of segments lies in. */
static long bc_halve(__u32 i, void *ctx)
{
	struct bc_match *m = ctx;
	__u32 middle = (m->left + m->right + 1) / 2;
	const union bc_cell *cell;

	(void)i;
	if (m->left >= m->right)
		return 1;
	cell = BC_CELL(m, m->segments + middle);
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

/* Takes the slot's run (m->ref, m->ports); non-zero when a segment holds the port, m->ref then being its own. */
static BC_NOINLINE int bc_find_segment(struct bc_match *m)
{
	__u32 first = m->ref & BC_REF_NUMBER, end = first + m->ports;
	const union bc_cell *cell;

	m->left = first / BC_SEGMENTS;
	m->right = (end - 1) / BC_SEGMENTS;
	/* A run holds at most 65,536 segments, so 8,192 cells: 14 steps always end the search. */
	if (m->left < m->right && BC_LOOP(16, bc_halve, m) < 0)
		m->broken = 1;
	cell = BC_CELL(m, m->segments + m->left);
	if (!cell || m->broken) {
		m->broken = 1;
		return 0;
	}
#pragma GCC unroll 8
	for (__u32 i = 0; i < BC_SEGMENTS; i++) {
		const struct bc_segment *s = &cell->segments[i];
		__u32 at = m->left * BC_SEGMENTS + i;

		if (at >= first && at < end && s->first <= m->port && m->port <= s->last) {
			m->ref = s->ref;
			return 1;
		}
	}
	return 0;
}

BC_INLINE int bc_scan_bucket(struct bc_match *m)
{
	const union bc_cell *cell = BC_CELL(m, m->index + m->bucket);

	if (!cell) {
		m->broken = 1;
		return BC_ABSENT;
	}
#pragma GCC unroll 4
	for (__u32 i = 0; i < BC_SLOTS; i++) {
		if (cell->slots[i].key == m->key && cell->slots[i].id == m->id) {
			m->ref = cell->slots[i].ref;
			m->ports = cell->slots[i].ports;
			return BC_FOUND;
		}
	}
	return cell->slots[BC_SLOTS - 1].key ? BC_MORE : BC_ABSENT;
}

static long bc_probe_on(__u32 i, void *ctx)
{
	struct bc_match *m = ctx;
	int state;

	(void)i;
	m->bucket = m->bucket + 1 < m->buckets ? m->bucket + 1 : 0;
	state = bc_scan_bucket(m);
	if (state == BC_FOUND)
		m->left = 1;
	return state != BC_MORE;
}

BC_INLINE int bc_find_slot(struct bc_match *m)
{
	int state;

	m->bucket = bc_bucket(bc_hash(m->key, m->id, m->seed), m->buckets);
	state = bc_scan_bucket(m);
	if (state != BC_MORE)
		return state == BC_FOUND;
	m->left = 0;
	if (BC_LOOP(BC_PROBES - 1, bc_probe_on, m) < 0)
		m->broken = 1;
	return m->left;
}

/* Non-zero: the search is over. */
static BC_NOINLINE int bc_try_subject(struct bc_match *m, __u32 kind, __u32 id)
{
	m->key = bc_key(m->scope, kind);
	m->id = id;
	if (!bc_find_slot(m))
		return m->broken;
	if (m->ref & BC_REF_RUN) {
		if (!bc_find_segment(m))
			return m->broken;
	} else if (m->port < (m->ports & 0xffff) || m->port > m->ports >> 16) {
		return 0;
	}
	bc_try(m);
	return m->broken || m->verdict != BC_NONE;
}

/* Reads the header; zero when there is no usable image. Does not look at the question. */
BC_INLINE int bc_open(struct bc_match *m)
{
	const union bc_cell *cell = BC_CELL(m, 0);

	if (!cell || cell->header.magic != BC_MAGIC || cell->header.schema != BC_SCHEMA)
		return 0;
	if (cell->header.features & ~BC_F_KNOWN)
		return 0;
	m->features = cell->header.features;
	m->seed = cell->header.seed;
	m->index = cell->header.index;
	m->buckets = cell->header.buckets;
	m->segments = cell->header.segments;
	m->lists = cell->header.lists;
	m->rules = cell->header.rules;
	return 1;
}

/* Whether any rule names the port at all: one look that spares most binds the rest. */
BC_INLINE int bc_port_named(struct bc_match *m, __u32 port)
{
	const union bc_cell *cell = BC_CELL(m, 1 + port / 512);

	return cell && cell->ports[port / 64 % 8] >> port % 64 & 1;
}

/* Answers the question: m->verdict, m->rule, m->err. After bc_open(). */
static BC_NOINLINE int bc_decide(struct bc_match *m)
{
	m->verdict = BC_NONE;
	m->rule = BC_RULE_NONE;
	m->err = 0;
	m->broken = 0;
	if (!m->proto)
		return 0;
	if (!(m->features & BC_F_USER) || !bc_try_subject(m, BC_USER, m->uid)) {
		if (m->features & BC_F_ANYONE)
			bc_try_subject(m, BC_ANYONE, 0);
	}
	if (m->broken) {
		m->verdict = BC_NONE;
		m->rule = BC_RULE_NONE;
	}
	return 0;
}

#endif
