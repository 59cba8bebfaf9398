// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include "base/util.h"

static int value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(const char *text, char **ret)
{
	_cleanup_free_ char *to = malloc(strlen(text) / 4 * 3 + 4);
	size_t len = 0, digits = 0, padding = 0;
	unsigned held = 0; /* bits of `bits` that are not written yet */
	uint32_t bits = 0;

	if (!to)
		return -ENOMEM;
	for (; *text; text++) {
		if (strchr(" \t\r\n", *text))
			continue;
		if (*text == '=') {
			padding++;
			continue;
		}
		if (value(*text) < 0 || padding)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)value(*text);
		held += 6;
		digits++;
		if (held < 8)
			continue;
		held -= 8;
		to[len] = (char)(bits >> held & 0xff);
		if (!to[len++])
			return -EINVAL;
	}
	if (!len || padding > 2 || (digits + padding) % 4 || bits & ((1u << held) - 1))
		return -EINVAL;
	to[len] = '\0';
	*ret = TAKE_PTR(to);
	return 0;
}
