// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "agent/intent/field.h"

/* How deep the fields that we look at can be: metadata.ownerReferences[0].name, spec.x.matchExpressions[0].values[0]. */
#define DEPTH_MAX 8

static void print_path(const struct field *field, char *to, size_t size)
{
	const struct field *above[DEPTH_MAX];
	size_t n = 0, used = 0;

	for (; field && n < DEPTH_MAX; field = field->up)
		above[n++] = field;
	*to = '\0';
	while (n-- && used < size) {
		if (above[n]->name && *above[n]->name)
			used += snprintf(to + used, size - used, "%s%s", used ? "." : "", above[n]->name);
		else if (!above[n]->name)
			used += snprintf(to + used, size - used, "[%zu]", above[n]->index);
	}
}

int field_fail(const struct field *field, struct bc_error *reterr, const char *format, ...)
{
	char path[160], text[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_path(field, path, sizeof(path));
	return bc_fail(reterr, -EINVAL, "%s%s%s", path, *path ? ": " : "", text);
}

struct field field_root(struct json_object *object)
{
	return (struct field){ .name = "", .value = object };
}

struct field field_member(const struct field *up, const char *name)
{
	struct field field = { .up = up, .name = name };

	if (json_object_is_type(up->value, json_type_object))
		json_object_object_get_ex(up->value, name, &field.value);
	return field;
}

struct field field_element(const struct field *up, size_t index)
{
	return (struct field){ .up = up, .index = index, .value = json_object_array_get_idx(up->value, index) };
}

static const char *type_name(enum json_type type)
{
	static const char *const names[] = {
		[json_type_null] = "nothing",	   [json_type_boolean] = "true or false",
		[json_type_double] = "a fraction", [json_type_int] = "a whole number",
		[json_type_object] = "an object",  [json_type_array] = "a list",
		[json_type_string] = "a string",
	};

	return (size_t)type < ARRAY_SIZE(names) ? names[type] : "?";
}

int field_want(const struct field *field, enum json_type type, struct bc_error *reterr)
{
	if (json_object_is_type(field->value, type))
		return 0;
	if (!field->value)
		return field_fail(field, reterr, "is missing");
	return field_fail(field, reterr, "is %s, not %s", type_name(json_object_get_type(field->value)),
			  type_name(type));
}

int field_only(const struct field *field, const char *const *names, struct bc_error *reterr)
{
	int r = field_want(field, json_type_object, reterr);

	if (r)
		return r;
	json_object_object_foreach(field->value, key, value)
	{
		char shown[FIELD_SHOWN];
		size_t i = 0;

		(void)value;
		while (names[i] && strcmp(names[i], key) != 0)
			i++;
		if (!names[i])
			return field_fail(field, reterr, "the member '%s' is not known", field_show(shown, key));
	}
	return 0;
}

int field_array(const struct field *field, size_t least, size_t most, size_t *ret_n, struct bc_error *reterr)
{
	int r = field_want(field, json_type_array, reterr);
	size_t n = r ? 0 : json_object_array_length(field->value);

	if (r)
		return r;
	if (n < least)
		return field_fail(field, reterr, "is empty");
	if (n > most)
		return field_fail(field, reterr, "has %zu elements, and may have %zu", n, most);
	*ret_n = n;
	return 0;
}

int field_string(const struct field *field, const char **ret, struct bc_error *reterr)
{
	int r = field_want(field, json_type_string, reterr);
	const char *text;

	if (r)
		return r;
	text = json_object_get_string(field->value);
	if (strlen(text) != (size_t)json_object_get_string_len(field->value))
		return field_fail(field, reterr, "has a NUL in it");
	*ret = text;
	return 0;
}

int field_optional(const struct field *field, const char **ret, struct bc_error *reterr)
{
	if (field->value)
		return field_string(field, ret, reterr);
	*ret = NULL;
	return 0;
}

int field_bool(const struct field *field, bool absent, bool *ret, struct bc_error *reterr)
{
	int r = field->value ? field_want(field, json_type_boolean, reterr) : 0;

	if (!r)
		*ret = field->value ? json_object_get_boolean(field->value) : absent;
	return r;
}

int field_number(const struct field *field, int64_t max, int64_t *ret, struct bc_error *reterr)
{
	int r = field_want(field, json_type_int, reterr);
	int64_t number = r ? 0 : json_object_get_int64(field->value);

	if (r)
		return r;
	if (number < 0)
		return field_fail(field, reterr, "%lld is below 0", (long long)number);
	if (number > max)
		return field_fail(field, reterr, "%lld is above %lld", (long long)number, (long long)max);
	*ret = number;
	return 0;
}

int field_word(const struct field *field, const char *const *words, unsigned *ret, struct bc_error *reterr)
{
	char known[128], shown[FIELD_SHOWN];
	const char *text = "";
	size_t used = 0;
	int r = field_string(field, &text, reterr);

	if (r)
		return r;
	for (unsigned i = 0; words[i]; i++) {
		if (!strcmp(words[i], text)) {
			*ret = i;
			return 0;
		}
	}
	for (unsigned i = 0; words[i] && used < sizeof(known); i++)
		used += snprintf(known + used, sizeof(known) - used, "%s%s",
				 !i	      ? "" :
				 words[i + 1] ? ", " :
						" or ",
				 words[i]);
	return field_fail(field, reterr, "'%s' is not %s", field_show(shown, text), known);
}

const char *field_show(char shown[FIELD_SHOWN], const char *text)
{
	char cut[33];

	snprintf(cut, sizeof(cut), "%.*s", (int)(strlen(text) < sizeof(cut) ? strlen(text) : bc_utf8_cut(text, 32)),
		 text);
	return bc_printable(shown, FIELD_SHOWN, cut);
}
