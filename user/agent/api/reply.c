// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "agent/api/glance.h"
#include "agent/api/prune.h"
#include "base/util.h"

/* Of the JSON that is made a tree, which takes many times as much. */
#define TREE_MAX (512u << 10)
#define DEPTH 64 /* of an object's nesting; those of the API have less than twenty */

static void put_object(struct json_object **p)
{
	json_object_put(*p);
}

/* A member, of the type; NULL: there is none such. */
static struct json_object *member(struct json_object *object, const char *name, enum json_type type)
{
	struct json_object *found = NULL;

	if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, name, &found))
		return NULL;
	return json_object_is_type(found, type) ? found : NULL;
}

static const char *text_member(struct json_object *object, const char *name)
{
	struct json_object *found = member(object, name, json_type_string);

	return found ? json_object_get_string(found) : "";
}

/* The first line of a text of the server's. Whoever shows it makes it printable. */
static void set_message(struct reply *reply, const char *text)
{
	snprintf(reply->message, sizeof(reply->message), "%.*s", (int)strcspn(text, "\r\n"), text);
}

/* A Status: the body of an error, or what an ERROR event holds. */
static void read_status(struct reply *reply, struct json_object *status)
{
	struct json_object *details = member(status, "details", json_type_object);
	struct json_object *wait = details ? member(details, "retryAfterSeconds", json_type_int) : NULL;
	struct json_object *code = member(status, "code", json_type_int);
	const char *reason = text_member(status, "reason");

	reply->code = code && json_object_get_int64(code) > 0 && json_object_get_int64(code) < 1000 ?
			      (unsigned)json_object_get_int64(code) :
			      0;
	reply->expired = reply->code == 410 || !strcmp(reason, "Expired") || !strcmp(reason, "Gone");
	if (wait && json_object_get_int64(wait) > 0)
		reply->retry_after_s = json_object_get_int64(wait);
	set_message(reply, *text_member(status, "message") ? text_member(status, "message") : reason);
}

/* NULL: it is not good JSON; *ret_why says why. */
static struct json_object *parse(struct json_tokener *tokener, const char *text, size_t len, const char **ret_why)
{
	struct json_object *object;
	enum json_tokener_error error;

	if (*text != '{') {
		*ret_why = "not an object";
		return NULL;
	}
	json_tokener_reset(tokener);
	object = json_tokener_parse_ex(tokener, text, (int)len);
	error = json_tokener_get_error(tokener);
	if (error != json_tokener_success) {
		json_object_put(object);
		*ret_why = error == json_tokener_continue ? "unexpected end" : json_tokener_error_desc(error);
		return NULL;
	}
	return object;
}

static int stop(struct reply *reply, enum reply_stop why)
{
	reply->stop = why;
	return -1;
}

static int stop_broken(struct reply *reply, const char *message)
{
	set_message(reply, message);
	return stop(reply, REPLY_BROKEN);
}

/* What a watch goes on from. One that does not fit leaves the old one: then the server tells something twice. */
static void set_version(struct reply *reply, const char *version)
{
	if (*version && strlen(version) < sizeof(reply->version))
		strcpy(reply->version, version);
}

static int tell(struct reply *reply, struct json_object *object, bool gone)
{
	struct json_object *metadata = member(object, "metadata", json_type_object);

	if (!metadata) {
		reply->config->on_unreadable(reply->config->ctx, "", "", "no metadata");
		return 0;
	}
	reply->objects++;
	if (gone)
		reply->stats->gone++;
	else
		reply->stats->set++;
	if (reply->config->on_object(reply->config->ctx, object, gone))
		return stop(reply, REPLY_MEMORY);
	if (reply->watch)
		set_version(reply, text_member(metadata, "resourceVersion"));
	return 0;
}

/* One that went, of which nothing but the name could be read. */
static int tell_gone(struct reply *reply, const struct glance *seen)
{
	_cleanup_(put_object) struct json_object *object = json_object_new_object();
	struct json_object *metadata = json_object_new_object();

	if (!object || !metadata || json_object_object_add(object, "metadata", metadata)) {
		json_object_put(metadata);
		return stop(reply, REPLY_MEMORY);
	}
	if (json_object_object_add(metadata, "name", json_object_new_string(seen->name)) ||
	    json_object_object_add(metadata, "namespace", json_object_new_string(seen->namespace)) ||
	    json_object_object_add(metadata, "resourceVersion", json_object_new_string(seen->version)))
		return stop(reply, REPLY_MEMORY);
	return tell(reply, object, true);
}

static int tell_unreadable(struct reply *reply, const char *text, size_t len, const char *why)
{
	struct glance seen;

	glance(text, len, reply->watch, &seen);
	if (reply->watch && strcmp(seen.type, "ADDED") && strcmp(seen.type, "MODIFIED")) {
		if (!strcmp(seen.type, "DELETED") && *seen.name)
			return tell_gone(reply, &seen);
		return stop_broken(reply, "an event cannot be read");
	}
	reply->config->on_unreadable(reply->config->ctx, seen.namespace, seen.name, why);
	if (reply->watch)
		set_version(reply, seen.version);
	return 0;
}

