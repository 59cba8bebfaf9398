// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "pure/hold.h"

/* Where a bind that the rule decides ends up. */
static bool leads_to(const struct bc_rule *rule, const struct bc_question *asked, const struct bc_question *held)
{
	if ((rule->to_port ?: asked->port) != held->port)
		return false;
	/* A question about an address of IPv4 that was asked of an IPv6 socket has the same four numbers. */
	return !memcmp(rule->to_addr ? rule->to : asked->addr, held->addr, sizeof(held->addr));
}

static int ask(const struct bc_cells *image, const struct bc_question *question, struct bc_hold *ret)
{
	_cleanup_(bc_answer_done) struct bc_answer answer = {};
	int r = bc_decide_image(image, question, &answer);

	if (!r)
		*ret = (struct bc_hold){ .verdict = answer.verdict, .rule = answer.rule, .err = answer.err };
	return r;
}

/* A bind that the rule could lead to what is held: some port of the rule's, and an address that it is about. */
static struct bc_question original(const struct bc_rule *rule, const struct bc_range *range, const struct bc_held *held)
{
	struct bc_question question = held->question;

	if (rule->to_port)
		question.port = range->first ?: 1;
	if (!rule->to_addr)
		return question;
	if (rule->clauses & BC_CLAUSE_ADDR) {
		memcpy(question.addr, rule->addr, sizeof(question.addr));
		question.v4 = rule->v4;
	} else {
		memset(question.addr, 0, sizeof(question.addr));
		question.v4 = !held->v6;
		question.addr[2] = question.v4 ? 0xffff : 0;
	}
	return question;
}

/* Whether a rewrite would lead him to what he holds. 1 and *ret, 0, or -errno. */
static int find_rewrite(const struct bc_cells *image, const struct bc_policy *policy, const struct bc_held *held,
			struct bc_hold *ret)
{
	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];

		for (uint32_t k = 0; rule->clauses & BC_CLAUSE_TO && k < rule->nranges; k++) {
			struct bc_question asked = original(rule, &policy->ranges[rule->ranges + k], held);
			struct bc_hold hold;
			int r;

			if (!leads_to(rule, &asked, &held->question))
				continue;
			r = ask(image, &asked, &hold);
			if (r)
				return r;
			if (hold.verdict != BC_REWRITE || hold.rule != i)
				continue;
			*ret = hold;
			ret->let = true;
			return 1;
		}
	}
	return 0;
}

static bool kernel_lets(const struct bc_held *held)
{
	return held->binds_low || held->question.port >= held->free_from;
}

void bc_hold_by_kernel(const struct bc_held *held, struct bc_hold *ret)
{
	*ret = (struct bc_hold){ .verdict = BC_NONE, .rule = BC_RULE_NONE, .let = kernel_lets(held) };
}

int bc_hold_decide(const struct bc_cells *image, const struct bc_policy *policy, const struct bc_held *held,
		   struct bc_hold *ret)
{
	const struct bc_question *question = &held->question;
	struct bc_hold hold;
	int r = ask(image, question, &hold);

	if (r)
		return r;
	if (hold.verdict == BC_GRANT)
		hold.let = true;
	else if (hold.verdict == BC_NONE || hold.verdict == BC_ALLOW)
		hold.let = kernel_lets(held);
	else if (hold.verdict == BC_REWRITE)
		hold.let = leads_to(&policy->rules[hold.rule], question, question);
	if (!hold.let) {
		r = find_rewrite(image, policy, held, &hold);
		if (r < 0)
			return r;
	}
	*ret = hold;
	return 0;
}
