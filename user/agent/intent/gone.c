// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "agent/intent/gone.h"

static void entry_done(struct state_entry *entry)
{
	pod_done(entry->pod);
	free(entry->pod);
	free(entry->key);
}

void gone_done(struct gone *gone)
{
	for (size_t i = 0; i < gone->n; i++)
		entry_done(&gone->entries[i]);
	free(gone->entries);
	*gone = (struct gone){};
}

void gone_add(struct gone *gone, struct state_entry *entry)
{
	const struct pod *pod = entry->pod;

	/* The hash of a manifest has no dashes, a uid of the API server's has. */
	if (!pod || pod->finished || !strchr(pod->id, '-') || bc_grow(&gone->entries, &gone->room, gone->n + 1))
		return;
	gone->entries[gone->n++] = (struct state_entry){ .key = TAKE_PTR(entry->key), .pod = entry->pod };
	entry->pod = NULL;
}

static bool is_other(void *id, const struct pod *pod)
{
	return strcmp(pod->id, id) != 0;
}

void gone_drop(struct gone *gone, const char *id)
{
	(void)gone_forget(gone, is_other, (void *)id);
}

bool gone_forget(struct gone *gone, bool (*is_there)(void *ctx, const struct pod *pod), void *ctx)
{
	size_t before = gone->n;

	gone->n = 0;
	for (size_t i = 0; i < before; i++) {
		if (is_there(ctx, gone->entries[i].pod))
			gone->entries[gone->n++] = gone->entries[i];
		else
			entry_done(&gone->entries[i]);
	}
	return gone->n != before;
}
