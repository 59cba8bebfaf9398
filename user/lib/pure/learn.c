// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "pure/learn.h"

_Static_assert(sizeof(struct bc_seen_key) == 32, "struct bc_seen_key has padding");

static void leave(void *seen)
{
	(void)seen;
}

void bc_learn_done(struct bc_learn *learn)
{
	tdestroy(learn->tree, leave);
	for (size_t i = 0; i < learn->n; i++) {
		free(learn->seen[i]->by);
		free(learn->seen[i]);
	}
	free(learn->seen);
	*learn = (struct bc_learn){};
}

/* The key stands first. */
static int compare_keys(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct bc_seen_key));
}

static struct bc_seen_key key_of(const struct bc_event *event)
{
	bool wildcard = !(event->addr[0] | event->addr[1] | event->addr[2] | event->addr[3]);
	struct bc_seen_key key = {
		.uid = event->uid,
		.port = event->port,
		.proto = event->proto,
		.fate = event->kind == BC_EVENT_DENY ? BC_FATE_REFUSED :
			event->verdict == BC_REWRITE ? BC_FATE_LED :
						       BC_FATE_PASSED,
		.both = event->family == 6 && wildcard && !(event->flags & BC_EVENT_V6ONLY),
	};

	memcpy(key.addr, event->addr, sizeof(key.addr));
	if (key.fate != BC_FATE_PASSED)
		key.rule = event->id;
	return key;
}

static struct bc_seen *find(const struct bc_learn *learn, const struct bc_seen_key *key)
{
	struct bc_seen *const *found = tfind(key, &learn->tree, compare_keys);

	return found ? *found : NULL;
}

static int add_new(struct bc_learn *learn, const struct bc_seen_key *key, const char *by, struct bc_seen **ret)
{
	_cleanup_free_ struct bc_seen *seen = calloc(1, sizeof(*seen));
	_cleanup_free_ char *copy = by ? strdup(by) : NULL;

	if (!seen || (by && !copy) || bc_grow(&learn->seen, &learn->room, learn->n + 1))
		return -ENOMEM;
	seen->key = *key;
	if (!tsearch(seen, &learn->tree, compare_keys))
		return -ENOMEM;
	seen->by = TAKE_PTR(copy);
	*ret = learn->seen[learn->n++] = TAKE_PTR(seen);
	return 0;
}

/*
 * A bind to port 0 was let through, and then the port that the kernel chose was refused: it had been counted as one that
 * passed. Whether there was such a bind: a port that was asked for is decided a second time as well, and that is no news.
 */
static bool take_back(struct bc_learn *learn, struct bc_seen_key *key)
{
	struct bc_seen_key asked = *key;
	struct bc_seen *seen;

	asked.port = 0;
	asked.fate = BC_FATE_PASSED;
	asked.rule = 0;
	seen = find(learn, &asked);
	if (!seen || !seen->sightings.binds)
		return false;
	seen->sightings.binds--;
	learn->binds--;
	key->port = 0;
	return true;
}

int bc_learn_add(struct bc_learn *learn, const struct bc_event *event, const char *by)
{
	bool chosen = event->flags & BC_EVENT_CHOSEN;
	struct bc_sightings sightings = { .binds = 1, .first = event->time, .last = event->time, .nprograms = 1 };
	struct bc_seen_key key = key_of(event);
	struct bc_seen *seen;
	int r;

	if (event->kind == BC_EVENT_AUDIT || (chosen && event->kind != BC_EVENT_DENY))
		return 0;
	if (chosen && !take_back(learn, &key))
		return 0;
	learn->binds++;
	seen = find(learn, &key);
	if (!seen && learn->n == BC_LEARN_MAX) {
		learn->unkept++;
		return 0;
	}
	if (!seen) {
		r = add_new(learn, &key, key.fate == BC_FATE_PASSED ? NULL : by, &seen);
		if (r)
			return r;
	}
	seen->grant |= !(event->flags & BC_EVENT_PRIVILEGED) && !chosen;
	seen->foreign |= !(event->flags & BC_EVENT_HOST);
	seen->chosen |= chosen;
	sightings.ungranted = event->kind == BC_EVENT_KERNEL;
	memcpy(sightings.programs[0], event->comm, sizeof(event->comm));
	bc_sightings_add(&seen->sightings, &sightings);
	return 0;
}

static void add_program(struct bc_sightings *to, const char *name)
{
	for (unsigned i = 0; i < to->nprograms && i < BC_PROGRAMS; i++)
		if (!strcmp(to->programs[i], name))
			return;
	if (to->nprograms < BC_PROGRAMS)
		strcpy(to->programs[to->nprograms], name);
	if (to->nprograms <= BC_PROGRAMS)
		to->nprograms++;
}

void bc_sightings_add(struct bc_sightings *to, const struct bc_sightings *from)
{
	if (!to->binds || from->first < to->first)
		to->first = from->first;
	if (!to->binds || from->last > to->last)
		to->last = from->last;
	to->binds += from->binds;
	to->ungranted += from->ungranted;
	for (unsigned i = 0; i < from->nprograms && i < BC_PROGRAMS; i++)
		add_program(to, from->programs[i]);
	if (from->nprograms > BC_PROGRAMS)
		to->nprograms = BC_PROGRAMS + 1;
}
