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
static int parse(struct event_filter *filter, const struct command *command)
{
	static const char *const within_cgroup[] = { "--user", "--port", "--cgroup", "--cgroup" },
				 *const within_unit[] = { "--user", "--port", "--unit", "--unit" };
	char any[] = "any", cgroup[] = "cgroup", unit[] = "unit";
	char *argv[] = { (char *)filter->user ?: any, (char *)filter->port ?: any, NULL, NULL };
	struct arguments arguments = { .verb = "grant", .argc = 2, .argv = argv };
	struct bc_error error;
	int r;

	if (filter->cgroup && filter->unit)
		return usage_error(command, "%s: --cgroup and --unit exclude each other", command->name);
	if (!filter->user && !filter->port && !filter->cgroup && !filter->unit)
		return EXIT_DONE;
	/* Of a rule the subject could be another one; a name with a dash in front is none of these. */
	if (filter->user && *filter->user != '-' && !is_user_subject(filter->user))
		return usage_error(command, "%s: --user: '%s' is not a user", command->name, filter->user);
	if (filter->cgroup || filter->unit) {
		argv[arguments.argc++] = filter->unit ? unit : cgroup;
		argv[arguments.argc++] = (char *)(filter->unit ?: filter->cgroup);
	}
	arguments.options = filter->unit ? within_unit : within_cgroup;
	r = parse_arguments(&filter->policy, &arguments, &error);
	/* Without a rule it has not come to looking names up. */
	if (r)
		return filter->policy.n || r == -ENOMEM ? failed(&error) : wrong_value(command, &error);
	filter->parsed = true;
	return EXIT_DONE;
}

/* Only to look up a unit does anything need the right to become its user. */
int event_filter_parse(struct event_filter *filter, const struct command *command)
{
	struct bc_error error;
	int code = parse(filter, command);

	if (code != EXIT_DONE)
		return code;
	return bc_privilege_keep(~BC_CAPS_UNITS, &error) ? failed(&error) : EXIT_DONE;
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
