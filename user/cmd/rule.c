// SPDX-License-Identifier: GPL-2.0-or-later
/* grant, allow, deny, rewrite, reserve: one more rule. */
#include <errno.h>

#include "cmd/change.h"
#include "cmd/names.h"
#include "cmd/words.h"
#include "host/clock.h"
#include "pure/edit.h"
#include "pure/parse.h"

/*
 * Whether the file to edit says so already; *ret_line is where, 0 if it does not. A file with a fault is not added to:
 * its last line might not even be a whole one.
 */
static int find_same(const struct bc_change *change, const struct bc_policy *rule, unsigned *ret_line)
{
	const struct bc_file *file = bc_files_find(&change->files, change->path);
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	ssize_t found;
	int r;

	*ret_line = 0;
	if (!file)
		return 0;
	r = bc_parse(&policy, file->path, file->text, file->len, file->written, &report);
	if (r)
		return r;
	/* An unknown name is change_finish()'s to report, in whatever file it is. */
	if (bc_resolve(&policy, &host_names, BC_ERROR, &report) == -ENOMEM)
		return -ENOMEM;
	found = bc_policy_find(&policy, rule, &rule->rules[0]);
	if (found >= 0)
		*ret_line = policy.rules[found].line;
	return 0;
}

/*
 * What the file makes of a rule that it gets as its last line: with `mode audit` at its top, a deny only reports.
 * Says so, and gives the rule the clause that it then has.
 */
static void note_mode(const struct bc_change *change, const struct bc_text *text, struct bc_policy *rule)
{
	_cleanup_(bc_policy_done) struct bc_policy policy = {};
	_cleanup_(bc_report_done) struct bc_report report = {};

	if (!bc_rule_denies(&rule->rules[0]) || rule->rules[0].clauses & BC_CLAUSE_AUDIT)
		return;
	if (bc_parse(&policy, change->path, text->data, text->len, bc_now(), &report) || !policy.n ||
	    !(policy.rules[policy.n - 1].clauses & BC_CLAUSE_AUDIT))
		return;
	rule->rules[0].clauses |= BC_CLAUSE_AUDIT;
	say("%s begins with 'mode audit': what the rule would refuse is only reported", change->path);
}

static int add_rule(const struct app *app, const struct bc_change_options *options, struct bc_policy *rule)
{
	_cleanup_(bc_change_done) struct bc_change change = BC_CHANGE_NONE;
	_cleanup_(bc_text_done) struct bc_text line = {}, text = {};
	const struct bc_file *file;
	struct bc_error error;
	unsigned same = 0;
	int r = change_begin(&change, app, options, BC_CHANGE_ADD, &error);

	if (r)
		return failed(&error);
	bc_format_rule(&line, rule, &rule->rules[0]);
	file = bc_files_find(&change.files, change.path);
	if (line.failed || bc_edit_append(file ? file->text : "", file ? file->len : 0, line.data, &text)) {
		bc_fail(&error, -ENOMEM, "out of memory");
		return failed(&error);
	}
	note_mode(&change, &text, rule);
	r = find_same(&change, rule, &same);
	if (r == -ENOMEM) {
		bc_fail(&error, r, "out of memory");
		return failed(&error);
	}
	/* What the faults are, compiling says. */
	if (r)
		return change_finish(&change, NULL);
	if (same) {
		say("%s:%u says so already", change.path, same);
		return change_finish(&change, NULL);
	}
	return change_finish(&change, &text);
}

int run_rule(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = { { "for", required_argument, NULL, 'f' }, CHANGE_OPTIONS{} };
	_cleanup_(bc_policy_done) struct bc_policy rule = {};
	struct bc_change_options options = {};
	struct arguments arguments = { .verb = command->name };
	struct bc_error error;
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		take_change_option(&options, option);
		if (option == 'f')
			arguments.duration = optarg;
	}
	if (argc - optind < 2)
		return usage_error(command, "%s: wants a subject and ports", command->name);
	arguments.argc = argc - optind;
	arguments.argv = argv + optind;
	if (parse_arguments(&rule, &arguments, &error))
		return failed(&error);
	return add_rule(app, &options, &rule);
}
