// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "pure/authline.h"

static const char not_read[] = "authbind does not read this line";
static const char reversed[] = "the first is above the last: permits nothing";
static const char stray_bits[] = "the address has bits behind its prefix: permits nothing";

bc_auth_addr bc_auth_number(const unsigned char *bytes, bool v4)
{
	bc_auth_addr number = v4 ? 0xffff : 0;

	for (int i = 0; i < (v4 ? 4 : 16); i++)
		number = number << 8 | bytes[i];
	return number;
}

/* What scanf's %u takes: blanks, a sign, digits; what is too large for 32 bits loses its upper ones. */
static bool scan_number(const char **at, uint32_t *ret)
{
	char *end;
	unsigned long value = strtoul(*at, &end, 10);

	if (end == *at)
		return false;
	*at = end;
	*ret = value;
	return true;
}

static bool ends_here(const char *at)
{
	return !at[strspn(at, " \t\n\v\f\r")];
}

/* Whether all of the line is A.B.C.D/LENGTH:PORT,PORT: its seven numbers. */
static bool scan_old_form(const char *line, uint32_t numbers[7])
{
	static const char marks[] = "\0.../:,";

	for (int i = 0; i < 7; i++) {
		if (marks[i] && *line++ != marks[i])
			return false;
		if (!scan_number(&line, &numbers[i]))
			return false;
	}
	return ends_here(line);
}

static bool parse_addr(const char *text, bool *ret_v4, bc_auth_addr *ret)
{
	unsigned char bytes[16];

	*ret_v4 = inet_pton(AF_INET, text, bytes) == 1;
	if (!*ret_v4 && inet_pton(AF_INET6, text, bytes) != 1)
		return false;
	*ret = bc_auth_number(bytes, *ret_v4);
	return true;
}

/* The addresses of a prefix of `bits`, which count from the family's first. */
static const char *take_prefix(struct bc_auth_line *line, uint32_t bits)
{
	uint32_t host;
	bc_auth_addr mask;

	if (bits > (line->v4 ? 32u : 128u))
		return not_read;
	host = (line->v4 ? 32 : 128) - bits;
	mask = host == 128 ? ~(bc_auth_addr)0 : ((bc_auth_addr)1 << host) - 1;
	if (line->first & mask)
		return stray_bits;
	line->last = line->first | mask;
	return NULL;
}

static const char *read_old_form(const uint32_t numbers[7], struct bc_auth_line *line)
{
	unsigned char bytes[4];

	for (int i = 0; i < 4; i++) {
		if (numbers[i] > 255)
			return not_read;
		bytes[i] = numbers[i];
	}
	if (numbers[4] > 32 || numbers[5] > UINT16_MAX || numbers[6] > UINT16_MAX)
		return not_read;
	line->v4 = true;
	line->first = bc_auth_number(bytes, true);
	line->first_port = numbers[5];
	line->last_port = numbers[6];
	return take_prefix(line, numbers[4]);
}

/* ADDR, ADDR/LENGTH or ADDR-ADDR, as a string that is taken apart. */
static const char *read_addrs(char *text, struct bc_auth_line *line)
{
	char *slash = strchr(text, '/'), *hyphen = strchr(text, '-');
	const char *rest = slash ? slash + 1 : NULL;
	uint32_t bits = 0;
	bool v4;

	if (slash && hyphen)
		return not_read;
	if (slash)
		*slash = '\0';
	if (hyphen)
		*hyphen = '\0';
	if (slash && !(scan_number(&rest, &bits) && ends_here(rest)))
		return not_read;
	if (!parse_addr(text, &line->v4, &line->first))
		return not_read;
	if (slash)
		return take_prefix(line, bits);
	if (!parse_addr(hyphen ? hyphen + 1 : text, &v4, &line->last) || v4 != line->v4)
		return not_read;
	return line->first > line->last ? reversed : NULL;
}

static const char *read_ports(const char *text, struct bc_auth_line *line)
{
	if (!scan_number(&text, &line->first_port))
		return not_read;
	line->last_port = line->first_port;
	if (*text == '-') {
		text++;
		if (!scan_number(&text, &line->last_port))
			return not_read;
	}
	return ends_here(text) ? NULL : not_read;
}

const char *bc_auth_read_line(const char *line, struct bc_auth_line *ret, size_t *ret_at)
{
	char addrs[BC_AUTH_LINE + 1];
	const char *comma = strchr(line, ','), *fault;
	uint32_t numbers[7];

	*ret_at = 0;
	if (scan_old_form(line, numbers)) {
		fault = read_old_form(numbers, ret);
		if (fault)
			return fault;
	} else {
		if (!comma || (size_t)(comma - line) >= sizeof(addrs))
			return not_read;
		memcpy(addrs, line, comma - line);
		addrs[comma - line] = '\0';
		fault = read_addrs(addrs, ret);
		if (fault)
			return fault;
		*ret_at = comma + 1 - line;
		fault = read_ports(comma + 1, ret);
		if (fault)
			return fault;
	}
	return ret->first_port > ret->last_port ? reversed : NULL;
}
