// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/intent/gone.h"
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
	struct gone gone;
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
	if (state)
		gone_done(&state->gone);
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

static bool same_object(enum state_kind kind, const void *a, const void *b)
{
	return a && b ? kinds[kind].equal(a, b) : a == b;
}

/* The object is there no more. */
static void retire(struct state *state, enum state_kind kind, struct state_entry *entry)
{
	if (kind == STATE_POD)
		gone_add(&state->gone, entry);
	entry_done(kind, entry);
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
	same = bc_same_text(entry->error, old->error) && (stands || same_object(kind, entry->object, old->object));
	if (stands) {
		free_object(kind, entry->object);
		entry->object = TAKE_PTR(old->object);
	}
	entry->absent = same && old->absent;
	/* Made anew under the name of another, or one of which nothing is left. */
	if (kind == STATE_POD && old->pod && (!entry->pod || strcmp(old->pod->id, entry->pod->id) != 0))
		retire(state, kind, old);
	else
		entry_done(kind, old);
	*old = *entry;
	return same ? STATE_UNCHANGED : STATE_CHANGED;
}

static size_t weight_of(enum state_kind kind, const struct state_entry *entry)
{
	if (!entry->object)
		return 0;
	return kind == STATE_POD ? entry->pod->labels.len : bind_policy_weight(entry->policy);
}

/* One of another id stays, as one that is gone. */
static bool is_replaced(enum state_kind kind, const struct state_entry *old, const struct state_entry *entry)
{
	return !strcmp(old->key, entry->key) &&
	       (kind != STATE_POD || !old->pod || !strcmp(old->pod->id, entry->pod->id));
}

/* What the entry and all others of its namespace take. */
static size_t weigh_namespace(const struct state *state, enum state_kind kind, const struct state_entry *entry)
{
	size_t len = strcspn(entry->key, "/") + 1, used = weight_of(kind, entry);
	char namespace[OBJECT_KEY_MAX];
	const struct state_entry *other;

	snprintf(namespace, sizeof(namespace), "%.*s", (int)len, entry->key);
	for (size_t i = state_lower(state, kind, namespace);
	     (other = state_at(state, kind, i)) && !strncmp(other->key, namespace, len); i++)
		used += is_replaced(kind, other, entry) ? 0 : weight_of(kind, other);
	/* One that is there again is gone no more. */
	for (size_t i = 0; kind == STATE_POD && (other = state_gone_at(state, i)); i++)
		if (!strncmp(other->key, namespace, len) && strcmp(other->pod->id, entry->pod->id) != 0)
			used += weight_of(kind, other);
	return used;
}

/* Rejects a BindPolicy if its namespace has enough of them. 0 or -ENOMEM. */
static int check_share(const struct state *state, struct state_entry *entry)
{
	if (weigh_namespace(state, STATE_BIND_POLICY, entry) <= STATE_SHARE_MAX)
		return 0;
	free_object(STATE_BIND_POLICY, TAKE_PTR(entry->object));
	if (asprintf(
		    &entry->error,
		    "the BindPolicies of its namespace take more than %u MiB: it is left out until it is written again",
		    STATE_SHARE_MAX >> 20) < 0)
		entry->error = NULL;
	return entry->error ? 0 : -ENOMEM;
}

/* Nothing is kept of it that takes room, and so anything selects it. */
static void drop_labels(struct pod *pod)
{
	labels_done(&pod->labels);
	pod->doubtful = true;
}

/* Makes a doubtful pod of one for whose labels there is no room. 0 or -ENOMEM. */
static int check_labels(const struct state *state, struct state_entry *entry)
{
	if (!entry->pod->labels.len || weigh_namespace(state, STATE_POD, entry) <= STATE_LABELS_MAX)
		return 0;
	drop_labels(entry->pod);
	if (!entry->error && asprintf(&entry->error,
				      "the labels of its namespace's pods take more than %u MiB: its own are left out "
				      "until it changes",
				      STATE_LABELS_MAX >> 20) < 0)
		entry->error = NULL;
	return entry->error ? 0 : -ENOMEM;
}

/* Whether it is the one that ended without a cgroup: of that no labels are kept. */
static bool is_absent(const struct state *state, const struct state_entry *entry)
{
	const struct state_entry *old = state_find(state, STATE_POD, entry->key);

	return old && old->absent && entry->pod->ending && !strcmp(old->pod->id, entry->pod->id);
}

