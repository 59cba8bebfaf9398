/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where policy is kept: `*.conf` files in up to three directories. Of two files of the same name the later directory's
 * counts, the other is not read. Nothing is read or written unless only root could have put it there.
 */
#ifndef BINDCTL_STORE_H
#define BINDCTL_STORE_H

#include "base/error.h"
#include "pure/policy.h"

#define BC_STORE_DIRS 3

/* The files that commands edit. */
#define BC_FILE_PERSISTENT "50-bindctl.conf"
#define BC_FILE_RUNTIME "50-runtime.conf"
#define BC_FILE_ASIDE ".%s.new" /* what one of them is called until it is whole */

struct bc_store {
	const char *dirs[BC_STORE_DIRS]; /* weakest first; not owned */
	size_t ndirs;
	const char *persistent;	  /* directory of BC_FILE_PERSISTENT */
	const char *runtime;	  /* directory of BC_FILE_RUNTIME */
	const char *runtime_file; /* the name of the file there that changes edit; NULL: BC_FILE_RUNTIME */
	bool required;		  /* a directory that is missing is an error: it was asked for by name */
};

/* The system's three directories, or `dir` in the place of all of them. */
struct bc_store bc_store_system(void);
struct bc_store bc_store_at(const char *dir);

/* One file's text. Owned. */
struct bc_file {
	char *path;
	char *text;
	size_t len;
	int64_t written; /* when it was last modified: nanoseconds of Unix time, at most BC_MOMENT_END */
};

struct bc_files {
	struct bc_file *items; /* in the order in which they count: by file name */
	size_t n, room;
};

void bc_files_done(struct bc_files *files);

/* Reads every file that counts. 0 or -errno with *reterr. */
int bc_store_read(const struct bc_store *store, struct bc_files *ret_files, struct bc_error *reterr);

/* The file of that path, or NULL. */
struct bc_file *bc_files_find(const struct bc_files *files, const char *path);

/*
 * Puts `text` into the place of the file of that path, in its order, as if written at `written`; takes ownership of
 * nothing. 0 or -ENOMEM.
 */
int bc_files_set(struct bc_files *files, const char *path, const char *text, size_t len, int64_t written);

/* The path of the file that changes edit, malloc'ed. */
char *bc_store_path(const struct bc_store *store, bool runtime);

/* Creates the directory of that file if it is missing, and checks that it is safe. 0 or -errno with *reterr. */
int bc_store_prepare(const struct bc_store *store, bool runtime, struct bc_error *reterr);

/*
 * Replaces the file's whole text: written aside, synced, renamed, the directory synced. A crash leaves the old file or
 * the new one. 0 or -errno with *reterr, the old file then untouched unless it is the last step that failed.
 */
int bc_store_replace(const char *path, const char *text, size_t len, struct bc_error *reterr);

/* Makes the file what it was before it was replaced, time and all; `before` without a text: there was none. */
void bc_store_put_back(const struct bc_file *before);

/* Any one file, without a check of owner and mode: for linting what is not policy yet. */
int bc_file_read(const char *path, struct bc_file *ret_file, struct bc_error *reterr);
void bc_file_done(struct bc_file *file);

#endif
