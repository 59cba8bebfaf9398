/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision: which rule of an image decides a bind. One text, compiled into the BPF programs, into `bindctl
 * explain` and into the tests.
 *
 * Precedence is compiled into the image, so this only searches: from the deepest scope outwards, in each the subject's
 * slot, in it the segment that holds the port, and in the segment the first rule whose conditions hold. A nearer
 * subject goes first; the first rule that holds decides.
 *
 * search.h, which is included first, says what the includer defines.
 */
#ifndef BINDCTL_MATCH_H
#define BINDCTL_MATCH_H

#include "search.h"
#include "walk.h"

#define BC_AUDITS (1u << 16) /* for BC_TRACE; no enum bc_condition */

BC_INLINE int bc_addr_within(const struct bc_match *m, const struct bc_detail *d)
{
	__u64 upper = (__u64)(m->addr[0] ^ d->addr[0]) << 32 | (m->addr[1] ^ d->addr[1]);
	__u64 lower = (__u64)(m->addr[2] ^ d->addr[2]) << 32 | (m->addr[3] ^ d->addr[3]);
	__u32 bits = d->prefix;

	if (bits <= 64)
		return !bits || !(upper >> (64 - bits));
	return !upper && (bits > 128 || !(lower >> (128 - bits)));
}

/*
 * The first condition of the rule that does not hold, or 0. `d`: the rule's detail, NULL when it has none; what is asked
 * for but nowhere said does not hold. `others`: as a reserve concerns everyone else.
 */
BC_GLOBAL __u32 bc_failed(struct bc_match *m, const struct bc_rule_cell *r, const struct bc_detail *d, __u32 others)
{
	__u32 family, asked;

	if (!m || !r)
		return BC_IF_PROTO;
	family = m->v4 ? BC_IF_V4 : BC_IF_V6;
	asked = r->conditions;
	if (asked & BC_IF_PROTO && !(r->proto & m->proto))
		return BC_IF_PROTO;
	if (asked & (BC_IF_V4 | BC_IF_V6) && (!(asked & family) || !d || !bc_addr_within(m, d)))
		return asked & (BC_IF_V4 | BC_IF_V6);
	if (asked & BC_IF_HOST && !m->host)
		return BC_IF_HOST;
	if (asked & BC_IF_UNTIL && (!d || BC_NOW(m) >= d->until))
		return BC_IF_UNTIL;
	if (asked & BC_IF_GROUP && !others && !BC_IN_GROUP(m, d ? d->gid : r->more))
		return BC_IF_GROUP;
	return 0;
}

/* A rule whose reference says it all. */
BC_INLINE int bc_try_plain(struct bc_search *s, __u32 ref)
{
	struct bc_match *m = s->m;
	__u32 failed = ref & BC_REF_HOST && !m->host ? BC_IF_HOST : 0;

	BC_TRACE(s, ref, failed);
	if (failed)
		return 0;
	m->verdict = BC_GRANT;
	m->rule = ref & BC_REF_RULE;
	return 1;
}

/* The detail of a rule, if it has one; zero when it cannot be read. */
BC_INLINE int bc_find_detail(struct bc_search *s, const struct bc_rule_cell *rule, const struct bc_detail **ret)
{
	*ret = NULL;
	if (!bc_has_details(rule))
		return 1;
	*ret = bc_read_detail(s, rule->more);
	return *ret != NULL;
}

