// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pure/authuser.h"

/* A line, or what the helper takes for one. */
struct line {
	struct bc_auth_line says;
	const char *fault; /* NULL: it says something */
	const char *text;  /* `len` bytes */
	size_t len;
	unsigned number; /* from 1 */
	size_t column;	 /* from 1: of the fault */
};

/* One file of a user's. */
struct making {
	struct bc_import *import;
	const struct bc_auth_decided *decided;
	const char *path;
	uint32_t uid;
	uint32_t first_port, last_port; /* that it is asked about */
	struct line *lines;
	size_t n, room;
	bool *hidden;		      /* of the names that decide: they must be kept from our rules by another one */
	bool wildcard[BC_AUTH_PORTS]; /* the user may bind 0.0.0.0 at the port */
	bool dual, of_v4;	      /* there is such a thing to say of the line */
};

const struct bc_auth_name *bc_auth_find_wildcard(const struct bc_auth_decided *decided, uint32_t port)
{
	for (size_t i = 0; i < decided->n; i++) {
		const struct bc_auth_name *name = &decided->names[i];

		if (name->v4 && name->addr == BC_AUTH_MAPPED && name->number == port)
			return name;
	}
	return NULL;
}

void bc_auth_set_addr(struct bc_rule *rule, bc_auth_addr addr, unsigned prefix, bool v4)
{
	for (int i = 3; i >= 0; i--, addr >>= 32)
		rule->addr[i] = addr;
	rule->prefix = prefix;
	rule->v4 = v4;
	rule->clauses |= BC_CLAUSE_ADDR;
}

/* Whether a file that decides lets the user bind. */
static enum bc_auth_answer ask(const struct bc_auth_name *name, uint32_t uid)
{
	/* Nothing of these is imported. */
	if (!name->v4 && bc_auth_is_mapped(name->addr))
		return BC_AUTH_NO;
	return bc_auth_ask(&name->file->access, uid);
}

static void keep_line(struct making *making, const char *text, size_t len, unsigned number, size_t column)
{
	char copy[BC_AUTH_LINE + 1];
	struct line line = { .text = text, .len = len, .number = number };
	size_t at;

	memcpy(copy, text, len);
	copy[len] = '\0';
	if (column == 1 && (*copy == '#' || !copy[strspn(copy, " \t\r\n")]))
		return;
	line.fault = bc_auth_read_line(copy, &line.says, &at);
	line.column = column + at;
	line.len = strcspn(copy, "\r\n");
	if (bc_grow(&making->lines, &making->room, making->n + 1))
		making->import->failed = -ENOMEM;
	else
		making->lines[making->n++] = line;
}

static void read_lines(struct making *making, const struct bc_auth_file *file)
{
	unsigned number = 1;
	size_t column = 1, len;

	for (size_t at = 0; at < file->len && !making->import->failed; at += len) {
		const char *text = file->text + at, *end = memchr(text, '\n', file->len - at);

		len = end ? (size_t)(end + 1 - text) : file->len - at;
		len = len < BC_AUTH_LINE ? len : BC_AUTH_LINE;
		keep_line(making, text, len, number, column);
		column += len;
		if (text[len - 1] == '\n') {
			number++;
			column = 1;
		}
	}
}

/* Where the user may bind 0.0.0.0, without which no rule lets a dual-stack socket bind [::]. */
static void find_wildcards(struct making *making)
{
	for (uint32_t port = making->first_port; port <= making->last_port; port++) {
		const struct bc_auth_name *name = bc_auth_find_wildcard(making->decided, port);

		making->wildcard[port] = name && ask(name, making->uid) == BC_AUTH_YES;
		for (size_t i = 0; i < making->n && !name; i++) {
			const struct bc_auth_line *says = &making->lines[i].says;

			if (!making->lines[i].fault && says->first == BC_AUTH_MAPPED && says->v4 &&
			    says->first_port <= port && port <= says->last_port)
				making->wildcard[port] = true;
		}
	}
}

