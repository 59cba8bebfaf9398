/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of JSON objects that know where they stand, so that whatever is wrong with one can be said with its place. */
#ifndef BINDCTL_AGENT_FIELD_H
#define BINDCTL_AGENT_FIELD_H

#include <json-c/json.h>
#include <stdbool.h>

#include "base/error.h"

/* Points to what it is part of. Owns nothing. */
struct field {
	const struct field *up; /* NULL: the object itself */
	const char *name;	/* NULL: the element `index` of an array */
	size_t index;
	struct json_object *value; /* NULL: it is absent, or null */
};

/* "spec.rules[2].ports[0]: " and the text; -EINVAL. */
int field_fail(const struct field *field, struct bc_error *reterr, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct field field_root(struct json_object *object);
/* Whatever is no object has no members. */
struct field field_member(const struct field *up, const char *name);
struct field field_element(const struct field *up, size_t index);

/* 0 when the field is of the type (and there), or -EINVAL with a sentence. */
int field_want(const struct field *field, enum json_type type, struct bc_error *reterr);
/* That it has no members but these; a list of names that ends with NULL. */
int field_only(const struct field *field, const char *const *names, struct bc_error *reterr);
/* An array of `least` to `most` elements. */
int field_array(const struct field *field, size_t least, size_t most, size_t *ret_n, struct bc_error *reterr);
/* A string without a NUL in it, which the JSON object keeps. */
int field_string(const struct field *field, const char **ret, struct bc_error *reterr);
/* The same, or NULL when it is absent. */
int field_optional(const struct field *field, const char **ret, struct bc_error *reterr);
int field_bool(const struct field *field, bool absent, bool *ret, struct bc_error *reterr);
int field_number(const struct field *field, int64_t max, int64_t *ret, struct bc_error *reterr);
/* Which of the words the string is, from 0; a list that ends with NULL. */
int field_word(const struct field *field, const char *const *words, unsigned *ret, struct bc_error *reterr);

/* A value as a message shows it: printable, and not much of it. */
#define FIELD_SHOWN 72
const char *field_show(char shown[FIELD_SHOWN], const char *text);

#endif
