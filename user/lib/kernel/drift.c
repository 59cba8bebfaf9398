// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/drift.h"
#include "pure/diff.h"

int bc_drift_find(const struct bc_store *store, const struct bc_names *names, const struct bc_status *status,
		  struct bc_build *build, struct bc_drift *ret, struct bc_report *report, struct bc_error *reterr)
{
	_cleanup_(bc_files_done) struct bc_files files = {};
	_cleanup_(bc_diff_done) struct bc_diff diff = {};
	uint64_t digest;
	int r = bc_store_read(store, &files, reterr);

	if (!r)
		r = bc_build_policy(&files, names, BC_WARNING, BC_ERROR, build, report, reterr);
	if (r)
		return r;
	digest = build->cells.cells[1].about.digest;
	/* Digests are short enough that two policies can be made to have the same. */
	r = bc_diff(&status->policy, &build->policy, &diff);
	if (r)
		return bc_fail_errno(reterr, r, "cannot compare the policies");
	*ret = (struct bc_drift){ true, diff.nremoved || diff.nadded, digest };
	return 0;
}
