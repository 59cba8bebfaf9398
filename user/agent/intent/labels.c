// SPDX-License-Identifier: GPL-2.0-or-later
/* Labels and selectors out of JSON, as the API server would take them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "agent/intent/selector.h"

#define PART_MAX 63
#define PREFIX_MAX 253

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 1 to 63 letters, digits, and inside also '-', '_' and '.'. */
static bool is_part(const char *text, size_t len)
{
	if (!len || len > PART_MAX || !is_alnum(text[0]) || !is_alnum(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(text[i]) && text[i] != '-' && text[i] != '_' && text[i] != '.')
			return false;
	return true;
}

/* A DNS name: parts of lower case letters, digits, and inside also '-'. */
static bool is_dns(const char *text, size_t len)
{
	bool start = true;

	if (!len || len > PREFIX_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool end = i + 1 == len || text[i + 1] == '.';

		if (text[i] == '.' && !start && !end) {
			start = true;
			continue;
		}
		if (!is_alnum(text[i]) && (text[i] != '-' || start || end))
			return false;
		if (text[i] >= 'A' && text[i] <= 'Z')
			return false;
		start = false;
	}
	return true;
}

static bool is_key(const char *key)
{
	const char *slash = strchr(key, '/');

	if (slash && !is_dns(key, slash - key))
		return false;
	key = slash ? slash + 1 : key;
	return is_part(key, strlen(key));
}

static bool is_value(const char *value)
{
	return !*value || is_part(value, strlen(value));
}

static int check_key(const struct field *field, const char *key, struct bc_error *reterr)
{
	char shown[FIELD_SHOWN];

	if (is_key(key))
		return 0;
	return field_fail(field, reterr, "'%s' is not a label's key", field_show(shown, key));
}

/* The string, if it is a label's value. */
static int value_of(const struct field *field, const char **ret, struct bc_error *reterr)
{
	char shown[FIELD_SHOWN];
	int r = field_string(field, ret, reterr);

	if (r || is_value(*ret))
		return r;
	return field_fail(field, reterr, "'%s' is not a label's value", field_show(shown, *ret));
}

static int compare_keys(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The keys of an object of strings, all of them labels, in order. malloc'ed; they belong to the JSON object. */
static int sorted_keys(const struct field *field, const char ***ret, size_t *ret_n, struct bc_error *reterr)
{
	_cleanup_free_ const char **keys = NULL;
	size_t n = 0, room = 0;
	int r = field_want(field, json_type_object, reterr);

	if (r)
		return r;
	json_object_object_foreach(field->value, key, value)
	{
		struct field at = { .up = field->up, .name = field->name, .value = value };
		const char *text;

		r = check_key(field, key, reterr) ?: value_of(&at, &text, reterr);
		if (r)
			return r;
		if (bc_grow(&keys, &room, n + 1))
			return bc_fail(reterr, -ENOMEM, "out of memory");
		keys[n++] = key;
	}
	if (n)
		qsort(keys, n, sizeof(*keys), compare_keys);
	*ret = TAKE_PTR(keys);
	*ret_n = n;
	return 0;
}

static const char *text_of(const struct field *field, const char *key)
{
	return json_object_get_string(json_object_object_get(field->value, key));
}

int labels_parse(const struct field *field, struct labels *ret, struct bc_error *reterr)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_free_ const char **keys = NULL;
	size_t n = 0;
	int r = field->value ? sorted_keys(field, &keys, &n, reterr) : 0;

	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		const char *value = text_of(field, keys[i]);

		bc_text_addf(&text, "%s=", keys[i]);
		bc_text_add(&text, value, strlen(value) + 1);
		if (text.len > LABELS_MAX)
			return field_fail(field, reterr, "has more than %d bytes", LABELS_MAX);
	}
	if (text.failed)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	*ret = (struct labels){ .len = text.len };
	ret->text = TAKE_PTR(text.data);
	return 0;
}

/* A selector in the making. */
struct making {
	struct selector *selector;
	struct bc_text strings;
};

