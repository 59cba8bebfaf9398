// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "pure/resolve.h"

enum asked {
	ASKED_USER,
	ASKED_GROUP,
	ASKED_UNIT,
};

static const char *const what[] = { "user", "group", "unit" };

/* One question and what became of it. */
struct answer {
	char *name;
	enum asked asked;
	uint32_t uid; /* of the user whose unit it may be */
	uint32_t id;  /* the number, or the path in policy->strings */
	int result;
	bool known;
};

static int compare_answers(const void *left, const void *right)
{
	const struct answer *a = left, *b = right;

	if (a->asked != b->asked)
		return a->asked < b->asked ? -1 : 1;
	if (a->uid != b->uid)
		return a->uid < b->uid ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void free_answer(void *p)
{
	struct answer *answer = p;

	free(answer->name);
	free(answer);
}

/* One run over a policy. */
struct resolver {
	struct bc_policy *policy;
	const struct bc_names *names;
	enum bc_severity severity;
	struct bc_report *report;
	void *tree;
	struct answer *last; /* the one before: names repeat on neighbouring lines */
};

static int ask_unit(struct resolver *r, struct answer *answer)
{
	_cleanup_free_ char *path = NULL;
	int result = r->names->unit(r->names->ctx, answer->name, answer->uid, &path, &answer->known);

	if (result)
		return result;
	answer->id = bc_policy_string(r->policy, path, strlen(path));
	return answer->id ? 0 : -ENOMEM;
}

static void ask(struct resolver *r, struct answer *answer)
{
	const struct bc_names *names = r->names;

	answer->known = true;
	if (answer->asked == ASKED_USER)
		answer->result = names->user(names->ctx, answer->name, &answer->id);
	else if (answer->asked == ASKED_GROUP)
		answer->result = names->group(names->ctx, answer->name, &answer->id);
	else
		answer->result = ask_unit(r, answer);
	if (answer->result)
		answer->id = BC_UNRESOLVED;
}

/* The answer for the name, asked once and then remembered. NULL without memory. */
static const struct answer *find_answer(struct resolver *r, enum asked asked, const char *name, uint32_t uid)
{
	struct answer wanted = { .name = (char *)name, .asked = asked, .uid = uid }, *answer;
	struct answer **found;

	if (r->last && !compare_answers(r->last, &wanted))
		return r->last;
	found = tfind(&wanted, &r->tree, compare_answers);
	if (found)
		return r->last = *found;
	answer = malloc(sizeof(*answer));
	wanted.name = strdup(name);
	if (!answer || !wanted.name || !tsearch(memcpy(answer, &wanted, sizeof(wanted)), &r->tree, compare_answers)) {
		free(answer);
		free(wanted.name);
		return NULL;
	}
	ask(r, answer);
	return r->last = answer;
}

static int report_answer(struct resolver *r, const struct bc_rule *rule, const struct answer *answer)
{
	unsigned column = answer->asked == ASKED_UNIT ? rule->unit_column : rule->column;
	const char *source = bc_policy_source_of(r->policy, rule);
	enum bc_severity severity = r->severity;
	struct bc_error error;

	if (!answer->result && (answer->known || severity != BC_WARNING))
		return 0;
	if (!answer->result) {
		bc_fail_at(&error, 0, source, rule->line, column,
			   "this host has no unit '%s' (the rule waits for the cgroup %s)", answer->name,
			   r->policy->strings.data + answer->id);
	} else if (answer->result == -ENOENT) {
		bc_fail_at(&error, 0, source, rule->line, column, "unknown %s '%s'", what[answer->asked], answer->name);
	} else {
		bc_fail_at(&error, 0, source, rule->line, column, "cannot look up %s '%s': %s", what[answer->asked],
			   answer->name, strerror(-answer->result));
	}
	error.severity = severity;
	bc_report_add(r->report, &error);
	return answer->result;
}

static int resolve_account(struct resolver *r, struct bc_rule *rule)
{
	const struct answer *answer;

	if (!rule->name)
		return 0;
	answer = find_answer(r, rule->kind == BC_USER ? ASKED_USER : ASKED_GROUP, bc_policy_name(r->policy, rule), 0);
	if (!answer)
		return -ENOMEM;
	rule->id = answer->result ? BC_UNRESOLVED : answer->id;
	return report_answer(r, rule, answer);
}

static int resolve_unit(struct resolver *r, struct bc_rule *rule)
{
	const struct answer *answer;
	char name[256];

	if (!rule->unit)
		return 0;
	/* Out of the strings, which the answer may move. */
	memccpy(name, r->policy->strings.data + rule->unit, '\0', sizeof(name));
	answer = find_answer(r, ASKED_UNIT, name, rule->kind == BC_USER ? rule->id : BC_UNRESOLVED);
	if (!answer)
		return -ENOMEM;
	/* A rule without its cgroup would be everyone's: it is left out as if its subject were unknown. */
	if (answer->result)
		rule->id = BC_UNRESOLVED;
	else
		rule->path = answer->id;
	return report_answer(r, rule, answer);
}

int bc_resolve(struct bc_policy *policy, const struct bc_names *names, enum bc_severity severity,
	       struct bc_report *report)
{
	struct resolver r = { .policy = policy, .names = names, .severity = severity, .report = report };
	int result = 0;

	for (size_t i = 0; result != -ENOMEM && i < policy->n; i++) {
		int account = resolve_account(&r, &policy->rules[i]);
		int unit = account == -ENOMEM ? 0 : resolve_unit(&r, &policy->rules[i]);
		int worse = account == -ENOMEM || (account && account != -ENOENT) || !unit ? account : unit;

		if (worse && (!result || worse != -ENOENT))
			result = worse;
	}
	tdestroy(r.tree, free_answer);
	return result;
}

size_t bc_policy_drop_unresolved(struct bc_policy *policy)
{
	size_t kept = 0, before = policy->n;

	for (size_t i = 0; i < policy->n; i++)
		if (policy->rules[i].id != BC_UNRESOLVED)
			policy->rules[kept++] = policy->rules[i];
	policy->n = kept;
	return before - kept;
}
