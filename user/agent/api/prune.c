// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/prune.h"

#include <errno.h>
#include <string.h>
#include "base/util.h"

#define PATH_ROOM 128
#define LEVELS 16

/* Kept in any case. The first four are a Status's, in an ERROR event. */
static const char *const always[] = {
	"code", "message", "reason", "details", "metadata.name", "metadata.namespace", "metadata.resourceVersion", NULL,
};

struct pruner {
	const char *p, *end;
	const char *const *keep;
	struct bc_text out;
	char path[PATH_ROOM]; /* of the member that we are at; "" at the top */
	struct {
		size_t path_len; /* of the path of the object itself */
		bool first;	 /* no member is written yet */
		bool comma;	 /* a member may begin */
	} levels[LEVELS];	 /* the objects that we are in */
	size_t depth;
};

enum part {
	NONE = 0,
	SOME, /* of what is in it */
	ALL,
};

static void skip_blanks(struct pruner *pruner)
{
	while (pruner->p < pruner->end && strchr(" \t\r\n", *pruner->p) && *pruner->p)
		pruner->p++;
}

/* Behind the opening quote; false: the text ends. */
static bool skip_string(struct pruner *pruner)
{
	for (; pruner->p < pruner->end; pruner->p++) {
		if (*pruner->p == '"') {
			pruner->p++;
			return true;
		}
		if (*pruner->p == '\\')
			pruner->p++;
	}
	return false;
}

/* Any value; false: the text ends, or there is none. */
static bool skip_value(struct pruner *pruner)
{
	const char *from = pruner->p;
	size_t depth = 0;

	while (pruner->p < pruner->end) {
		char c = *pruner->p;

		if (!depth && pruner->p > from && (c == ',' || c == '}' || c == ']'))
			return true;
		if (!depth && (c == ',' || c == '}' || c == ']' || c == ':'))
			return false;
		pruner->p++;
		if (c == '"' && !skip_string(pruner))
			return false;
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
	}
	return false; /* something closes whatever this is in */
}

static enum part look_up(const char *const *paths, const char *path, size_t len)
{
	enum part part = NONE;

	for (; *paths; paths++) {
		if (strlen(*paths) < len || memcmp(*paths, path, len) != 0)
			continue;
		if (!(*paths)[len])
			return ALL;
		if ((*paths)[len] == '.')
			part = SOME;
	}
	return part;
}

/* How much of a member is kept. Its path goes behind that of the object at `at`. */
static enum part look(struct pruner *pruner, size_t at, const char *name, size_t len)
{
	enum part a, b;
	size_t dot = at ? 1 : 0;

	if (at + dot + len >= PATH_ROOM)
		return NONE;
	if (dot)
		pruner->path[at] = '.';
	memcpy(pruner->path + at + dot, name, len);
	len += at + dot;
	pruner->path[len] = '\0';
	a = look_up(always, pruner->path, len);
	b = look_up(pruner->keep, pruner->path, len);
	return a > b ? a : b;
}

/* At the opening bracket of an object that is kept in part. */
static void enter(struct pruner *pruner)
{
	pruner->p++;
	bc_text_add(&pruner->out, "{", 1);
	pruner->levels[pruner->depth].path_len = strlen(pruner->path);
	pruner->levels[pruner->depth].first = true;
	pruner->levels[pruner->depth].comma = true;
	pruner->depth++;
}

/* A member's name, and what is behind it up to the value. */
static bool read_name(struct pruner *pruner, const char **ret, size_t *ret_len)
{
	if (*pruner->p++ != '"')
		return false;
	*ret = pruner->p;
	if (!skip_string(pruner))
		return false;
	*ret_len = (size_t)(pruner->p - *ret - 1);
	skip_blanks(pruner);
	if (pruner->p >= pruner->end || *pruner->p++ != ':')
		return false;
	skip_blanks(pruner);
	return pruner->p < pruner->end;
}

static bool prune_member(struct pruner *pruner, bool event)
{
	bool *first = &pruner->levels[pruner->depth - 1].first;
	size_t at = pruner->levels[pruner->depth - 1].path_len, len = 0;
	const char *name = NULL, *from;
	enum part part;

	pruner->levels[pruner->depth - 1].comma = false;
	if (!read_name(pruner, &name, &len))
		return false;
	if (event && pruner->depth == 1)
		part = len == 6 && !memcmp(name, "object", 6) ? SOME : ALL;
	else
		part = look(pruner, at, name, len);
	if (part) {
		bc_text_addf(&pruner->out, "%s\"", *first ? "" : ",");
		bc_text_add(&pruner->out, name, len);
		bc_text_add(&pruner->out, "\":", 2);
		*first = false;
	}
	if (part == SOME && *pruner->p == '{' && pruner->depth < LEVELS) {
		enter(pruner);
		return true;
	}
	from = pruner->p;
	if (!skip_value(pruner))
		return false;
	if (part)
		bc_text_add(&pruner->out, from, (size_t)(pruner->p - from));
	pruner->path[at] = '\0';
	return true;
}

/* From the opening bracket of the whole to its closing one. */
static bool prune_all(struct pruner *pruner, bool event)
{
	enter(pruner);
	while (pruner->depth) {
		bool *comma = &pruner->levels[pruner->depth - 1].comma;

		skip_blanks(pruner);
		if (pruner->p >= pruner->end)
			return false;
		if (*pruner->p == '}') {
			pruner->p++;
			bc_text_add(&pruner->out, "}", 1);
			pruner->depth--;
		} else if (*pruner->p == ',' && !*comma) {
			pruner->p++;
			*comma = true;
		} else if (!*comma || !prune_member(pruner, event)) {
			return false;
		}
	}
	return true;
}

int prune(const char *text, size_t len, bool event, const char *const *keep, char **ret, size_t *ret_len)
{
	struct pruner pruner = { .p = text, .end = text + len, .keep = keep };
	bool good = len && *text == '{' && prune_all(&pruner, event) && pruner.p == pruner.end;

	if (!good || pruner.out.failed) {
		bc_text_done(&pruner.out);
		return good ? -ENOMEM : -EBADMSG;
	}
	*ret = pruner.out.data;
	*ret_len = pruner.out.len;
	return 0;
}
