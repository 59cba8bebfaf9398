// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "kernel/probe.h"
#include "pure/decompile.h"
#include "pure/moment.h"

#define RULE_WIDTH_MAX 100

static void print_json(const struct bc_policy *policy, const struct bc_cells *image)
{
	struct json_object *members = json_object_new_object();

	out_set_number(members, "generation", image->cells[0].header.generation);
	out_set_hex(members, "digest", image->cells[1].about.digest);
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

/* How long a rule will still hold; empty for one that has no end. */
static void format_left(struct bc_text *text, const struct bc_rule *rule, int64_t time)
{
	bc_text_add(text, "", 0);
	if (!(rule->clauses & BC_CLAUSE_UNTIL))
		return;
	if (rule->until <= time)
		bc_text_addf(text, "expired");
	else
		bc_format_duration(text, rule->until - time);
}

static void print_row(const struct bc_policy *policy, const struct bc_rule *rule, int width, bool ends, int64_t time)
{
	_cleanup_(bc_text_done) struct bc_text text = {}, left = {};

	bc_format_rule(&text, policy, rule);
	format_left(&left, rule, time);
	if (text.failed || left.failed)
		return;
	printf("%08x  ", bc_rule_id(bc_rule_digest(policy, rule)));
	out_text(text.data);
	printf("%*s", text.len < (size_t)width ? (int)(width + 2 - text.len) : 2, "");
	if (ends)
		printf("%-7s  ", left.data);
	out_text(bc_policy_source_of(policy, rule));
	printf(":%u\n", rule->line);
}

static void print_table(const struct bc_policy *policy)
{
	int width = rule_width(policy);
	int64_t time = now();
	bool ends = false;

	for (size_t i = 0; i < policy->n; i++)
		ends |= policy->rules[i].clauses & BC_CLAUSE_UNTIL;
	if (!policy->n)
		return;
	printf("%-8s  %-*s  %sFROM\n", "ID", width, "RULE", ends ? "LEFT     " : "");
	for (size_t i = 0; i < policy->n; i++)
		print_row(policy, &policy->rules[i], width, ends, time);
}

int run_list(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "numeric", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	_cleanup_(bc_cells_done) struct bc_cells image = {};
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
		r = bc_instance_image(&app->instance, &image, &error);
	if (!r)
		r = bc_decompile(&image, &policy, &error);
	if (r)
		return failed(&error);
	if (!numeric)
		add_names(&policy);
	if (json)
		print_json(&policy, &image);
	else
		print_table(&policy);
	return finish_output(EXIT_DONE);
}
