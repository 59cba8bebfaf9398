/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A change of the policy, files and kernel together: lock, read the files, edit one of them in memory, compile the lot,
 * let the kernel take the image, and only then write the file and put the image into force. Whatever fails on the way
 * leaves both as they were. What there is to tell is left in struct bc_change.
 */
#ifndef BINDCTL_KERNEL_CHANGE_H
#define BINDCTL_KERNEL_CHANGE_H

#include "host/build.h"
#include "kernel/instance.h"
#include "pure/diff.h"

/* Where a change is made. The caller's, all of it, and there as long as the change is. */
struct bc_site {
	const struct bc_instance *instance;
	const struct bc_store *store;
	const struct bc_names *names;
};

struct bc_change_options {
	enum bc_severity unknown; /* of a name in the files that nobody has */
	bool runtime;		  /* edit the file of the runtime directory */
	bool dry_run;		  /* lock nothing and change nothing */
	bool strict;		  /* rules of equal rank that disagree are an error */
	bool upgrade;		  /* replace the programs, whatever build they are of */
};

/* What is meant to be done with the policy files. */
enum bc_change_kind {
	BC_CHANGE_NOTHING, /* apply them as they are */
	BC_CHANGE_ADD,	   /* edit one, which may have to be made, its directory too */
	BC_CHANGE_REMOVE,  /* edit one, if it is there */
};

struct bc_change {
	struct bc_site site;
	struct bc_change_options options;
	int config_lock;
	int pin_lock;
	char *path;		 /* of the file to edit */
	struct bc_files files;	 /* as they are on disk, and then as they are to be */
	struct bc_build build;	 /* what they give, once built */
	struct bc_file before;	 /* the edited file as it was; without a path: no file is edited */
	struct bc_text after;	 /* what it is to say */
	struct bc_report report; /* errors and warnings of the policy */
	struct bc_error note;	 /* a warning: what had to be done to begin at all; empty text: nothing */
	size_t pruned;		 /* rules of the edited file that had expired, and go */
	bool migrated;		 /* the pins were of an older schema, and are of this build's now */
};

#define BC_CHANGE_NONE ((struct bc_change){ .config_lock = -1, .pin_lock = -1 })

void bc_change_done(struct bc_change *change);

/* Locks (unless it is a dry run) and reads the files. `change` is empty. 0, or -errno with a sentence. */
int bc_change_begin(struct bc_change *change, const struct bc_site *site, const struct bc_change_options *options,
		    enum bc_change_kind kind, struct bc_error *reterr);

/*
 * Compiles. `text` is what becomes of the edited file, NULL when no file changes; what has expired in it goes. 0, or
 * -errno with a sentence, what is wrong being in the report.
 */
int bc_change_build(struct bc_change *change, const struct bc_text *text, struct bc_error *reterr);

/* Writes the file, if one is edited, and puts what was built into force. Not for a dry run. */
int bc_change_apply(struct bc_change *change, struct bc_error *reterr);

/* What the kernel holds, without the names of its users, and how what was built differs from it. */
struct bc_difference {
	struct bc_policy current;
	struct bc_diff diff; /* from `current` to the change's build.policy */
};

void bc_difference_done(struct bc_difference *difference);
int bc_change_difference(const struct bc_change *change, struct bc_difference *ret, struct bc_error *reterr);

/*
 * Puts the files as they are into force if something else is: 1 when that was so, 0 when there was nothing to mend,
 * nothing is loaded or it is a dry run, -errno with a sentence.
 */
int bc_change_mend(struct bc_change *change, struct bc_error *reterr);

#endif
