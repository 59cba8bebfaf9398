// SPDX-License-Identifier: GPL-2.0-or-later
/* apply and load: the files as they are into the kernel. */
#include "cmd/change.h"
#include "kernel/events.h"

/* Takes the options that the table has, and nothing else. A command's exit code, or -1 to go on. */
static int parse(const struct command *command, int argc, char **argv, const struct option *table,
		 struct bc_change_options *options)
{
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		take_change_option(options, option);
	}
	return optind < argc ? usage_error(command, "%s: unexpected '%s'", command->name, argv[optind]) : -1;
}

static int apply(const struct app *app, const struct bc_change_options *options)
{
	_cleanup_(bc_change_done) struct bc_change change = BC_CHANGE_NONE;
	struct bc_error error;

	if (change_begin(&change, app, options, BC_CHANGE_NOTHING, &error))
		return failed(&error);
	return change_finish(&change, NULL);
}

int run_apply(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "strict", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct bc_change_options options = {};
	int code = parse(command, argc, argv, table, &options);

	return code < 0 ? apply(app, &options) : code;
}

int run_load(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "strict", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct bc_change_options options = { .upgrade = true };
	struct bc_error error;
	int code = parse(command, argc, argv, table, &options);

	if (code >= 0)
		return code;
	code = apply(app, &options);
	if (code == EXIT_DONE && bc_events_forget_lost(app->instance.pins, &error))
		say_error(&error);
	return code;
}
