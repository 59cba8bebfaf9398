// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "host/build.h"
#include "pure/parse.h"

void bc_build_done(struct bc_build *build)
{
	bc_policy_done(&build->policy);
	bc_cells_done(&build->cells);
}

int bc_build_policy(const struct bc_files *files, const struct bc_names *names, enum bc_severity conflicts,
		    enum bc_severity unknown, struct bc_build *build, struct bc_report *report, struct bc_error *reterr)
{
	size_t errors = report->errors;
	int r, result = 0;

	for (size_t i = 0; i < files->n; i++) {
		const struct bc_file *file = &files->items[i];

		r = bc_parse(&build->policy, file->path, file->text, file->len, file->written, report);
		if (r == -E2BIG)
			return bc_fail(reterr, r, "the policy is too large: at most %u files and %u rules", UINT16_MAX,
				       BC_RULES_MAX);
		if (r && r != -EINVAL)
			return bc_fail_errno(reterr, r, "cannot read the policy");
		result = result ?: r;
	}
	/* Look names up even if lines are at fault: one run shows all there is to mend. */
	r = bc_resolve(&build->policy, names, unknown, report);
	if (r == -ENOMEM)
		return bc_fail_errno(reterr, r, "cannot resolve the policy");
	/* That a name could not be looked up does not mean that nobody has it: its rules must not go missing. */
	if (r && r != -ENOENT && unknown != BC_ERROR)
		return bc_fail_errno(reterr, r, "cannot look up a name of the policy");
	if (r && unknown == BC_ERROR)
		result = result ?: r;
	build->unresolved = bc_policy_drop_unresolved(&build->policy);
	if (result)
		return bc_fail(reterr, result, "%zu error%s in the policy", report->errors - errors,
			       report->errors - errors == 1 ? "" : "s");
	return bc_compile(&build->policy, conflicts, &build->cells, report, reterr);
}
