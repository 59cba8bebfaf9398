// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "pure/authname.h"

static const char never[] = "authbind looks for no file of this name";

/* A number as it is printed: no zeroes before it, no sign. */
static bool parse_canonical(const char *text, uint64_t min, uint64_t max, uint32_t *ret)
{
	uint64_t number;

	if ((text[0] == '0' && text[1]) || bc_parse_number(text, strlen(text), min, max, &number))
		return false;
	*ret = number;
	return true;
}

static const char *read_port(const char *text, bool high, struct bc_auth_name *name)
{
	if (!parse_canonical(text, 1, UINT16_MAX, &name->number))
		return never;
	if (name->number >= BC_AUTH_PORTS)
		return "authbind leaves ports from 1024 on to the kernel";
	if (name->number >= BC_AUTH_HIGH && !high)
		return "authbind does not look for it: from port 512 on the name must begin with '!'";
	if (name->number < BC_AUTH_HIGH && high)
		return "authbind does not look for it: the name has a '!', and the port is below 512";
	return NULL;
}

/* The address in eight groups, none left out, as IPv6 files may be named, too. */
static void format_long(const unsigned char bytes[16], char *text, size_t size)
{
	size_t len = 0;

	for (int i = 0; i < 16; i += 2)
		len += snprintf(text + len, size - len, "%s%x", i ? ":" : "", bytes[i] << 8 | bytes[i + 1]);
}

/* An address as the helper writes it; which of its ways decides the turn. `mark` parts it from the port. */
static bool read_addr(const char *text, char mark, struct bc_auth_name *name)
{
	unsigned char bytes[16];
	char canonical[INET6_ADDRSTRLEN];

	name->v4 = inet_pton(AF_INET, text, bytes) == 1;
	if (!name->v4 && (mark != ',' || inet_pton(AF_INET6, text, bytes) != 1))
		return false;
	name->addr = bc_auth_number(bytes, name->v4);
	inet_ntop(name->v4 ? AF_INET : AF_INET6, bytes, canonical, sizeof(canonical));
	if (!strcmp(text, canonical)) {
		name->turn = name->v4 && mark == ',';
		return true;
	}
	name->turn = 1;
	if (!name->v4)
		format_long(bytes, canonical, sizeof(canonical));
	return !name->v4 && !strcmp(text, canonical);
}

static const char *read_byaddr(const char *text, bool high, struct bc_auth_name *name)
{
	char addr[INET6_ADDRSTRLEN];
	const char *mark = strrchr(text, ',') ?: strrchr(text, ':');

	if (!mark || (size_t)(mark - text) >= sizeof(addr))
		return never;
	memcpy(addr, text, mark - text);
	addr[mark - text] = '\0';
	if (!read_addr(addr, *mark, name))
		return never;
	return read_port(mark + 1, high, name);
}

const char *bc_auth_read_name(const struct bc_auth_file *file, struct bc_auth_name *ret)
{
	bool high = file->name[0] == '!';
	const char *text = file->name + high;

	*ret = (struct bc_auth_name){ .file = file, .high = high };
	if (file->place == BC_AUTH_BYPORT)
		return read_port(text, high, ret);
	if (file->place == BC_AUTH_BYADDR)
		return read_byaddr(text, high, ret);
	if (!parse_canonical(text, 0, UINT32_MAX - 1, &ret->number))
		return never;
	return ret->number ? NULL : "authbind does not ask for root's: root binds without it";
}

int bc_auth_compare_names(const void *left, const void *right)
{
	const struct bc_auth_name *a = left, *b = right;

	if (a->file->place != b->file->place)
		return a->file->place < b->file->place ? -1 : 1;
	if (a->v4 != b->v4)
		return a->v4 ? -1 : 1;
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if (a->turn != b->turn)
		return a->turn < b->turn ? -1 : 1;
	return a->high - b->high;
}
