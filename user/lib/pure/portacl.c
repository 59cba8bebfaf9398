// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pure/clause.h"
#include "pure/portacl.h"

#define VARIABLES "security.mac.portacl."
#define ARGUMENT "portacl" /* what rules that are no file's are called in notes */

/* A part of a line. */
struct piece {
	const char *text; /* not NUL-terminated */
	size_t len;
	unsigned line;	 /* from 1; 0: of an argument */
	unsigned column; /* in bytes, from 1 */
};

struct making {
	const char *source; /* NULL: an argument */
	bool set;	    /* a line has set the variable */
	struct bc_import import;
	struct bc_error *reterr;
};

static bool is(const struct piece *piece, const char *text)
{
	return piece->len == strlen(text) && !memcmp(piece->text, text, piece->len);
}

/* Cuts off what is before the first `mark`, all of it if there is none; `piece` is then what is behind. */
static struct piece cut(struct piece *piece, char mark)
{
	const char *found = memchr(piece->text, mark, piece->len);
	struct piece first = *piece;
	size_t gone;

	first.len = found ? (size_t)(found - piece->text) : piece->len;
	gone = first.len + !!found;
	piece->text += gone;
	piece->len -= gone;
	piece->column += gone;
	return first;
}

static void trim(struct piece *piece)
{
	while (piece->len && strchr(" \t\r", piece->text[piece->len - 1]))
		piece->len--;
	while (piece->len && strchr(" \t", *piece->text)) {
		piece->text++;
		piece->len--;
		piece->column++;
	}
}

/* A fault in a part of an element of the rules. */
static int fail(const struct making *making, const struct piece *element, const struct piece *piece, const char *what)
{
	char argument[128];

	if (making->source)
		return bc_fail_at(making->reterr, -EINVAL, making->source, piece->line, piece->column,
				  "expected %s, not '%.*s'", what, bc_word_cut(piece->text, piece->len, 64),
				  piece->text);
	snprintf(argument, sizeof(argument), "argument '%.*s'", bc_word_cut(element->text, element->len, 64),
		 element->text);
	return bc_fail_at(making->reterr, -EINVAL, argument, 0, 0, "expected %s, not '%.*s'", what,
			  bc_word_cut(piece->text, piece->len, 64), piece->text);
}

/* Whether the rule is there already, which FreeBSD takes no offence at. */
static bool is_known(const struct bc_policy *policy, const struct bc_rule *rule, uint16_t port)
{
	for (size_t i = 0; i < policy->n; i++) {
		const struct bc_rule *known = &policy->rules[i];

		if (known->kind == rule->kind && known->id == rule->id && known->proto == rule->proto &&
		    policy->ranges[known->ranges].first == port)
			return true;
	}
	return false;
}

/* A rule that was read, and what there is to say of it. */
static void add_element(struct making *making, const struct piece *element, const struct bc_rule *rule, uint16_t port)
{
	const struct bc_range range = { port, port };
	enum bc_note_kind kind = BC_NOTE_FROM;
	const char *why = "";

	if (!port) {
		kind = BC_NOTE_LOST;
		why = ": that the kernel may choose a port is no rule's affair";
	} else if (is_known(&making->import.policy, rule, port)) {
		kind = BC_NOTE_IGNORED;
		why = ": there is such a rule already";
	}
	bc_import_note(&making->import, kind, making->source ?: ARGUMENT, element->line,
		       making->source ? element->column : 0, "%.*s%s", (int)element->len, element->text, why);
	if (kind == BC_NOTE_FROM)
		bc_import_rule(&making->import, rule, &range, 1);
}

static int parse_element(struct making *making, const struct piece *element)
{
	struct piece port = *element, kind = cut(&port, ':'), id = cut(&port, ':'), proto = cut(&port, ':');
	struct bc_rule rule = { .verb = BC_VERB_GRANT, .kind = BC_USER, .proto = BC_TCP, .clauses = BC_CLAUSE_PROTO };
	uint64_t number, port_number;

	if (is(&kind, "gid"))
		rule.kind = BC_GROUP;
	else if (!is(&kind, "uid"))
		return fail(making, element, &kind, "uid or gid");
	if (bc_parse_number(id.text, id.len, 0, UINT32_MAX - 1, &number))
		return fail(making, element, &id, "the number of a user or group");
	if (is(&proto, "udp"))
		rule.proto = BC_UDP;
	else if (!is(&proto, "tcp"))
		return fail(making, element, &proto, "tcp or udp");
	if (bc_parse_number(port.text, port.len, 0, UINT16_MAX, &port_number))
		return fail(making, element, &port, "a port, 0 to 65535");
	rule.id = number;
	rule.clauses |= rule.kind == BC_USER ? BC_CLAUSE_USER : BC_CLAUSE_GROUP;
	add_element(making, element, &rule, port_number);
	return making->import.failed;
}

static int parse_rules(struct making *making, struct piece rules)
{
	while (rules.len) {
		struct piece element = cut(&rules, ',');
		int r = element.len ? parse_element(making, &element) : 0;

		if (r)
			return r;
	}
	return 0;
}

/* What else there is to set, and what it means unless it is as it is by itself. */
static const struct {
	const char *name, *usual, *meaning;
} variables[] = {
	{ VARIABLES "enabled", "1", "the rules are not in force" },
	{ VARIABLES "port_high", "1023", "up to that port whatever no rule permits is refused; see deny" },
	{ VARIABLES "suser_exempt", "1", "root is refused what no rule permits; see deny" },
	{ VARIABLES "autoport_exempt", "1", "the kernel's choice of a port is refused; see deny" },
};

static void note_variable(struct making *making, const struct piece *name, const struct piece *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (is(name, variables[i].name) && !is(value, variables[i].usual))
			bc_import_note(&making->import, BC_NOTE_LOST, making->source, name->line, name->column,
				       "%s=%.*s: %s", variables[i].name, (int)value->len, value->text,
				       variables[i].meaning);
}

static void unquote(struct piece *value)
{
	if (value->len < 2 || (*value->text != '"' && *value->text != '\'') ||
	    value->text[value->len - 1] != *value->text)
		return;
	value->text++;
	value->column++;
	value->len -= 2;
}

static int parse_line(struct making *making, struct piece line)
{
	struct piece value = cut(&line, '#'), name;

	trim(&value);
	if (!value.len)
		return 0;
	if (!memchr(value.text, '=', value.len))
		return parse_rules(making, value);
	name = cut(&value, '=');
	trim(&name);
	trim(&value);
	unquote(&value);
	if (is(&name, VARIABLES "rules")) {
		if (making->set)
			return bc_fail_at(making->reterr, -EINVAL, making->source, name.line, name.column,
					  VARIABLES "rules is set a second time");
		making->set = true;
		return parse_rules(making, value);
	}
	note_variable(making, &name, &value);
	return 0;
}

int bc_import_portacl(const char *source, const char *text, size_t len, struct bc_import *ret, struct bc_error *reterr)
{
	struct making making = { .source = source, .reterr = reterr };
	struct piece rest = { .text = text, .len = len, .column = 1 };
	int r = 0;

	if (!source)
		r = parse_rules(&making, rest);
	for (unsigned number = 1; source && !r && rest.len; number++) {
		struct piece line = cut(&rest, '\n');

		line.line = number;
		line.column = 1;
		r = parse_line(&making, line);
	}
	r = r ?: making.import.failed;
	if (!r) {
		*ret = making.import;
		return 0;
	}
	bc_import_done(&making.import);
	return r == -EINVAL ? r : bc_fail_errno(reterr, r, "cannot make rules");
}
