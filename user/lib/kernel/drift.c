// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/drift.h"
#include "pure/diff.h"

int bc_drift_find(const struct bc_store *store, const struct bc_names *names, const struct bc_status *status,
		  struct bc_build *build, struct bc_drift *ret, struct bc_report *report, struct bc_error *reterr)
{
	_cleanup_(bc_files_done) struct bc_files files = {};
	bool differ;
	int r = bc_store_read(store, &files, reterr);

	if (!r)
		r = bc_build_policy(&files, names, BC_WARNING, BC_ERROR, build, report, reterr);
	if (r)
		return r;
	r = bc_differ(&status->policy, &build->policy, &differ);
	if (r)
		return bc_fail_errno(reterr, r, "cannot compare the policies");
	*ret = (struct bc_drift){ true, differ, build->cells.cells[1].about.digest };
	return 0;
}
