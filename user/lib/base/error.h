/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong, where, in words. The library never prints: a function that can explain itself fills in a
 * struct bc_error of its caller's and returns -errno; one that can find several faults adds each to a struct
 * bc_report.
 */
#ifndef BINDCTL_ERROR_H
#define BINDCTL_ERROR_H

#include <stddef.h>

enum bc_severity {
	BC_ERROR,
	BC_WARNING,
};

struct bc_error {
	char text[512];
	char source[4096]; /* PATH_MAX; a file's path or an argument; empty: the text says it all */
	unsigned line;	   /* from 1; 0: the source as a whole */
	unsigned column;   /* in bytes, from 1; 0: the line as a whole */
	enum bc_severity severity;
};

/* Owns `items`; zero-initialised is empty. */
struct bc_report {
	struct bc_error *items;
	size_t n;
	size_t room;
	size_t errors;	/* of the items, those of severity BC_ERROR */
	size_t dropped; /* findings beyond BC_REPORT_MAX, only counted */
};

#define BC_REPORT_MAX 1000 /* findings kept; enough for a person, bounded for a file of a million faults */

/*
 * Fills in *reterr (if not NULL), as an error, and returns `code`, which is -errno, so that callers can `return
 * bc_fail(…)`; or 0 where something is only to be said, and its severity is set afterwards.
 */
int bc_fail(struct bc_error *reterr, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with ": " and the errno's own words behind the text. */
int bc_fail_errno(struct bc_error *reterr, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same at a place. `source` may be NULL. */
int bc_fail_at(struct bc_error *reterr, int code, const char *source, unsigned line, unsigned column,
	       const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Copies *error into the report. Losing one to lack of memory is counted in `dropped`; errors are always counted. */
void bc_report_add(struct bc_report *report, const struct bc_error *error);
void bc_report_done(struct bc_report *report);

#endif