/* Nobody's objects are to take the memory that is there for all. 0 or -ENOMEM, and the entry is let go. */
static int check_room(const struct state *state, enum state_kind kind, struct state_entry *entry)
{
	int r = 0;

	if (kind == STATE_BIND_POLICY && entry->policy)
		r = check_share(state, entry);
	else if (kind == STATE_POD && entry->pod)
		r = check_labels(state, entry);
	if (r)
		entry_done(kind, entry);
	return r;
}

int state_set(struct state *state, enum state_kind kind, struct json_object *object)
{
	struct state_entry entry;
	int r = read_entry(kind, object, &entry);

	if (!r && kind == STATE_POD && entry.pod && is_absent(state, &entry))
		drop_labels(entry.pod);
	r = r ?: check_room(state, kind, &entry);
	if (!r && kind == STATE_POD && entry.pod)
		gone_drop(&state->gone, entry.pod->id);
	/* Nobody is to undo what the cluster denies by a slip of the pen. */
	return r ?: put(state, kind, &entry, kind == STATE_CLUSTER_POLICY && entry.error);
}

/*
 * A pod of which nothing is known but its uid. It is on this node, or we would not be told of it; how it is made, and so
 * where its cgroup is, is all that it can be.
 */
static struct pod *unread_pod(const char *uid)
{
	struct pod *pod = podpath_uid_ok(uid) && strchr(uid, '-') ? calloc(1, sizeof(*pod)) : NULL;

	if (!pod)
		return NULL;
	snprintf(pod->id, sizeof(pod->id), "%s", uid);
	pod->qos = POD_QOS_CLASSES;
	pod->doubtful = pod->own_users = true;
	return pod;
}

/* Whether it is the pod of that uid, as far as can be told, that we know by this name. */
static bool is_known(const struct state *state, const char *key, const char *uid)
{
	const struct state_entry *entry = state_find(state, STATE_POD, key);

	if (!entry || !entry->pod)
		return false;
	/* A static one goes by its hash. */
	return !*uid || !strchr(entry->pod->id, '-') || !strcmp(entry->pod->id, uid);
}

int state_unreadable(struct state *state, enum state_kind kind, const char *namespace, const char *name,
		     const char *uid, const char *why)
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
	if (kind == STATE_POD && !is_known(state, key, uid))
		entry.pod = unread_pod(uid);
	if (kind == STATE_POD && entry.pod)
		gone_drop(&state->gone, uid);
	r = put(state, kind, &entry, kind == STATE_CLUSTER_POLICY || (kind == STATE_POD && !entry.pod));
	/* It is where it was, and may have become anything else: it is given nothing, and denied all. */
	if (kind == STATE_POD && find(state, kind, key, &at) && state->stores[kind].entries[at].pod)
		state->stores[kind].entries[at].pod->doubtful = true;
	return r;
}

static void remove_at(struct state *state, enum state_kind kind, size_t at)
{
	struct store *store = &state->stores[kind];

	retire(state, kind, &store->entries[at]);
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
		retire(state, kind, &store->entries[i]);
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

const struct state_entry *state_gone_at(const struct state *state, size_t i)
{
	return i < state->gone.n ? &state->gone.entries[i] : NULL;
}

static bool has_pod(const struct state_entry *entries, size_t n, const char *uid)
{
	for (size_t i = 0; i < n; i++)
		if (entries[i].pod && !strcmp(entries[i].pod->id, uid))
			return true;
	return false;
}

int state_leftover(struct state *state, const char *uid)
{
	const struct store *pods = &state->stores[STATE_POD];
	const size_t before = state->gone.n;
	struct state_entry entry = {};

	if (has_pod(pods->entries, pods->n, uid) || has_pod(state->gone.entries, before, uid))
		return STATE_UNCHANGED;
	entry.pod = unread_pod(uid);
	if (asprintf(&entry.key, "/%s", uid) < 0)
		entry.key = NULL;
	if (entry.key)
		gone_add(&state->gone, &entry);
	entry_done(STATE_POD, &entry);
	return state->gone.n == before ? STATE_UNCHANGED : STATE_CHANGED;
}

int state_forget(struct state *state, bool (*is_there)(void *ctx, const struct pod *pod), void *ctx)
{
	bool changed = gone_forget(&state->gone, is_there, ctx);

	for (size_t i = 0; i < state->stores[STATE_POD].n; i++) {
		struct state_entry *entry = &state->stores[STATE_POD].entries[i];
		bool absent = entry->pod && entry->pod->ending && !is_there(ctx, entry->pod);

		changed |= absent != entry->absent;
		entry->absent = absent;
		if (absent)
			drop_labels(entry->pod);
	}
	return changed ? STATE_CHANGED : STATE_UNCHANGED;
}
