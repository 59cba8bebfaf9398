// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "pure/unseen.h"

bool bc_text_hides(const char *text, size_t len)
{
	unsigned char all = 0;

	/* Most policy is ASCII, and this all that is done to it. */
	for (size_t i = 0; i < len; i++)
		all |= text[i];
	return all >> 7 && bc_unprintable(text, len, false) < len;
}

/* Where the line's comment begins: at a # that begins a word; `len` when there is none. */
static size_t find_comment(const char *line, size_t len)
{
	bool quoted = false, blank = true;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '#' && blank && !quoted)
			return i;
		/* Only a word that begins with a quote is quoted; a backslash there takes the next character along. */
		if (line[i] == '"' && (quoted || blank))
			quoted = !quoted;
		else if (line[i] == '\\' && quoted)
			i++;
		blank = i < len && (line[i] == ' ' || line[i] == '\t');
	}
	return len;
}

/* Where the first character is that may deceive who reads the line. In a comment what is merely not seen means nothing. */
static size_t find_hidden(const char *line, size_t len)
{
	size_t comment = find_comment(line, len), at = bc_unprintable(line, comment, false);

	return at < comment ? at : comment + bc_unprintable(line + comment, len - comment, true);
}

/* Where the first word behind a wide gap begins; `len` when there is none. */
static size_t find_gap(const char *line, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == ' ' || line[i] == '\t') {
			width += line[i] == '\t' ? 8 : 1;
			continue;
		}
		if (line[i] == '#' && (width || !i))
			return len;
		if (width > BC_GAP_MAX)
			return i;
		width = 0;
	}
	return len;
}

bool bc_line_misleads(const struct bc_place *place, const char *line, size_t len, bool hides, struct bc_error *reterr)
{
	size_t at = hides ? find_hidden(line, len) : len;

	if (at < len) {
		char first[5] = "";

		memcpy(first, line + at, len - at < 4 ? len - at : 4);
		first[bc_utf8_length(first)] = '\0';
		/* Shown escaped, as all that is said to people. */
		bc_fail_at(reterr, 0, place->source, place->line, at + 1,
			   "the character '%s' does not show, or turns text around: this line may not be what it looks "
			   "like",
			   first);
	} else {
		at = len > BC_GAP_MAX / 8 ? find_gap(line, len) : len;
		if (at == len)
			return false;
		bc_fail_at(reterr, 0, place->source, place->line, at + 1,
			   "this stands behind more than %d blanks, where it may not be seen", BC_GAP_MAX);
	}
	reterr->severity = BC_WARNING;
	return true;
}
