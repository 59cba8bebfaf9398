// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/app.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "host/clock.h"
#include "kernel/probe.h"
#include "pure/decompile.h"
#include "pure/inspect.h"
#include "pure/moment.h"

#define RULE_WIDTH_MAX 100

/* What there is to be shown. */
struct listing {
	struct bc_cells image;
	struct bc_policy policy;
	bool unused; /* rules that were never hit, and no others */
	int64_t time;
};

static const struct bc_rule_cell *cell_of(const struct listing *listing, size_t i)
{
	return bc_rule_at(&listing->image, i);
}

static bool is_shown(const struct listing *listing, size_t i)
{
	return !listing->unused || !cell_of(listing, i)->hits;
}

/* How long ago the rule was last hit, to the second or so, by the clock that the programs read. */
static int64_t since_hit(const struct bc_rule_cell *cell)
{
	struct timespec up;
	int64_t ago;

	clock_gettime(CLOCK_MONOTONIC, &up);
	ago = up.tv_sec * BC_SECOND + up.tv_nsec - ((int64_t)cell->last << BC_HIT_SHIFT);
	/* It counts in steps, downwards, of somewhat more than a second. */
	ago = ago < BC_SECOND ? 0 : ago - BC_SECOND / 2;
	return ago / BC_SECOND * BC_SECOND;
}

static void print_json(const struct listing *listing)
{
	const union bc_cell *cells = listing->image.cells;
	struct json_object *members = json_object_new_object();

	out_set_number(members, "generation", cells[0].header.generation);
	out_set_hex(members, "digest", cells[1].about.digest);
	out_begin_array(members, "rules");
	for (size_t i = 0; i < listing->policy.n; i++) {
		const struct bc_rule_cell *cell = cell_of(listing, i);
		struct json_object *object;

		if (!is_shown(listing, i))
			continue;
		object = out_rule(&listing->policy, &listing->policy.rules[i]);
		out_set_number(object, "hits", cell->hits);
		if (cell->hits)
			out_set_moment(object, "last_hit", (listing->time - since_hit(cell)) / BC_SECOND * BC_SECOND);
		else
			out_set_string(object, "last_hit", NULL);
		out_element(object);
	}
	out_end_array();
}

/* As it is printed, malloc'ed; NULL without memory. */
static char *rule_text(const struct bc_policy *policy, const struct bc_rule *rule)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_format_rule(&text, policy, rule);
	return text.failed ? NULL : out_printable(text.data);
}

/* The widest rule's width, up to a line that still fits a terminal with its source. */
static int rule_width(const struct listing *listing)
{
	size_t width = strlen("RULE");

	for (size_t i = 0; i < listing->policy.n; i++) {
		_cleanup_free_ char *text = rule_text(&listing->policy, &listing->policy.rules[i]);
		size_t len = text && is_shown(listing, i) ? strlen(text) : 0;

		if (len > width && len <= RULE_WIDTH_MAX)
			width = len;
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

static void print_row(const struct listing *listing, size_t i, int width, bool ends)
{
	const struct bc_policy *policy = &listing->policy;
	const struct bc_rule *rule = &policy->rules[i];
	const struct bc_rule_cell *cell = cell_of(listing, i);
	_cleanup_free_ char *text = rule_text(policy, rule);
	_cleanup_(bc_text_done) struct bc_text left = {}, last = {};

	format_left(&left, rule, listing->time);
	if (cell->hits)
		bc_format_duration(&last, since_hit(cell));
	else
		bc_text_addf(&last, "-");
	if (!text || left.failed || last.failed)
		return;
	printf("%08x  %-*s  %6" PRIu64 "  %-6s  ", bc_rule_id(bc_rule_digest(policy, rule)), width, text,
	       (uint64_t)cell->hits, last.data);
	if (ends)
		printf("%-7s  ", left.data);
	out_text(bc_policy_source_of(policy, rule));
	printf(":%u\n", rule->line);
}

static void print_table(const struct listing *listing)
{
	int width = rule_width(listing);
	bool ends = false, any = false;

	for (size_t i = 0; i < listing->policy.n; i++) {
		any |= is_shown(listing, i);
		ends |= is_shown(listing, i) && listing->policy.rules[i].clauses & BC_CLAUSE_UNTIL;
	}
	if (!any)
		return;
	printf("%-8s  %-*s    HITS  LAST    %sFROM\n", "ID", width, "RULE", ends ? "LEFT     " : "");
	for (size_t i = 0; i < listing->policy.n; i++)
		if (is_shown(listing, i))
			print_row(listing, i, width, ends);
}

int run_list(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "numeric", no_argument, NULL, 'n' },
		{ "unused", no_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct listing listing = { .time = bc_now() };
	bool json = false, numeric = false;
	struct bc_error error;
	int option, code, r;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		json |= option == 'j';
		numeric |= option == 'n';
		listing.unused |= option == 'u';
	}
	if (optind < argc)
		return usage_error(command, "list: unexpected '%s'", argv[optind]);
	r = bc_probe_capabilities(&error);
	if (!r)
		r = bc_instance_image(&app->instance, &listing.image, &error);
	if (!r)
		r = bc_decompile(&listing.image, &listing.policy, &error);
	code = r ? failed(&error) : EXIT_DONE;
	if (!r && !numeric)
		add_names(&listing.policy);
	if (!r && json)
		print_json(&listing);
	else if (!r)
		print_table(&listing);
	bc_policy_done(&listing.policy);
	bc_cells_done(&listing.image);
	return code == EXIT_DONE ? finish_output(code) : code;
}
