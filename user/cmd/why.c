// SPDX-License-Identifier: GPL-2.0-or-later
/* why: the last refusals, and what would let such a bind through. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/event.h"
#include "cmd/filter.h"
#include "kernel/events.h"
#include "kernel/probe.h"

/* One run of the command. */
struct inquiry {
	struct event_view view;
	struct event_filter filter;
	uint64_t pid; /* 0: of any process */
	bool last;    /* the last one alone */
	bool json;
};

static bool is_asked_for(struct inquiry *inquiry, const struct bc_event *event)
{
	return (!inquiry->pid || event->pid == inquiry->pid || event->tid == inquiry->pid) &&
	       event_matches(&inquiry->filter, &inquiry->view, event);
}

/* Keeps those that are asked for; how many. */
static size_t choose(struct inquiry *inquiry, struct bc_refused *refused, size_t n)
{
	size_t chosen = 0;

	for (size_t i = 0; i < n; i++)
		if (is_asked_for(inquiry, &refused[i].last))
			refused[chosen++] = refused[i];
	if (inquiry->last && chosen > 1) {
		refused[0] = refused[chosen - 1];
		chosen = 1;
	}
	return chosen;
}

/* What the administrator could call, should the bind be wanted. A rule for one user goes before one for all. */
static void print_advice(struct inquiry *inquiry, const struct bc_event *event)
{
	const char *user = event_user(&inquiry->view, event), *proto = event->proto == BC_UDP ? "udp" : "tcp";
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_text_addf(&text, "  to permit it: bindctl %s ", event->flags & BC_EVENT_PRIVILEGED ? "allow" : "grant");
	if (user)
		bc_text_addf(&text, "%s", user);
	else
		bc_text_addf(&text, "%u", event->uid);
	bc_text_addf(&text, " %u/%s%s", event->port, proto, event->flags & BC_EVENT_HOST ? "" : " netns any");
	if (text.failed)
		return;
	out_text(text.data);
	printf("\n");
}

static void print_reason(struct inquiry *inquiry, const struct bc_refused *refused)
{
	const struct bc_event *event = &refused->last;
	const struct bc_rule *rule = event_rule(&inquiry->view, event);
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_text_addf(&text, "  %s", strerrorname_np(event->err) ?: "an error");
	if (refused->times > 1)
		bc_text_addf(&text, ", %" PRIu64 " times in a row", refused->times);
	if (rule) {
		bc_text_addf(&text, ", by: ");
		bc_format_rule(&text, &inquiry->view.policy, rule);
	} else if (event->kind == BC_EVENT_KERNEL) {
		bc_text_addf(&text, ", by the kernel's own rule");
	}
	if (text.failed)
		return;
	out_text(text.data);
	printf("\n");
}

static void print_all(struct inquiry *inquiry, const struct bc_refused *refused, size_t n)
{
	if (inquiry->json) {
		out_begin_array(json_object_new_object(), "refusals");
		for (size_t i = 0; i < n; i++) {
			struct json_object *object = event_json(&inquiry->view, &refused[i].last);

			out_set_number(object, "times", refused[i].times);
			out_element(object);
		}
		out_end_array();
		return;
	}
	for (size_t i = 0; i < n; i++) {
		event_print(&inquiry->view, &refused[i].last);
		print_reason(inquiry, &refused[i]);
		/* What a rewrite leads to, and what no rule speaks of for another reason, no grant of ours mends. */
		if (refused[i].last.kind == BC_EVENT_KERNEL || refused[i].last.verdict == BC_DENY)
			print_advice(inquiry, &refused[i].last);
	}
}

static int why(struct inquiry *inquiry, const struct bc_instance *instance)
{
	_cleanup_free_ struct bc_refused *refused = NULL;
	struct bc_error error;
	size_t n = 0;
	int r = bc_probe_capabilities(&error);

	if (!r)
		r = event_filter_parse(&inquiry->filter, &error);
	if (!r)
		r = event_view_open(&inquiry->view, instance, &error);
	inquiry->view.dated = true;
	if (!r)
		r = bc_refusals_read(instance->pins, &refused, &n, &error);
	if (r)
		return failed(&error);
	n = choose(inquiry, refused, n);
	print_all(inquiry, refused, n);
	if (!n && !inquiry->json)
		say("no such refusal is remembered");
	return finish_output(EXIT_DONE);
}

int run_why(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "pid", required_argument, NULL, 'P' }, { "last", no_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },	 EVENT_FILTER_OPTIONS,
		{ "help", no_argument, NULL, 'h' },	 {},
	};
	struct inquiry inquiry = { .view.root_fd = -1 };
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		inquiry.json |= option == 'j';
		inquiry.last |= option == 'l';
		event_filter_option(&inquiry.filter, option, optarg);
		if (option == 'P' && bc_parse_number(optarg, strlen(optarg), 1, UINT32_MAX, &inquiry.pid))
			return usage_error(command, "why: --pid: '%s' is not a process id", optarg);
	}
	if (optind < argc)
		return usage_error(command, "why: unexpected '%s'", argv[optind]);
	code = why(&inquiry, &app->instance);
	event_filter_done(&inquiry.filter);
	event_view_done(&inquiry.view);
	return code;
}
