// SPDX-License-Identifier: GPL-2.0-or-later
/* Everything that commands say to people, on stderr; stdout is for data. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/option.h"
#include "base/util.h"
#include "cmd/app.h"

/* The global options, each behind a blank. */
static struct bc_text globals;

void talk_of_option(const char *name, const char *value)
{
	bc_text_addf(&globals, " %s ", name);
	bc_text_add_word(&globals, value);
}

const char *talk_globals(void)
{
	return globals.data && !globals.failed ? globals.data : "";
}

char *talk_completed(const char *text)
{
	static const char *const calls[] = { "run: bindctl", "then: bindctl" };
	_cleanup_(bc_text_done) struct bc_text whole = {};

	bc_text_add(&whole, "", 0);
	while (*text) {
		size_t len = 0;

		for (size_t i = 0; !len && i < ARRAY_SIZE(calls); i++)
			len = strncmp(text, calls[i], strlen(calls[i])) ? 0 : strlen(calls[i]);
		bc_text_add(&whole, text, len ?: 1);
		if (len)
			bc_text_addf(&whole, "%s", talk_globals());
		text += len ?: 1;
	}
	return whole.failed ? NULL : TAKE_PTR(whole.data);
}

void say(const char *format, ...)
{
	char text[sizeof(struct bc_error) + 128], cut[1024];
	_cleanup_free_ char *whole = NULL, *shown = NULL;
	const char *said = text;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	whole = talk_completed(text);
	said = whole ?: text;
	shown = malloc(strlen(said) * 4 + 1);
	/* That there is no memory is said without any. */
	bc_printable(shown ?: cut, shown ? strlen(said) * 4 + 1 : sizeof(cut), said);
	fprintf(stderr, "bindctl: %s\n", shown ?: cut);
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
		say("and %zu more errors and warnings", report->dropped);
}

const char *were(uint64_t n)
{
	return n == 1 ? " was" : "s were";
}

int failed(const struct bc_error *error)
{
	say_error(error);
	return EXIT_FAILED;
}

int usage_error(const struct command *command, const char *format, ...)
{
	char text[sizeof(struct bc_error)];
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

int wrong_value(const struct command *command, const struct bc_error *error)
{
	return usage_error(command, "%s: %s%s%s", command->name, error->source, *error->source ? ": " : "",
			   error->text);
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
	errno = 0;
	if (fflush(stdout) || ferror(stdout)) {
		say("cannot write to standard output%s%s", errno ? ": " : "", errno ? strerror(errno) : "");
		return EXIT_FAILED;
	}
	return code;
}
