/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clauses of a rule, one parser each behind one table. */
#ifndef BINDCTL_CLAUSE_H
#define BINDCTL_CLAUSE_H

#include "pure/parse.h"

/*
 * Parses the clause at words[*at] into the rule and leaves *at at its last word. Ranges are added to the policy.
 * 0 or -errno with *reterr.
 */
int bc_clause_parse(struct bc_policy *policy, const struct bc_place *place, const struct bc_word *words, size_t n,
		    size_t *at, struct bc_rule *rule, struct bc_error *reterr);

/* How many words the clause that begins at words[at] takes; 1 for one that the language does not have. */
size_t bc_clause_words(const struct bc_word *words, size_t n, size_t at);

/*
 * A cgroup's path from the root, "/a/b": absolute, no empty, "." or ".." parts, each of at most BC_NAME_MAX bytes, no
 * slash at its end. -EINVAL with a sentence in `text` of `size` bytes.
 */
int bc_check_path(const char *path, size_t len, char *text, size_t size);

/* An IPv4 or IPv6 address with or without /LEN, as in struct bc_rule. -EINVAL with a sentence in `text` of `size` bytes. */
int bc_parse_addr(const struct bc_word *word, uint32_t ret_addr[4], bool *ret_v4, uint8_t *ret_prefix, char *text,
		  size_t size);

/* A fault in a word: names file, line and column, or the argument. Returns -EINVAL. */
int bc_clause_fail(const struct bc_place *place, const struct bc_word *word, struct bc_error *reterr,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));

bool bc_word_is(const struct bc_word *word, const char *text);

/* At most `max` bytes of a word, whole characters. */
static inline int bc_word_cut(const char *text, size_t len, size_t max)
{
	return len <= max ? len : bc_utf8_cut(text, max);
}

/* For "%.*s": a word in a message is cut after 64 bytes. */
static inline int bc_word_precision(const struct bc_word *word)
{
	return bc_word_cut(word->text, word->len, 64);
}

#endif
