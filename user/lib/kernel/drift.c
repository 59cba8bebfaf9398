// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/drift.h"

int bc_drift_find(const struct bc_store *store, const struct bc_names *names, const struct bc_status *status,
		  struct bc_build *build, struct bc_drift *ret, struct bc_report *report, struct bc_error *reterr)
{
	_cleanup_(bc_files_done) struct bc_files files = {};
	uint64_t digest;
	int r = bc_store_read(store, &files, reterr);

	if (!r)
		r = bc_build_policy(&files, names, BC_WARNING, BC_ERROR, build, report, reterr);
	if (r)
		return r;
	digest = build->cells.cells[1].about.digest;
	*ret = (struct bc_drift){ true, digest != status->digest || build->policy.n != status->rules, digest };
	return 0;
}
