// SPDX-License-Identifier: GPL-2.0-or-later
/* compile RULES: makes a policy of so many rules, of users, groups and cgroups, and an image of it; for callgrind. */
#include <stdio.h>

#include "host/build.h"
#include "host/names.h"
#include "texts.h"

int main(int argc, char **argv)
{
	const struct bc_names names = { .user = bc_user_by_name, .group = bc_group_by_name };
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_files_done) struct bc_files files = {};
	_cleanup_(bc_build_done) struct bc_build build = {};
	_cleanup_(bc_text_done) struct bc_text text = {};
	uint32_t rules = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct bc_error error = {};

	policy_text(USERS, "bench", rules / 2, &text);
	policy_text(GROUPS, "bench", rules / 4, &text);
	policy_text(CGROUPS, "bench", rules - rules / 2 - rules / 4, &text);
	if (rules < 40 || text.failed || bc_files_set(&files, "bench.conf", text.data, text.len, 0) ||
	    bc_build_policy(&files, &names, BC_ERROR, BC_ERROR, &build, &report, &error) || build.policy.n != rules) {
		fprintf(stderr, "bench: no policy of %u rules: %s\n", rules, error.text);
		return 1;
	}
	return 0;
}
