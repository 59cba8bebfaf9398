/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every changing command does: lock, read the files, edit one of them in memory, compile the lot, let the kernel
 * take the image, and only then write the file and put the image into force. Whatever fails on the way leaves both as
 * they were.
 */
#ifndef BINDCTL_CHANGE_H
#define BINDCTL_CHANGE_H

#include "cmd/app.h"
#include "host/build.h"

/* The options that changing commands share. */
struct change_options {
	enum bc_severity unknown; /* of a name in the files that nobody has */
	bool runtime;
	bool dry_run;
	bool strict;
	bool upgrade; /* replace programs that are not of this build */
};

/* Entries for a command's option table, and what to do with their `val`. */
#define CHANGE_OPTIONS                                                                \
	{ "runtime", no_argument, NULL, 'r' }, { "dry-run", no_argument, NULL, 'n' }, \
		{ "strict", no_argument, NULL, 's' }, { "help", no_argument, NULL, 'h' },

void take_change_option(struct change_options *options, int option);

struct change {
	const struct app *app;
	struct change_options options;
	struct bc_files files; /* as they are on disk, and then as they are to be */
	char *path;	       /* of the file to edit */
	int config_lock;
	int pin_lock;
};

#define CHANGE_NONE ((struct change){ .config_lock = -1, .pin_lock = -1 })

void change_done(struct change *change);

/* What a command means to do with the policy files. */
enum change_kind {
	CHANGE_NOTHING, /* apply them as they are */
	CHANGE_ADD,	/* edit one, which may have to be made, its directory too */
	CHANGE_REMOVE,	/* edit one, if it is there */
};

/* Locks (unless it is a dry run) and reads the files. */
int change_begin(struct change *change, const struct app *app, const struct change_options *options,
		 enum change_kind kind, struct bc_error *reterr);

/*
 * Carries it out. `text` is what becomes of the edited file, NULL when no file changes. Says what the policy's errors
 * and warnings are; prints the difference instead if it is a dry run. Returns an exit code.
 */
int change_finish(struct change *change, const struct bc_text *text);

/*
 * Puts the files as they are into force if something else is: 1 when that was so, 0 when there was nothing to mend or it
 * is a dry run, -errno with a sentence.
 */
int change_mend(struct change *change, struct bc_error *reterr);

#endif
