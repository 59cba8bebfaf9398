// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <string.h>

#include "pure/unseen.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool bc_text_hides(const char *text, size_t len)
{
	uint64_t all = 0, eight = 0;
	size_t i = 0;

	/* Most policy is ASCII, and this all that is done to it. */
	for (; i + sizeof(eight) <= len; i += sizeof(eight)) {
		memcpy(&eight, text + i, sizeof(eight));
		all |= eight;
	}
	if (i < len)
		memcpy(&eight, text + i, len - i);
	return (all | eight) & UINT64_C(0x8080808080808080) && bc_unprintable(text, len, false) < len;
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
		blank = i < len && is_blank(line[i]);
	}
	return len;
}

/* Where the first character is that may deceive who reads the line. In a comment what is merely not seen means nothing. */
static size_t find_hidden(const char *line, size_t len)
{
	size_t comment = find_comment(line, len), at = bc_unprintable(line, comment, false);

	return at < comment ? at : comment + bc_unprintable(line + comment, len - comment, true);
}

/* Whether there may be a wide gap. One has so many blanks that two in a row begin at some multiple of eight. */
static bool may_have_gap(const char *line, size_t len)
{
	_Static_assert(BC_GAP_MAX / 8 + 1 >= 7 + 2, "a gap of tabs is too narrow for that");
	for (size_t i = 0; i + 2 <= len; i += 8)
		if (is_blank(line[i]) && is_blank(line[i + 1]))
			return true;
	return false;
}

/* Where the first word behind a wide gap begins; `len` when there is none. */
static size_t find_gap(const char *line, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len; i++) {
		if (is_blank(line[i])) {
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
		at = may_have_gap(line, len) ? find_gap(line, len) : len;
		if (at == len)
			return false;
		bc_fail_at(reterr, 0, place->source, place->line, at + 1,
			   "this stands behind more than %d blanks, where it may not be seen", BC_GAP_MAX);
	}
	reterr->severity = BC_WARNING;
	return true;
}
