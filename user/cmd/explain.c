// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "cmd/request.h"
#include "host/build.h"
#include "host/ports.h"
#include "host/privilege.h"
#include "kernel/probe.h"
#include "pure/decompile.h"

/* The policy that is asked, and its image. */
struct source {
	struct bc_cells current;
	struct bc_build build;
	struct bc_policy policy; /* as read from the image */
	const struct bc_cells *image;
};

static void source_done(struct source *source)
{
	bc_cells_done(&source->current);
	bc_build_done(&source->build);
	bc_policy_done(&source->policy);
}

static int read_source(const struct app *app, bool files, struct source *source, struct bc_error *reterr)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_files_done) struct bc_files read = {};
	int r;

	if (files) {
		r = bc_store_read(&app->store, &read, reterr);
		if (!r)
			r = bc_build_policy(&read, &host_names, BC_WARNING, BC_ERROR, &source->build, &report, reterr);
		say_report(&report);
		source->image = &source->build.cells;
	} else {
		r = bc_probe_capabilities(reterr);
		if (!r)
			r = bc_instance_image(&app->instance, &source->current, reterr);
		source->image = &source->current;
	}
	return r ? r : bc_decompile(source->image, &source->policy, reterr);
}

static const char *condition_name(uint32_t failed)
{
	if (failed & BC_IF_PROTO)
		return "proto";
	if (failed & (BC_IF_V4 | BC_IF_V6))
		return "addr";
	if (failed & BC_IF_GROUP)
		return "group";
	return failed & BC_IF_UNTIL ? "until" : "netns";
}

static void print_kernel_rule(const struct bc_question *question)
{
	unsigned start = bc_unprivileged_start();

	if (question->port && question->port < start)
		printf("the kernel decides: port %u is below %u and needs CAP_NET_BIND_SERVICE\n", question->port,
		       start);
	else
		printf("the kernel decides: it asks for no capability at this port\n");
}

static void print_rule(const char *what, const struct source *source, const struct bc_tried *tried, bool both)
{
	const struct bc_rule *rule = &source->policy.rules[tried->rule];
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_format_rule(&text, &source->policy, rule);
	bc_text_addf(&text, "  (%s:%u)", bc_policy_source_of(&source->policy, rule), rule->line);
	if (text.failed)
		return;
	printf("  %s", what);
	if (tried->failed && tried->failed != BC_TRIED_AUDITS)
		printf(" by its %s", condition_name(tried->failed));
	if (both)
		printf(", IPv%d side", tried->v4 ? 4 : 6);
	printf(": ");
	out_text(text.data);
	printf("\n");
}

static const char *role_of(const struct bc_tried *tried, const struct bc_answer *answer)
{
	if (tried->failed == BC_TRIED_AUDITS)
		return "would refuse, but only reports it";
	if (tried->failed)
		return "ruled out";
	if (tried->rule != answer->rule)
		return "holds, but the other side decides";
	return tried->others ? "decided, as it reserves the port for others" : "decided";
}

static bool is_ipv6(const struct request *request)
{
	/* Of ::ffff:a.b.c.d the question no longer tells that it takes an IPv6 socket to ask for it. */
	return strchr(request->addr, ':') != NULL;
}

/* As the programs find out: an IPv4 socket takes no IPv6 address, and a V6ONLY one no IPv4 address. */
static bool leads_astray(const struct request *request, const struct source *source, const struct bc_answer *answer)
{
	const struct bc_rule *rule;

	if (answer->verdict != BC_REWRITE)
		return false;
	rule = &source->policy.rules[answer->rule];
	return rule->to_addr && (is_ipv6(request) ? rule->to_v4 && request->v6only : !rule->to_v4);
}

static void print_verdict(const struct request *request, const struct source *source, const struct bc_answer *answer)
{
	_cleanup_(bc_text_done) struct bc_text to = {};

	switch (answer->verdict) {
	case BC_DENY:
		printf("deny: bind fails with %s\n", bc_errno_name(answer->err));
		break;
	case BC_GRANT:
		printf("grant: bind proceeds, CAP_NET_BIND_SERVICE not needed\n");
		break;
	case BC_ALLOW:
		printf("allow: bind proceeds under the kernel's ordinary rule\n");
		break;
	case BC_REWRITE:
		bc_format_to(&to, &source->policy.rules[answer->rule]);
		if (leads_astray(request, source, answer))
			printf("rewrite: bind fails with EAFNOSUPPORT, as %s cannot take %s\n",
			       is_ipv6(request) ? "a V6ONLY socket" : "an IPv4 socket", to.failed ? "?" : to.data);
		else
			printf("rewrite: bind proceeds at %s, CAP_NET_BIND_SERVICE not needed\n",
			       to.failed ? "?" : to.data);
		break;
	default:
		printf("no rule decides\n");
	}
}

/* Whether the bind proceeds at a port that the kernel chooses. */
static bool chooses_port(const struct bc_question *question, const struct source *source,
			 const struct bc_answer *answer)
{
	if (question->port || answer->verdict == BC_DENY)
		return false;
	return answer->verdict != BC_REWRITE || !source->policy.rules[answer->rule].to_port;
}

