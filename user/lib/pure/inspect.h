/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an image is sound, and looks at single entries of one that is. */
#ifndef BINDCTL_INSPECT_H
#define BINDCTL_INSPECT_H

#include "base/error.h"
#include "pure/compile.h"

/*
 * Whether every number in the image stays within it, so that nothing that reads it can go astray. 0 or -EBADMSG with
 * *reterr.
 */
int bc_image_check(const struct bc_cells *image, struct bc_error *reterr);

/* "the compiled policy is broken: WHAT; run: bindctl load"; returns -EBADMSG. */
int bc_image_broken(struct bc_error *reterr, const char *what);

/* Of a sound image: a rule, a detail and a scope by number, and a part of a name, counted from the labels' first. */
static inline struct bc_rule_cell *bc_rule_at(const struct bc_cells *image, uint32_t rule)
{
	return &image->cells[image->cells[0].header.rules + rule / BC_RULES].rules[rule % BC_RULES];
}

static inline struct bc_detail *bc_detail_at(const struct bc_cells *image, uint32_t detail)
{
	return &image->cells[image->cells[0].header.rules + detail / BC_RULES].details[detail % BC_RULES];
}

static inline const struct bc_scope *bc_scope_at(const struct bc_cells *image, uint32_t scope)
{
	uint32_t at = scope - 1;

	return &image->cells[image->cells[0].header.scopes + at / BC_SCOPES].scopes[at % BC_SCOPES];
}

static inline const union bc_part *bc_label_at(const struct bc_cells *image, uint32_t part)
{
	return &image->cells[image->cells[0].header.labels + part / BC_PARTS].parts[part % BC_PARTS];
}

#define BC_SCOPE_NAME (BC_NAME_PARTS * BC_PART_SIZE + 1) /* room for a scope's name, NUL included */

/* The name of a scope's cgroup; empty for the root. */
void bc_scope_name(const struct bc_cells *image, uint32_t scope, char name[BC_SCOPE_NAME]);

#endif
