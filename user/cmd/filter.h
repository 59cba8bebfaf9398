/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events are asked for. */
#ifndef BINDCTL_CMD_FILTER_H
#define BINDCTL_CMD_FILTER_H

#include "cmd/event.h"

/* What is asked for by options: the events that a rule with this subject, ports and cgroup would speak of. */
struct event_filter {
	const char *user, *port, *cgroup, *unit; /* the options' values, NULL: any */
	bool denied;				 /* refusals alone */
	struct bc_policy policy;		 /* made by event_filter_parse(): one rule */
	bool parsed;
};

/* Reads the options' values. An exit code; EXIT_DONE to go on. event_filter_done(). */
int event_filter_parse(struct event_filter *filter, const struct command *command);
void event_filter_done(struct event_filter *filter);
bool event_matches(const struct event_filter *filter, struct event_view *view, const struct bc_event *event);

/* getopt_long()'s entries for them, and what to do with one: false when it is none of them. */
#define EVENT_FILTER_OPTIONS                                                                \
	{ "user", required_argument, NULL, 'u' }, { "port", required_argument, NULL, 'p' }, \
		{ "cgroup", required_argument, NULL, 'g' },                                 \
	{                                                                                   \
		"unit", required_argument, NULL, 'U'                                        \
	}
bool event_filter_option(struct event_filter *filter, int option, const char *value);

#endif
