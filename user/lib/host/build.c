// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "host/build.h"
#include "host/clock.h"
#include "pure/moment.h"
#include "pure/parse.h"

void bc_build_done(struct bc_build *build)
{
	bc_policy_done(&build->policy);
	bc_cells_done(&build->cells);
}

/* How far a clock may be behind another one. */
#define AHEAD_MAX (60 * BC_SECOND)

/* A duration in a file from the future lasts longer than it says. */
static void warn_of_future(const struct bc_file *file, const struct bc_policy *policy, size_t first,
			   struct bc_report *report)
{
	size_t i = first;
	struct bc_text text = {};
	struct bc_error error;

	while (i < policy->n && !policy->rules[i].relative)
		i++;
	if (i == policy->n || file->written <= bc_now() + AHEAD_MAX)
		return;
	bc_format_moment(&text, policy->rules[i].until);
	bc_fail_at(&error, 0, file->path, policy->rules[i].line, 0,
		   "the file was last written in the future, from where its durations count: this rule ends at %s",
		   text.failed ? "some moment" : text.data);
	bc_text_done(&text);
	error.severity = BC_WARNING;
	bc_report_add(report, &error);
}

int bc_build_policy(const struct bc_files *files, const struct bc_names *names, enum bc_severity conflicts,
		    enum bc_severity unknown, struct bc_build *build, struct bc_report *report, struct bc_error *reterr)
{
	size_t errors = report->errors;
	int r, result = 0;

	for (size_t i = 0; i < files->n; i++) {
		const struct bc_file *file = &files->items[i];
		size_t first = build->policy.n;

		r = bc_parse(&build->policy, file->path, file->text, file->len, file->written, report);
		if (r == -E2BIG)
			return bc_fail(reterr, r, "the policy is too large: at most %u files and %u rules", UINT16_MAX,
				       BC_RULES_MAX);
		if (r && r != -EINVAL)
			return bc_fail_errno(reterr, r, "cannot read the policy");
		result = result ?: r;
		warn_of_future(file, &build->policy, first, report);
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
