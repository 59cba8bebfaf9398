// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "cmd/filter.h"
#include "cmd/words.h"
#include "host/privilege.h"

bool event_filter_option(struct event_filter *filter, int option, const char *value)
{
	switch (option) {
	case 'u':
		filter->user = value;
		return true;
	case 'p':
		filter->port = value;
		return true;
	case 'g':
		filter->cgroup = value;
		return true;
	case 'U':
		filter->unit = value;
		return true;
	}
	return false;
}

/* The options are read as a rule is that has them as its subject, ports and clauses. */
static int parse(struct event_filter *filter, struct bc_error *reterr)
{
	static const char *const within_cgroup[] = { "--user", "--port", "--cgroup", "--cgroup" },
				 *const within_unit[] = { "--user", "--port", "--unit", "--unit" };
	char any[] = "any", cgroup[] = "cgroup", unit[] = "unit";
	char *argv[] = { (char *)filter->user ?: any, (char *)filter->port ?: any, NULL, NULL };
	struct arguments arguments = { .verb = "grant", .argc = 2, .argv = argv };
	const struct bc_rule *rule;
	int r;

	if (!filter->user && !filter->port && !filter->cgroup && !filter->unit)
		return 0;
	/* They exclude each other. */
	if (filter->cgroup || filter->unit) {
		argv[arguments.argc++] = filter->unit ? unit : cgroup;
		argv[arguments.argc++] = (char *)(filter->unit ?: filter->cgroup);
	}
	arguments.options = filter->unit ? within_unit : within_cgroup;
	r = parse_arguments(&filter->policy, &arguments, reterr);
	if (r)
		return r;
	rule = &filter->policy.rules[0];
	if (filter->user && (rule->kind != BC_USER || (rule->path && !filter->cgroup && !filter->unit)))
		return bc_fail(reterr, -EINVAL, "--user: '%s' is not a user", filter->user);
	filter->parsed = true;
	return 0;
}

/* Only to look up a unit does anything need the right to become its user. */
int event_filter_parse(struct event_filter *filter, struct bc_error *reterr)
{
	return parse(filter, reterr) ?: bc_privilege_keep(~BC_CAPS_UNITS, reterr);
}

void event_filter_done(struct event_filter *filter)
{
	bc_policy_done(&filter->policy);
}

bool event_matches(const struct event_filter *filter, struct event_view *view, const struct bc_event *event)
{
	const struct bc_policy *policy = &filter->policy;
	const struct bc_rule *rule = policy->rules;
	const char *path;

	if (filter->denied && event->kind != BC_EVENT_DENY && event->kind != BC_EVENT_KERNEL)
		return false;
	if (!filter->parsed)
		return true;
	if ((rule->kind == BC_USER && rule->id != event->uid) || !(rule->proto & event->proto) ||
	    !bc_ranges_hold(policy->ranges + rule->ranges, rule->nranges, event->port))
		return false;
	path = bc_policy_path(policy, rule);
	return !path || bc_path_within(event_cgroup(view, event), path);
}
