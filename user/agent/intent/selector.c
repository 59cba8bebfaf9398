// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "agent/intent/selector.h"

/* Orders the key of a label, which ends at its '=', and another. */
static int compare_key(const char *label, const char *key)
{
	while (*key && *label == *key) {
		label++;
		key++;
	}
	return (*label == '=' ? '\0' : (unsigned char)*label) - (unsigned char)*key;
}

/* The value of the key; NULL when there is none. An object may have thousands of labels, and be asked for as many. */
static const char *find(const struct labels *labels, const char *key)
{
	size_t first = 0, end = labels->len;

	while (first < end) {
		size_t at = first + (end - first) / 2;
		int order;

		while (at > first && labels->text[at - 1])
			at--;
		order = compare_key(labels->text + at, key);
		if (!order)
			return labels->text + at + strlen(key) + 1;
		if (order < 0)
			first = at + strlen(labels->text + at) + 1;
		else
			end = at;
	}
	return NULL;
}

bool labels_equal(const struct labels *a, const struct labels *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->text, b->text, a->len));
}

bool selector_equal(const struct selector *a, const struct selector *b)
{
	return a->n == b->n && a->len == b->len && (!a->n || !memcmp(a->items, b->items, a->n * sizeof(*a->items))) &&
	       (!a->len || !memcmp(a->strings, b->strings, a->len));
}

static const char *key_of(const struct selector *selector, const struct requirement *requirement)
{
	return selector->strings + requirement->key;
}

static bool has_value(const struct selector *selector, const struct requirement *requirement, const char *value)
{
	const char *at = key_of(selector, requirement);

	for (uint32_t i = 0; i < requirement->nvalues; i++) {
		at += strlen(at) + 1;
		if (!strcmp(at, value))
			return true;
	}
	return false;
}

/* Whether it holds of a label's value, NULL for none. */
static bool holds(const struct selector *selector, const struct requirement *requirement, const char *value)
{
	switch (requirement->op) {
	case SELECTOR_IN:
		return value && has_value(selector, requirement, value);
	case SELECTOR_NOT_IN:
		return !value || !has_value(selector, requirement, value);
	case SELECTOR_EXISTS:
		return value;
	case SELECTOR_DOES_NOT_EXIST:
		return !value;
	default:
		return false;
	}
}

bool selector_matches(const struct selector *selector, const struct labels *labels)
{
	for (size_t i = 0; i < selector->n; i++)
		if (!holds(selector, &selector->items[i], find(labels, key_of(selector, &selector->items[i]))))
			return false;
	return true;
}

/* Whether all that is asked of one key holds of the value. */
static bool all_hold(const struct selector *selector, const char *key, const char *value)
{
	for (size_t i = 0; i < selector->n; i++)
		if (!strcmp(key_of(selector, &selector->items[i]), key) && !holds(selector, &selector->items[i], value))
			return false;
	return true;
}

/*
 * Keys do not depend on each other, so it is enough that each can have what is asked of it: one of the values of an In,
 * where there is one. What NotIn alone takes away leaves others, and an absent key where Exists does not ask for it.
 */
static bool can_hold(const struct selector *selector, const char *key)
{
	const struct requirement *in = NULL;
	bool exists = false;
	const char *at;

	for (size_t i = 0; i < selector->n; i++) {
		if (strcmp(key_of(selector, &selector->items[i]), key) != 0)
			continue;
		if (selector->items[i].op == SELECTOR_IN)
			in = &selector->items[i];
		exists |= selector->items[i].op == SELECTOR_EXISTS;
	}
	if (!in) {
		/* Of labels there are always more: no list has this value, which no label can have. */
		return exists ? all_hold(selector, key, "\n") : all_hold(selector, key, NULL);
	}
	at = key_of(selector, in);
	for (uint32_t i = 0; i < in->nvalues; i++) {
		at += strlen(at) + 1;
		if (all_hold(selector, key, at))
			return true;
	}
	return false;
}

int selector_check(const struct selector *selector, const char **ret_key)
{
	for (size_t i = 0; i < selector->n; i++) {
		const char *key = key_of(selector, &selector->items[i]);

		if (!can_hold(selector, key)) {
			*ret_key = key;
			return -EINVAL;
		}
	}
	return 0;
}

void labels_done(struct labels *labels)
{
	free(labels->text);
	*labels = (struct labels){};
}

void selector_done(struct selector *selector)
{
	free(selector->items);
	free(selector->strings);
	*selector = (struct selector){};
}
