// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/advice.h"

#define SIDES 2 /* of a bind to [::] that takes the IPv4 port along; either needs its rule where addresses count */

/* One question. */
struct trial {
	const struct bc_policy *policy;
	const struct bc_asked *asked;
	struct bc_question sides[SIDES];
	size_t nsides;
	/*
	 * The rules that may speak of the bind, each with the one range that holds its port, and room for those that are
	 * tried. Its arrays are its own, names it has from `policy`.
	 */
	struct bc_policy rules;
	size_t n;
	uint32_t *numbers; /* of each in `policy` */
	uint32_t *groups;  /* of all of them */
	size_t numbers_room, groups_room;
	struct bc_advice *advice;
	uint32_t path; /* of what is tried: its cgroup, in the policy's strings */
};

static void trial_done(struct trial *trial)
{
	free(trial->rules.rules);
	free(trial->rules.ranges);
	free(trial->numbers);
	free(trial->groups);
}

void bc_advice_done(struct bc_advice *advice)
{
	free(advice->taken);
	*advice = (struct bc_advice){};
}

static const struct bc_range *range_of(const struct bc_policy *policy, const struct bc_rule *rule, uint16_t port)
{
	for (uint32_t i = 0; i < rule->nranges; i++)
		if (bc_ranges_hold(&policy->ranges[rule->ranges + i], 1, port))
			return &policy->ranges[rule->ranges + i];
	return NULL;
}

/* Whether it may speak of the bind, groups and conditions aside. */
static bool concerns(const struct trial *trial, const struct bc_rule *rule)
{
	const struct bc_question *question = &trial->asked->question;
	const char *path = bc_policy_path(trial->policy, rule);

	if (rule->verb == BC_VERB_RESERVE)
		return true;
	return (rule->kind != BC_USER || rule->id == question->uid) &&
	       (!path || bc_path_within(question->cgroup, path));
}

/* Room for so many, and for what is tried. */
static int make_room(struct trial *trial, size_t n)
{
	if (bc_grow(&trial->rules.rules, &trial->rules.room, n + SIDES) ||
	    bc_grow(&trial->rules.ranges, &trial->rules.ranges_room, n + SIDES) ||
	    bc_grow(&trial->numbers, &trial->numbers_room, n + 1) ||
	    bc_grow(&trial->groups, &trial->groups_room, n + 1))
		return -ENOMEM;
	return 0;
}

static int gather(struct trial *trial)
{
	const struct bc_policy *policy = trial->policy;
	int r = make_room(trial, 0);

	for (size_t i = 0; !r && i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];
		const struct bc_range *range =
			concerns(trial, rule) ? range_of(policy, rule, trial->asked->question.port) : NULL;
		size_t n = trial->n;

		if (!range)
			continue;
		r = make_room(trial, n + 1);
		if (r)
			break;
		trial->rules.rules[n] = *rule;
		trial->rules.rules[n].ranges = n;
		trial->rules.rules[n].nranges = 1;
		trial->rules.ranges[n] = *range;
		trial->numbers[n] = i;
		trial->groups[n] = rule->kind == BC_GROUP ? rule->id : trial->asked->question.gid;
		trial->n++;
	}
	trial->rules.strings = policy->strings;
	return r;
}

/*
 * Whoever asked is taken to be in every group: a rule that decides then, and is for none, decides whichever of them he is
 * in.
 */
static void make_sides(struct trial *trial)
{
	struct bc_question question = trial->asked->question;
	const uint32_t *addr = question.addr;

	question.groups = trial->groups;
	question.ngroups = trial->n;
	trial->sides[trial->nsides++] = question;
	if (question.v4 || question.v6only || addr[0] | addr[1] | addr[2] | addr[3])
		return;
	trial->sides[0].v6only = true;
	question.v4 = true;
	question.addr[2] = 0xffff;
	trial->sides[trial->nsides++] = question;
}

/* The rule that is tried; `side`: of whose address, if it is to have one. */
static struct bc_rule candidate(const struct trial *trial, size_t side)
{
	const struct bc_question *question = &trial->sides[side];
	struct bc_rule rule = {
		.verb = trial->advice->verb,
		.kind = BC_USER,
		.id = question->uid,
		.proto = question->proto,
		.any_netns = !question->host_netns,
		.clauses = BC_CLAUSE_USER | BC_CLAUSE_PORT | BC_CLAUSE_PROTO,
		.path = trial->path,
		.nranges = 1,
	};

	if (trial->advice->addr) {
		rule.clauses |= BC_CLAUSE_ADDR;
		rule.v4 = question->v4;
		rule.prefix = 128;
		memcpy(rule.addr, question->addr, sizeof(rule.addr));
	}
	return rule;
}

static void add_candidates(struct trial *trial)
{
	struct bc_advice *advice = trial->advice;
	size_t n = advice->addr ? trial->nsides : 1;

	for (size_t i = 0; i < n; i++) {
		struct bc_rule *rule = &trial->rules.rules[trial->n + i];

		*rule = candidate(trial, i);
		rule->ranges = trial->n + i;
		trial->rules.ranges[rule->ranges] = advice->ports;
	}
	trial->rules.n = trial->rules.nranges = trial->n + n;
}

