// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/log.h"
#include "host/clock.h"
#include "pure/moment.h"

#define FIELDS_MAX 16
#define VALUE_MAX 4096 /* bytes of a value; what is longer ends in … */

const char *const log_levels[] = { "debug", "info", "warning", "error", NULL };
const char *const log_formats[] = { "text", "json", NULL };

static enum log_format log_format = LOG_FORMAT_TEXT;
static enum log_level log_least = LEVEL_INFO;

/* Lines that were written lately, by a hash of all but their time. Two of one place: the later one is known. */
static struct said {
	uint64_t hash;
	int64_t at;
	uint64_t held; /* how many like it were held back since */
} said[128];

void log_setup(enum log_format format, enum log_level least)
{
	log_format = format;
	log_least = least;
	memset(said, 0, sizeof(said));
}

const char *log_number(char to[24], uint64_t number)
{
	snprintf(to, 24, "%" PRIu64, number);
	return to;
}

/* To the millisecond, always three digits, so that lines are aligned and sort. */
static void add_time(char to[64], int64_t time)
{
	const time_t seconds = time / BC_SECOND;
	struct tm tm = {};
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(to, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(to + len, 64 - len, ".%03uZ", (unsigned)(time % BC_SECOND / 1000000));
}

/* A value as it is to be shown, not too long, malloc'ed. */
static char *cut(const char *value)
{
	size_t len = strnlen(value, VALUE_MAX + 1);
	char *copy;

	if (len <= VALUE_MAX)
		return strdup(value);
	len = bc_utf8_cut(value, VALUE_MAX);
	copy = malloc(len + sizeof("…"));
	if (copy) {
		memcpy(copy, value, len);
		memcpy(copy + len, "…", sizeof("…"));
	}
	return copy;
}

static bool is_plain(const char *value)
{
	return *value &&
	       !value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@+,-[]")];
}

/* Quotes and backslashes first: then every other backslash is the beginning of a byte that is not shown. */
static void add_quoted(struct bc_text *to, const char *value)
{
	_cleanup_(bc_text_done) struct bc_text escaped = {};
	_cleanup_free_ char *shown = NULL;
	const char *from = value;

	while (*from) {
		size_t len = strcspn(from, "\"\\");

		bc_text_add(&escaped, from, len);
		from += len;
		if (*from)
			bc_text_addf(&escaped, "\\%c", *from++);
	}
	shown = escaped.failed ? NULL : malloc(4 * escaped.len + 1);
	if (shown)
		bc_printable(shown, 4 * escaped.len + 1, escaped.data ? escaped.data : "");
	bc_text_addf(to, "\"%s\"", shown ? shown : "");
}

static void add_text(struct bc_text *to, const char *key, const char *value)
{
	_cleanup_free_ char *shown = cut(value);

	bc_text_addf(to, "%s%s=", to->len ? " " : "", key);
	if (shown && is_plain(shown))
		bc_text_add(to, shown, strlen(shown));
	else
		add_quoted(to, shown ? shown : "");
}

static void add_json(struct bc_text *to, const char *key, const char *value)
{
	_cleanup_free_ char *shown = cut(value), *clean = shown ? bc_utf8(shown) : NULL;
	struct json_object *string = json_object_new_string(clean ? clean : "");

	bc_text_addf(to, "%s\"%s\":%s", to->len ? "," : "{", key,
		     string ? json_object_to_json_string_ext(string,
							     JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) :
			      "\"\"");
	json_object_put(string);
}

void log_line(struct bc_text *to, enum log_format format, int64_t time, enum log_level level, const char *event,
	      const struct log_field *fields, size_t n)
{
	void (*add)(struct bc_text *, const char *, const char *) = format == LOG_FORMAT_JSON ? add_json : add_text;
	_cleanup_(bc_text_done) struct bc_text line = {};
	char when[64];

	add_time(when, time);
	add(&line, "time", when);
	add(&line, "level", log_levels[level]);
	add(&line, "event", event);
	for (size_t i = 0; i < n; i++)
		if (fields[i].value)
			add(&line, fields[i].key, fields[i].value);
	if (!line.failed)
		bc_text_addf(to, "%s%s\n", line.data, format == LOG_FORMAT_JSON ? "}" : "");
}

/* Whether to write it now; *ret_held is how many of the same were not. */
static bool is_due(enum log_level level, const char *event, const struct log_field *fields, size_t n, int64_t now,
		   uint64_t *ret_held)
{
	uint64_t hash = bc_fnv(BC_FNV_START, &level, sizeof(level));
	struct said *last;

	hash = bc_fnv(hash, event, strlen(event) + 1);
	for (size_t i = 0; i < n; i++) {
		const char *value = fields[i].value ? fields[i].value : "";

		hash = bc_fnv(hash, fields[i].key, strlen(fields[i].key) + 1);
		hash = bc_fnv(hash, value, strlen(value) + 1);
	}
	last = &said[hash % ARRAY_SIZE(said)];
	*ret_held = 0;
	if (last->hash == hash && now - last->at < LOG_REPEAT_SECONDS * BC_SECOND && now >= last->at) {
		last->held++;
		return false;
	}
	if (last->hash == hash)
		*ret_held = last->held;
	*last = (struct said){ .hash = hash, .at = now };
	return true;
}

static void write_line(int64_t time, enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
	_cleanup_(bc_text_done) struct bc_text line = {};

	log_line(&line, log_format, time, level, event, fields, n);
	/* Nobody is left to be told if that fails. */
	if (line.data && !line.failed)
		(void)bc_write_all(STDERR_FILENO, line.data, line.len);
}

/* Pairs up to NULL. Returns how many. */
static size_t take_fields(struct log_field fields[FIELDS_MAX], va_list args)
{
	size_t n = 0;

	while (n < FIELDS_MAX) {
		fields[n].key = va_arg(args, const char *);
		if (!fields[n].key)
			break;
		fields[n++].value = va_arg(args, const char *);
	}
	return n;
}

void log_event(enum log_level level, const char *event, ...)
{
	struct log_field fields[FIELDS_MAX];
	va_list args;
	size_t n;

	if (level < log_least)
		return;
	va_start(args, event);
	n = take_fields(fields, args);
	va_end(args);
	write_line(bc_now(), level, event, fields, n);
}

void log_repeating(enum log_level level, const char *event, ...)
{
	struct log_field fields[FIELDS_MAX + 1];
	const int64_t time = bc_now();
	char digits[24];
	uint64_t held;
	va_list args;
	size_t n;

	if (level < log_least)
		return;
	va_start(args, event);
	n = take_fields(fields, args);
	va_end(args);
	if (!is_due(level, event, fields, n, time, &held))
		return;
	if (held)
		fields[n++] = (struct log_field){ "repeated", log_number(digits, held) };
	write_line(time, level, event, fields, n);
}

void log_place(struct bc_text *to, const struct bc_error *error)
{
	if (*error->source)
		bc_text_addf(to, "%s", error->source);
	if (error->line)
		bc_text_addf(to, ":%u", error->line);
	if (error->line && error->column)
		bc_text_addf(to, ":%u", error->column);
}

void log_error(enum log_level level, const char *event, const struct bc_error *error)
{
	_cleanup_(bc_text_done) struct bc_text at = {};

	log_place(&at, error);
	log_repeating(level, event, "error", error->text, "at", at.failed ? NULL : at.data, NULL);
}
