/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent knows of the cluster: the pods, namespaces and policies that were last seen, each parsed and nothing
 * of them kept but what counts. An object that cannot be read is kept as its error, so that it is named as long as it
 * is there.
 */
#ifndef BINDCTL_AGENT_STATE_H
#define BINDCTL_AGENT_STATE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

enum state_kind {
	STATE_POD,
	STATE_NAMESPACE,
	STATE_BIND_POLICY,
	STATE_CLUSTER_POLICY,
	STATE_KINDS,
};

enum state_change {
	STATE_UNCHANGED = 0, /* nothing that counts: no work */
	STATE_CHANGED = 1,   /* intent_make() may say something else now, be it findings alone */
};

struct state;
struct pod;
struct ns_object;
struct bind_policy;
struct cluster_policy;

/* NULL without memory. */
struct state *state_new(void);
void state_free(struct state *state); /* takes NULL */

/* "Pod", "BindPolicy", ... */
const char *state_kind_name(enum state_kind kind);

/*
 * The object as it is now: added, or in the place of its last version. It is not kept. enum state_change, or -ENOMEM,
 * and all is as before. An object that is rejected is no failure: the findings of intent_make() name it.
 */
int state_set(struct state *state, enum state_kind kind, struct json_object *object);

/* Bytes of a namespace's BindPolicies, beyond which one that comes is rejected: the agent has memory for others, too. */
#define STATE_SHARE_MAX (8u << 20)
/* Of the labels of its pods, deleted ones included, beyond which those of one that comes are left out: it is doubtful. */
#define STATE_LABELS_MAX (1u << 20)

/* The object is gone; only its name counts. enum state_change. */
int state_remove(struct state *state, enum state_kind kind, struct json_object *object);

/*
 * Around the whole list of a kind: what was not set between the two is gone. A list that breaks off is just begun again,
 * and takes nothing away. state_end_list() gives an enum state_change.
 */
void state_begin_list(struct state *state, enum state_kind kind);
int state_end_list(struct state *state, enum state_kind kind);

/*
 * An object is there, but cannot be read at all: `why` is its error. A cluster policy goes on as it was last read, or is a
 * doubtful one that selects everything; a pod goes on as a doubtful one, and so does one that was never read, but whose
 * uid is known ("": it is not). Without its names it is as state_lost(). enum state_change, or -ENOMEM.
 */
int state_unreadable(struct state *state, enum state_kind kind, const char *namespace, const char *name,
		     const char *uid, const char *why);

/*
 * An object of the kind was too large to be read, and nobody knows which. A list that lacks one takes no cluster policy
 * and no pod away, for it may be that one; and of a cluster policy intent_make() takes it for one that may deny anything.
 * enum state_change.
 */
int state_lost(struct state *state, enum state_kind kind);

/* How many objects of the kind there are, rejected ones included. */
size_t state_count(const struct state *state, enum state_kind kind);

/* One object; for intent_make() and tests. */
struct state_entry {
	char *key; /* "NAMESPACE/NAME", or "NAME"; of a rejected object perhaps not a valid one */
	union {
		void *object; /* NULL: no version of it could be read. Of a cluster policy never, see its `doubtful` */
		struct pod *pod;
		struct ns_object *ns;
		struct bind_policy *policy;
		struct cluster_policy *cluster;
	};
	char *error; /* why it was rejected; NULL: it was not. With an object: its last readable version, or a doubtful one */
	bool seen;   /* in the list that is being read */
	bool absent; /* of a pod that is ending: no cgroup of it was there when last looked */
};

/* In order of their keys. NULL behind the last. */
const struct state_entry *state_at(const struct state *state, enum state_kind kind, size_t i);
/* The first whose key is not before `key`: those of one namespace stand together behind "NAMESPACE/". */
size_t state_lower(const struct state *state, enum state_kind kind, const char *key);
const struct state_entry *state_find(const struct state *state, enum state_kind kind, const char *key);
/* Of the kind, those that state_lost() counted in the last list or since. */
size_t state_lost_count(const struct state *state, enum state_kind kind);

/*
 * A pod's cgroup was found. If it is of no pod that is there or gone, one is gone of which nothing is known but the uid. enum
 * state_change.
 */
int state_leftover(struct state *state, const char *uid);

/*
 * Pods whose objects are gone, in the order in which they went; NULL behind the last. They stay until state_forget() is
 * told that nothing of one is there. The same is asked, and kept, of pods that are ending: thousands may be of those that
 * this node had no place for. enum state_change.
 */
const struct state_entry *state_gone_at(const struct state *state, size_t i);
int state_forget(struct state *state, bool (*is_there)(void *ctx, const struct pod *pod), void *ctx);

#endif