static int see_event(struct reply *reply, struct json_object *event)
{
	const char *type = text_member(event, "type");
	struct json_object *object = member(event, "object", json_type_object);

	if (!object || !*type)
		return stop_broken(reply, "an event has no type or no object");
	if (!strcmp(type, "ADDED") || !strcmp(type, "MODIFIED"))
		return tell(reply, object, false);
	if (!strcmp(type, "DELETED"))
		return tell(reply, object, true);
	if (!strcmp(type, "BOOKMARK")) {
		reply->stats->bookmarks++;
		reply->stats->last_bookmark_ms = reply->stats->last_contact_ms;
		set_version(reply, text_member(member(object, "metadata", json_type_object), "resourceVersion"));
		return 0;
	}
	if (strcmp(type, "ERROR"))
		return stop_broken(reply, "an event is of an unknown type");
	read_status(reply, object);
	return stop(reply, REPLY_ERROR);
}

static int see_metadata(struct reply *reply, struct json_object *metadata)
{
	const char *next_page = text_member(metadata, "continue");

	if (strlen(next_page) > REPLY_CONTINUE)
		return stop_broken(reply, "the list's token for its next page is too long");
	set_version(reply, text_member(metadata, "resourceVersion"));
	if (!*reply->version)
		return stop_broken(reply, "the list has no resourceVersion");
	reply->metadata = true;
	free(TAKE_PTR(reply->next_page));
	if (!*next_page)
		return 0;
	reply->next_page = strdup(next_page);
	return reply->next_page ? 0 : stop(reply, REPLY_MEMORY);
}

/* An item of a list, an event of a watch. */
static int see_object(struct reply *reply, const char *text, size_t len)
{
	_cleanup_(put_object) struct json_object *object = NULL;
	_cleanup_free_ char *pruned = NULL;
	const char *why = "no JSON";
	size_t left = len;
	int r = 0;

	if (!bc_is_utf8(text, len)) /* json-c's own look at it lets surrogates and overlong forms pass */
		return tell_unreadable(reply, text, len, "not UTF-8");
	if (reply->config->keep)
		r = prune(text, len, reply->watch, reply->config->keep, &pruned, &left);
	if (r == -ENOMEM)
		return stop(reply, REPLY_MEMORY);
	if (left > TREE_MAX)
		return tell_unreadable(reply, text, len, "too large");
	object = parse(reply->tokener, pruned ? pruned : text, left, &why);
	if (!object)
		return tell_unreadable(reply, text, len, why);
	r = reply->watch ? see_event(reply, object) : tell(reply, object, false);
	reply->stats->last_event_ms = reply->stats->last_contact_ms;
	return r;
}

static int see_part(void *ctx, enum split_part part, const char *text, size_t len)
{
	struct reply *reply = ctx;
	_cleanup_(put_object) struct json_object *metadata = NULL;
	const char *why = "no JSON";

	if (part == SPLIT_OVERSIZED)
		return tell_unreadable(reply, text, len, "too large");
	if (part == SPLIT_OBJECT)
		return see_object(reply, text, len);
	metadata = parse(reply->tokener, text, len, &why);
	return metadata ? see_metadata(reply, metadata) : stop_broken(reply, why);
}

int reply_begin(struct reply *reply, const struct reflector_config *config, struct reflector_stats *stats, bool watch)
{
	*reply = (struct reply){ .config = config, .stats = stats, .watch = watch, .retry_after_s = -1 };
	reply->split = split_new(watch ? SPLIT_STREAM : SPLIT_LIST, config->most, see_part, reply);
	reply->tokener = json_tokener_new_ex(DEPTH);
	if (!reply->split || !reply->tokener)
		return -ENOMEM;
	json_tokener_set_flags(reply->tokener, JSON_TOKENER_STRICT);
	return 0;
}

int reply_feed(struct reply *reply, const char *data, size_t len, int64_t now_ms)
{
	int r;

	if (reply->status != 200) {
		if (len > REPLY_COMPLAINT - reply->complaint_len)
			len = REPLY_COMPLAINT - reply->complaint_len;
		memcpy(reply->complaint + reply->complaint_len, data, len);
		reply->complaint_len += len;
		return 0;
	}
	reply->stats->last_contact_ms = now_ms;
	r = split_feed(reply->split, data, len);
	if (r == -EBADMSG)
		return stop_broken(reply, reply->watch ? "this is no watch" : "this is no list");
	if (r == -ENOMEM)
		return stop(reply, REPLY_MEMORY);
	return r;
}

bool reply_whole(const struct reply *reply)
{
	return !split_end(reply->split) && (reply->watch || reply->metadata);
}

void reply_read_complaint(struct reply *reply)
{
	_cleanup_(put_object) struct json_object *status = NULL;
	const char *why = "no JSON";

	reply->complaint[reply->complaint_len] = '\0';
	status = parse(reply->tokener, reply->complaint, reply->complaint_len, &why);
	if (status)
		read_status(reply, status);
	else if (*reply->complaint != '{') /* a proxy's own words */
		set_message(reply, reply->complaint);
}

void reply_done(struct reply *reply)
{
	split_free(reply->split);
	if (reply->tokener)
		json_tokener_free(reply->tokener);
	free(reply->next_page);
	*reply = (struct reply){};
}
