// SPDX-License-Identifier: GPL-2.0-or-later
/* monitor: decisions as they are made, a line each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/event.h"
#include "cmd/filter.h"
#include "cmd/follow.h"
#include "kernel/probe.h"

/* Binds that nothing refused, a second: what a person can read is less, and what a terminal takes not much more. */
#define RATE 10000

/* One run of the command. */
struct watch {
	struct event_view view;
	struct event_filter filter;
	struct bc_wanted wanted;
	struct follow_limits limits; /* on what is printed */
	bool json;
};

static int print_event(void *ctx, const struct bc_event *event)
{
	struct watch *watch = ctx;

	if (!event_matches(&watch->filter, &watch->view, event))
		return 0;
	if (watch->json)
		out_document(event_json(&watch->view, event));
	else
		event_print(&watch->view, event);
	return follow_is_full(&watch->limits);
}

static void say_losses(const struct watch *watch, const struct bc_events *events)
{
	struct bc_losses losses;

	if (bc_events_losses(events, &losses, NULL))
		return;
	if (losses.lost)
		say("%" PRIu64 " event%s lost: they came faster than they were read", losses.lost, were(losses.lost));
	if (losses.limited)
		say("%" PRIu64 " bind%s left out, which nothing refused: more than %u in a second (--rate)",
		    losses.limited, were(losses.limited), watch->wanted.rate);
}

static int monitor(struct watch *watch, const struct bc_instance *instance)
{
	_cleanup_(follow_close) struct following following = FOLLOWING_NONE;
	struct bc_error error;
	int r = bc_probe_capabilities(&error);

	if (!r)
		r = event_view_open(&watch->view, instance, &error);
	if (!r)
		r = follow_open(instance->pins, &watch->wanted, &following, &error);
	if (r)
		return failed(&error);
	r = follow(&following, watch->limits.duration, print_event, watch);
	say_losses(watch, following.events);
	if (r == -EPIPE)
		return EXIT_DONE;
	if (r < 0 && ferror(stdout)) {
		bc_fail_errno(&error, r, "cannot write to standard output");
		return failed(&error);
	}
	if (r == -ENOLINK) {
		bc_fail(&error, r, "bindctl was unloaded: nothing is reported any more");
		return failed(&error);
	}
	if (r < 0) {
		bc_fail_errno(&error, r, "cannot read the events");
		return failed(&error);
	}
	return finish_output(EXIT_DONE);
}

int run_monitor(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "denied", no_argument, NULL, 'd' },
		{ "rate", required_argument, NULL, 'r' },
		FOLLOW_OPTIONS,
		EVENT_FILTER_OPTIONS,
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct watch watch = { .wanted = { .rate = RATE, .ring_bytes = BC_RING_BYTES }, .view.root_fd = -1 };
	uint64_t rate;
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		watch.json |= option == 'j';
		watch.filter.denied |= option == 'd';
		event_filter_option(&watch.filter, option, optarg);
		code = follow_option(&watch.limits, command, option, optarg);
		if (code >= 0)
			return code;
		if (option == 'r') {
			if (bc_parse_number(optarg, strlen(optarg), 0, UINT32_MAX, &rate))
				return usage_error(
					command,
					"monitor: --rate: '%s' is not a number from 0 to 4294967295 (0: no limit)",
					optarg);
			watch.wanted.rate = rate;
		}
	}
	if (optind < argc)
		return usage_error(command, "monitor: unexpected '%s'", argv[optind]);
	code = event_filter_parse(&watch.filter, command) ?: monitor(&watch, &app->instance);
	event_filter_done(&watch.filter);
	event_view_done(&watch.view);
	return code;
}
