/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules to an image: the whole of precedence is decided here. See bindctl/abi.h for what an image is. */
#ifndef BINDCTL_COMPILE_H
#define BINDCTL_COMPILE_H

#include "base/error.h"
#include "pure/policy.h"

/* Owns `cells`. Zero-initialised is no image. */
struct bc_cells {
	union bc_cell *cells;
	uint32_t n;
};

void bc_cells_done(struct bc_cells *cells);

static inline uint32_t bc_cells_for(size_t items, size_t in_a_cell)
{
	return (items + in_a_cell - 1) / in_a_cell;
}

/* The features (enum bc_feature) that an image of these rules has. */
uint16_t bc_policy_features(const struct bc_policy *policy);

/* References in all lists of an image: 64 M of them are 256 MiB, and stand for rules that overlap without end. */
#define BC_LISTED_MAX (64u << 20)

/*
 * Compiles a resolved policy. Where two rules of equal rank disagree, the least privilege is compiled and a finding
 * of `severity` that names both places goes to the report. The generation is left 0: publishing numbers it.
 *
 * 0; -EINVAL when `severity` is BC_ERROR and there was such a finding; -E2BIG when the policy passes a limit, with
 * *reterr naming it; -ENOMEM.
 */
int bc_compile(const struct bc_policy *policy, enum bc_severity severity, struct bc_cells *ret_cells,
	       struct bc_report *report, struct bc_error *reterr);

#endif
