// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/intent/object.h"
#include "agent/intent/state.h"

/* The objects of one kind, in order of their keys. */
struct store {
	struct state_entry *entries;
	size_t n, room;
	size_t lost;	     /* objects that were too large to be read, in the last list and since */
	size_t lost_in_list; /* since the list that is being read began */
};

struct state {
	struct store stores[STATE_KINDS];
};

/* The functions of one kind, as functions of any. */
#define FUNCTIONS(type)                                                                         \
	static int parse_##type(struct json_object *object, void *ret, struct bc_error *reterr) \
	{                                                                                       \
		return type##_parse(object, ret, reterr);                                       \
	}                                                                                       \
	static void done_##type(void *object)                                                   \
	{                                                                                       \
		type##_done(object);                                                            \
	}                                                                                       \
	static bool equal_##type(const void *a, const void *b)                                  \
	{                                                                                       \
		return type##_equal(a, b);                                                      \
	}

FUNCTIONS(pod)
FUNCTIONS(ns_object)
FUNCTIONS(bind_policy)
FUNCTIONS(cluster_policy)

#define KIND(type, name, namespaced)                                                           \
	{                                                                                      \
		name, namespaced, sizeof(struct type), parse_##type, done_##type, equal_##type \
	}

static const struct {
	const char *name;
	bool namespaced;
	size_t size;
	int (*parse)(struct json_object *object, void *ret, struct bc_error *reterr);
	void (*done)(void *object);
	bool (*equal)(const void *a, const void *b);
} kinds[] = {
	[STATE_POD] = KIND(pod, "Pod", true),
	[STATE_NAMESPACE] = KIND(ns_object, "Namespace", false),
	[STATE_BIND_POLICY] = KIND(bind_policy, "BindPolicy", true),
	[STATE_CLUSTER_POLICY] = KIND(cluster_policy, "ClusterBindPolicy", false),
};

const char *state_kind_name(enum state_kind kind)
{
	return kinds[kind].name;
}

static void free_object(enum state_kind kind, void *object)
{
	if (object)
		kinds[kind].done(object);
	free(object);
}

static void entry_done(enum state_kind kind, struct state_entry *entry)
{
	free(entry->key);
	free(entry->error);
	free_object(kind, entry->object);
}

struct state *state_new(void)
{
	return calloc(1, sizeof(struct state));
}

void state_free(struct state *state)
{
	for (enum state_kind kind = 0; state && kind < STATE_KINDS; kind++) {
		for (size_t i = 0; i < state->stores[kind].n; i++)
			entry_done(kind, &state->stores[kind].entries[i]);
		free(state->stores[kind].entries);
	}
	free(state);
}