static int add(struct making *m, const char *key, unsigned op, struct bc_error *reterr)
{
	struct selector *selector = m->selector;

	if (bc_grow(&selector->items, &selector->room, selector->n + 1))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	selector->items[selector->n++] = (struct requirement){ .key = m->strings.len, .op = op };
	bc_text_add(&m->strings, key, strlen(key) + 1);
	return 0;
}

static void add_value(struct making *m, const char *value)
{
	bc_text_add(&m->strings, value, strlen(value) + 1);
	m->selector->items[m->selector->n - 1].nvalues++;
}

static int parse_labels(struct making *m, const struct field *field, struct bc_error *reterr)
{
	_cleanup_free_ const char **keys = NULL;
	size_t n = 0;
	int r = field->value ? sorted_keys(field, &keys, &n, reterr) : 0;

	if (!r && n > SELECTOR_MAX)
		r = field_fail(field, reterr, "has %zu labels, and may have %d", n, SELECTOR_MAX);
	for (size_t i = 0; !r && i < n; i++) {
		r = add(m, keys[i], SELECTOR_IN, reterr);
		if (!r)
			add_value(m, text_of(field, keys[i]));
	}
	return r;
}

static int parse_values(struct making *m, const struct field *field, bool wanted, struct bc_error *reterr)
{
	size_t n = 0;
	int r = 0;

	if (wanted)
		r = field_array(field, 1, SELECTOR_MAX, &n, reterr);
	else if (field->value)
		r = field_array(field, 0, SELECTOR_MAX, &n, reterr);
	if (!r && !wanted && n)
		r = field_fail(field, reterr, "Exists and DoesNotExist have no values");
	for (size_t i = 0; !r && i < n; i++) {
		const struct field element = field_element(field, i);
		const char *value;

		r = value_of(&element, &value, reterr);
		if (!r)
			add_value(m, value);
	}
	return r;
}

static int parse_expression(struct making *m, const struct field *field, struct bc_error *reterr)
{
	static const char *const members[] = { "key", "operator", "values", NULL };
	static const char *const operators[] = { "In", "NotIn", "Exists", "DoesNotExist", NULL };
	const struct field key_field = field_member(field, "key"), op_field = field_member(field, "operator");
	const struct field values = field_member(field, "values");
	const char *key = NULL;
	unsigned op = 0;
	int r = field_only(field, members, reterr);

	r = r ?: field_string(&key_field, &key, reterr);
	r = r ?: check_key(&key_field, key, reterr);
	r = r ?: field_word(&op_field, operators, &op, reterr);
	r = r ?: add(m, key, op, reterr);
	return r ?: parse_values(m, &values, op <= SELECTOR_NOT_IN, reterr);
}

static int parse_selector(struct making *m, const struct field *field, struct bc_error *reterr)
{
	static const char *const members[] = { "matchLabels", "matchExpressions", NULL };
	const struct field labels = field_member(field, members[0]), expressions = field_member(field, members[1]);
	size_t n = 0;
	int r = field_only(field, members, reterr);

	r = r ?: parse_labels(m, &labels, reterr);
	if (!r && expressions.value)
		r = field_array(&expressions, 0, SELECTOR_MAX, &n, reterr);
	for (size_t i = 0; !r && i < n; i++) {
		const struct field element = field_element(&expressions, i);

		r = parse_expression(m, &element, reterr);
	}
	return !r && m->strings.failed ? bc_fail(reterr, -ENOMEM, "out of memory") : r;
}

int selector_parse(const struct field *field, struct selector *ret, struct bc_error *reterr)
{
	_cleanup_(selector_done) struct selector selector = {};
	struct making m = { .selector = &selector };
	char shown[FIELD_SHOWN];
	const char *key;
	int r = parse_selector(&m, field, reterr);

	selector.strings = m.strings.data;
	selector.len = m.strings.len;
	if (r)
		return r;
	if (selector_check(&selector, &key))
		return field_fail(field, reterr, "selects nothing: no value of '%s' can fulfil it",
				  field_show(shown, key));
	*ret = selector;
	selector = (struct selector){};
	return 0;
}
