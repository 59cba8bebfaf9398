/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every command is given, and how commands speak. */
#ifndef BINDCTL_APP_H
#define BINDCTL_APP_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "host/store.h"
#include "kernel/instance.h"

/* Exit codes, part of the contract. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_ANSWER = 3, /* explain: the bind fails; status: not enforced */
};

/* What the global options say. */
struct app {
	struct bc_instance instance;
	struct bc_store store;
};

/*
 * A command. argv[0] is its name; options are its own, parsed with next_option(). Returns an exit code. `help` is
 * the whole text of `bindctl NAME --help`, its first line the synopsis behind "bindctl ". `summary` is
 * its line in the list that `bindctl help` shows; with an empty one it is named on the line of the command before.
 * Commands without one come last, and are not in that list.
 */
struct command {
	const char *name;
	int (*run)(const struct app *app, const struct command *command, int argc, char **argv);
	const char *summary;
	const char *help;
	/* Capabilities, of those that the process has, that it goes on with; besides CAP_SYS_ADMIN if the instance takes it. */
	uint64_t keeps;
	bool changes; /* what is in force */
};

void print_command_help(const struct command *command);

/*
 * What messages tell to run is to be about the same instance: each global option that was given is to be told of. Then
 * talk_globals() is what stands between "bindctl" and the command, "" without any, and talk_completed() the text with
 * that where it tells to run something; malloc'ed, NULL without memory. say() completes by itself.
 */
void talk_of_option(const char *name, const char *value);
const char *talk_globals(void);
char *talk_completed(const char *text);

/* "bindctl: PLACE: TEXT" on stderr, whatever is not printable escaped. */
void say_error(const struct bc_error *error);
void say_report(const struct bc_report *report);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What goes on behind a noun of which there are so many: " was" or "s were". */
const char *were(uint64_t n);

/* say_error() and EXIT_FAILED. */
int failed(const struct bc_error *error);

/* A wrong call: the sentence, where help is to be had, and EXIT_USAGE. */
int usage_error(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for an option's value that is none, whatever the host. */
int wrong_value(const struct command *command, const struct bc_error *error);

/* The same for an option that getopt_long() refused by '?' or ':'. */
int refused_option(const struct command *command, int option, char **argv);

/*
 * The next option: its `val`, -1 behind the last one, or '?' when it was wrong or --help, *ret_exit then being what
 * the command returns. Every command takes --help (-h) besides its own options.
 */
int next_option(const struct command *command, int argc, char **argv, const struct option *options, int *ret_exit);

/* Flushes stdout; EXIT_FAILED with a word about it when what was printed did not all get out. */
int finish_output(int code);

int run_load(const struct app *app, const struct command *command, int argc, char **argv);
int run_unload(const struct app *app, const struct command *command, int argc, char **argv);
int run_rule(const struct app *app, const struct command *command, int argc, char **argv);
int run_revoke(const struct app *app, const struct command *command, int argc, char **argv);
int run_apply(const struct app *app, const struct command *command, int argc, char **argv);
int run_check(const struct app *app, const struct command *command, int argc, char **argv);
int run_list(const struct app *app, const struct command *command, int argc, char **argv);
int run_explain(const struct app *app, const struct command *command, int argc, char **argv);
int run_status(const struct app *app, const struct command *command, int argc, char **argv);
int run_holders(const struct app *app, const struct command *command, int argc, char **argv);
int run_monitor(const struct app *app, const struct command *command, int argc, char **argv);
int run_why(const struct app *app, const struct command *command, int argc, char **argv);
int run_metrics(const struct app *app, const struct command *command, int argc, char **argv);
int run_learn(const struct app *app, const struct command *command, int argc, char **argv);
int run_import(const struct app *app, const struct command *command, int argc, char **argv);
int run_help(const struct app *app, const struct command *command, int argc, char **argv);
int run_version(const struct app *app, const struct command *command, int argc, char **argv);

#endif
