// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "kernel/probe.h"
#include "pure/decompile.h"

#define RULE_WIDTH_MAX 80

static void print_json(const struct bc_policy *policy, const struct bc_header *header)
{
	struct json_object *members = json_object_new_object();

	out_set_number(members, "generation", header->generation);
	out_set_hex(members, "digest", header->digest);
	out_begin_array(members, "rules");
	for (size_t i = 0; i < policy->n; i++)
		out_element(out_rule(policy, &policy->rules[i]));
	out_end_array();
}

/* The widest rule's width, up to a line that still fits a terminal with its source. */
static int rule_width(const struct bc_policy *policy)
{
	size_t width = strlen("RULE");

	for (size_t i = 0; i < policy->n; i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};

		bc_format_rule(&text, policy, &policy->rules[i]);
		if (text.len > width && text.len <= RULE_WIDTH_MAX)
			width = text.len;
	}
	return width;
}

static void print_table(const struct bc_policy *policy)
{
	int width = rule_width(policy);

	if (!policy->n)
		return;
	printf("%-8s  %-*s  %s\n", "ID", width, "RULE", "FROM");
	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *rule = &policy->rules[i];
		_cleanup_(bc_text_done) struct bc_text text = {};

		bc_format_rule(&text, policy, rule);
		printf("%08x  ", bc_rule_id(bc_rule_digest(policy, rule)));
		out_text(text.data);
		printf("%*s", text.len < (size_t)width ? (int)(width + 2 - text.len) : 2, "");
		out_text(bc_policy_source_of(policy, rule));
		printf(":%u\n", rule->line);
	}
}

int run_list(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "numeric", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	_cleanup_(bc_mapped_image_done) struct bc_mapped_image mapped = {};
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	bool json = false, numeric = false;
	struct bc_error error;
	int option, code, r;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		json |= option == 'j';
		numeric |= option == 'n';
	}
	if (optind < argc)
		return usage_error(command, "list: unexpected '%s'", argv[optind]);
	r = bc_probe_capabilities(&error);
	if (!r)
		r = bc_instance_image(&app->instance, &mapped, &error);
	if (!r)
		r = bc_decompile(&mapped.image, &policy, &error);
	if (r)
		return failed(&error);
	if (!numeric)
		add_names(&policy);
	if (json)
		print_json(&policy, &mapped.image.cells[0].header);
	else
		print_table(&policy);
	return finish_output(EXIT_DONE);
}