static void print_text(const struct request *request, const struct source *source, const struct bc_answer *answer)
{
	const struct bc_question *question = &request->question;

	print_verdict(request, source, answer);
	if (answer->both)
		printf("  [::] takes the IPv4 port too: decided for both, the lesser privilege holds\n");
	for (size_t i = 0; i < answer->ntried; i++)
		print_rule(role_of(&answer->tried[i], answer), source, &answer->tried[i], answer->both);
	if (answer->verdict == BC_NONE || answer->verdict == BC_ALLOW)
		print_kernel_rule(question);
	if (chooses_port(question, source, answer) && source->image->cells[0].header.features & BC_F_DENY)
		printf("the port that the kernel chooses is then held against the rules that deny\n");
}

static void print_json(const struct request *request, const struct source *source, const struct bc_answer *answer)
{
	struct json_object *members = json_object_new_object();

	out_set_string(members, "verdict", out_verdict(answer->verdict));
	out_set_string(members, "errno",
		       answer->verdict == BC_DENY	     ? bc_errno_name(answer->err) :
		       leads_astray(request, source, answer) ? "EAFNOSUPPORT" :
							       NULL);
	out_set_bool(members, "dual_stack", answer->both);
	if (answer->verdict == BC_REWRITE) {
		_cleanup_(bc_text_done) struct bc_text to = {};

		bc_format_to(&to, &source->policy.rules[answer->rule]);
		out_set_string(members, "to", to.data);
	}
	json_object_object_add(
		members, "rule",
		answer->rule == BC_RULE_NONE ? NULL : out_rule(&source->policy, &source->policy.rules[answer->rule]));
	out_begin_array(members, "tried");
	for (size_t i = 0; i < answer->ntried; i++) {
		const struct bc_tried *tried = &answer->tried[i];
		struct json_object *element = out_rule(&source->policy, &source->policy.rules[tried->rule]);

		out_set_string(element, "ruled_out_by",
			       tried->failed == BC_TRIED_AUDITS ? "audit" :
			       tried->failed			? condition_name(tried->failed) :
								  NULL);
		out_set_number(element, "family", tried->v4 ? 4 : 6);
		out_element(element);
	}
	out_end_array();
}

static int explain(const struct app *app, struct request *request, bool files, bool json)
{
	_cleanup_(source_done) struct source source = {};
	_cleanup_(bc_answer_done) struct bc_answer answer = {};
	struct bc_error error;
	bool fails;
	int r = files ? bc_privilege_keep(BC_CAPS_UNITS | BC_CAP(CAP_SYS_PTRACE), &error) : 0;

	if (!r)
		r = request_complete(request, &error);
	if (!r)
		r = read_source(app, files, &source, &error);
	if (r)
		return failed(&error);
	r = bc_decide_image(source.image, &request->question, &answer);
	if (r) {
		bc_fail_errno(&error, r, "cannot tell what the policy answers");
		return failed(&error);
	}
	add_names(&source.policy);
	if (json)
		print_json(request, &source, &answer);
	else
		print_text(request, &source, &answer);
	fails = answer.verdict == BC_DENY || leads_astray(request, &source, &answer);
	return finish_output(fails ? EXIT_ANSWER : EXIT_DONE);
}

/* Where an option's value goes; NULL for one without. */
static const char **value_of(struct request *request, int option)
{
	switch (option) {
	case 'u':
		return &request->user;
	case 'p':
		return &request->port;
	case 't':
		return &request->proto;
	case 'a':
		return &request->addr;
	case 'n':
		return &request->netns;
	case 'c':
		return &request->cgroup;
	case 'U':
		return &request->unit;
	case 'A':
		return &request->at;
	case 'P':
		return &request->pid;
	case 'g':
		return request->ngroups < REQUEST_GROUPS ? &request->groups[request->ngroups++] : NULL;
	}
	return NULL;
}

int run_explain(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "user", required_argument, NULL, 'u' },
		{ "group", required_argument, NULL, 'g' },
		{ "port", required_argument, NULL, 'p' },
		{ "proto", required_argument, NULL, 't' },
		{ "addr", required_argument, NULL, 'a' },
		{ "netns", required_argument, NULL, 'n' },
		{ "cgroup", required_argument, NULL, 'c' },
		{ "unit", required_argument, NULL, 'U' },
		{ "at", required_argument, NULL, 'A' },
		{ "pid", required_argument, NULL, 'P' },
		{ "v6only", no_argument, NULL, '6' },
		{ "files", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	_cleanup_(request_done) struct request request = { .proto = "tcp", .addr = "0.0.0.0" };
	bool files = false, json = false;
	struct bc_error error;
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		const char **value = value_of(&request, option);

		if (option == '?')
			return code;
		if (option == 'g' && !value)
			return usage_error(command, "explain: more than %d groups", REQUEST_GROUPS);
		if (value)
			*value = optarg;
		request.v6only |= option == '6';
		files |= option == 'f';
		json |= option == 'j';
	}
	if (optind < argc)
		return usage_error(command, "explain: unexpected '%s'", argv[optind]);
	if (request.pid && (request.user || request.ngroups || request.cgroup || request.unit || request.netns))
		return usage_error(command, "explain: --pid says who binds; it excludes --user, --group, --cgroup, "
					    "--unit and --netns");
	if (!request.port || (!request.user && !request.pid))
		return usage_error(command, "explain: wants --user (or --pid) and --port");
	if (request.cgroup && request.unit)
		return usage_error(command, "explain: --cgroup and --unit exclude each other");
	if (!request.netns)
		request.netns = "host";
	if (request_read(&request, &error))
		return wrong_value(command, &error);
	return explain(app, &request, files, json);
}
