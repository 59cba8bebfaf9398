// SPDX-License-Identifier: GPL-2.0-or-later
/* Everything that commands say to people, on stderr; stdout is for data. */
#include <stdarg.h>
#include <stdio.h>

#include "base/option.h"
#include "base/util.h"
#include "cmd/app.h"

void say(const char *format, ...)
{
	char text[1024], shown[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "bindctl: %s\n", bc_printable(shown, sizeof(shown), text));
}

void say_error(const struct bc_error *error)
{
	const char *kind = error->severity == BC_WARNING ? "warning: " : "";

	if (error->line && error->column)
		say("%s:%u:%u: %s%s", error->source, error->line, error->column, kind, error->text);
	else if (error->line)
		say("%s:%u: %s%s", error->source, error->line, kind, error->text);
	else if (*error->source)
		say("%s: %s%s", error->source, kind, error->text);
	else
		say("%s%s", kind, error->text);
}

void say_report(const struct bc_report *report)
{
	for (size_t i = 0; i < report->n; i++)
		say_error(&report->items[i]);
	if (report->dropped)
		say("and %zu more", report->dropped);
}

int failed(const struct bc_error *error)
{
	say_error(error);
	return EXIT_FAILED;
}

int usage_error(const struct command *command, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say("%s", text);
	if (command)
		say("see: bindctl %s --help", command->name);
	else
		say("see: bindctl --help");
	return EXIT_USAGE;
}

int refused_option(const struct command *command, int option, char **argv)
{
	struct bc_error error;

	bc_option_refused(option, argv, &error);
	return usage_error(command, "%s%s%s", command ? command->name : "", command ? ": " : "", error.text);
}

int next_option(const struct command *command, int argc, char **argv, const struct option *options, int *ret_exit)
{
	int option = getopt_long(argc, argv, ":h", options, NULL);

	if (option == 'h') {
		print_command_help(command);
		*ret_exit = finish_output(EXIT_DONE);
		return '?';
	}
	if (option == ':' || option == '?')
		*ret_exit = refused_option(command, option, argv);
	return option == ':' ? '?' : option;
}

int finish_output(int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		say("cannot write to standard output");
		return EXIT_FAILED;
	}
	return code;
}
