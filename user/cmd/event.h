/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as commands show them. */
#ifndef BINDCTL_CMD_EVENT_H
#define BINDCTL_CMD_EVENT_H

#include "cmd/app.h"
#include "cmd/out.h"
#include "pure/policy.h"

#define EVENT_CGROUPS 64u

/* What is looked up for events, and kept for the next one. event_view_open() fills it in; event_view_done(). */
struct event_view {
	const struct bc_instance *instance;
	bool dated;		 /* show the day besides the time */
	bool coloured;		 /* stdout is a terminal */
	struct bc_policy policy; /* of `generation`, for the rules' text and place */
	uint64_t generation;
	bool named; /* `policy` has the names of users and groups */
	/* Of `policy`: what means the same as the rule `moved_id` of another one, or NULL. */
	const struct bc_rule *moved;
	uint32_t moved_id;
	bool moved_known;
	char *root; /* where cgroup2 is mounted */
	int root_fd;
	uint32_t uid; /* whose name `user` is, NULL for one without */
	bool uid_known;
	char *user;
	const struct bc_rule *shown_rule; /* of `policy`: whose document `shown` is */
	struct json_object *shown;
	struct {
		uint64_t id;
		char *path;	  /* NULL: nothing is kept here */
	} cgroups[EVENT_CGROUPS]; /* by their id; ids are never used again, and cgroups never renamed */
};

int event_view_open(struct event_view *view, const struct bc_instance *instance, struct bc_error *reterr);
void event_view_done(struct event_view *view);

/* The rule that decided, or one of the same meaning if its policy is not in force any more; NULL when there is none. */
const struct bc_rule *event_rule(struct event_view *view, const struct bc_event *event);

/* The newest policy that is known; empty when none can be read. Valid until another event is looked at. */
const struct bc_policy *event_policy(struct event_view *view);

/* Adds where that rule is, "FILE:LINE", or else "rule ID". For events that a rule decided. */
void event_place(struct bc_text *text, struct event_view *view, const struct bc_event *event);

/* The name of its effective user; NULL when that has none. Valid until the next call. */
const char *event_user(struct event_view *view, const struct bc_event *event);

/* The cgroup as rules and /proc/PID/cgroup name it; NULL when it is gone. Valid until the next call. */
const char *event_cgroup(struct event_view *view, const struct bc_event *event);

/* One line on stdout. */
void event_print(struct event_view *view, const struct bc_event *event);

/* The same, and all else that is known, as an object. */
struct json_object *event_json(struct event_view *view, const struct bc_event *event);

#endif
