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
#include "cmd/names.h"
#include "cmd/words.h"
#include "host/clock.h"
#include "host/store.h"
#include "kernel/events.h"
#include "kernel/probe.h"
#include "pure/advice.h"

/* One run of the command. */
struct inquiry {
	struct event_view view;
	struct event_filter filter;
	const struct bc_store *store;
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

/* What was asked for, as the policy is asked. Where the cgroup is gone, the rule's is known. */
static struct bc_asked asked_by(struct inquiry *inquiry, const struct bc_event *event)
{
	const struct bc_rule *rule = event_rule(&inquiry->view, event);
	struct bc_asked asked = {
		.question = { .uid = event->uid,
			      .gid = event->gid,
			      .v4 = bc_addr_is_v4(event->addr),
			      .v6only = event->flags & BC_EVENT_V6ONLY,
			      .host_netns = event->flags & BC_EVENT_HOST,
			      .proto = event->proto,
			      .port = event->port,
			      .cgroup = event_cgroup(&inquiry->view, event),
			      .now = bc_now() },
		.grant = !(event->flags & BC_EVENT_PRIVILEGED),
		.chosen = event->flags & BC_EVENT_CHOSEN,
	};

	memcpy(asked.question.addr, event->addr, sizeof(event->addr));
	if (!asked.question.cgroup && rule && rule->verb != BC_VERB_RESERVE)
		asked.question.cgroup = bc_policy_path(&inquiry->view.policy, rule);
	return asked;
}

/* A rule for the user who asked. */
static void add_rule_call(struct bc_text *text, const struct bc_asked *asked, const struct bc_advice *advice,
			  const uint32_t addr[4], bool v4)
{
	_cleanup_free_ char *user = written_user(asked->question.uid);

	bc_text_addf(text, "bindctl%s %s ", talk_globals(), bc_verb_name(advice->verb));
	/* A name that would be read as somebody else is no use. */
	if (user && is_user_subject(user))
		bc_text_add_word(text, user);
	else
		bc_text_addf(text, "%u", asked->question.uid);
	bc_text_addf(text, " ");
	bc_format_ports(text, &advice->ports, 1);
	bc_text_addf(text, "/%s", asked->question.proto == BC_UDP ? "udp" : "tcp");
	if (advice->addr) {
		bc_text_addf(text, " addr ");
		bc_format_addr(text, addr, v4, 128);
	}
	if (advice->cgroup) {
		bc_text_addf(text, " cgroup ");
		bc_text_add_word(text, advice->cgroup);
	}
	bc_text_addf(text, "%s", asked->question.host_netns ? "" : " netns any");
}

/* A call that takes the rule back; false: no command edits its file. */
static bool add_revoke_call(struct bc_text *text, const struct inquiry *inquiry, const struct bc_rule *rule)
{
	const struct bc_policy *policy = &inquiry->view.policy;

	for (int runtime = 0; runtime < 2; runtime++) {
		_cleanup_free_ char *path = bc_store_path(inquiry->store, runtime);

		if (!path || strcmp(path, bc_policy_source_of(policy, rule)))
			continue;
		bc_text_addf(text, "%sbindctl%s revoke%s --id %08x", text->len ? " && " : "", talk_globals(),
			     runtime ? " --runtime" : "", bc_rule_id(bc_rule_digest(policy, rule)));
		return true;
	}
	return false;
}

/* The calls, one behind the other, and before them in `by_hand` what no call does. */
static void add_calls(struct bc_text *text, struct bc_text *by_hand, const struct inquiry *inquiry,
		      const struct bc_asked *asked, const struct bc_advice *advice)
{
	static const uint32_t any_v4[4] = { 0, 0, 0xffff, 0 };
	const struct bc_policy *policy = &inquiry->view.policy;

	for (size_t i = 0; i < advice->ntaken; i++) {
		const struct bc_rule *rule = &policy->rules[advice->taken[i]];

		if (!add_revoke_call(text, inquiry, rule))
			bc_text_addf(by_hand, "%s%s:%u", by_hand->len ? " and " : "take back ",
				     bc_policy_source_of(policy, rule), rule->line);
	}
	if (advice->adds) {
		bc_text_addf(text, "%s", text->len ? " && " : "");
		add_rule_call(text, asked, advice, asked->question.addr, asked->question.v4);
	}
	if (advice->both) {
		bc_text_addf(text, " && ");
		add_rule_call(text, asked, advice, any_v4, true);
	}
	/* Any other call does the same besides. */
	if (!text->len)
		bc_text_addf(text, "bindctl%s apply", talk_globals());
}

/* What the administrator could call, should the bind be wanted. A rule for one user goes before one for all. */
static void print_advice(struct inquiry *inquiry, const struct bc_event *event)
{
	_cleanup_(bc_text_done) struct bc_text text = {}, by_hand = {};
	_cleanup_(bc_advice_done) struct bc_advice advice = {};
	const struct bc_policy *policy = event_policy(&inquiry->view);
	const struct bc_asked asked = asked_by(inquiry, event);

	if (bc_advise(policy, &asked, &advice))
		return;
	add_calls(&text, &by_hand, inquiry, &asked, &advice);
	if (text.failed || by_hand.failed)
		return;
	printf("  to permit it: ");
	if (by_hand.len) {
		out_text(by_hand.data);
		printf(", then: ");
	}
	out_text(text.data);
	printf("\n");
	if (advice.adds && !event->port)
		printf("  which is about every port, as port 0 is matched by 'any' alone\n");
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
		/* An errno that no deny gives is of a bind that was let through, to where its socket cannot go. */
		if (bc_errno_name(refused[i].last.err))
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
	struct inquiry inquiry = { .view.root_fd = -1, .store = &app->store };
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
	code = event_filter_parse(&inquiry.filter, command) ?: why(&inquiry, &app->instance);
	event_filter_done(&inquiry.filter);
	event_view_done(&inquiry.view);
	return code;
}
