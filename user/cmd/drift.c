// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/drift.h"
#include "cmd/names.h"
#include "host/build.h"
#include "host/ports.h"

/* Says which reserved ports the kernel may still give away by itself. */
static void warn_ephemeral(const struct bc_policy *policy)
{
	_cleanup_(bc_ephemeral_done) struct bc_ephemeral ephemeral = {};
	_cleanup_(bc_report_done) struct bc_report report = {};

	bc_ephemeral_read(&ephemeral);
	bc_lint_ephemeral(policy, &ephemeral, BC_WARNING, &report);
	say_report(&report);
}

struct drift drift_find(const struct app *app, const struct bc_status *status, bool warn)
{
	_cleanup_(bc_files_done) struct bc_files files = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_build_done) struct bc_build build = {};
	struct bc_error error;
	struct drift drift = {};

	if (!bc_store_read(&app->store, &files, &error) &&
	    !bc_build_policy(&files, &host_names, BC_WARNING, BC_ERROR, &build, &report, &error)) {
		drift.known = true;
		drift.digest = build.cells.cells[1].about.digest;
		drift.differ = drift.digest != status->digest || build.policy.n != status->rules;
		if (warn)
			warn_ephemeral(&build.policy);
	} else {
		say_report(&report);
		say_error(&error);
	}
	return drift;
}
