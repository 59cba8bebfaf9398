/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Labels, and selectors of objects by their labels: the same ones match as for the API server. */
#ifndef BINDCTL_AGENT_SELECTOR_H
#define BINDCTL_AGENT_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/intent/field.h"

/* Sorted by key: "key=value\0key=value\0"; no key has a '='. Owns `text`; zero-initialised is none. */
struct labels {
	char *text;
	size_t len;
};

enum selector_operator {
	SELECTOR_IN,
	SELECTOR_NOT_IN,
	SELECTOR_EXISTS,
	SELECTOR_DOES_NOT_EXIST,
};

/* One thing that must hold of the labels. */
struct requirement {
	uint32_t key;	  /* in the selector's strings; its values stand behind it, each with its NUL */
	uint32_t nvalues; /* of SELECTOR_IN and SELECTOR_NOT_IN */
	uint32_t op;	  /* enum selector_operator */
};

/* All requirements must hold; of none all do, so zero-initialised selects everything. Owns what it points to. */
struct selector {
	struct requirement *items;
	size_t n, room;
	char *strings;
	size_t len;
};

/* Bytes of one object's labels beyond which they are not read. */
#define LABELS_MAX 65536
/* Requirements, and values of one. */
#define SELECTOR_MAX 256

/* The field may be absent: no labels. 0, -EINVAL with a sentence, -ENOMEM. */
int labels_parse(const struct field *field, struct labels *ret, struct bc_error *reterr);
void labels_done(struct labels *labels);
bool labels_equal(const struct labels *a, const struct labels *b);

/* {matchLabels, matchExpressions}. A selector that no labels can fulfil is refused. */
int selector_parse(const struct field *field, struct selector *ret, struct bc_error *reterr);
void selector_done(struct selector *selector);
bool selector_equal(const struct selector *a, const struct selector *b);

/* Whether some labels can fulfil it; -EINVAL with the key that cannot be. */
int selector_check(const struct selector *selector, const char **ret_key);

/* NotIn and DoesNotExist hold where the key is absent. */
bool selector_matches(const struct selector *selector, const struct labels *labels);

#endif
