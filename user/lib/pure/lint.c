// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pure/decide.h"
#include "pure/lint.h"
#include "pure/moment.h"

/* Rules before one in a list that are compared with it: keeps a list of a million from taking forever. */
#define COMPARED_MAX 256

/* What is known of a rule so far. */
struct fate {
	bool decides;	 /* in some segment nothing that always holds with it comes before it */
	bool hidden;	 /* in some segment something does */
	uint32_t behind; /* that rule */
};

struct lint {
	const struct bc_policy *policy;
	const struct bc_cells *cells;
	struct fate *fates;
};

static bool within(const struct bc_rule *inner, const struct bc_rule *outer)
{
	for (unsigned i = 0; i < 4; i++) {
		int bits = outer->prefix - 32 * (int)i;
		uint32_t mask = bits >= 32 ? ~0u : bits <= 0 ? 0 : ~0u << (32 - bits);

		if ((inner->addr[i] ^ outer->addr[i]) & mask)
			return false;
	}
	return inner->v4 == outer->v4 && inner->prefix >= outer->prefix;
}

/* Whether the rule of reference `first` holds for every bind that `rule` holds for, port and subject aside. */
static bool always_holds(const struct bc_policy *policy, uint32_t first_ref, uint32_t rule_ref)
{
	const struct bc_rule *first = &policy->rules[first_ref & BC_REF_RULE];
	const struct bc_rule *rule = &policy->rules[rule_ref & BC_REF_RULE];

	/* What only audits decides nothing; the deny of a reserve counts whatever group its subject is. */
	if (first->clauses & BC_CLAUSE_AUDIT && (first->verb == BC_VERB_DENY || first_ref & BC_REF_OTHERS))
		return false;
	if (first->kind == BC_GROUP && !(first_ref & BC_REF_OTHERS) && first->id != rule->id)
		return false;
	if (first->clauses & BC_CLAUSE_PROTO && (!(rule->clauses & BC_CLAUSE_PROTO) || first->proto != rule->proto))
		return false;
	if (first->clauses & BC_CLAUSE_ADDR && (!(rule->clauses & BC_CLAUSE_ADDR) || !within(rule, first)))
		return false;
	if (first->clauses & BC_CLAUSE_UNTIL && (!(rule->clauses & BC_CLAUSE_UNTIL) || first->until < rule->until))
		return false;
	return first->any_netns || !rule->any_netns;
}

static void look_at_list(struct lint *lint, const uint32_t *refs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct fate *fate = &lint->fates[refs[i] & BC_REF_RULE];
		size_t k = 0;

		while (k < i && k < COMPARED_MAX && !always_holds(lint->policy, refs[k], refs[i]))
			k++;
		if (k == i || k == COMPARED_MAX) {
			/* A reserve that decides for nobody but the others is of use still. */
			fate->decides = true;
		} else if (!fate->hidden && !(refs[i] & BC_REF_OTHERS)) {
			fate->hidden = true;
			fate->behind = refs[k] & BC_REF_RULE;
		}
	}
}

/* Walks the lists section, which is one list behind another. */
static void look_at_lists(struct lint *lint)
{
	const struct bc_header *h = &lint->cells->cells[0].header;
	const uint32_t *refs = lint->cells->cells[h->lists].refs;
	size_t n = (size_t)(h->rules - h->lists) * BC_REFS;

	for (size_t i = 0, first = 0; i < n; i++) {
		if (refs[i] & BC_REF_LAST) {
			look_at_list(lint, refs + first, i + 1 - first);
			first = i + 1;
		}
	}
}

/* A rule that stands alone in a segment decides there. */
static void look_at_slot(struct lint *lint, const struct bc_slot *slot)
{
	const struct bc_header *h = &lint->cells->cells[0].header;

	if (!slot->key || (slot->key & 3) == BC_CHILD)
		return;
	if (!(slot->ref & (BC_REF_RUN | BC_REF_LIST)))
		lint->fates[slot->ref & BC_REF_RULE].decides = true;
	if (!(slot->ref & BC_REF_RUN))
		return;
	for (uint32_t k = slot->ref & BC_REF_NUMBER, n = 0; n < slot->ports; k++, n++) {
		uint32_t ref = lint->cells->cells[h->segments + k / BC_SEGMENTS].segments[k % BC_SEGMENTS].ref;

		if (!(ref & BC_REF_LIST))
			lint->fates[ref & BC_REF_RULE].decides = true;
	}
}

