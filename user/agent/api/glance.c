// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/glance.h"

#include <string.h>

/* Names of the members above; deeper ones are only counted. */
#define LEVELS 4
#define WORD 32

/* Where we are in the text. */
struct look {
	const char *p, *end;
	size_t depth;		  /* of brackets open */
	char names[LEVELS][WORD]; /* names[d]: the member we are in of the object at depth d */
	bool behind_colon;	  /* the next string is a value, not a name */
	size_t skip;		  /* levels that are around the object: 1 in an event */
};

/* Copies a string if it is plain and fits; else *to is empty. */
static void take(char *to, size_t size, const char *from, size_t len)
{
	to[0] = '\0';
	if (len >= size)
		return;
	for (size_t i = 0; i < len; i++)
		if (from[i] <= ' ' || from[i] > '~' || from[i] == '\\')
			return;
	memcpy(to, from, len);
	to[len] = '\0';
}

/* Behind the opening quote: the string's length up to the closing one; false: the text ends before. */
static bool measure_string(const struct look *look, size_t *ret)
{
	for (const char *p = look->p; p < look->end; p++) {
		if (*p == '"') {
			*ret = (size_t)(p - look->p);
			return true;
		}
		if (*p == '\\')
			p++;
	}
	return false;
}

/* A string that is a member's value, of the object at look->depth. */
static void see_value(const struct look *look, size_t len, struct glance *ret)
{
	const char *name = look->names[look->depth];

	if (look->skip && look->depth == 1 && !strcmp(name, "type"))
		take(ret->type, sizeof(ret->type), look->p, len);
	if (look->depth != look->skip + 2 || strcmp(look->names[look->skip + 1], "metadata") ||
	    (look->skip && strcmp(look->names[1], "object")))
		return;
	if (!strcmp(name, "namespace"))
		take(ret->namespace, sizeof(ret->namespace), look->p, len);
	else if (!strcmp(name, "name"))
		take(ret->name, sizeof(ret->name), look->p, len);
	else if (!strcmp(name, "resourceVersion"))
		take(ret->version, sizeof(ret->version), look->p, len);
	else if (!strcmp(name, "uid"))
		take(ret->uid, sizeof(ret->uid), look->p, len);
}

/* Behind an opening quote; false: the text ends. */
static bool see_string(struct look *look, struct glance *ret)
{
	size_t len = 0;

	if (!measure_string(look, &len))
		return false;
	if (look->depth && look->depth < LEVELS) {
		if (look->behind_colon)
			see_value(look, len, ret);
		else
			take(look->names[look->depth], WORD, look->p, len);
	}
	look->p += len + 1;
	return true;
}

void glance(const char *text, size_t len, bool event, struct glance *ret)
{
	struct look look = { .p = text, .end = text + len, .skip = event };

	*ret = (struct glance){};
	while (look.p < look.end) {
		char c = *look.p++;

		if (c == '"') {
			if (!see_string(&look, ret))
				return;
		} else if (c == '{' || c == '[') {
			look.depth++;
			if (look.depth < LEVELS)
				look.names[look.depth][0] = '\0';
		} else if ((c == '}' || c == ']') && look.depth) {
			look.depth--;
		}
		if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
			look.behind_colon = c == ':';
	}
}
