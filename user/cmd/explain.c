// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "host/build.h"
#include "host/names.h"
#include "kernel/probe.h"
#include "pure/clause.h"
#include "pure/decide.h"
#include "pure/decompile.h"

/* The kernel's own rule: ports below this need CAP_NET_BIND_SERVICE. */
#define UNPRIVILEGED_START "/proc/sys/net/ipv4/ip_unprivileged_port_start"

/* What is asked of explain. */
struct request {
	struct bc_question question;
	const char *user, *port, *proto, *addr, *netns;
	bool v6only, files, json;
};

/* The policy that is asked, and its image. */
struct source {
	struct bc_mapped_image mapped;
	struct bc_build build;
	struct bc_policy policy; /* as read from the image */
	const struct bc_cells *image;
};

static void source_done(struct source *source)
{
	bc_mapped_image_done(&source->mapped);
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
			r = bc_build_policy(&read, BC_WARNING, BC_ERROR, &source->build, &report, reterr);
		say_report(&report);
		source->image = &source->build.cells;
	} else {
		r = bc_probe_capabilities(reterr);
		if (!r)
			r = bc_instance_image(&app->instance, &source->mapped, reterr);
		source->image = &source->mapped.image;
	}
	return r ? r : bc_decompile(source->image, &source->policy, reterr);
}

static int parse_user(const char *user, uint32_t *ret_uid, struct bc_error *reterr)
{
	uint64_t number;
	int r = bc_parse_number(user, strlen(user), 0, UINT32_MAX - 1, &number);

	if (!r) {
		*ret_uid = number;
		return 0;
	}
	if (r == -ERANGE)
		return bc_fail(reterr, -EINVAL, "--user: uid %s is out of range (0 to 4294967294)", user);
	r = bc_host_names.user(bc_host_names.ctx, user, ret_uid);
	if (r == -ENOENT)
		return bc_fail(reterr, r, "--user: unknown user '%s'", user);
	return r ? bc_fail_errno(reterr, r, "--user: cannot look up '%s'", user) : 0;
}

static int parse_request(struct request *request, struct bc_error *reterr)
{
	struct bc_question *question = &request->question;
	struct bc_word word = { .text = request->addr, .len = strlen(request->addr) };
	char text[256];
	uint64_t port;
	uint8_t prefix;

	if (bc_parse_number(request->port, strlen(request->port), 0, 65535, &port))
		return bc_fail(reterr, -EINVAL, "--port: '%s' is not a port number (0 to 65535)", request->port);
	if (bc_parse_addr(&word, question->addr, &question->v4, &prefix, text, sizeof(text)))
		return bc_fail(reterr, -EINVAL, "--addr: %s", text);
	if (prefix != 128)
		return bc_fail(reterr, -EINVAL, "--addr: a bind asks for one address, not for a prefix");
	if (strcmp(request->proto, "tcp") && strcmp(request->proto, "udp"))
		return bc_fail(reterr, -EINVAL, "--proto: unknown protocol '%s' (tcp or udp)", request->proto);
	if (strcmp(request->netns, "host") && strcmp(request->netns, "other"))
		return bc_fail(reterr, -EINVAL, "--netns: unknown network namespace '%s' (host or other)",
			       request->netns);
	question->port = port;
	question->proto = *request->proto == 't' ? BC_TCP : BC_UDP;
	question->host_netns = *request->netns == 'h';
	question->v6only = request->v6only;
	return parse_user(request->user, &question->uid, reterr);
}

static const char *verdict_name(enum bc_verdict verdict)
{
	switch (verdict) {
	case BC_DENY:
		return "deny";
	case BC_ALLOW:
		return "allow";
	case BC_NONE:
		return "none";
	case BC_REWRITE:
		return "rewrite";
	case BC_GRANT:
		return "grant";
	}
	return "?";
}

static const char *condition_name(uint32_t failed)
{
	if (failed & BC_IF_PROTO)
		return "proto";
	if (failed & (BC_IF_V4 | BC_IF_V6))
		return "addr";
	return "netns";
}

