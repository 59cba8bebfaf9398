// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "texts.h"

const char *const kind_names[ALL_KINDS] = {
	"user", "group", "cgroup", "rewrite", "deny", "mixed", "user, one rule each"
};
const unsigned depths[4] = { 1, 4, 8, 16 };

const char *depth_path(unsigned depth)
{
	static char path[256];

	path[0] = '\0';
	for (unsigned i = 2; i <= depth; i++)
		sprintf(path + strlen(path), "%slevel%u-of-%u", *path ? "/" : "", i, depth);
	return path;
}

static void add_main(enum kind kind, const char *cgroup, struct bc_text *text)
{
	const unsigned last = PORT + ORDER_PORTS - 1;

	switch (kind) {
	case MIXED:
		bc_text_addf(text, "deny port 1-1023 netns any\n");
		/* fall through */
	case USERS:
	case LONERS:
		bc_text_addf(text, "grant user %u port %u-%u netns any\n", WORKER_USER, PORT, last);
		break;
	case GROUPS:
		bc_text_addf(text, "grant group %u port %u-%u netns any\n", WORKER_GROUP, PORT, last);
		break;
	case REWRITES:
		bc_text_addf(text, "rewrite user %u port %u-%u to 127.0.0.2 netns any\n", WORKER_USER, PORT, last);
		break;
	case DENIES:
		bc_text_addf(text, "deny user %u port %u-%u netns any\n", WORKER_USER, PORT, last);
		break;
	default:
		for (unsigned i = 0; i < ARRAY_SIZE(depths); i++)
			bc_text_addf(text, "grant cgroup /%s.ours%s%s port %u-%u netns any\n", cgroup,
				     depths[i] > 1 ? "/" : "", depth_path(depths[i]), PORT, last);
	}
}

void policy_text(enum kind kind, const char *cgroup, uint32_t rules, struct bc_text *ret)
{
	uint32_t before = kind == MIXED ? 2 : kind == CGROUPS ? ARRAY_SIZE(depths) : 1;

	add_main(kind, cgroup, ret);
	for (uint32_t i = 0; i + before < rules; i++) {
		unsigned port = PORT_OTHERS + i % PORT_OTHERS_N * PORT_OTHERS_STEP;
		uint32_t other = kind == LONERS ? i : i / PORT_OTHERS_N;

		if (kind == CGROUPS)
			bc_text_addf(ret, "grant cgroup /%s.others/service-%u port %u netns any\n", cgroup, other,
				     port);
		else
			bc_text_addf(ret, "%s %s %u port %u netns any\n", kind == DENIES ? "deny" : "grant",
				     kind == GROUPS ? "group" : "user", USER_OTHERS + other, port);
	}
}
