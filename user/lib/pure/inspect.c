// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "pure/inspect.h"
#include "pure/policy.h"

int bc_image_broken(struct bc_error *reterr, const char *what)
{
	return bc_fail(reterr, -EBADMSG, "the image is broken: %s", what);
}

void bc_scope_name(const struct bc_cells *image, uint32_t scope, char name[BC_SCOPE_NAME])
{
	uint32_t label = bc_scope_at(image, scope)->label;

	memset(name, 0, BC_SCOPE_NAME);
	for (size_t i = 0; i < (label & 0xff); i++)
		memcpy(name + i * BC_PART_SIZE, bc_label_at(image, (label >> 8) + i)->bytes, BC_PART_SIZE);
}

/* Sections lie one behind the other and end with the image. */
static int check_sections(const struct bc_cells *image, struct bc_error *reterr)
{
	const struct bc_header *h = &image->cells[0].header;
	const struct bc_about *about = &image->cells[1].about;
	const char *names, *end;
	uint32_t nul = 0;

	if (image->n < BC_INDEX || !h->buckets || h->buckets > image->n || about->cells != image->n)
		return bc_image_broken(reterr, "index out of bounds");
	if (h->segments != BC_INDEX + h->buckets || h->lists < h->segments || h->rules < h->lists ||
	    h->scopes < h->rules || h->labels < h->scopes || about->names < h->labels || about->names > about->cells)
		return bc_image_broken(reterr, "sections out of order");
	if (about->nrules > BC_RULES_MAX || h->scopes - h->rules < bc_cells_for(about->nrules, BC_RULES))
		return bc_image_broken(reterr, "rules out of bounds");
	if (!about->nscopes || about->nscopes > BC_SCOPES_MAX ||
	    h->labels - h->scopes != bc_cells_for(about->nscopes, BC_SCOPES))
		return bc_image_broken(reterr, "scopes out of bounds");
	names = (const char *)(image->cells + about->names);
	end = (const char *)(image->cells + about->cells);
	while (names < end)
		nul += !*names++;
	if (about->nsources > nul)
		return bc_image_broken(reterr, "file names out of bounds");
	return 0;
}

static bool is_sound_rewrite(const struct bc_rule_cell *rule)
{
	const unsigned to = BC_RULE_TO_V4 | BC_RULE_TO_V6 | BC_RULE_TO_PORT;

	if (rule->verdict != BC_REWRITE)
		return !(rule->flags & (to | BC_RULE_HIDDEN));
	return rule->flags & to && !(rule->flags & BC_RULE_TO_V4 && rule->flags & BC_RULE_TO_V6);
}

static int check_rule(const struct bc_about *about, const struct bc_rule_cell *rule, struct bc_error *reterr)
{
	bool denies = rule->verdict == BC_DENY || rule->flags & BC_RULE_RESERVE;

	if (rule->verdict < BC_DENY || rule->verdict > BC_GRANT || rule->verdict == BC_NONE)
		return bc_image_broken(reterr, "a rule without a verdict");
	if (rule->source >= about->nsources || (rule->conditions & BC_IF_V4 && rule->conditions & BC_IF_V6))
		return bc_image_broken(reterr, "a rule out of bounds");
	if (denies && !bc_errno_name(rule->err))
		return bc_image_broken(reterr, "a deny without an errno");
	if (rule->conditions & BC_IF_PROTO && rule->proto != BC_TCP && rule->proto != BC_UDP)
		return bc_image_broken(reterr, "a rule of no protocol");
	if ((rule->flags & BC_RULE_RESERVE && rule->verdict != BC_GRANT) || (rule->flags & BC_RULE_AUDIT && !denies) ||
	    !is_sound_rewrite(rule))
		return bc_image_broken(reterr, "a rule that contradicts itself");
	return 0;
}

/* `details` are the rule's own, of which a rewrite to an address has two. */
static int check_details(const struct bc_rule_cell *rule, const struct bc_detail *details, struct bc_error *reterr)
{
	if (details->prefix > 128 || (rule->conditions & BC_IF_V4 && details->prefix < 96))
		return bc_image_broken(reterr, "a rule out of bounds");
	if ((rule->flags & BC_RULE_TO_PORT && !details->to_port) || details->until > INT64_MAX)
		return bc_image_broken(reterr, "a rule that contradicts itself");
	if (rule->flags & BC_RULE_TO_V4 && !bc_addr_is_v4(details[1].addr))
		return bc_image_broken(reterr, "a rewrite that leads astray");
	return 0;
}

