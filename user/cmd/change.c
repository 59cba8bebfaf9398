// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "cmd/change.h"
#include "cmd/names.h"
#include "cmd/out.h"

void take_change_option(struct bc_change_options *options, int option)
{
	if (option == 'r')
		options->runtime = true;
	else if (option == 'n')
		options->dry_run = true;
	else if (option == 's')
		options->strict = true;
}

int change_begin(struct bc_change *change, const struct app *app, const struct bc_change_options *options,
		 enum bc_change_kind kind, struct bc_error *reterr)
{
	const struct bc_site site = { &app->instance, &app->store, &host_names };
	int r = bc_change_begin(change, &site, options, kind, reterr);

	if (*change->note.text)
		say("%s", change->note.text);
	say_report(&change->report);
	if (change->migrated)
		say("brought the pins in %s to schema %u", app->instance.pins, BC_SCHEMA);
	return r;
}

static void print_rule(char sign, const struct bc_policy *policy, uint32_t number)
{
	const struct bc_rule *rule = &policy->rules[number];
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_format_rule(&text, policy, rule);
	bc_text_addf(&text, "  # %s:%u", bc_policy_source_of(policy, rule), rule->line);
	if (text.failed)
		return;
	printf("%c ", sign);
	out_text(text.data);
	printf("\n");
}

static int print_difference(const struct bc_change *change)
{
	_cleanup_(bc_difference_done) struct bc_difference difference = {};
	const struct bc_diff *diff = &difference.diff;
	struct bc_error error;

	if (bc_change_difference(change, &difference, &error))
		return failed(&error);
	add_names(&difference.current);
	for (size_t i = 0; i < diff->nremoved; i++)
		print_rule('-', &difference.current, diff->removed[i]);
	for (size_t i = 0; i < diff->nadded; i++)
		print_rule('+', &change->build.policy, diff->added[i]);
	return finish_output(EXIT_DONE);
}

static void say_pruned(const struct bc_change *change)
{
	if (change->pruned)
		say("%s: %s %zu rule%s that had expired", change->path,
		    change->options.dry_run ? "would remove" : "removed", change->pruned,
		    change->pruned == 1 ? "" : "s");
}

int change_finish(struct bc_change *change, const struct bc_text *text)
{
	struct bc_error error;
	int r = bc_change_build(change, text, &error);

	say_report(&change->report);
	if (!r && change->options.dry_run) {
		say_pruned(change);
		return print_difference(change);
	}
	if (!r)
		r = bc_change_apply(change, &error);
	if (!r) {
		say_pruned(change);
		return EXIT_DONE;
	}
	say_error(&error);
	say("nothing was changed");
	return EXIT_FAILED;
}

int change_mend(struct bc_change *change, struct bc_error *reterr)
{
	int r = bc_change_mend(change, reterr);

	say_report(&change->report);
	return r;
}
