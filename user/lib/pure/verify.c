// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "pure/inspect.h"
#include "pure/verify.h"

/* The cell without what nobody compiles: the header's imprint, the counts of two rules. */
static union bc_cell stripped(const struct bc_cells *image, uint32_t n)
{
	const struct bc_header *h = &image->cells[0].header;
	union bc_cell cell = image->cells[n];

	if (!n) {
		cell.header.tai_offset = 0;
		cell.header.root = cell.header.epoch = cell.header.generation = 0;
	}
	for (uint32_t i = 0; n >= h->rules && n < h->scopes && i < BC_RULES; i++) {
		/* Behind the rules are their details. */
		if ((n - h->rules) * BC_RULES + i >= image->cells[1].about.nrules)
			break;
		cell.rules[i].last = 0;
		cell.rules[i].hits = 0;
	}
	return cell;
}

int bc_image_verify(const struct bc_cells *image, const struct bc_policy *policy, struct bc_error *reterr)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_cells_done) struct bc_cells again = {};
	int r = bc_compile(policy, BC_WARNING, &again, &report, reterr);

	if (r == -ENOMEM)
		return r;
	if (r || again.n != image->n)
		return bc_image_broken(reterr, "it is not what its rules compile to");
	for (uint32_t i = 0; i < image->n; i++) {
		const union bc_cell is = stripped(image, i), should = stripped(&again, i);

		if (memcmp(&is, &should, sizeof(is)))
			return bc_image_broken(reterr, "it is not what its rules compile to");
	}
	return 0;
}