static void look_at_segments(struct lint *lint)
{
	const struct bc_header *h = &lint->cells->cells[0].header;

	for (uint32_t i = 0; i < h->buckets * BC_SLOTS; i++)
		look_at_slot(lint, &lint->cells->cells[BC_INDEX + i / BC_SLOTS].slots[i % BC_SLOTS]);
}

static void report_hidden(const struct lint *lint, uint32_t number, struct bc_report *report)
{
	const struct bc_policy *policy = lint->policy;
	const struct bc_rule *rule = &policy->rules[number], *first = &policy->rules[lint->fates[number].behind];
	bool same = bc_rule_same(policy, rule, policy, first);
	struct bc_error error;

	bc_fail_at(&error, 0, bc_policy_source_of(policy, rule), rule->line, 0,
		   same ? "this rule says the same as %s:%u" :
			  "this rule never decides: %s:%u always decides before it",
		   bc_policy_source_of(policy, first), first->line);
	error.severity = BC_WARNING;
	bc_report_add(report, &error);
}

/* Whether the two differ in their outcome alone: the compiler has said so already. */
static bool is_conflict(const struct bc_policy *policy, uint32_t a, uint32_t b)
{
	const uint32_t outcome = BC_CLAUSE_TO | BC_CLAUSE_HIDDEN | BC_CLAUSE_LOG | BC_CLAUSE_AUDIT;
	struct bc_rule left = policy->rules[a], right = policy->rules[b];

	if (left.verb == right.verb && left.err == right.err && !((left.clauses | right.clauses) & BC_CLAUSE_TO))
		return false;
	left.verb = right.verb = BC_VERB_DENY;
	left.err = right.err = 0;
	left.clauses &= ~outcome;
	right.clauses &= ~outcome;
	return bc_rule_digest(policy, &left) == bc_rule_digest(policy, &right);
}

static void report_rule(const struct bc_policy *policy, const struct bc_rule *rule, struct bc_report *report,
			const char *text)
{
	struct bc_error error;

	bc_fail_at(&error, 0, bc_policy_source_of(policy, rule), rule->line, 0, "%s", text);
	error.severity = BC_WARNING;
	bc_report_add(report, &error);
}

/* What a rule says of itself alone. */
static void look_at_rule(const struct bc_policy *policy, const struct bc_rule *rule, int64_t now,
			 struct bc_report *report)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	if (rule->clauses & BC_CLAUSE_UNTIL && rule->until <= now) {
		bc_text_addf(&text, "this rule has expired, at ");
		bc_format_moment(&text, rule->until);
		report_rule(policy, rule, report, text.failed ? "this rule has expired" : text.data);
	}
	if (rule->verb == BC_VERB_RESERVE && rule->kind == BC_ANYONE && !bc_policy_path(policy, rule))
		report_rule(policy, rule, report,
			    "the root cgroup holds everybody: this reserve is for all and denies nobody");
	if (rule->clauses & BC_CLAUSE_ADDR && rule->v4 && rule->to_addr && !rule->to_v4)
		report_rule(policy, rule, report,
			    "IPv4 sockets cannot take the IPv6 address of this rewrite: their binds fail");
}

/* A question of the rule's subject, who is in no other group, at an address yet to be said. */
static struct bc_question question_of(const struct bc_policy *policy, const struct bc_rule *rule, int64_t now)
{
	return (struct bc_question){
		.uid = rule->kind == BC_USER ? rule->id : UINT32_MAX - 1,
		.gid = rule->kind == BC_GROUP ? rule->id : UINT32_MAX - 1,
		.host_netns = true,
		.proto = rule->proto & BC_TCP ? BC_TCP : BC_UDP,
		.cgroup = bc_policy_path(policy, rule),
		.now = now,
	};
}

/*
 * Sets *ret to whether a rewrite of 0.0.0.0 decides for dual-stack sockets at [::], because what is said of [::] gives more;
 * as far as the ends of its port ranges tell.
 */
static int takes_dual_stack(const struct bc_policy *policy, const struct bc_cells *cells, const struct bc_rule *rule,
			    int64_t now, bool *ret)
{
	struct bc_question question = question_of(policy, rule, now);

	*ret = false;
	for (uint32_t i = 0; !*ret && i < 2 * rule->nranges; i++) {
		const struct bc_range *range = &policy->ranges[rule->ranges + i / 2];
		_cleanup_(bc_answer_done) struct bc_answer answer = {};
		int r;

		question.port = i % 2 ? range->last : range->first;
		r = bc_decide_image(cells, &question, &answer);
		if (r)
			return r;
		*ret = answer.rule == rule - policy->rules;
	}
	return 0;
}

