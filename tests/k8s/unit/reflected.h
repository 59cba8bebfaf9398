/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reflector without a server and without a clock: the test steps it, sees what it asks for, and gives it the replies. What it
 * tells its owner is in `told`, a line each; its notes in `notes`.
 */
#ifndef BINDCTL_TESTS_REFLECTED_H
#define BINDCTL_TESTS_REFLECTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <json-c/json.h>
#include "agent/api/reflector.h"
#include "exchange.h"

#define PODS "/api/v1/pods"
#define NODE "fieldSelector=spec.nodeName%3Dn1"

struct bed {
	struct reflector *reflector;
	struct bc_text told, notes;
	bool no_memory; /* on_object cannot take any */
	bool whole;	/* `told` has the objects themselves */
};

/* The paths of the next bed. */
static const char *const *keep;

static int64_t clock_ms;

static inline int64_t now_ms(void)
{
	return clock_ms;
}

static inline const char *text_of(struct json_object *metadata, const char *name)
{
	struct json_object *found = NULL;

	return json_object_object_get_ex(metadata, name, &found) ? json_object_get_string(found) : "";
}

static inline void on_list_begin(void *ctx)
{
	bc_text_addf(&((struct bed *)ctx)->told, "begin\n");
}

static inline int on_object(void *ctx, struct json_object *object, bool gone)
{
	struct bed *bed = ctx;
	struct json_object *metadata = NULL;

	assert_true(json_object_object_get_ex(object, "metadata", &metadata));
	if (bed->whole) {
		bc_text_addf(&bed->told, "%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
		return 0;
	}
	bc_text_addf(&bed->told, "%s %s/%s %s\n", gone ? "gone" : "set", text_of(metadata, "namespace"),
		     text_of(metadata, "name"), text_of(metadata, "resourceVersion"));
	return bed->no_memory;
}

static inline void on_unreadable(void *ctx, const char *namespace, const char *name, const char *why)
{
	bc_text_addf(&((struct bed *)ctx)->told, "unreadable %s/%s: %s\n", namespace, name, why);
}

static inline void on_list_end(void *ctx)
{
	bc_text_addf(&((struct bed *)ctx)->told, "end\n");
}

static inline void on_note(void *ctx, enum reflector_level level, const char *text)
{
	bc_text_addf(&((struct bed *)ctx)->notes, "%c %s\n", " DIW"[level], text);
}

/* `most`: bytes of an object; 0: as always. */
static inline void bed_set(struct bed *bed, size_t most, uint32_t seed)
{
	struct reflector_config config = { .path = PODS,
					   .field_selector = "spec.nodeName=n1",
					   .page = 2,
					   .most = most,
					   .keep = keep,
					   .ctx = bed,
					   .on_list_begin = on_list_begin,
					   .on_object = on_object,
					   .on_unreadable = on_unreadable,
					   .on_list_end = on_list_end,
					   .on_note = on_note };

	clock_ms = 1000000;
	*bed = (struct bed){};
	bed->reflector = reflector_new(NULL, &config, now_ms, seed);
	assert_non_null(bed->reflector);
}

static inline void bed_done(struct bed *bed)
{
	reflector_free(bed->reflector);
	bc_text_done(&bed->told);
	bc_text_done(&bed->notes);
}

static inline const struct reflector_stats *stats(const struct bed *bed)
{
	return reflector_stats(bed->reflector);
}

/* How long until the next request; the clock is there then. */
static inline int64_t wait_next(struct bed *bed)
{
	int64_t wait = reflector_next(bed->reflector) - clock_ms;

	assert_null(reflector_target(bed->reflector));
	assert_true(wait >= 0);
	if (wait) {
		reflector_step(bed->reflector, clock_ms + wait - 1);
		assert_null(reflector_target(bed->reflector)); /* not before its time */
	}
	clock_ms += wait;
	return wait;
}

/* It asks for this at this moment; a watch's time is left aside: "…timeoutSeconds=N". */
static inline void assert_asks(struct bed *bed, const char *expected)
{
	_cleanup_(bc_text_done) struct bc_text seen = {};
	const char *target, *seconds;
	unsigned n = 0;

	reflector_step(bed->reflector, clock_ms);
	target = reflector_target(bed->reflector);
	assert_non_null(target);
	seconds = strstr(target, "timeoutSeconds=");
	if (seconds) {
		assert_int_equal(sscanf(seconds, "timeoutSeconds=%u", &n), 1);
		assert_in_range(n, 290, 580);
		bc_text_addf(&seen, "%.*stimeoutSeconds=N%s", (int)(seconds - target), target, strchr(seconds, '&'));
		target = seen.data;
	}
	assert_string_equal(target, expected);
}

#define FIRST_PAGE PODS "?limit=2&" NODE
#define WATCH_FROM(rv) PODS "?watch=1&allowWatchBookmarks=true&timeoutSeconds=N&resourceVersion=" rv "&" NODE
#define PAGE_AFTER(tok) FIRST_PAGE "&continue=" tok

/* What it has told since the last time. */
static inline void assert_told(struct bed *bed, const char *expected)
{
	assert_string_equal(bed->told.data ? bed->told.data : "", expected);
	bc_text_done(&bed->told);
}

static inline void assert_noted(struct bed *bed, const char *part)
{
	if (!bed->notes.data || !strstr(bed->notes.data, part))
		fail_msg("'%s' is not in: %s", part, bed->notes.data ? bed->notes.data : "");
	bc_text_done(&bed->notes);
}

/* A reply in pieces of so many bytes; what the feeding is stopped at is not told. */
static inline void reply(struct bed *bed, unsigned status, int64_t retry_after_s, const char *body, size_t len,
			 size_t piece, enum http_result result)
{
	int stopped = reflector_head(bed->reflector, status, retry_after_s);

	for (size_t i = 0; i < len && !stopped; i += piece)
		stopped = reflector_data(bed->reflector, body + i, len - i < piece ? len - i : piece);
	reflector_done(bed->reflector, stopped ? HTTP_STOPPED : result,
		       result == HTTP_TRUNCATED && !stopped ? "transfer closed" : "");
}

static inline void say(struct bed *bed, unsigned status, const char *body)
{
	reply(bed, status, -1, body, strlen(body), 7, HTTP_COMPLETE);
}

static inline void cut(struct bed *bed, const char *body)
{
	reply(bed, 200, -1, body, strlen(body), 7, HTTP_TRUNCATED);
}

static inline void replay(struct bed *bed, const char *name)
{
	_cleanup_(exchange_done) struct exchange exchange = {};

	exchange_read(&exchange, name);
	reply(bed, exchange.status, exchange.retry_after_s, exchange.body.data, exchange.body.len, 1000,
	      exchange.cut ? HTTP_TRUNCATED : HTTP_COMPLETE);
}

#define EMPTY_LIST "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}"
#define POD(name, rv) "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"web\",\"resourceVersion\":\"" rv "\"}}"
#define EVENT(type, name, rv) "{\"type\":\"" type "\",\"object\":" POD(name, rv) "}\n"

/* Up to the first watch, from version 7. */
static inline void bed_watching(struct bed *bed)
{
	bed_set(bed, 0, 1);
	assert_asks(bed, FIRST_PAGE);
	say(bed, 200, EMPTY_LIST);
	assert_told(bed, "begin\nend\n");
	bc_text_done(&bed->notes);
	assert_asks(bed, WATCH_FROM("7"));
}

#endif
