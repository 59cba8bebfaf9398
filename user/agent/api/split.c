// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/split.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "base/util.h"

/* A buffer that one large piece has made larger than this is given back after it. */
#define ROOM_KEPT (256u << 10)

enum place {
	BETWEEN = 1, /* before a top-level value */
	MEMBER,	     /* of a list's object: before a name, or the end */
	NAME,	     /* within a member's name */
	COLON,	     /* behind it */
	VALUE,	     /* before the member's value */
	ITEMS,	     /* before an element of "items", or its end */
	PIECE,	     /* within a value, which is told or skipped */
	END,	     /* behind a list's object */
};

struct split {
	enum split_mode mode;
	size_t max;
	split_fn *fn;
	void *ctx;

	enum place place;
	char name[16]; /* of the member; longer ones are cut, and none of ours is so long */
	size_t name_len;
	bool items, metadata; /* have been there */

	/* of the piece */
	enum split_part part; /* 0: it is skipped */
	enum place then;      /* where we are behind it */
	size_t depth;	      /* of brackets open; 0: a string, or a number or word */
	bool string, escape;
	bool oversized;
	char *data;
	size_t len, room;
};

struct split *split_new(enum split_mode mode, size_t max, split_fn *fn, void *ctx)
{
	struct split *split = calloc(1, sizeof(*split));

	if (!split)
		return NULL;
	*split = (struct split){ .mode = mode, .max = max, .fn = fn, .ctx = ctx, .place = BETWEEN };
	return split;
}

void split_free(struct split *split)
{
	if (!split)
		return;
	free(split->data);
	free(split);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void begin_piece(struct split *split, enum split_part part, enum place then)
{
	split->part = part;
	split->then = then;
	split->place = PIECE;
	split->depth = 0;
	split->string = split->escape = split->oversized = false;
	split->len = 0;
}

/* Keeps bytes of the piece, as far as there may be so many. */
static int keep(struct split *split, const char *data, size_t len)
{
	if (!split->part || split->oversized)
		return 0;
	if (len > split->max - split->len) {
		split->oversized = true;
		len = split->max - split->len;
	}
	if (bc_grow(&split->data, &split->room, split->len + len + 1))
		return -ENOMEM;
	memcpy(split->data + split->len, data, len);
	split->len += len;
	split->data[split->len] = '\0';
	return 0;
}

static int end_piece(struct split *split)
{
	enum split_part part = split->oversized ? SPLIT_OVERSIZED : split->part;
	int r = 0;

	split->place = split->then;
	if (part)
		r = split->fn(split->ctx, part, split->data ? split->data : "", split->len);
	if (split->room > ROOM_KEPT) {
		free(TAKE_PTR(split->data));
		split->room = 0;
	}
	return r;
}

/* One byte of a string within the piece; true: it was the last of a piece that is but a string. */
static bool step_string(struct split *split, char c)
{
	if (split->escape) {
		split->escape = false;
	} else if (c == '\\') {
		split->escape = true;
	} else if (c == '"') {
		split->string = false;
		return !split->depth;
	}
	return false;
}

/* How many bytes from `data` belong to the piece, the first being one; *ret_done: and there it ends. */
static size_t measure_piece(struct split *split, const char *data, size_t len, bool *ret_done)
{
	*ret_done = true;
	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (split->string) {
			if (step_string(split, c))
				return i + 1;
		} else if (c == '"') {
			split->string = true;
		} else if (c == '{' || c == '[') {
			split->depth++;
		} else if (c == '}' || c == ']') {
			if (!split->depth)
				return i; /* the bracket around a number or a word */
			if (!--split->depth)
				return i + 1;
		} else if (!split->depth && (is_blank(c) || c == ',')) {
			return i;
		}
	}
	*ret_done = false;
	return len;
}

static bool named(const struct split *split, const char *name)
{
	return split->name_len == strlen(name) && !memcmp(split->name, name, split->name_len);
}

/* The first byte of a member's value. It is left to the piece, but for the bracket of "items". */
static int begin_value(struct split *split, char c, size_t *used)
{
	if (named(split, "items")) {
		split->items = true;
		if (c == '[') {
			split->place = ITEMS;
			*used = 1;
			return 0;
		}
		if (c != 'n') /* null: what an old server says for none */
			return -EBADMSG;
		begin_piece(split, 0, MEMBER);
	} else if (named(split, "metadata")) {
		split->metadata = true;
		begin_piece(split, SPLIT_METADATA, MEMBER);
	} else {
		begin_piece(split, 0, MEMBER);
	}
	return 0;
}

static int step_name(struct split *split, char c)
{
	if (c == '"')
		split->place = COLON;
	else if (c == '\\') /* none that we want has any */
		return -EBADMSG;
	else if (split->name_len < sizeof(split->name))
		split->name[split->name_len++] = c;
	return 0;
}

static int step_between(struct split *split, char c, size_t *used)
{
	if (c != '{')
		return -EBADMSG;
	if (split->mode == SPLIT_STREAM) {
		begin_piece(split, SPLIT_OBJECT, BETWEEN);
		return 0;
	}
	split->place = MEMBER;
	*used = 1;
	return 0;
}

static int step_member(struct split *split, char c)
{
	if (c == '"') {
		split->place = NAME;
		split->name_len = 0;
	} else if (c == '}') {
		split->place = END;
	} else if (c != ',') {
		return -EBADMSG;
	}
	return 0;
}

static int step_items(struct split *split, char c, size_t *used)
{
	if (c == ']' || c == ',') {
		split->place = c == ']' ? MEMBER : ITEMS;
		*used = 1;
		return 0;
	}
	if (c == '}' || c == ':')
		return -EBADMSG;
	begin_piece(split, SPLIT_OBJECT, ITEMS);
	return 0;
}

/* A byte outside of pieces; *used 0: it belongs to the piece that has begun. */
static int step(struct split *split, char c, size_t *used)
{
	*used = 1;
	if (split->place == NAME)
		return step_name(split, c);
	if (is_blank(c))
		return 0;
	switch (split->place) {
	case BETWEEN:
		*used = 0;
		return step_between(split, c, used);
	case MEMBER:
		return step_member(split, c);
	case COLON:
		split->place = VALUE;
		return c == ':' ? 0 : -EBADMSG;
	case VALUE:
		*used = 0;
		return c == ',' || c == '}' || c == ']' || c == ':' ? -EBADMSG : begin_value(split, c, used);
	case ITEMS:
		*used = 0;
		return step_items(split, c, used);
	default:
		return -EBADMSG;
	}
}

int split_feed(struct split *split, const char *data, size_t len)
{
	while (len) {
		size_t used = 0;
		bool done = false;
		int r;

		if (split->place == PIECE) {
			used = measure_piece(split, data, len, &done);
			r = keep(split, data, used);
			if (!r && done)
				r = end_piece(split);
		} else {
			r = step(split, *data, &used);
		}
		if (r)
			return r;
		data += used;
		len -= used;
	}
	return 0;
}

int split_end(const struct split *split)
{
	if (split->mode == SPLIT_STREAM)
		return split->place == BETWEEN ? 0 : -EBADMSG;
	return split->place == END && split->items && split->metadata ? 0 : -EBADMSG;
}
