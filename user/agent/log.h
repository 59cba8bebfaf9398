/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent says: one line an event on standard error, `time=… level=… event=… key=value…`, or the same as a JSON
 * object. Values may be anything, other people's words included: what is not plain is quoted and escaped, so that a
 * line is always one line and says who said what.
 */
#ifndef BINDCTL_LOG_H
#define BINDCTL_LOG_H

#include <stdarg.h>
#include <stdint.h>

#include "base/error.h"
#include "base/util.h"

enum log_level {
	LEVEL_DEBUG,
	LEVEL_INFO,
	LEVEL_WARNING,
	LEVEL_ERROR,
};

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
};

/* Names as options and lines have them, in the order of the enums; NULL at the end. */
extern const char *const log_levels[];
extern const char *const log_formats[];

/* How and from which level on; before: text, from LEVEL_INFO on. */
void log_setup(enum log_format format, enum log_level least);

/*
 * Logs an event. Pairs of const char *, a key and its value, follow, and then NULL; a pair whose value is NULL is left
 * out.
 */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

/*
 * The same of what may be said again and again: a line that says just what one said less than LOG_REPEAT_SECONDS ago is
 * held back; the next one like it counts them, as `repeated`.
 */
void log_repeating(enum log_level level, const char *event, ...) __attribute__((sentinel));

#define LOG_REPEAT_SECONDS 30

/* Adds the place of an error, "FILE:LINE:COLUMN" as far as it is known; nothing of one that has none. */
void log_place(struct bc_text *to, const struct bc_error *error);

/* The same of an error: its sentence as `error`, its place, if it has one, as `at`. */
void log_error(enum log_level level, const char *event, const struct bc_error *error);

/* A number as a value: digits into `to`, which is returned. */
const char *log_number(char to[24], uint64_t number);

struct log_field {
	const char *key;
	const char *value;
};

/* The line of an event at that time (nanoseconds of Unix time), with its newline. */
void log_line(struct bc_text *to, enum log_format format, int64_t time, enum log_level level, const char *event,
	      const struct log_field *fields, size_t n);

#endif