static size_t make_ranges(const bool ports[BC_AUTH_PORTS], struct bc_range ranges[BC_AUTH_PORTS / 2])
{
	size_t n = 0;

	for (uint32_t port = 1; port < BC_AUTH_PORTS; port++) {
		if (!ports[port])
			continue;
		if (n && ranges[n - 1].last + 1u == port)
			ranges[n - 1].last = port;
		else
			ranges[n++] = (struct bc_range){ port, port };
	}
	return n;
}

static void add_rule(const struct making *making, enum bc_verb verb, bc_auth_addr addr, unsigned prefix, bool v4,
		     const bool ports[BC_AUTH_PORTS])
{
	struct bc_rule rule = {
		.verb = verb, .kind = BC_USER, .id = making->uid, .proto = BC_TCP | BC_UDP, .clauses = BC_CLAUSE_USER
	};
	struct bc_range ranges[BC_AUTH_PORTS / 2];
	size_t n = make_ranges(ports, ranges);

	bc_auth_set_addr(&rule, addr, prefix, v4);
	if (n)
		bc_import_rule(making->import, &rule, ranges, n);
}

/*
 * One prefix. What a byaddr file decides within it, alike for all groups of this user's, a rule about that one port and
 * address says better than ours; but a rule of the same rank must not contradict it.
 */
static void add_prefix(struct making *making, bc_auth_addr addr, bc_auth_addr mask, bool v4,
		       const bool ports[BC_AUTH_PORTS])
{
	bool left[BC_AUTH_PORTS];
	unsigned prefix = 128;

	if (!v4 && bc_auth_is_mapped(addr) && !(mask >> 32)) {
		making->of_v4 = true;
		return;
	}
	memcpy(left, ports, sizeof(left));
	for (size_t i = 0; i < making->decided->n; i++) {
		const struct bc_auth_name *name = &making->decided->names[i];

		/* No IPv6 rule meets an IPv4 address, so there is nothing to keep it from. */
		if (name->v4 != v4 || (name->addr & ~mask) != addr || !left[name->number] ||
		    (!v4 && bc_auth_is_mapped(name->addr)))
			continue;
		if (!mask)
			left[name->number] = false;
		else if (ask(name, making->uid) == BC_AUTH_NO)
			making->hidden[i] = true;
	}
	if (!v4 && !addr)
		for (uint32_t port = making->first_port; port <= making->last_port; port++)
			making->dual |= left[port] && !making->wildcard[port];
	for (; mask; mask >>= 1)
		prefix--;
	add_rule(making, BC_VERB_GRANT, addr, prefix, v4, left);
}

/* The addresses from first to last, in as few prefixes as there can be. */
static void add_span(struct making *making, bc_auth_addr first, bc_auth_addr last, bool v4,
		     const bool ports[BC_AUTH_PORTS])
{
	for (;;) {
		bc_auth_addr mask = 0, wider = 1;

		while (mask != wider && !(first & wider) && last - first >= wider) {
			mask = wider;
			wider = wider << 1 | 1;
		}
		add_prefix(making, first, mask, v4, ports);
		if ((first | mask) == last)
			return;
		first = (first | mask) + 1;
	}
}

/* Where a byaddr file lets some groups bind, and others not, no rule of the user's may stand before those of groups. */
static void add_around(struct making *making, const struct bc_auth_line *says, uint32_t port)
{
	bool ports[BC_AUTH_PORTS] = {};
	bc_auth_addr first = says->first;

	ports[port] = true;
	for (size_t i = 0; i < making->decided->n; i++) {
		const struct bc_auth_name *name = &making->decided->names[i];

		if (name->number != port || name->v4 != says->v4 || name->addr < first || name->addr > says->last ||
		    ask(name, making->uid) != BC_AUTH_BY_GROUP)
			continue;
		if (name->addr > first)
			add_span(making, first, name->addr - 1, says->v4, ports);
		if (name->addr == says->last)
			return;
		first = name->addr + 1;
	}
	add_span(making, first, says->last, says->v4, ports);
}

