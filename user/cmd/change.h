/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every changing command does, see kernel/change.h, and what it says meanwhile. */
#ifndef BINDCTL_CMD_CHANGE_H
#define BINDCTL_CMD_CHANGE_H

#include "cmd/app.h"
#include "kernel/change.h"

/* Entries for a command's option table that changing commands share, and what to do with their `val`. */
#define CHANGE_OPTIONS                                                                \
	{ "runtime", no_argument, NULL, 'r' }, { "dry-run", no_argument, NULL, 'n' }, \
		{ "strict", no_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' },

void take_change_option(struct bc_change_options *options, int option);

/* Locks (unless it is a dry run) and reads the files. */
int change_begin(struct bc_change *change, const struct app *app, const struct bc_change_options *options,
		 enum bc_change_kind kind, struct bc_error *reterr);

/*
 * Carries it out. `text` is what becomes of the edited file, NULL when no file changes. Says what the policy's errors
 * and warnings are; prints the difference instead if it is a dry run. Returns an exit code.
 */
int change_finish(struct bc_change *change, const struct bc_text *text);

/* bc_change_mend(), and says what the policy's errors and warnings are if there was something to mend. */
int change_mend(struct bc_change *change, struct bc_error *reterr);

#endif
