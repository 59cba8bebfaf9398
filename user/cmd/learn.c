// SPDX-License-Identifier: GPL-2.0-or-later
/* learn: watches binds, and prints the rules that would permit just these. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/event.h"
#include "cmd/follow.h"
#include "cmd/lessons.h"
#include "cmd/request.h"
#include "host/clock.h"
#include "kernel/probe.h"
#include "pure/clause.h"

/* One run of the command. */
struct watch {
	struct event_view view;
	struct lessons lessons;
	uint64_t unplaced;	     /* binds from cgroups that were gone before it was seen where they were */
	struct follow_limits limits; /* on what is learned */
};

/* Whether it comes from where it is asked for. */
static bool is_inside(struct watch *watch, const struct bc_event *event)
{
	const char *path;

	if (!watch->lessons.cgroup)
		return true;
	path = event_cgroup(&watch->view, event);
	watch->unplaced += !path;
	return path && bc_path_within(path, watch->lessons.cgroup);
}

static int learn_event(void *ctx, const struct bc_event *event)
{
	struct watch *watch = ctx;
	struct lessons *lessons = &watch->lessons;
	_cleanup_(bc_text_done) struct bc_text place = {};
	uint64_t before = lessons->learn.binds;
	int r;

	if ((lessons->of_user && event->uid != lessons->uid) || !is_inside(watch, event))
		return 0;
	if (event->kind == BC_EVENT_DENY || event->verdict == BC_REWRITE)
		event_place(&place, &watch->view, event);
	r = place.failed ? -ENOMEM : bc_learn_add(&lessons->learn, event, place.data);
	if (r)
		return r;
	return lessons->learn.binds > before && follow_is_full(&watch->limits);
}

/* What the rules may lack, if anything; `r`: how it ended. */
static int find_gaps(struct watch *watch, const struct bc_events *events, int r, struct bc_error *reterr)
{
	struct lessons *lessons = &watch->lessons;
	struct bc_losses losses = {};

	if (r == -ENOLINK)
		lessons_gap(lessons, "bindctl was unloaded, and what happened then was not seen");
	else
		r = bc_events_losses(events, &losses, reterr);
	if (losses.lost)
		lessons_gap(lessons, "%" PRIu64 " bind%s lost: they came faster than they were read", losses.lost,
			    were(losses.lost));
	if (lessons->learn.unkept)
		lessons_gap(lessons, "%" PRIu64 " bind%s left out: more than %u different ones were seen",
			    lessons->learn.unkept, were(lessons->learn.unkept), BC_LEARN_MAX);
	if (watch->unplaced)
		lessons_gap(lessons,
			    "%" PRIu64
			    " bind%s left out: from cgroups that were gone before it was seen where they were",
			    watch->unplaced, were(watch->unplaced));
	return r == -ENOLINK ? 0 : r;
}

static int open_all(struct watch *watch, const struct bc_instance *instance, struct following *following,
		    struct bc_error *reterr)
{
	/* Every bind counts, and a burst of them must find room until it is read. */
	const struct bc_wanted wanted = { .all = true, .ring_bytes = FOLLOW_RING_MAX };
	int r = bc_probe_capabilities(reterr);

	if (!r)
		r = event_view_open(&watch->view, instance, reterr);
	return r ?: follow_open(instance->pins, &wanted, following, reterr);
}

static int learn(struct watch *watch, const struct bc_instance *instance)
{
	_cleanup_(follow_close) struct following following = FOLLOWING_NONE;
	struct bc_error error;
	int r = open_all(watch, instance, &following, &error);

	if (r)
		return failed(&error);
	watch->lessons.start = bc_now();
	r = follow(&following, watch->limits.duration, learn_event, watch);
	watch->lessons.end = bc_now();
	if (r == -EPIPE)
		return EXIT_DONE;
	if (r < 0 && r != -ENOLINK) {
		bc_fail_errno(&error, r, "cannot read the events");
		return failed(&error);
	}
	r = find_gaps(watch, following.events, r, &error) ?: lessons_print(&watch->lessons, &error);
	if (r)
		return failed(&error);
	return finish_output(watch->lessons.ngaps ? EXIT_FAILED : EXIT_DONE);
}

/* The user by name or number, and the cgroup. An exit code; EXIT_DONE to go on. */
static int parse_filter(struct lessons *lessons, const struct command *command, const char *user)
{
	struct bc_error error;
	char text[256];

	if (lessons->cgroup && bc_check_path(lessons->cgroup, strlen(lessons->cgroup), text, sizeof(text)))
		return usage_error(command, "learn: --cgroup: %s", text);
	if (!user)
		return EXIT_DONE;
	if (check_user(user, &error))
		return wrong_value(command, &error);
	lessons->of_user = user;
	return find_user(user, &lessons->uid, &error) ? failed(&error) : EXIT_DONE;
}

static int parse(struct watch *watch, const struct command *command, int argc, char **argv, const char **ret_user)
{
	const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },	  FOLLOW_OPTIONS,
		{ "user", required_argument, NULL, 'u' }, { "cgroup", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },	  {},
	};
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		watch->lessons.json |= option == 'j';
		code = follow_option(&watch->limits, command, option, optarg);
		if (code >= 0)
			return code;
		if (option == 'u')
			*ret_user = optarg;
		if (option == 'g')
			watch->lessons.cgroup = optarg;
	}
	return optind < argc ? usage_error(command, "learn: unexpected '%s'", argv[optind]) : -1;
}

int run_learn(const struct app *app, const struct command *command, int argc, char **argv)
{
	struct watch watch = { .view.root_fd = -1 };
	const char *user = NULL;
	int code = parse(&watch, command, argc, argv, &user);

	if (code >= 0)
		return code;
	code = parse_filter(&watch.lessons, command, user) ?: learn(&watch, &app->instance);
	lessons_done(&watch.lessons);
	event_view_done(&watch.view);
	return code;
}