size_t state_lower(const struct state *state, enum state_kind kind, const char *key)
{
	const struct store *store = &state->stores[kind];
	size_t first = 0, end = store->n;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (strcmp(store->entries[middle].key, key) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

/* Where the key is, or would have to be; whether it is. */
static bool find(const struct state *state, enum state_kind kind, const char *key, size_t *ret_at)
{
	*ret_at = state_lower(state, kind, key);
	return *ret_at < state->stores[kind].n && !strcmp(state->stores[kind].entries[*ret_at].key, key);
}

const struct state_entry *state_at(const struct state *state, enum state_kind kind, size_t i)
{
	return i < state->stores[kind].n ? &state->stores[kind].entries[i] : NULL;
}

const struct state_entry *state_find(const struct state *state, enum state_kind kind, const char *key)
{
	size_t at;

	return find(state, kind, key, &at) ? &state->stores[kind].entries[at] : NULL;
}

size_t state_count(const struct state *state, enum state_kind kind)
{
	return state->stores[kind].n;
}

size_t state_lost_count(const struct state *state, enum state_kind kind)
{
	return state->stores[kind].lost;
}

/* The object as an entry, with an object or an error, or both. 0 or -ENOMEM. */
static int read_entry(enum state_kind kind, struct json_object *object, struct state_entry *ret)
{
	char key[OBJECT_KEY_MAX];
	struct bc_error error;
	int r = object_key(object, kinds[kind].namespaced, key, &error);

	*ret = (struct state_entry){ .key = strdup(key), .object = calloc(1, kinds[kind].size), .seen = true };
	if (!ret->key || !ret->object)
		r = -ENOMEM;
	r = r ?: kinds[kind].parse(object, ret->object, &error);
	if (r && r != -ENOMEM) {
		ret->error = strdup(error.text);
		if (r != -EBADMSG && kind == STATE_CLUSTER_POLICY)
			ret->cluster->doubtful = true;
		else if (r != -EBADMSG)
			free(TAKE_PTR(ret->object));
		r = ret->error ? 0 : -ENOMEM;
	}
	if (r)
		entry_done(kind, ret);
	return r;
}

static int insert(struct store *store, size_t at, const struct state_entry *entry)
{
	if (bc_grow(&store->entries, &store->room, store->n + 1))
		return -ENOMEM;
	if (at < store->n)
		memmove(&store->entries[at + 1], &store->entries[at], (store->n - at) * sizeof(*store->entries));
	store->entries[at] = *entry;
	store->n++;
	return 0;
}

static bool same_error(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_object(enum state_kind kind, const void *a, const void *b)
{
	return a && b ? kinds[kind].equal(a, b) : a == b;
}

/* Whether there is a version of it that stands in for one that cannot be read. */
static bool can_stand(enum state_kind kind, const struct state_entry *entry)
{
	return entry->object && (kind != STATE_CLUSTER_POLICY || !entry->cluster->doubtful);
}

/*
 * Puts the entry in the place of the last one of its key, whose object, if it can, stands in for that of one that is `bad`.
 * Takes over what it owns, also where that fails.
 */
static int put(struct state *state, enum state_kind kind, struct state_entry *entry, bool bad)
{
	struct store *store = &state->stores[kind];
	struct state_entry *old;
	bool same, stands;
	size_t at;
	int r;

	if (!find(state, kind, entry->key, &at)) {
		r = insert(store, at, entry);
		if (r)
			entry_done(kind, entry);
		return r ?: STATE_CHANGED;
	}
	old = &store->entries[at];
	stands = bad && can_stand(kind, old);
	same = same_error(entry->error, old->error) && (stands || same_object(kind, entry->object, old->object));
	if (stands) {
		free_object(kind, entry->object);
		entry->object = TAKE_PTR(old->object);
	}
	entry_done(kind, old);
	*old = *entry;
	return same ? STATE_UNCHANGED : STATE_CHANGED;
}

int state_set(struct state *state, enum state_kind kind, struct json_object *object)
{
	struct state_entry entry;
	int r = read_entry(kind, object, &entry);

	/* Nobody is to undo what the cluster denies by a slip of the pen. */
	return r ?: put(state, kind, &entry, kind == STATE_CLUSTER_POLICY && entry.error);
}

int state_unreadable(struct state *state, enum state_kind kind, const char *namespace, const char *name,
		     const char *why)
{
	const bool namespaced = kinds[kind].namespaced;
	struct state_entry entry = { .seen = true };
	char key[OBJECT_KEY_MAX];
	size_t at;
	int r;

	if (!*name || (namespaced && !*namespace))
		return state_lost(state, kind);
	snprintf(key, sizeof(key), "%.63s%s%.253s", namespaced ? namespace : "", namespaced ? "/" : "", name);
	entry.key = strdup(key);
	entry.error = strdup(why);
	if (kind == STATE_CLUSTER_POLICY)
		entry.cluster = calloc(1, sizeof(*entry.cluster));
	if (!entry.key || !entry.error || (kind == STATE_CLUSTER_POLICY && !entry.cluster)) {
		entry_done(kind, &entry);
		return -ENOMEM;
	}
	if (kind == STATE_CLUSTER_POLICY)
		entry.cluster->doubtful = true;
	r = put(state, kind, &entry, kind == STATE_CLUSTER_POLICY || kind == STATE_POD);
	/* It is where it was, and may have become anything else: it is given nothing, and denied all. */
	if (kind == STATE_POD && find(state, kind, key, &at) && state->stores[kind].entries[at].pod)
		state->stores[kind].entries[at].pod->doubtful = true;
	return r;
}

static void remove_at(struct state *state, enum state_kind kind, size_t at)
{
	struct store *store = &state->stores[kind];

	entry_done(kind, &store->entries[at]);
	store->n--;
	if (at < store->n)
		memmove(&store->entries[at], &store->entries[at + 1], (store->n - at) * sizeof(*store->entries));
}

int state_remove(struct state *state, enum state_kind kind, struct json_object *object)
{
	char key[OBJECT_KEY_MAX];
	size_t at;

	object_key(object, kinds[kind].namespaced, key, NULL);
	if (!find(state, kind, key, &at))
		return STATE_UNCHANGED;
	remove_at(state, kind, at);
	return STATE_CHANGED;
}

void state_begin_list(struct state *state, enum state_kind kind)
{
	struct store *store = &state->stores[kind];

	store->lost_in_list = 0;
	for (size_t i = 0; i < store->n; i++)
		store->entries[i].seen = false;
}

int state_end_list(struct state *state, enum state_kind kind)
{
	struct store *store = &state->stores[kind];
	bool keeps = store->lost_in_list && (kind == STATE_POD || kind == STATE_CLUSTER_POLICY);
	int change = store->lost == store->lost_in_list ? STATE_UNCHANGED : STATE_CHANGED;
	size_t kept = 0;

	store->lost = store->lost_in_list;
	for (size_t i = 0; i < store->n; i++) {
		if (store->entries[i].seen || keeps) {
			store->entries[kept++] = store->entries[i];
			continue;
		}
		entry_done(kind, &store->entries[i]);
		change = STATE_CHANGED;
	}
	store->n = kept;
	return change;
}

int state_lost(struct state *state, enum state_kind kind)
{
	state->stores[kind].lost++;
	state->stores[kind].lost_in_list++;
	return STATE_CHANGED;
}
