// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes as what an API server answers, one reply behind the other, to a reflector of the node agent's:
 *
 *   status (see below), pieces, length (2 bytes, and how the reply ends in the highest two bits), Retry-After; the body
 *
 * What the reflector tells has names that fit and words that show as they are, it wants to go on some time, and a body that
 * a reader of JSON takes for an object loses nothing that is wanted when the rest is cut out.
 */
#include "fuzz.h"

#include <json-c/json.h>
#include "agent/api/prune.h"
#include "agent/api/reflector.h"

static const char *const wanted[] = { "metadata.labels", "metadata.a.b", "spec", NULL };
static int64_t clock_ms;
static bool listing;

static int64_t now_ms(void)
{
	return clock_ms;
}

static void on_list_begin(void *ctx)
{
	(void)ctx;
	listing = true;
}

static void on_list_end(void *ctx)
{
	(void)ctx;
	require(listing);
	listing = false;
}

static int on_object(void *ctx, struct json_object *object, bool gone)
{
	struct json_object *metadata = NULL;

	(void)ctx;
	(void)gone;
	require(json_object_object_get_ex(object, "metadata", &metadata));
	require(json_object_is_type(metadata, json_type_object));
	return json_object_object_length(object) == 7; /* now and then there is no memory */
}

static void on_unreadable(void *ctx, const char *namespace, const char *name, const char *why)
{
	(void)ctx;
	require(strlen(namespace) < 254 && strlen(name) < 254 && *why);
}

static void on_note(void *ctx, enum reflector_level level, const char *text)
{
	(void)ctx;
	require(level >= REFLECT_DEBUG && level <= REFLECT_WARNING && *text);
	require(bc_is_utf8(text, strlen(text)));
	for (; *text; text++)
		require((unsigned char)*text >= ' ' && *text != 0x7f);
}

static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(64);
	struct json_object *object;

	require(tokener);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text, (int)len);
	json_tokener_free(tokener);
	return object;
}

static struct json_object *at(struct json_object *object, const char *a, const char *b)
{
	struct json_object *found = NULL;

	if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, a, &found))
		return NULL;
	return b ? at(found, b, NULL) : found;
}

/* Names that are written with escapes are other names to prune(): nobody writes ours so. */
static void try_prune(const char *text, size_t len)
{
	_cleanup_free_ char *pruned = NULL;
	struct json_object *whole, *part;
	size_t left = 0;
	int r = prune(text, len, false, wanted, &pruned, &left);

	require(!r || r == -EBADMSG);
	require(r || (!pruned[left] && left <= len));
	if (strchr(text, '\\') || strlen(text) != len || *text != '{')
		return;
	whole = parse(text, len);
	if (!json_object_is_type(whole, json_type_object)) {
		json_object_put(whole);
		return;
	}
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	free(TAKE_PTR(pruned));
	require(!prune(text, len, false, wanted, &pruned, &left));
	part = parse(pruned, left);
	require(part);
	require(json_object_equal(at(whole, "spec", NULL), at(part, "spec", NULL)));
	require(json_object_equal(at(whole, "metadata", "labels"), at(part, "metadata", "labels")));
	require(json_object_equal(at(whole, "metadata", "name"), at(part, "metadata", "name")));
	require(json_object_equal(at(whole, "code", NULL), at(part, "code", NULL)));
	json_object_put(whole);
	json_object_put(part);
}

/* One reply to the request that is under way; returns how many bytes it took. */
static size_t reply(struct reflector *reflector, const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 200, 200, 200, 200, 200, 200, 410, 401, 404, 429, 500, 302, 403 };
	size_t len = (data[2] | (data[3] & 15u) << 8), piece = 1 + data[1];
	enum http_result result = data[3] >> 6 ? (enum http_result)(data[3] >> 6) : HTTP_COMPLETE;
	_cleanup_free_ char *body = NULL;
	int stopped = 0;

	len = len < size - 5 ? len : size - 5;
	body = malloc(len + 1);
	require(body);
	memcpy(body, data + 5, len);
	body[len] = '\0';
	try_prune(body, len);
	if (result != HTTP_UNREACHABLE) {
		stopped = reflector_head(reflector, statuses[data[0] % ARRAY_SIZE(statuses)], (int8_t)data[4]);
		for (size_t i = 0; i < len && !stopped; i += piece)
			stopped = reflector_data(reflector, body + i, len - i < piece ? len - i : piece);
	}
	reflector_done(reflector, stopped ? HTTP_STOPPED : result, result == HTTP_COMPLETE ? "" : "why");
	return 5 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reflector_config config = { .path = "/api/v1/pods",
					   .most = 300,
					   .keep = size % 2 ? wanted : NULL,
					   .on_list_begin = on_list_begin,
					   .on_object = on_object,
					   .on_unreadable = on_unreadable,
					   .on_list_end = on_list_end,
					   .on_note = on_note };
	struct reflector *reflector;

	clock_ms = 1000;
	listing = false;
	reflector = reflector_new(NULL, &config, now_ms, 1);
	require(reflector);
	while (size > 5) {
		size_t used;

		clock_ms = reflector_next(reflector);
		require(clock_ms > 0 && clock_ms < INT64_C(1) << 40);
		reflector_step(reflector, clock_ms);
		require(reflector_target(reflector));
		used = reply(reflector, data, size);
		require(!reflector_target(reflector));
		data += used;
		size -= used;
	}
	reflector_free(reflector);
	return 0;
}
