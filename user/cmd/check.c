// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/app.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "host/build.h"
#include "host/clock.h"
#include "host/ports.h"
#include "host/privilege.h"
#include "pure/lint.h"

/* Every file of the arguments, in that order, or those that count on this host. */
static int read_files(const struct app *app, int argc, char **argv, struct bc_files *files, struct bc_error *reterr)
{
	if (argc == 0)
		return bc_store_read(&app->store, files, reterr);
	for (int i = 0; i < argc; i++) {
		struct bc_file file;
		int r;

		if (bc_grow(&files->items, &files->room, files->n + 1))
			return bc_fail(reterr, -ENOMEM, "out of memory");
		r = bc_file_read(argv[i], &file, reterr);
		if (r)
			return r;
		files->items[files->n++] = file;
	}
	return 0;
}

static void print_json(const struct bc_report *report, size_t rules)
{
	struct json_object *members = json_object_new_object();

	out_set_number(members, "rules", rules);
	out_set_number(members, "errors", report->errors);
	out_set_number(members, "warnings", report->n + report->dropped - report->errors);
	out_begin_array(members, "findings");
	for (size_t i = 0; i < report->n; i++) {
		const struct bc_error *error = &report->items[i];
		struct json_object *element = json_object_new_object();

		out_set_string(element, "severity", error->severity == BC_ERROR ? "error" : "warning");
		out_set_string(element, "file", error->source);
		out_set_number(element, "line", error->line);
		out_set_number(element, "column", error->column);
		out_set_string(element, "text", error->text);
		out_element(element);
	}
	out_end_array();
}

/* What is allowed but can hardly be meant. */
static int lint(const struct bc_build *build, struct bc_report *report, struct bc_error *reterr)
{
	_cleanup_(bc_ephemeral_done) struct bc_ephemeral ephemeral = {};

	if (bc_lint(&build->policy, &build->cells, bc_now(), report))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	bc_ephemeral_read(&ephemeral);
	bc_lint_ephemeral(&build->policy, &ephemeral, report);
	return 0;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_summary(const struct bc_report *report, size_t files, size_t rules)
{
	size_t warnings = report->n + report->dropped - report->errors;

	printf("%zu file%s, %zu rule%s: ", files, plural(files), rules, plural(rules));
	if (!report->errors && !warnings)
		printf("nothing to say\n");
	else
		printf("%zu error%s, %zu warning%s\n", report->errors, plural(report->errors), warnings,
		       plural(warnings));
}

static void make_errors(struct bc_report *report)
{
	for (size_t i = 0; i < report->n; i++)
		report->items[i].severity = BC_ERROR;
	report->errors = report->n + report->dropped;
}

int run_check(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "strict", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	_cleanup_(bc_files_done) struct bc_files files = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_build_done) struct bc_build build = {};
	bool strict = false;
	bool json = false;
	struct bc_error error;
	int option, code, r;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		json |= option == 'j';
		strict |= option == 's';
	}
	/* What is in the files is read without the right to read anybody's. */
	if (read_files(app, argc - optind, argv + optind, &files, &error) || bc_privilege_keep(BC_CAPS_UNITS, &error))
		return failed(&error);
	r = bc_build_policy(&files, &host_names, BC_WARNING, BC_WARNING, &build, &report, &error);
	if (!r)
		r = lint(&build, &report, &error);
	if (r && !report.errors)
		return failed(&error);
	/* Only now: a finding that is an error would keep the rest from being looked for. */
	if (strict)
		make_errors(&report);
	if (json) {
		print_json(&report, build.policy.n + build.unresolved);
	} else {
		say_report(&report);
		print_summary(&report, files.n, build.policy.n + build.unresolved);
	}
	return finish_output(report.errors ? EXIT_FAILED : EXIT_DONE);
}
