// SPDX-License-Identifier: GPL-2.0-or-later
/* Port ranges, out of JSON and out of text. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/intent/ports.h"

static int parse_port(const char *text, size_t len, uint64_t *ret, char *why, size_t size)
{
	char shown[FIELD_SHOWN], copy[33];
	int r = bc_parse_number(text, len, 1, UINT16_MAX, ret);

	if (!r)
		return 0;
	snprintf(copy, sizeof(copy), "%.*s", (int)(len < sizeof(copy) ? len : sizeof(copy) - 1), text);
	field_show(shown, copy);
	if (r == -ERANGE && strspn(copy, "0") == strlen(copy))
		snprintf(why, size, "port 0 lets the kernel choose, and is matched by 'any' alone");
	else if (r == -ERANGE)
		snprintf(why, size, "port %s is out of range (1 to 65535)", shown);
	else
		snprintf(why, size, "'%s' is not a port number (1 to 65535), a range such as 8000-8100, or any", shown);
	return -EINVAL;
}

int ports_range(const char *text, size_t len, struct bc_range *ret, char *why, size_t size)
{
	/* Ports have five digits at most; the text comes from anybody. */
	const char *dash = len > 1 ? memchr(text + 1, '-', len - 1) : NULL;
	uint64_t first = 0, last;
	int r;

	if (len == strlen("any") && !memcmp(text, "any", len)) {
		*ret = (struct bc_range){ 0, UINT16_MAX };
		return 0;
	}
	r = parse_port(text, dash ? (size_t)(dash - text) : len, &first, why, size);
	last = first;
	if (!r && dash)
		r = parse_port(dash + 1, text + len - dash - 1, &last, why, size);
	if (r)
		return r;
	if (first > last) {
		snprintf(why, size, "the port range %u-%u runs backwards", (unsigned)first, (unsigned)last);
		return -EINVAL;
	}
	*ret = (struct bc_range){ first, last };
	return 0;
}

static int parse_item(const struct field *field, struct bc_range *ret, struct bc_error *reterr)
{
	const char *text;
	char why[160];
	int64_t port;
	int r;

	if (json_object_is_type(field->value, json_type_int)) {
		port = json_object_get_int64(field->value);
		if (!port)
			return field_fail(field, reterr,
					  "port 0 lets the kernel choose, and is matched by 'any' alone");
		if (port < 0 || port > UINT16_MAX)
			return field_fail(field, reterr, "port %lld is out of range (1 to 65535)", (long long)port);
		*ret = (struct bc_range){ port, port };
		return 0;
	}
	if (field->value && !json_object_is_type(field->value, json_type_string))
		return field_fail(field, reterr, "is neither a port nor a string");
	r = field_string(field, &text, reterr);
	if (r)
		return r;
	if (ports_range(text, strlen(text), ret, why, sizeof(why)))
		return field_fail(field, reterr, "%s", why);
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct bc_range *a = left, *b = right;

	return BC_COMPARE(a->first, b->first);
}

/* What overlaps becomes one; what only touches stays two, as it was written. */
static size_t unite(struct bc_range *ranges, size_t n)
{
	size_t kept = 0;

	qsort(ranges, n, sizeof(*ranges), compare);
	for (size_t i = 1; i < n; i++) {
		if (ranges[i].first > ranges[kept].last)
			ranges[++kept] = ranges[i];
		else if (ranges[i].last > ranges[kept].last)
			ranges[kept].last = ranges[i].last;
	}
	return kept + 1;
}

int ports_parse(const struct field *field, bool some, struct rules *rules, struct rule *rule, struct bc_error *reterr)
{
	size_t n = 0, kept = 0;
	int r = field_array(field, 1, RULES_PORTS_MAX, &n, reterr);

	if (r)
		return r;
	if (bc_grow(&rules->ranges, &rules->ranges_room, rules->nranges + n))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	rule->ranges = rules->nranges;
	for (size_t i = 0; i < n; i++) {
		const struct field element = field_element(field, i);

		r = parse_item(&element, &rules->ranges[rule->ranges + kept], reterr);
		if (r && !some)
			return r;
		kept += !r;
	}
	if (!kept)
		return r;
	rule->nranges = unite(rules->ranges + rule->ranges, kept);
	rules->nranges += rule->nranges;
	return 0;
}
