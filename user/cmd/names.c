// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/names.h"
#include "host/names.h"
#include "host/systemd.h"

/* Kept open from the first question to the end of the process. */
static struct bc_systemd systemd;

/* NOLINTNEXTLINE(misc-redundant-expression): that both sides are the same is what it says */
_Static_assert(BC_NO_USER == BC_UNRESOLVED, "two names of one thing");

static int unit_path(void *ctx, const char *name, uint32_t uid, char **ret_path, bool *ret_known)
{
	return bc_systemd_unit(ctx, name, uid, ret_path, ret_known);
}

const struct bc_names host_names = {
	.user = bc_user_by_name,
	.group = bc_group_by_name,
	.unit = unit_path,
	.ctx = &systemd,
};

static int compare_subjects(const void *left, const void *right, void *ctx)
{
	const struct bc_policy *policy = ctx;
	const struct bc_rule *a = &policy->rules[*(const uint32_t *)left],
			     *b = &policy->rules[*(const uint32_t *)right];

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return BC_COMPARE(a->id, b->id);
}

/* With the names that these give for numbers, malloc'ed; NULL for none. */
static void name_rules(struct bc_policy *policy, char *(*user)(uid_t uid), char *(*group)(gid_t gid))
{
	_cleanup_free_ uint32_t *order = calloc(policy->n + 1, sizeof(*order));
	uint32_t name = 0;

	if (!order)
		return;
	for (size_t i = 0; i < policy->n; i++)
		order[i] = i;
	qsort_r(order, policy->n, sizeof(*order), compare_subjects, policy);
	for (size_t i = 0; i < policy->n; i++) {
		struct bc_rule *rule = &policy->rules[order[i]];

		if (rule->kind == BC_ANYONE)
			continue;
		if (i == 0 || compare_subjects(&order[i - 1], &order[i], policy)) {
			_cleanup_free_ char *found = (rule->kind == BC_USER ? user : group)(rule->id);

			name = found ? bc_policy_string(policy, found, strlen(found)) : 0;
		}
		rule->name = name;
	}
}

void add_names(struct bc_policy *policy)
{
	name_rules(policy, bc_user_name, bc_group_name);
}

/* Whether policy reads the name back as that number. */
static bool reads_back(const char *name, uint32_t id, int (*by_name)(void *ctx, const char *name, uint32_t *ret))
{
	uint64_t number;
	uint32_t found;

	return bc_parse_number(name, strlen(name), 0, UINT32_MAX, &number) && !by_name(NULL, name, &found) &&
	       found == id;
}

char *written_user(uid_t uid)
{
	_cleanup_free_ char *name = bc_user_name(uid);

	return name && reads_back(name, uid, bc_user_by_name) ? TAKE_PTR(name) : NULL;
}

static char *written_group(gid_t gid)
{
	_cleanup_free_ char *name = bc_group_name(gid);

	return name && reads_back(name, gid, bc_group_by_name) ? TAKE_PTR(name) : NULL;
}

void add_written_names(struct bc_policy *policy)
{
	name_rules(policy, written_user, written_group);
}
