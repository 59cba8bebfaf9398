// SPDX-License-Identifier: GPL-2.0-or-later
/* learn: watches binds, and prints the rules that would permit just these. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/follow.h"
#include "cmd/lessons.h"
#include "cmd/names.h"
#include "host/mounts.h"
#include "host/names.h"
#include "kernel/probe.h"
#include "pure/clause.h"
#include "pure/decompile.h"
#include "pure/moment.h"

#define PLACES 64u

/* One run of the command. */
struct watch {
	const struct bc_instance *instance;
	struct lessons lessons;
	struct bc_policy policy; /* of that generation, for the places of rules */
	uint64_t generation;
	uint64_t unplaced; /* binds from cgroups that were gone before it was seen where they were */
	char *root;	   /* where cgroup2 is mounted */
	int root_fd;	   /* of that */
	struct {
		uint64_t id;
		bool inside;
	} places[PLACES]; /* cgroups looked at, by their id: whether they are asked for */
	int64_t duration; /* 0: no end */
	uint64_t count;	  /* binds still to be seen; 0: no end */
};

/* The policy in force, unless it is the one that is known, or the event is of one before that. */
static void read_policy(struct watch *watch, const struct bc_event *event)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	if (event->generation <= watch->generation || bc_instance_image(watch->instance, &image, NULL))
		return;
	bc_policy_done(&watch->policy);
	watch->generation = 0;
	if (!bc_decompile(&image, &watch->policy, NULL))
		watch->generation = image.cells[0].header.generation;
}

/* Where the rule is that decided, or its ID if its policy is not in force any more. */
static void format_place(struct bc_text *text, struct watch *watch, const struct bc_event *event)
{
	const struct bc_rule *rule;

	read_policy(watch, event);
	if (watch->generation == event->generation && event->rule < watch->policy.n) {
		rule = &watch->policy.rules[event->rule];
		bc_text_addf(text, "%s:%u", bc_policy_source_of(&watch->policy, rule), rule->line);
	} else {
		bc_text_addf(text, "rule %08x", event->id);
	}
}

/* Whether the cgroup is among those that are asked for. Ids are never used again, and cgroups never renamed. */
static bool is_inside(struct watch *watch, uint64_t id)
{
	_cleanup_free_ char *path = NULL;
	size_t len = strlen(watch->root), at = id % PLACES;

	if (!watch->lessons.cgroup)
		return true;
	if (watch->places[at].id == id)
		return watch->places[at].inside;
	path = bc_cgroup_path(watch->root_fd, id);
	if (!path || strncmp(path, watch->root, len)) {
		watch->unplaced++;
		return false;
	}
	watch->places[at].id = id;
	watch->places[at].inside = bc_path_within(path[len] ? path + len : "/", watch->lessons.cgroup);
	return watch->places[at].inside;
}

static int learn_event(void *ctx, const struct bc_event *event)
{
	struct watch *watch = ctx;
	struct lessons *lessons = &watch->lessons;
	_cleanup_(bc_text_done) struct bc_text place = {};
	uint64_t before = lessons->learn.binds;
	int r;

	if ((lessons->of_user && event->uid != lessons->uid) || !is_inside(watch, event->cgroup))
		return 0;
	if (event->kind == BC_EVENT_DENY || event->verdict == BC_REWRITE)
		format_place(&place, watch, event);
	r = place.failed ? -ENOMEM : bc_learn_add(&lessons->learn, event, place.data);
	if (r)
		return r;
	return lessons->learn.binds > before && watch->count && !--watch->count;
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
		lessons_gap(lessons, "%" PRIu64 " binds were lost: they came faster than they were read", losses.lost);
	if (lessons->learn.unkept)
		lessons_gap(lessons, "%" PRIu64 " binds were left out: more than %u different ones were seen",
			    lessons->learn.unkept, BC_LEARN_MAX);
	if (watch->unplaced)
		lessons_gap(lessons,
			    "%" PRIu64
			    " binds were left out: their cgroups were gone before it was seen where they were",
			    watch->unplaced);
	return r == -ENOLINK ? 0 : r;
}

static int open_all(struct watch *watch, struct following *following, struct bc_error *reterr)
{
	/* Every bind counts, and a burst of them must find room until it is read. */
	const struct bc_wanted wanted = { .all = true, .ring_bytes = FOLLOW_RING_MAX };
	int r = bc_probe_capabilities(reterr);

	if (!r)
		r = bc_find_cgroup2(&watch->root, reterr) ?: bc_open_cgroup(watch->root, &watch->root_fd, reterr);
	return r ?: follow_open(watch->instance->pins, &wanted, following, reterr);
}

static int learn(struct watch *watch)
{
	_cleanup_(follow_close) struct following following = FOLLOWING_NONE;
	struct bc_error error;
	int r = open_all(watch, &following, &error);

	if (r)
		return failed(&error);
	watch->lessons.start = now();
	r = follow(&following, watch->duration, learn_event, watch);
	watch->lessons.end = now();
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
	char text[256];
	uint64_t uid;
	int r;

	if (lessons->cgroup && bc_check_path(lessons->cgroup, strlen(lessons->cgroup), text, sizeof(text)))
		return usage_error(command, "learn: --cgroup: %s", text);
	if (!user)
		return EXIT_DONE;
	lessons->of_user = user;
	r = bc_parse_number(user, strlen(user), 0, UINT32_MAX - 1, &uid);
	if (!r)
		lessons->uid = uid;
	else
		r = bc_user_by_name(NULL, user, &lessons->uid);
	if (r == -ENOENT)
		say("learn: --user: unknown user '%s'", user);
	else if (r)
		say("learn: --user: cannot look up '%s': %s", user, strerror(-r));
	return r ? EXIT_FAILED : EXIT_DONE;
}

static int parse(struct watch *watch, const struct command *command, int argc, char **argv, const char **ret_user)
{
	const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "count", required_argument, NULL, 'c' },
		{ "timeout", required_argument, NULL, 't' },
		{ "user", required_argument, NULL, 'u' },
		{ "cgroup", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	char text[256];
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		watch->lessons.json |= option == 'j';
		if (option == 'c' && bc_parse_number(optarg, strlen(optarg), 1, INT64_MAX, &watch->count))
			return usage_error(command, "learn: --count: '%s' is not a number from 1 on", optarg);
		if (option == 't' && bc_parse_duration(optarg, strlen(optarg), &watch->duration, text, sizeof(text)))
			return usage_error(command, "learn: --timeout: %s", text);
		if (option == 'u')
			*ret_user = optarg;
		if (option == 'g')
			watch->lessons.cgroup = optarg;
	}
	return optind < argc ? usage_error(command, "learn: unexpected '%s'", argv[optind]) : -1;
}

int run_learn(const struct app *app, const struct command *command, int argc, char **argv)
{
	struct watch watch = { .instance = &app->instance, .root_fd = -1 };
	const char *user = NULL;
	int code = parse(&watch, command, argc, argv, &user);

	if (code >= 0)
		return code;
	code = parse_filter(&watch.lessons, command, user) ?: learn(&watch);
	lessons_done(&watch.lessons);
	bc_policy_done(&watch.policy);
	bc_closep(&watch.root_fd);
	free(watch.root);
	return code;
}
