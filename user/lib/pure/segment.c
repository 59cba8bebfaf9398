// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "pure/segment.h"

void bc_plan_done(struct bc_plan *plan)
{
	free(plan->runs);
	free(plan->segments);
	free(plan->lists);
	tdestroy(plan->reported, free);
	*plan = (struct bc_plan){};
}

#define compare(a, b) (((a) > (b)) - ((a) < (b)))

int bc_entry_compare(const void *left, const void *right)
{
	const struct bc_entry *a = left, *b = right;

	if (a->key != b->key)
		return compare(a->key, b->key);
	if (a->id != b->id)
		return compare(a->id, b->id);
	if (a->first != b->first)
		return compare(a->first, b->first);
	return compare(a->rule & BC_REF_RULE, b->rule & BC_REF_RULE);
}

/* One run in the making: its entries, and those of them that hold at the port the sweep has come to. */
struct sweep {
	struct bc_plan *plan;
	const struct bc_policy *policy;
	const struct bc_entry *entries;
	const struct bc_entry **active;
	size_t nactive, active_room;
};

static unsigned width(const struct bc_entry *entry)
{
	return entry->last - entry->first;
}

static const struct bc_rule *rule_of(const struct bc_policy *policy, const struct bc_entry *entry)
{
	return &policy->rules[entry->rule & BC_REF_RULE];
}

static enum bc_verdict verdict_of(const struct bc_policy *policy, const struct bc_entry *entry)
{
	return entry->rule & BC_REF_OTHERS ? BC_DENY : bc_verb_verdict(rule_of(policy, entry)->verb);
}

/* The specific first: the narrower range, the longer prefix (none at all last), a protocol before none. */
static int compare_rank(const struct bc_policy *policy, const struct bc_entry *a, const struct bc_entry *b)
{
	const struct bc_rule *ra = rule_of(policy, a), *rb = rule_of(policy, b);
	bool addr_a = ra->clauses & BC_CLAUSE_ADDR, addr_b = rb->clauses & BC_CLAUSE_ADDR;
	bool proto_a = ra->clauses & BC_CLAUSE_PROTO, proto_b = rb->clauses & BC_CLAUSE_PROTO;

	if (width(a) != width(b))
		return compare(width(a), width(b));
	if (addr_a != addr_b)
		return addr_a ? -1 : 1;
	if (addr_a && ra->prefix != rb->prefix)
		return compare(rb->prefix, ra->prefix);
	return proto_a == proto_b ? 0 : proto_a ? -1 : 1;
}

/*
 * Rules of equal rank that cannot hold for the same bind, or only for one of somebody who is in two groups at once: 0
 * when neither is so.
 */
static int compare_reach(const struct bc_policy *policy, const struct bc_entry *a, const struct bc_entry *b)
{
	const struct bc_rule *ra = rule_of(policy, a), *rb = rule_of(policy, b);
	bool groups = a->key % 4 == BC_GROUP;

	if (ra->clauses & BC_CLAUSE_ADDR && ra->v4 != rb->v4)
		return ra->v4 ? -1 : 1;
	for (int i = 0; ra->clauses & BC_CLAUSE_ADDR && i < 4; i++)
		if (ra->addr[i] != rb->addr[i])
			return compare(ra->addr[i], rb->addr[i]);
	if (ra->proto != rb->proto)
		return compare(ra->proto, rb->proto);
	return groups ? compare(ra->id, rb->id) : 0;
}

/* At equal rank the least privilege first, then the order of files and lines. */
static int compare_privilege(const struct bc_policy *policy, const struct bc_entry *a, const struct bc_entry *b)
{
	enum bc_verdict va = verdict_of(policy, a), vb = verdict_of(policy, b);

	return va != vb ? compare(va, vb) : compare(a->rule & BC_REF_RULE, b->rule & BC_REF_RULE);
}

/* The order in which rules are tried. */
static int compare_active(const void *left, const void *right, void *ctx)
{
	const struct bc_policy *policy = ctx;
	const struct bc_entry *a = *(const struct bc_entry **)left, *b = *(const struct bc_entry **)right;

	return compare_rank(policy, a, b) ?: compare_privilege(policy, a, b);
}

