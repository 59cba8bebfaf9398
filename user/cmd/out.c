// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/app.h"
#include "cmd/out.h"
#include "host/clock.h"
#include "pure/moment.h"

static bool first_element;

/* json-c answers a lack of memory with NULL; a document with holes would be a lie. */
static struct json_object *need(struct json_object *object)
{
	if (!object) {
		say("out of memory");
		exit(EXIT_FAILED);
	}
	return object;
}

static const char *to_string(struct json_object *object)
{
	return json_object_to_json_string_ext(need(object), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* The members of an object without its closing brace, "version" first. */
static void print_members(struct json_object *members)
{
	const char *text = to_string(members);
	size_t len = strlen(text);

	printf("{\"version\":%d%s%.*s", OUT_VERSION, len > 2 ? "," : "", (int)len - 2, text + 1);
	json_object_put(members);
}

void out_begin_array(struct json_object *members, const char *name)
{
	print_members(members);
	printf(",\"%s\":[", name);
	first_element = true;
}

void out_element(struct json_object *element)
{
	printf("%s\n%s", first_element ? "" : ",", to_string(element));
	first_element = false;
	json_object_put(element);
}

void out_end_array(void)
{
	printf("%s]}\n", first_element ? "" : "\n");
}

void out_document(struct json_object *members)
{
	print_members(members);
	printf("}\n");
}

static void set(struct json_object *object, const char *name, struct json_object *value)
{
	if (json_object_object_add(need(object), name, value))
		need(NULL);
}

struct json_object *out_string(const char *value)
{
	_cleanup_free_ char *text = bc_utf8(value);

	return need(text ? json_object_new_string(text) : NULL);
}

void out_set_string(struct json_object *object, const char *name, const char *value)
{
	set(object, name, value ? out_string(value) : NULL);
}

void out_set_number(struct json_object *object, const char *name, int64_t value)
{
	set(object, name, need(json_object_new_int64(value)));
}

void out_set_bool(struct json_object *object, const char *name, bool value)
{
	set(object, name, need(json_object_new_boolean(value)));
}

void out_set_hex(struct json_object *object, const char *name, uint64_t value)
{
	char digits[17];

	snprintf(digits, sizeof(digits), "%016llx", (unsigned long long)value);
	out_set_string(object, name, digits);
}

void out_set_id(struct json_object *object, const char *name, uint32_t id)
{
	char digits[9];

	snprintf(digits, sizeof(digits), "%08x", id);
	out_set_string(object, name, digits);
}

void out_set_moment(struct json_object *object, const char *name, int64_t moment)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_format_moment(&text, moment);
	out_set_string(object, name, text.data);
}

void out_set_address(struct json_object *object, const char *name, const uint32_t addr[4])
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_format_addr(&text, addr, bc_addr_is_v4(addr), 128);
	out_set_string(object, name, text.data);
}

static void set_ports(struct json_object *object, const struct bc_policy *policy, const struct bc_rule *rule)
{
	struct json_object *ports = need(json_object_new_array());

	for (uint32_t i = 0; i < rule->nranges; i++) {
		const struct bc_range *range = &policy->ranges[rule->ranges + i];
		struct json_object *item = need(json_object_new_object());

		out_set_number(item, "first", range->first);
		out_set_number(item, "last", range->last);
		json_object_array_add(ports, item);
	}
	set(object, "ports", ports);
}

static void set_subject(struct json_object *object, const struct bc_policy *policy, const struct bc_rule *rule)
{
	if (rule->kind == BC_USER) {
		out_set_number(object, "uid", rule->id);
		out_set_string(object, "user", bc_policy_name(policy, rule));
	} else if (rule->kind == BC_GROUP) {
		out_set_number(object, "gid", rule->id);
		out_set_string(object, "group", bc_policy_name(policy, rule));
	}
	if (rule->unit)
		out_set_string(object, "unit", policy->strings.data + rule->unit);
	if (rule->path)
		out_set_string(object, "cgroup", policy->strings.data + rule->path);
}

/* Members that only rules with the clause have. */
static void set_rest(struct json_object *object, const struct bc_rule *rule)
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	if (bc_rule_denies(rule))
		out_set_string(object, "errno", bc_errno_name(rule->err));
	if (rule->clauses & BC_CLAUSE_TO) {
		bc_format_to(&text, rule);
		out_set_string(object, "to", text.data);
		out_set_bool(object, "hidden", rule->clauses & BC_CLAUSE_HIDDEN);
	}
	if (rule->clauses & BC_CLAUSE_UNTIL) {
		out_set_moment(object, "until", rule->until);
		out_set_number(object, "seconds_left",
			       rule->until > bc_now() ? (rule->until - bc_now() + BC_SECOND - 1) / BC_SECOND : 0);
	}
	if (rule->clauses & BC_CLAUSE_LOG)
		out_set_bool(object, "log", true);
	if (rule->clauses & BC_CLAUSE_AUDIT)
		out_set_bool(object, "audit", true);
}

struct json_object *out_rule(const struct bc_policy *policy, const struct bc_rule *rule)
{
	struct json_object *object = need(json_object_new_object());
	_cleanup_(bc_text_done) struct bc_text text = {}, addr = {};

	bc_format_rule(&text, policy, rule);
	if (rule->clauses & BC_CLAUSE_ADDR)
		bc_format_addr(&addr, rule->addr, rule->v4, rule->prefix);
	out_set_id(object, "id", bc_rule_id(bc_rule_digest(policy, rule)));
	out_set_string(object, "rule", text.data);
	out_set_string(object, "verb", bc_verb_name(rule->verb));
	set_subject(object, policy, rule);
	set_ports(object, policy, rule);
	out_set_string(object, "proto",
		       !(rule->clauses & BC_CLAUSE_PROTO) ? "any" :
		       rule->proto == BC_TCP		  ? "tcp" :
							    "udp");
	out_set_string(object, "addr", addr.data);
	out_set_string(object, "netns", rule->any_netns ? "any" : "host");
	set_rest(object, rule);
	out_set_string(object, "file", bc_policy_source_of(policy, rule));
	out_set_number(object, "line", rule->line);
	return object;
}

const char *out_verdict(enum bc_verdict verdict)
{
	switch (verdict) {
	case BC_DENY:
		return "deny";
	case BC_ALLOW:
		return "allow";
	case BC_NONE:
		return "none";
	case BC_REWRITE:
		return "rewrite";
	case BC_GRANT:
		return "grant";
	}
	return "?";
}

void out_address(struct bc_text *text, const uint32_t addr[4], unsigned port, unsigned family)
{
	bool v4 = bc_addr_is_v4(addr), plain = v4 && family == 4;

	bc_text_addf(text, "%s%s", plain ? "" : "[", v4 && !plain ? "::ffff:" : "");
	bc_format_addr(text, addr, v4, 128);
	bc_text_addf(text, "%s:%u", plain ? "" : "]", port);
}

char *out_printable(const char *text)
{
	size_t size = strlen(text) * 4 + 1;
	char *shown = malloc(size);

	return shown ? bc_printable(shown, size, text) : NULL;
}

void out_text(const char *text)
{
	_cleanup_free_ char *shown = out_printable(text);

	if (shown)
		fputs(shown, stdout);
}
