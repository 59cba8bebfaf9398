// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/astray.h"
#include "agent/intent/gather.h"
#include "agent/intent/object.h"
#include "agent/leftover.h"

void astray_done(struct astray *astray)
{
	free(astray->missed);
	*astray = (struct astray){};
}

/* Since when the pod is missed. */
static int64_t missed_since(const struct astray *before, const char *id, int64_t now)
{
	for (size_t i = 0; i < before->n; i++)
		if (!strcmp(before->missed[i].id, id))
			return before->missed[i].since;
	return now;
}

static int add_missed(struct astray *now, const struct pod *pod, int64_t since)
{
	struct missed *missed;

	if (bc_grow(&now->missed, &now->room, now->n + 1))
		return -ENOMEM;
	missed = &now->missed[now->n++];
	missed->since = since;
	snprintf(missed->id, sizeof(missed->id), "%s", pod->id);
	return 0;
}

int astray_look(struct astray *astray, const struct state *state, const struct intent_config *config,
		const char *cgroup, int64_t now, struct findings *findings)
{
	_cleanup_(astray_done) struct astray found = {};
	_cleanup_close_ int top = leftover_top(cgroup);
	const struct state_entry *entry;

	if (top < 0)
		return -ENOENT;
	for (size_t i = 0; (entry = state_at(state, STATE_POD, i)); i++) {
		const struct pod *pod = entry->pod;
		int64_t since;

		if (!pod || !pod->running || pod->ending || pod->doubtful || !pod->node ||
		    strcmp(pod->node, config->node) != 0)
			continue;
		found.running++;
		if (leftover_has_cgroup(&config->path, top, pod))
			continue;
		since = missed_since(astray, pod->id, now);
		if (add_missed(&found, pod, since))
			return -ENOMEM;
		if (now - since < ASTRAY_AFTER)
			continue;
		found.astray++;
		gather_note(findings, FINDING_WARNING, STATE_POD, entry->key,
			    "runs, but has no cgroup where its rules are for it, so that they hold for nobody; see "
			    "--cgroup-root and --cgroup-driver, and kubelet's cgroupsPerQOS");
	}
	astray_done(astray);
	*astray = found;
	found = (struct astray){};
	return 0;
}
