/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy text to rules. One rule a line, words parted by blanks, `#` at the start of a word begins a comment. A word
 * may be quoted ("…", with \" and \\ inside); outside quotes a backslash is an ordinary character, as in unit names.
 */
#ifndef BINDCTL_PARSE_H
#define BINDCTL_PARSE_H

#include "base/error.h"
#include "pure/policy.h"

#define BC_LINE_MAX 4096	 /* bytes in a line, its newline not counted */
#define BC_FILE_MAX (256u << 20) /* bytes in a file: 4 M rules of 64 bytes */
#define BC_WORDS_MAX 64		 /* words in a line; the longest rule has 19 */

struct bc_word {
	const char *text; /* len bytes, not NUL-terminated */
	size_t len;
	unsigned column;      /* from 1 */
	const char *argument; /* the whole argument that it is a part of; NULL: it is the whole */
};

/* Where words come from: a line of a source, or (line 0) the arguments of a command. */
struct bc_place {
	const char *source; /* NULL for arguments */
	uint32_t number;    /* the source's index in the policy */
	unsigned line;
	int64_t base; /* that `until +10m` counts from: nanoseconds of Unix time */
	bool audit;   /* the file began with `mode audit`: its denies only report */
};

/*
 * Adds the text's rules to the policy. Every fault is added to the report with its place, and the other lines are
 * still read; a line with a fault adds no rule. `base`: see struct bc_place; of a file, when it was last written.
 * 0, or -EINVAL when there was a fault, -ENOMEM, -E2BIG.
 */
int bc_parse(struct bc_policy *policy, const char *source, const char *text, size_t len, int64_t base,
	     struct bc_report *report);

/* Adds the rule that the words make. 0 or -errno with *reterr; the policy is untouched then. */
int bc_parse_words(struct bc_policy *policy, const struct bc_place *place, const struct bc_word *words, size_t n,
		   struct bc_error *reterr);

/*
 * Splits one line (without its newline) into at most BC_WORDS_MAX words, which point into the line or, where they were
 * quoted, into `buffer` of BC_LINE_MAX + 1 bytes. Returns their number, or -EINVAL with *reterr.
 */
int bc_split_line(const struct bc_place *place, const char *line, size_t len, char *buffer, struct bc_word *words,
		  struct bc_error *reterr);

#endif