/* An order in which rules that disagree are neighbours. */
static int compare_conflicting(const void *left, const void *right, void *ctx)
{
	const struct bc_policy *policy = ctx;
	const struct bc_entry *a = *(const struct bc_entry **)left, *b = *(const struct bc_entry **)right;

	return compare_rank(policy, a, b) ?: compare_reach(policy, a, b) ?: compare_privilege(policy, a, b);
}

static bool same_outcome(const struct bc_policy *policy, const struct bc_entry *left, const struct bc_entry *right)
{
	const struct bc_rule *a = rule_of(policy, left), *b = rule_of(policy, right);
	enum bc_verdict verdict = verdict_of(policy, left);

	if (verdict != verdict_of(policy, right))
		return false;
	if (verdict == BC_DENY)
		return a->err == b->err;
	if (verdict != BC_REWRITE)
		return true;
	return bc_rule_leads_alike(a, b) && !((a->clauses ^ b->clauses) & BC_CLAUSE_HIDDEN);
}

static int compare_pairs(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return compare(*a, *b);
}

/* Whether the pair was reported before: two rules may meet in many segments. Notes it. */
static bool is_reported(struct bc_plan *plan, const struct bc_entry *winner, const struct bc_entry *loser)
{
	uint64_t *pair = malloc(sizeof(*pair));
	void *node;

	if (!pair)
		return false;
	*pair = (uint64_t)(winner->rule & BC_REF_RULE) << 32 | (loser->rule & BC_REF_RULE);
	node = tsearch(pair, &plan->reported, compare_pairs);
	if (node && *(uint64_t **)node == pair)
		return false;
	free(pair);
	return node;
}

static void report_conflict(const struct sweep *sweep, const struct bc_entry *winner, const struct bc_entry *loser)
{
	const struct bc_rule *won = rule_of(sweep->policy, winner), *lost = rule_of(sweep->policy, loser);
	bool equal = verdict_of(sweep->policy, winner) == verdict_of(sweep->policy, loser);
	struct bc_error error;

	bc_fail_at(&error, 0, bc_policy_source_of(sweep->policy, lost), lost->line, 0,
		   "this %s and the %s at %s:%u are equally specific and disagree: the %s, of %s, decides",
		   bc_verb_name(lost->verb), bc_verb_name(won->verb), bc_policy_source_of(sweep->policy, won),
		   won->line, bc_verb_name(won->verb), equal ? "the earlier line" : "the lesser privilege");
	error.severity = sweep->plan->severity;
	bc_report_add(sweep->plan->report, &error);
}

/* A deny that only audits is as if absent. */
static bool is_audit(const struct bc_policy *policy, const struct bc_entry *entry)
{
	return rule_of(policy, entry)->clauses & BC_CLAUSE_AUDIT && verdict_of(policy, entry) == BC_DENY;
}

/*
 * Of each group of rules that can meet at equal rank, whoever disagrees with its first, which decides. A rule of the host's
 * namespace that comes before one of every namespace is an exception to it, and leaves it all the others.
 */
static void report_conflicts(const struct sweep *sweep)
{
	const struct bc_policy *policy = sweep->policy;
	const struct bc_entry *winner = NULL, *any = NULL;

	qsort_r(sweep->active, sweep->nactive, sizeof(*sweep->active), compare_conflicting, (void *)policy);
	for (size_t i = 0; i < sweep->nactive; i++) {
		const struct bc_entry *entry = sweep->active[i], *first;

		if (is_audit(policy, entry))
			continue;
		if (!winner || compare_rank(policy, winner, entry) || compare_reach(policy, winner, entry)) {
			winner = entry;
			any = NULL;
		}
		if (!any && rule_of(policy, entry)->any_netns)
			any = entry;
		first = rule_of(policy, entry)->any_netns ? any : winner;
		if (!same_outcome(policy, first, entry) && !is_reported(sweep->plan, first, entry))
			report_conflict(sweep, first, entry);
	}
}

/* Whether it is enough to know the rule's number to be granted: see BC_REF_PLAIN. */
static bool is_plain(const struct bc_policy *policy, const struct bc_entry *entry)
{
	const uint32_t asking = BC_CLAUSE_PROTO | BC_CLAUSE_ADDR | BC_CLAUSE_UNTIL | BC_CLAUSE_LOG;
	const struct bc_rule *rule = rule_of(policy, entry);

	return verdict_of(policy, entry) == BC_GRANT && rule->kind != BC_GROUP && !(rule->clauses & asking);
}

