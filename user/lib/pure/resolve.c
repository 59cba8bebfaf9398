// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <search.h>
#include <string.h>

#include "pure/resolve.h"

/* One name and what became of it. */
struct answer {
	const char *name;
	uint32_t id;
	int result;
};

static int compare_answers(const void *a, const void *b)
{
	return strcmp(((const struct answer *)a)->name, ((const struct answer *)b)->name);
}

static void keep(void *answer)
{
	(void)answer;
}

/* The answer for the name, asked once and then remembered in *tree. NULL without memory. */
static const struct answer *ask(void **tree, struct answer *room, size_t *used, const struct bc_names *names,
				const char *name)
{
	struct answer *answer = &room[*used];
	void *node;

	answer->name = name;
	node = tsearch(answer, tree, compare_answers);
	if (!node)
		return NULL;
	if (*(struct answer **)node != answer)
		return *(struct answer **)node;
	(*used)++;
	answer->id = BC_UNRESOLVED;
	answer->result = names->user(names->ctx, name, &answer->id);
	return answer;
}

static int apply_answer(const struct bc_policy *policy, struct bc_rule *rule, const struct answer *answer,
			enum bc_severity severity, struct bc_report *report)
{
	struct bc_error error;

	rule->id = answer->id;
	if (!answer->result)
		return 0;
	rule->id = BC_UNRESOLVED;
	if (answer->result == -ENOENT)
		bc_fail_at(&error, 0, bc_policy_source_of(policy, rule), rule->line, rule->column, "unknown user '%s'",
			   answer->name);
	else
		bc_fail_at(&error, 0, bc_policy_source_of(policy, rule), rule->line, rule->column,
			   "cannot look up user '%s': %s", answer->name, strerror(-answer->result));
	error.severity = severity;
	bc_report_add(report, &error);
	return answer->result;
}

int bc_resolve(struct bc_policy *policy, const struct bc_names *names, enum bc_severity severity,
	       struct bc_report *report)
{
	_cleanup_free_ struct answer *room = calloc(policy->n + 1, sizeof(*room));
	const struct answer *last = NULL;
	uint32_t last_name = 0;
	size_t used = 0;
	void *tree = NULL;
	int result = 0;

	if (!room)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n; i++) {
		struct bc_rule *rule = &policy->rules[i];
		int r;

		if (!rule->name)
			continue;
		/* The parser gives a name repeated on the next line the same offset. */
		if (rule->name != last_name)
			last = ask(&tree, room, &used, names, bc_policy_name(policy, rule));
		last_name = rule->name;
		if (!last) {
			result = -ENOMEM;
			break;
		}
		r = apply_answer(policy, rule, last, severity, report);
		if (r && (!result || r != -ENOENT))
			result = r;
	}
	tdestroy(tree, keep);
	return result;
}

size_t bc_policy_drop_unresolved(struct bc_policy *policy)
{
	size_t kept = 0, before = policy->n;

	for (size_t i = 0; i < policy->n; i++)
		if (policy->rules[i].kind != BC_USER || policy->rules[i].id != BC_UNRESOLVED)
			policy->rules[kept++] = policy->rules[i];
	policy->n = kept;
	return before - kept;
}