/* Whether the answer lets the bind through, and stays the same in whichever groups whoever asked is. */
static bool lets(const struct trial *trial, const struct bc_answer *answer)
{
	const struct bc_rule *rule;

	if (answer->verdict == BC_DENY)
		return false;
	rule = answer->rule == BC_RULE_NONE ? NULL : &trial->rules.rules[answer->rule];
	if (rule && rule->kind == BC_GROUP && rule->id != trial->asked->question.gid)
		return false;
	return !trial->asked->grant || answer->verdict == BC_GRANT || answer->verdict == BC_REWRITE;
}

/* 1: the bind would go through. 0: not, *ret_rule being the rule that decides, or BC_RULE_NONE. Or -errno. */
static int ask(struct trial *trial, bool adds, uint32_t *ret_rule)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
	int r;

	trial->rules.n = trial->rules.nranges = trial->n;
	if (adds)
		add_candidates(trial);
	r = bc_compile(&trial->rules, BC_WARNING, &image, &report, NULL);
	for (size_t i = 0; !r && i < trial->nsides; i++) {
		_cleanup_(bc_answer_done) struct bc_answer answer = {};

		r = bc_decide_image(&image, &trial->sides[i], &answer);
		if (!r && !lets(trial, &answer)) {
			*ret_rule = answer.rule;
			return 0;
		}
	}
	return r ?: 1;
}

static const struct bc_rule *original(const struct trial *trial, size_t number)
{
	return &trial->policy->rules[trial->numbers[number]];
}

/* The rule has to go, and with it what says the same in its file. Without a port it speaks of nothing. */
static int take(struct trial *trial, uint32_t number)
{
	const struct bc_policy *policy = trial->policy;
	const struct bc_rule *goes = original(trial, number);
	struct bc_advice *advice = trial->advice;

	if (bc_grow(&advice->taken, &advice->taken_room, advice->ntaken + 1))
		return -ENOMEM;
	advice->taken[advice->ntaken++] = trial->numbers[number];
	for (size_t i = 0; i < trial->n; i++)
		if (original(trial, i)->source == goes->source &&
		    bc_rule_same(policy, original(trial, i), policy, goes))
			trial->rules.rules[i].nranges = 0;
	return 0;
}

/* Whether there is something to be said of what is tried, so that it decides before that rule. */
static bool can_refine(struct trial *trial, const struct bc_rule *rule)
{
	const char *path = bc_policy_path(&trial->rules, rule);

	/* Both are of cgroups that the bind is in. */
	if (path && (!trial->path || strlen(path) > strlen(trial->policy->strings.data + trial->path))) {
		trial->path = rule->path;
		return true;
	}
	if (!(rule->clauses & BC_CLAUSE_ADDR) || trial->advice->addr)
		return false;
	trial->advice->addr = true;
	return true;
}

/* Of a port that the kernel chose: the next time it chooses another one. */
static int find_ports(struct trial *trial)
{
	uint32_t number = BC_RULE_NONE;
	int r = trial->asked->chosen ? ask(trial, false, &number) : 1;

	if (!r && number < trial->n)
		trial->advice->ports = trial->rules.ranges[number];
	return r < 0 ? r : 0;
}

static int find(struct trial *trial)
{
	struct bc_advice *advice = trial->advice;
	uint32_t number = BC_RULE_NONE;
	int r = find_ports(trial);

	if (r)
		return r;
	advice->adds = true;
	while (!(r = ask(trial, advice->adds, &number))) {
		bool added = advice->adds;

		advice->adds = true;
		if (!added)
			continue;
		if (number >= trial->n)
			return -ENOENT;
		if (can_refine(trial, &trial->rules.rules[number]))
			continue;
		r = take(trial, number);
		if (r)
			return r;
		/* That may have been all there was. */
		advice->adds = advice->addr = false;
		trial->path = 0;
	}
	return r < 0 ? r : 0;
}

int bc_advise(const struct bc_policy *policy, const struct bc_asked *asked, struct bc_advice *ret)
{
	_cleanup_(bc_advice_done) struct bc_advice advice = {
		.verb = asked->grant ? BC_VERB_GRANT : BC_VERB_ALLOW,
		.ports = { asked->question.port, asked->question.port ?: UINT16_MAX },
	};
	_cleanup_(trial_done) struct trial trial = { .policy = policy, .asked = asked, .advice = &advice };
	int r = gather(&trial);

	if (!r) {
		make_sides(&trial);
		r = find(&trial);
	}
	if (r)
		return r;
	advice.both = advice.addr && trial.nsides > 1;
	advice.cgroup = trial.path ? policy->strings.data + trial.path : NULL;
	*ret = advice;
	advice = (struct bc_advice){};
	return 0;
}