static uint32_t reference(const struct sweep *sweep, const struct bc_entry *entry, unsigned first)
{
	uint32_t ref = entry->rule | (entry->first == first ? BC_REF_START : 0);

	if (is_plain(sweep->policy, entry))
		ref |= BC_REF_PLAIN | (rule_of(sweep->policy, entry)->any_netns ? 0 : BC_REF_HOST);
	return ref;
}

static int add_list(struct sweep *sweep, unsigned first, uint32_t *ret_ref)
{
	struct bc_plan *plan = sweep->plan;

	if (plan->nlists + sweep->nactive > BC_LISTED_MAX)
		return -E2BIG;
	if (bc_grow(&plan->lists, &plan->lists_room, plan->nlists + sweep->nactive))
		return -ENOMEM;
	*ret_ref = plan->nlists | BC_REF_LIST;
	for (size_t i = 0; i < sweep->nactive; i++)
		plan->lists[plan->nlists++] = reference(sweep, sweep->active[i], first);
	plan->lists[plan->nlists - 1] |= BC_REF_LAST;
	return 0;
}

/* The active rules decide ports first to last. */
static int add_segment(struct sweep *sweep, unsigned first, unsigned last)
{
	struct bc_plan *plan = sweep->plan;
	struct bc_segment segment = { .first = first, .last = last };
	int r;

	if (!sweep->nactive)
		return 0;
	if (sweep->nactive == 1) {
		segment.ref = reference(sweep, sweep->active[0], first);
	} else {
		report_conflicts(sweep);
		qsort_r(sweep->active, sweep->nactive, sizeof(*sweep->active), compare_active, (void *)sweep->policy);
		r = add_list(sweep, first, &segment.ref);
		if (r)
			return r;
	}
	if (bc_grow(&plan->segments, &plan->segments_room, plan->nsegments + 1))
		return -ENOMEM;
	plan->segments[plan->nsegments++] = segment;
	return 0;
}

/* Drops what ended before `port`; returns the last port before any of the rest ends. */
static unsigned prune(struct sweep *sweep, unsigned port)
{
	unsigned last = UINT16_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < sweep->nactive; i++) {
		const struct bc_entry *entry = sweep->active[i];

		if (entry->last < port)
			continue;
		if (entry->last < last)
			last = entry->last;
		sweep->active[kept++] = entry;
	}
	sweep->nactive = kept;
	return last;
}

/* Sweeps over the n entries of one subject, from each port where some range begins or ends to the next such port. */
static int sweep_run(struct sweep *sweep, size_t n)
{
	const struct bc_entry *entries = sweep->entries;
	unsigned port = entries[0].first;
	size_t next = 0;

	for (;;) {
		unsigned last;
		int r;

		if (bc_grow(&sweep->active, &sweep->active_room, sweep->nactive + 1))
			return -ENOMEM;
		if (next < n && entries[next].first == port) {
			sweep->active[sweep->nactive++] = &entries[next++];
			continue;
		}
		last = prune(sweep, port);
		if (next < n && entries[next].first <= last)
			last = entries[next].first - 1;
		r = add_segment(sweep, port, last);
		if (r)
			return r;
		if (next == n && last == UINT16_MAX)
			return 0;
		port = last + 1;
		prune(sweep, port);
		if (!sweep->nactive) {
			if (next == n)
				return 0;
			port = entries[next].first;
		}
	}
}

int bc_plan_segments(struct bc_plan *plan, const struct bc_policy *policy, const struct bc_entry *entries, size_t n)
{
	struct sweep sweep = { .plan = plan, .policy = policy };
	int r = 0;

	for (size_t at = 0, end; !r && at < n; at = end) {
		struct bc_run run = { entries[at].key, entries[at].id, plan->nsegments, 0 };

		for (end = at + 1; end < n && entries[end].key == run.key && entries[end].id == run.id; end++)
			;
		sweep.entries = entries + at;
		sweep.nactive = 0;
		r = sweep_run(&sweep, end - at);
		run.n = plan->nsegments - run.first;
		if (!r && bc_grow(&plan->runs, &plan->runs_room, plan->nruns + 1))
			r = -ENOMEM;
		if (!r)
			plan->runs[plan->nruns++] = run;
	}
	free(sweep.active);
	return r;
}