static void import_line(struct making *making, const struct line *line)
{
	const struct bc_auth_line *says = &line->says;
	bool ports[BC_AUTH_PORTS] = {}, around[BC_AUTH_PORTS] = {};
	bool any = false, whole = false;

	for (uint32_t port = making->first_port; port <= making->last_port; port++)
		any |= ports[port] =
			says->first_port <= port && port <= says->last_port && !making->decided->ports[port];
	bc_import_note(making->import, any ? BC_NOTE_FROM : BC_NOTE_IGNORED, making->path, line->number, 0, "%.*s%s",
		       (int)line->len, line->text, any ? "" : ": authbind comes to this file for none of these ports");
	for (size_t i = 0; i < making->decided->n; i++) {
		const struct bc_auth_name *name = &making->decided->names[i];

		if (name->v4 != says->v4 || name->addr < says->first || name->addr > says->last ||
		    !ports[name->number] || ask(name, making->uid) != BC_AUTH_BY_GROUP)
			continue;
		ports[name->number] = false;
		around[name->number] = true;
	}
	making->dual = making->of_v4 = false;
	for (uint32_t port = making->first_port; port <= making->last_port; port++) {
		whole |= ports[port];
		if (around[port])
			add_around(making, says, port);
	}
	if (whole)
		add_span(making, says->first, says->last, says->v4, ports);
	if (making->dual)
		bc_import_note(making->import, BC_NOTE_LOST, making->path, line->number, 0, "%s", BC_AUTH_DUAL);
	if (making->of_v4)
		bc_import_note(making->import, BC_NOTE_LOST, making->path, line->number, 0, "%s", BC_AUTH_OF_V4);
}

/* The rules that keep ours from what byaddr does not let the user bind. */
static void add_hidden(const struct making *making)
{
	bool said = false;

	for (size_t i = 0; i < making->decided->n; i++) {
		const struct bc_auth_name *name = &making->decided->names[i];
		const struct bc_auth_access *access = &name->file->access;
		bool ports[BC_AUTH_PORTS] = {}, may;

		/* Of the owner and of who is named there may be such a rule already. */
		if (!making->hidden[i] ||
		    (bc_auth_user(access, making->uid, &may) && bc_auth_rest(access).some && !access->odd))
			continue;
		if (!said)
			bc_import_note(making->import, BC_NOTE_FROM, making->path, 0, 0,
				       "but for what byaddr has a file that the user may not execute");
		said = true;
		ports[name->number] = true;
		add_rule(making, BC_VERB_ALLOW, name->addr, 128, name->v4, ports);
	}
}

void bc_auth_import_user(struct bc_import *import, const struct bc_auth_decided *decided, const char *path,
			 const struct bc_auth_name *name)
{
	struct making making = {
		.import = import,
		.decided = decided,
		.path = path,
		.uid = name->number,
		.first_port = name->high ? BC_AUTH_HIGH : 1,
		.last_port = name->high ? BC_AUTH_PORTS - 1 : BC_AUTH_HIGH - 1,
		.hidden = calloc(decided->n + 1, sizeof(bool)),
	};

	if (making.hidden) {
		read_lines(&making, name->file);
		find_wildcards(&making);
		for (size_t i = 0; i < making.n; i++) {
			const struct line *line = &making.lines[i];

			if (line->fault)
				bc_import_note(import, BC_NOTE_IGNORED, path, line->number, line->column, "%s: %.*s",
					       line->fault, (int)line->len, line->text);
			else
				import_line(&making, line);
		}
		add_hidden(&making);
	} else {
		import->failed = -ENOMEM;
	}
	free(making.hidden);
	free(making.lines);
}
