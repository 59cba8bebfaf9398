// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

int bc_grow_bytes(void **array, size_t *room, size_t need, size_t size)
{
	size_t more = *room;
	void *bigger;

	if (need <= *room)
		return 0;
	while (more < need)
		more = more ? more * 2 : 16;
	bigger = reallocarray(*array, more, size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*room = more;
	return 0;
}

void bc_text_add(struct bc_text *text, const char *data, size_t len)
{
	if (text->failed)
		return;
	if (bc_grow(&text->data, &text->room, text->len + len + 1)) {
		text->failed = true;
		return;
	}
	if (len)
		memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void bc_text_addf(struct bc_text *text, const char *format, ...)
{
	char stack[256];
	_cleanup_free_ char *heap = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(stack, sizeof(stack), format, args);
	va_end(args);
	if (len >= 0 && len < (int)sizeof(stack)) {
		bc_text_add(text, stack, len);
		return;
	}
	va_start(args, format);
	len = vasprintf(&heap, format, args);
	va_end(args);
	if (len < 0) {
		heap = NULL;
		text->failed = true;
		return;
	}
	bc_text_add(text, heap, len);
}

void bc_text_done(struct bc_text *text)
{
	free(text->data);
	*text = (struct bc_text){};
}

/* The length of the well-formed UTF-8 character at `s`, and which it is; 0 when there is none. */
static size_t decode_utf8(const char *text, uint32_t *ret)
{
	static const struct {
		unsigned char mask, lead;
		size_t len;
		uint32_t min;
	} kinds[] = {
		{ 0x80, 0x00, 1, 0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};
	const unsigned char *s = (const unsigned char *)text;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		uint32_t c = s[0] & (unsigned char)~kinds[k].mask;

		if ((s[0] & kinds[k].mask) != kinds[k].lead)
			continue;
		for (size_t i = 1; i < kinds[k].len; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < kinds[k].min || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return 0;
		*ret = c;
		return kinds[k].len;
	}
	return 0;
}

struct span {
	uint32_t first, last;
};

static bool is_in(const struct span *spans, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= spans[i].first && c <= spans[i].last)
			return true;
	return false;
}

/* Whether what stands around the character may show elsewhere, or as something else: controls, and turns of direction. */
static bool is_disturbing(uint32_t c)
{
	static const struct span disturbing[] = {
		{ 0, 0x1f },	    { 0x7f, 0x9f },	{ 0x61c, 0x61c },
		{ 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
	};

	return is_in(disturbing, ARRAY_SIZE(disturbing), c);
}

/* Whether the character shows as what it is: nothing of that, nothing invisible, and no blank but the one. */
static bool is_printable(uint32_t c)
{
	static const struct span hidden[] = {
		{ 0xa0, 0xa0 },	    { 0xad, 0xad },	{ 0x34f, 0x34f },     { 0x115f, 0x1160 },   { 0x1680, 0x1680 },
		{ 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x2000, 0x200d },   { 0x202f, 0x202f },   { 0x205f, 0x206f },
		{ 0x2800, 0x2800 }, { 0x3000, 0x3000 }, { 0x3164, 0x3164 },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};

	return !is_disturbing(c) && !is_in(hidden, ARRAY_SIZE(hidden), c);
}

size_t bc_unprintable(const char *text, size_t len, bool disturbing)
{
	for (size_t at = 0; at < len;) {
		char room[5] = "";
		uint32_t c = 0;
		size_t n;

		/* The text need not end behind a character. */
		memcpy(room, text + at, len - at < 4 ? len - at : 4);
		n = decode_utf8(room, &c);
		if (n && c >= 0x80 && (disturbing ? is_disturbing(c) : !is_printable(c)))
			return at;
		at += n ? n : 1;
	}
	return len;
}

size_t bc_utf8_length(const char *text)
{
	uint32_t c;

	return decode_utf8(text, &c);
}

bool bc_is_utf8(const char *text, size_t len)
{
	for (const char *end = text + len; text < end;) {
		uint32_t c = 0;
		size_t n = decode_utf8(text, &c);

		if (!n || !c)
			return false;
		text += n;
	}
	return true;
}

size_t bc_utf8_cut(const char *text, size_t len)
{
	size_t cut = len;

	while (cut > 0 && len - cut < 4 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return ((unsigned char)text[cut] & 0xc0) == 0x80 ? len : cut;
}

char *bc_utf8(const char *from)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_text_add(&text, "", 0);
	while (*from) {
		uint32_t c;
		size_t len = decode_utf8(from, &c);

		if (len)
			bc_text_add(&text, from, len);
		else
			bc_text_addf(&text, "\\x%02x", (unsigned char)*from);
		from += len ? len : 1;
	}
	return text.failed ? NULL : TAKE_PTR(text.data);
}

char *bc_printable(char *to, size_t size, const char *from)
{
	size_t used = 0;

	while (*from) {
		uint32_t c;
		size_t len = decode_utf8(from, &c);
		bool shown = len && is_printable(c);

		if (!len)
			len = 1;
		if (used + (shown ? len : 4 * len) >= size)
			break;
		if (shown)
			memcpy(to + used, from, len);
		for (size_t i = 0; !shown && i < len; i++)
			snprintf(to + used + 4 * i, size - used - 4 * i, "\\x%02x", (unsigned char)from[i]);
		used += shown ? len : 4 * len;
		from += len;
	}
	if (size)
		to[used] = '\0';
	return to;
}

/* Whether nothing of it would have to be escaped. */
static bool is_shown(const char *text)
{
	while (*text) {
		uint32_t c;
		size_t len = decode_utf8(text, &c);

		if (!len || !is_printable(c))
			return false;
		text += len;
	}
	return true;
}

void bc_text_add_word(struct bc_text *text, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_";
	bool shown = is_shown(word);

	if (*word && !word[strspn(word, plain)]) {
		bc_text_add(text, word, strlen(word));
		return;
	}
	bc_text_addf(text, shown ? "'" : "$'");
	for (const char *s = word; *s; s++) {
		if (shown && *s == '\'')
			bc_text_addf(text, "'\\''");
		else if (shown || strchr(plain, *s))
			bc_text_add(text, s, 1);
		else
			bc_text_addf(text, "\\x%02x", (unsigned char)*s);
	}
	bc_text_add(text, "'", 1);
}

int bc_read_all(int fd, size_t max, char **ret_data, size_t *ret_len)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (bc_grow(&data, &room, len + 65536 + 1))
			return -ENOMEM;
		n = read(fd, data + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += n;
		if (len > max)
			return -EFBIG;
	}
	data[len] = '\0';
	*ret_data = TAKE_PTR(data);
	*ret_len = len;
	return 0;
}

int bc_write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}

int bc_parse_number(const char *s, size_t len, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (value > (UINT64_MAX - 9) / 10)
			return -ERANGE;
		value = value * 10 + (s[i] - '0');
	}
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

uint64_t bc_fnv(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}