/* Asks for what a rewrite leads to as if its subject asked for that. A dual-stack socket at [::] asks for 0.0.0.0, too. */
static int target_of(const struct bc_policy *policy, const struct bc_cells *cells, const struct bc_rule *rule,
		     int64_t now, struct bc_question *ret)
{
	const uint32_t *addr = rule->to_addr ? rule->to : rule->addr;
	bool dual = false;
	int r = 0;

	*ret = question_of(policy, rule, now);
	ret->port = rule->to_port;
	if (!rule->to_addr && !(rule->clauses & BC_CLAUSE_ADDR))
		return 0;
	if (!rule->to_addr && rule->v4 && !rule->addr[3])
		r = takes_dual_stack(policy, cells, rule, now, &dual);
	if (r || dual)
		return r;
	ret->v4 = rule->to_addr ? rule->to_v4 : rule->v4;
	memcpy(ret->addr, addr, sizeof(ret->addr));
	return 0;
}

/* That a rewrite passes by a deny may be what it is for, but hardly if that stands in another's file, or reserves. */
static int look_at_target(const struct bc_policy *policy, const struct bc_cells *cells, const struct bc_rule *rule,
			  int64_t now, struct bc_report *report)
{
	_cleanup_(bc_answer_done) struct bc_answer answer = {};
	struct bc_question question;
	const struct bc_rule *keeps;
	struct bc_error error;
	int r;

	if (!rule->to_port)
		return 0;
	r = target_of(policy, cells, rule, now, &question);
	r = r ?: bc_decide_image(cells, &question, &answer);
	if (r || answer.verdict != BC_DENY)
		return r == -ENOMEM ? r : 0;
	keeps = &policy->rules[answer.rule];
	if (keeps->source == rule->source && keeps->verb != BC_VERB_RESERVE)
		return 0;
	bc_fail_at(&error, 0, bc_policy_source_of(policy, rule), rule->line, 0,
		   "this rewrite leads to port %u, past the %s at %s:%u: what a rewrite leads to is not decided again",
		   rule->to_port, bc_verb_name(keeps->verb), bc_policy_source_of(policy, keeps), keeps->line);
	error.severity = BC_WARNING;
	bc_report_add(report, &error);
	return 0;
}

int bc_lint(const struct bc_policy *policy, const struct bc_cells *cells, int64_t now, struct bc_report *report)
{
	_cleanup_free_ struct fate *fates = calloc(policy->n + 1, sizeof(*fates));
	struct lint lint = { policy, cells, fates };

	if (!fates)
		return -ENOMEM;
	look_at_lists(&lint);
	look_at_segments(&lint);
	for (uint32_t i = 0; i < policy->n; i++) {
		if (!fates[i].decides && fates[i].hidden && !is_conflict(policy, i, fates[i].behind))
			report_hidden(&lint, i, report);
		look_at_rule(policy, &policy->rules[i], now, report);
		if (look_at_target(policy, cells, &policy->rules[i], now, report))
			return -ENOMEM;
	}
	return 0;
}

/* The first port of the range that the kernel may choose; 0 when there is none. */
static unsigned first_open(const struct bc_range *range, const struct bc_ephemeral *ephemeral)
{
	unsigned port = range->first > ephemeral->range.first ? range->first : ephemeral->range.first;
	unsigned last = range->last < ephemeral->range.last ? range->last : ephemeral->range.last;

	/* The kept ranges are in order. */
	for (size_t i = 0; i < ephemeral->nkept; i++)
		if (ephemeral->kept[i].first <= port && port <= ephemeral->kept[i].last)
			port = ephemeral->kept[i].last + 1u;
	return port <= last ? port : 0;
}

void bc_lint_ephemeral(const struct bc_policy *policy, const struct bc_ephemeral *ephemeral, struct bc_report *report)
{
	for (size_t i = 0; ephemeral->range.last && i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];
		unsigned port = 0;
		char text[256];

		for (uint32_t k = 0; !port && rule->verb == BC_VERB_RESERVE && k < rule->nranges; k++)
			port = first_open(&policy->ranges[rule->ranges + k], ephemeral);
		if (!port)
			continue;
		snprintf(text, sizeof(text),
			 "the kernel may give the reserved port %u to a connect(2) or listen(2) without bind(2), which "
			 "no policy sees; add it to net.ipv4.ip_local_reserved_ports",
			 port);
		report_rule(policy, rule, report, text);
	}
}
