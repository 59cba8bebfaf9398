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
	if (len < (int)sizeof(stack)) {
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

/* The length of the well-formed, printable UTF-8 character at `s`, or 0. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		size_t len;
		uint32_t min;
	} kinds[] = {
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		uint32_t c = s[0] & ~kinds[k].mask;

		if ((s[0] & kinds[k].mask) != kinds[k].lead)
			continue;
		for (size_t i = 1; i < kinds[k].len; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		/* U+0080-9F are the C1 controls; U+2028-202E and U+2066-2069 break or reverse lines. */
		if (c < kinds[k].min || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || c < 0xa0 ||
		    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
			return 0;
		return kinds[k].len;
	}
	return 0;
}

char *bc_printable(char *to, size_t size, const char *from)
{
	size_t used = 0;

	while (*from) {
		size_t len = utf8_length((const unsigned char *)from);

		if (used + (len ? len : 4) >= size)
			break;
		if (len)
			memcpy(to + used, from, len);
		else
			snprintf(to + used, size - used, "\\x%02x", (unsigned char)*from);
		used += len ? len : 4;
		from += len ? len : 1;
	}
	if (size)
		to[used] = '\0';
	return to;
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