/* The first port that needs no capability; 1024 where the kernel does not say. */
static unsigned unprivileged_start(void)
{
	_cleanup_close_ int fd = open(UNPRIVILEGED_START, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (fd < 0 || bc_read_all(fd, 64, &text, &len))
		return 1024;
	return strtoul(text, NULL, 10);
}

static void print_kernel_rule(const struct bc_question *question)
{
	unsigned start = unprivileged_start();

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
	if (tried->failed)
		printf(" by its %s", condition_name(tried->failed));
	if (both)
		printf(", IPv%d side", tried->v4 ? 4 : 6);
	printf(": ");
	out_text(text.data);
	printf("\n");
}

static void print_text(const struct request *request, const struct source *source, const struct bc_answer *answer)
{
	const struct bc_question *question = &request->question;

	if (answer->verdict == BC_DENY)
		printf("deny: bind fails with %s\n", bc_errno_name(answer->err));
	else if (answer->verdict == BC_GRANT)
		printf("grant: bind proceeds, CAP_NET_BIND_SERVICE not needed\n");
	else if (answer->verdict == BC_ALLOW)
		printf("allow: bind proceeds under the kernel's ordinary rule\n");
	else
		printf("no rule decides\n");
	if (answer->both)
		printf("  [::] takes the IPv4 port too: decided for both, the lesser privilege holds\n");
	for (size_t i = 0; i < answer->ntried; i++)
		print_rule(answer->tried[i].failed		 ? "ruled out" :
			   answer->tried[i].rule == answer->rule ? "decided" :
								   "holds, but the other side decides",
			   source, &answer->tried[i], answer->both);
	if (answer->verdict == BC_NONE || answer->verdict == BC_ALLOW)
		print_kernel_rule(question);
}

static void print_json(const struct source *source, const struct bc_answer *answer)
{
	struct json_object *members = json_object_new_object();

	out_set_string(members, "verdict", verdict_name(answer->verdict));
	out_set_string(members, "errno", answer->verdict == BC_DENY ? bc_errno_name(answer->err) : NULL);
	out_set_bool(members, "dual_stack", answer->both);
	json_object_object_add(
		members, "rule",
		answer->rule == BC_RULE_NONE ? NULL : out_rule(&source->policy, &source->policy.rules[answer->rule]));
	out_begin_array(members, "tried");
	for (size_t i = 0; i < answer->ntried; i++) {
		const struct bc_tried *tried = &answer->tried[i];
		struct json_object *element = out_rule(&source->policy, &source->policy.rules[tried->rule]);

		out_set_string(element, "ruled_out_by", tried->failed ? condition_name(tried->failed) : NULL);
		out_set_number(element, "family", tried->v4 ? 4 : 6);
		out_element(element);
	}
	out_end_array();
}

static int explain(const struct app *app, struct request *request)
{
	_cleanup_(source_done) struct source source = {};
	_cleanup_(bc_answer_done) struct bc_answer answer = {};
	struct bc_error error;
	int r = parse_request(request, &error);

	if (!r)
		r = read_source(app, request->files, &source, &error);
	if (r)
		return failed(&error);
	r = bc_decide_image(source.image, &request->question, &answer);
	if (r) {
		bc_fail_errno(&error, r, "cannot decide");
		return failed(&error);
	}
	add_names(&source.policy);
	if (request->json)
		print_json(&source, &answer);
	else
		print_text(request, &source, &answer);
	return finish_output(answer.verdict == BC_DENY ? EXIT_ANSWER : EXIT_DONE);
}

int run_explain(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "user", required_argument, NULL, 'u' },  { "port", required_argument, NULL, 'p' },
		{ "proto", required_argument, NULL, 't' }, { "addr", required_argument, NULL, 'a' },
		{ "netns", required_argument, NULL, 'n' }, { "v6only", no_argument, NULL, '6' },
		{ "files", no_argument, NULL, 'f' },	   { "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },	   {},
	};
	struct request request = { .proto = "tcp", .addr = "0.0.0.0", .netns = "host" };
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		switch (option) {
		case '?':
			return code;
		case 'u':
			request.user = optarg;
			break;
		case 'p':
			request.port = optarg;
			break;
		case 't':
			request.proto = optarg;
			break;
		case 'a':
			request.addr = optarg;
			break;
		case 'n':
			request.netns = optarg;
			break;
		case '6':
			request.v6only = true;
			break;
		case 'f':
			request.files = true;
			break;
		case 'j':
			request.json = true;
		}
	}
	if (optind < argc)
		return usage_error(command, "explain: unexpected '%s'", argv[optind]);
	if (!request.user || !request.port)
		return usage_error(command, "explain: wants --user and --port");
	return explain(app, &request);
}
