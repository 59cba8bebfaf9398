// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/drift.h"
#include "cmd/names.h"
#include "host/ports.h"

/* Says which reserved ports the kernel may still give away by itself. */
static void warn_ephemeral(const struct bc_policy *policy)
{
	_cleanup_(bc_ephemeral_done) struct bc_ephemeral ephemeral = {};
	_cleanup_(bc_report_done) struct bc_report report = {};

	bc_ephemeral_read(&ephemeral);
	bc_lint_ephemeral(policy, &ephemeral, &report);
	say_report(&report);
}

struct bc_drift drift_find(const struct app *app, const struct bc_status *status, bool warn)
{
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_build_done) struct bc_build build = {};
	struct bc_error error;
	struct bc_drift drift = {};

	if (bc_drift_find(&app->store, &host_names, status, &build, &drift, &report, &error)) {
		say_report(&report);
		say_error(&error);
	} else if (warn) {
		warn_ephemeral(&build.policy);
	}
	return drift;
}