/* Non-zero: the search is over. */
BC_INLINE int bc_try_rule(struct bc_search *s, __u32 ref)
{
	const struct bc_detail *detail;
	const struct bc_rule_cell *rule;
	struct bc_match *m = s->m;
	__u32 failed;

	if (ref & BC_REF_PLAIN)
		return bc_try_plain(s, ref);
	rule = bc_read_rule(s, ref & BC_REF_RULE);
	if (!rule || !rule->verdict || !bc_find_detail(s, rule, &detail)) {
		m->broken = 1;
		return 1;
	}
	failed = bc_failed(m, rule, detail, ref & BC_REF_OTHERS);
	if (!failed && (ref & BC_REF_OTHERS || rule->verdict == BC_DENY) && rule->flags & BC_RULE_AUDIT) {
		failed = BC_AUDITS;
		if (m->audited == BC_RULE_NONE)
			m->audited = ref & BC_REF_RULE;
	}
	BC_TRACE(s, ref, failed);
	if (failed)
		return 0;
	m->verdict = ref & BC_REF_OTHERS ? BC_DENY : rule->verdict;
	m->err = rule->err;
	m->flags = rule->flags;
	m->rule = ref & BC_REF_RULE;
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

/* Goes on to the next of the task's scopes; zero behind the last. */
BC_INLINE int bc_next_scope(struct bc_search *s)
{
	struct bc_match *m = s->m;
	const struct bc_scope *scope;

	/* Nothing is above the root. */
	if (m->scope == BC_SCOPE_ROOT)
		return 0;
	scope = bc_read_scope(s, m->scope);
	if (!scope) {
		m->broken = 1;
		return 0;
	}
	m->scope = scope->up;
	m->kind = BC_USER;
	return m->scope;
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

/* The answer for one address. */
static BC_NOINLINE int bc_decide_side(struct bc_search *s)
{
	struct bc_match *m = s->m;

	m->verdict = BC_NONE;
	m->rule = BC_RULE_NONE;
	m->err = 0;
	m->flags = 0;
	m->scope = m->first;
	m->kind = BC_USER;
	/* Three subjects a scope. */
	if (m->scope && m->proto && BC_LOOP(3 * BC_DEPTH_MAX, bc_try_next, s) < 0)
		m->broken = 1;
	if (m->broken) {
		m->verdict = BC_NONE;
		m->rule = BC_RULE_NONE;
		m->flags = 0;
		m->audited = BC_RULE_NONE;
	}
	return 0;
}

/* What m->rule says besides its verdict: read once more, for in the kernel there is no room on the stack to keep it. */
BC_INLINE void bc_recall(struct bc_search *s)
{
	struct bc_match *m = s->m;
	const struct bc_rule_cell *rule = m->rule == BC_RULE_NONE ? NULL : bc_read_rule(s, m->rule);

	m->err = rule ? rule->err : 0;
	m->flags = rule ? rule->flags : 0;
}

/*
 * [::] on a dual-stack socket takes the IPv4 port too: both are decided, and the lesser privilege holds; of two
 * rewrites the one that stands first in the policy. On a V6ONLY socket the IPv6 answer alone does.
 */
BC_INLINE void bc_decide_v4_side(struct bc_search *s, struct bc_reply *reply)
{
	struct bc_match *m = s->m;
	__u32 verdict = m->verdict, rule = m->rule, audited = m->audited, lesser;

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
		bc_recall(s);
	}
}

/* Whether anybody wants to know more of the answer than the verdict. */
BC_INLINE int bc_is_remarkable(const struct bc_match *m)
{
	return m->verdict == BC_DENY || m->verdict == BC_REWRITE || m->flags & BC_RULE_LOG ||
	       m->audited != BC_RULE_NONE;
}

/* Where a rewrite leads, by its details. Zero when they cannot be read. */
BC_INLINE int bc_read_target(struct bc_search *s, __u32 details, __u32 flags, struct bc_reply *reply)
{
	const struct bc_detail *detail = bc_read_detail(s, details);

	if (!detail)
		return 0;
	reply->to_port = detail->to_port;
	if (!(flags & (BC_RULE_TO_V4 | BC_RULE_TO_V6)))
		return 1;
	detail = bc_read_detail(s, details + 1);
	if (!detail)
		return 0;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		reply->to[i] = detail->addr[i];
	return 1;
}

/* The rest of the reply, from the header and the rules. */
BC_INLINE void bc_complete(struct bc_search *s, struct bc_reply *reply)
{
	const union bc_cell *cell = BC_CELL(s, 0);
	const struct bc_rule_cell *rule;
	struct bc_match *m = s->m;

	if (cell)
		reply->generation = cell->header.generation;
	rule = m->rule == BC_RULE_NONE ? NULL : bc_read_rule(s, m->rule);
	if (rule)
		reply->id = rule->id;
	/* Nowhere in particular, which the caller would take for the wildcard: no answer rather than that one. */
	if (m->verdict == BC_REWRITE && (!rule || !bc_read_target(s, rule->more, rule->flags, reply)))
		m->verdict = BC_NONE;
	rule = m->audited == BC_RULE_NONE ? NULL : bc_read_rule(s, m->audited);
	if (rule) {
		reply->audit_id = rule->id;
		reply->audit_err = rule->err;
	}
}

/*
 * Answers the question: m->verdict, m->rule, m->err, m->flags, m->audited and, if remarkable or wanted, m->reply. After
 * bc_open() and bc_find_scope().
 */
BC_INLINE void bc_decide(struct bc_search *s)
{
	struct bc_match *m = s->m;
	struct bc_reply *reply = &m->reply;

	__builtin_memset(reply, 0, sizeof(*reply));
	bc_decide_side(s);
	/* Where no rule asks for an address, IPv4 is decided just as IPv6. */
	if (m->features & BC_F_ADDR && !m->v4 && !(m->addr[0] | m->addr[1] | m->addr[2] | m->addr[3]))
		bc_decide_v4_side(s, reply);
	if (bc_is_remarkable(m) || reply->relied || m->wanted)
		bc_complete(s, reply);
}

#endif
