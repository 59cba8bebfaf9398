// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
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

/* Addresses, each once. */
struct addrs {
	uint32_t (*items)[4];
	size_t n;
	size_t room;
};

static void addrs_done(struct addrs *addrs)
{
	free(addrs->items);
}

static int add_addr(struct addrs *addrs, const uint32_t addr[4])
{
	if (bc_grow(&addrs->items, &addrs->room, addrs->n + 1))
		return -ENOMEM;
	memcpy(addrs->items[addrs->n++], addr, sizeof(*addrs->items));
	return 0;
}

static int compare_addrs(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(uint32_t[4]));
}

static void drop_doubles(struct addrs *addrs)
{
	size_t n = 0;

	qsort(addrs->items, addrs->n, sizeof(*addrs->items), compare_addrs);
	for (size_t i = 0; i < addrs->n; i++)
		if (!n || compare_addrs(addrs->items[n - 1], addrs->items[i]))
			memmove(addrs->items[n++], addrs->items[i], sizeof(*addrs->items));
	addrs->n = n;
}

/* The first address that the rule is about, and the one behind the last. */
static int add_ends(struct addrs *addrs, const struct bc_rule *rule)
{
	uint32_t behind[4];
	uint64_t carry = 1;

	for (unsigned i = 4; i-- > 0;) {
		unsigned host = rule->prefix >= 32 * i + 32 ? 0 :
				rule->prefix <= 32 * i	    ? 32 :
							      32 * i + 32 - rule->prefix;

		carry += rule->addr[i] | ((1ull << host) - 1);
		behind[i] = carry;
		carry >>= 32;
	}
	return add_addr(addrs, rule->addr) ?: add_addr(addrs, behind);
}

static bool is_member(const struct bc_question *question, uint32_t gid)
{
	for (size_t i = 0; i < question->ngroups; i++)
		if (question->groups[i] == gid)
			return true;
	return question->gid == gid;
}

/* Whether the rule can be about binds of his. A reserve is about everyone. */
static bool concerns(const struct bc_policy *policy, const struct bc_rule *rule, const struct bc_question *question)
{
	const char *path = bc_policy_path(policy, rule);

	if (!(rule->proto & question->proto) || rule->verb == BC_VERB_RESERVE)
		return rule->proto & question->proto;
	if ((rule->kind == BC_USER && rule->id != question->uid) ||
	    (rule->kind == BC_GROUP && !is_member(question, rule->id)))
		return false;
	return !path || bc_path_within(question->cgroup, path);
}

/* A rewrite to what is held, and binds that it may be what decides. */
struct ways {
	const struct bc_cells *image;
	const struct bc_policy *policy;
	const struct bc_held *held;
	uint32_t rewrite;
	bool ports[UINT16_MAX + 1]; /* those at which the answer may be another one than at the port before */
};

static void find_ports(struct ways *ways)
{
	const struct bc_policy *policy = ways->policy;
	const struct bc_question *question = &ways->held->question;

	memset(ways->ports, 0, sizeof(ways->ports));
	if (!policy->rules[ways->rewrite].to_port) {
		ways->ports[question->port] = true;
		return;
	}
	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];
		const struct bc_range *ranges = policy->ranges + rule->ranges;

		for (uint32_t k = 0; k < rule->nranges && concerns(policy, rule, question); k++) {
			ways->ports[ranges[k].first] = true;
			if (ranges[k].last < UINT16_MAX)
				ways->ports[ranges[k].last + 1] = true;
		}
	}
}

/* The same of addresses, for a bind of this port. */
static int find_addrs(const struct ways *ways, uint16_t port, struct addrs *addrs)
{
	/* The wildcards are decided in a way of their own. */
	static const uint32_t always[][4] = { {}, { 0, 0, 0, 1 }, { 0, 0, 0xffff, 0 } };
	const struct bc_policy *policy = ways->policy;
	const struct bc_question *question = &ways->held->question;
	int r = 0;

	addrs->n = 0;
	if (!policy->rules[ways->rewrite].to_addr)
		return add_addr(addrs, question->addr);
	for (size_t i = 0; !r && i < ARRAY_SIZE(always); i++)
		r = add_addr(addrs, always[i]);
	for (size_t i = 0; !r && i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];

		if (rule->clauses & BC_CLAUSE_ADDR && concerns(policy, rule, question) &&
		    bc_ranges_hold(policy->ranges + rule->ranges, rule->nranges, port))
			r = add_ends(addrs, rule);
	}
	if (!r)
		drop_doubles(addrs);
	return r;
}

/* Whether the rewrite decides a bind of this port. 1 and *ret, 0, or -errno. */
static int ask_port(const struct ways *ways, uint16_t port, struct addrs *addrs, struct bc_hold *ret)
{
	struct bc_question asked = ways->held->question;
	int r = find_addrs(ways, port, addrs);

	asked.port = port;
	for (size_t i = 0; !r && i < addrs->n; i++) {
		memcpy(asked.addr, addrs->items[i], sizeof(asked.addr));
		asked.v4 = bc_addr_is_v4(asked.addr);
		/* What such a socket cannot ask for. */
		if (asked.v4 ? ways->held->v6 && asked.v6only : !ways->held->v6)
			continue;
		r = ask(ways->image, &asked, ret);
		if (!r && ret->verdict == BC_REWRITE && ret->rule == ways->rewrite)
			return 1;
	}
	return r;
}

/* The same of any port. */
static int ask_rewrite(struct ways *ways, struct bc_hold *ret)
{
	const struct bc_rule *rule = &ways->policy->rules[ways->rewrite];
	_cleanup_(addrs_done) struct addrs addrs = {};
	int r = 0;

	find_ports(ways);
	for (uint32_t k = 0; !r && k < rule->nranges; k++) {
		const struct bc_range *range = &ways->policy->ranges[rule->ranges + k];

		for (uint32_t port = range->first; !r && port <= range->last; port++)
			r = ways->ports[port] ? ask_port(ways, port, &addrs, ret) : 0;
	}
	return r;
}

/* Whether a rewrite would lead him to what he holds. 1 and *ret, 0, or -errno. */
static int find_rewrite(const struct bc_cells *image, const struct bc_policy *policy, const struct bc_held *held,
			struct bc_hold *ret)
{
	struct ways ways = { .image = image, .policy = policy, .held = held };
	int r = 0;

	for (size_t i = 0; !r && i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];
		struct bc_hold hold;

		if (!(rule->clauses & BC_CLAUSE_TO) || !leads_to(rule, &held->question, &held->question) ||
		    !concerns(policy, rule, &held->question))
			continue;
		ways.rewrite = i;
		r = ask_rewrite(&ways, &hold);
		if (r < 1)
			continue;
		*ret = hold;
		ret->let = true;
	}
	return r;
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