/* Each rule that needs details has its own, in the order of the rules, and there are no others. */
static int check_rules(const struct bc_cells *image, struct bc_error *reterr)
{
	const struct bc_header *h = &image->cells[0].header;
	const struct bc_about *about = &image->cells[1].about;
	size_t room = (size_t)(h->scopes - h->rules) * BC_RULES, more = about->nrules;

	for (uint32_t i = 0; i < about->nrules; i++) {
		const struct bc_rule_cell *rule = bc_rule_at(image, i);
		size_t details = rule->flags & (BC_RULE_TO_V4 | BC_RULE_TO_V6) ? 2 : bc_has_details(rule);
		int r = check_rule(about, rule, reterr);

		if (!r && details && (rule->more != more || room - more < details))
			r = bc_image_broken(reterr, "details out of bounds");
		if (!r && details)
			r = check_details(rule, bc_detail_at(image, more), reterr);
		if (r)
			return r;
		more += details;
	}
	if (h->scopes - h->rules != bc_cells_for(more, BC_RULES))
		return bc_image_broken(reterr, "details out of bounds");
	return 0;
}

/* A name that a policy can hold: it fills its parts but the last, is no path, and safe to print. */
static bool is_sound_name(const struct bc_cells *image, uint32_t scope, size_t parts)
{
	char name[BC_SCOPE_NAME];
	size_t len;

	bc_scope_name(image, scope, name);
	len = strlen(name);
	for (size_t i = len; i < parts * BC_PART_SIZE; i++)
		if (name[i])
			return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '/')
			return false;
	return len > (parts - 1) * BC_PART_SIZE && len <= BC_NAME_MAX && strcmp(name, ".") && strcmp(name, "..");
}

/* Every scope but the root is below one of a smaller number, so that the way up ends. */
static int check_scopes(const struct bc_cells *image, struct bc_error *reterr)
{
	const struct bc_header *h = &image->cells[0].header;
	const struct bc_about *about = &image->cells[1].about;
	uint32_t nparts = (about->names - h->labels) * BC_PARTS;

	for (uint32_t i = 1; i <= about->nscopes; i++) {
		const struct bc_scope *scope = bc_scope_at(image, i), *parent;
		uint32_t parts = scope->label & 0xff, label = scope->label >> 8;

		if (i == BC_SCOPE_ROOT) {
			if (scope->parent || scope->up || scope->first > BC_SCOPE_ROOT)
				return bc_image_broken(reterr, "a root that is none");
			continue;
		}
		if (!scope->parent || scope->parent >= i || !parts || parts > BC_NAME_PARTS || label >= nparts ||
		    parts > nparts - label || !is_sound_name(image, i, parts))
			return bc_image_broken(reterr, "a scope out of bounds");
		parent = bc_scope_at(image, scope->parent);
		if (scope->up != parent->first || (scope->first != i && scope->first != scope->up))
			return bc_image_broken(reterr, "a scope that leads astray");
	}
	return 0;
}

int bc_image_check(const struct bc_cells *image, struct bc_error *reterr)
{
	const struct bc_header *h;

	if (!image->n)
		return bc_image_broken(reterr, "it is empty");
	h = &image->cells[0].header;
	if (h->magic != BC_MAGIC)
		return bc_image_broken(reterr, "it does not begin as an image does");
	if (h->schema != BC_SCHEMA)
		return bc_fail(reterr, -EBADMSG, "the image has schema %u; this bindctl reads %u", h->schema,
			       BC_SCHEMA);
	if (h->features & ~BC_F_KNOWN)
		return bc_fail(reterr, -EBADMSG, "the image has features that this bindctl does not know");
	if (image->n < BC_INDEX)
		return bc_image_broken(reterr, "it is cut short");
	return check_sections(image, reterr) ?: check_rules(image, reterr) ?: check_scopes(image, reterr);
}
