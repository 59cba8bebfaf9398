/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cluster's objects as far as they count, out of JSON. Nothing in them is to be trusted: anyone may write a pod. */
#ifndef BINDCTL_AGENT_OBJECT_H
#define BINDCTL_AGENT_OBJECT_H

#include "agent/intent/podpath.h"
#include "agent/intent/rules.h"
#include "agent/intent/selector.h"

#define OBJECT_KEY_MAX 320 /* NAMESPACE/NAME and its NUL: 63 and 253 bytes at most */

#define OBJECT_PORTS "bindctl.io/ports"		    /* the annotation that narrows */
#define OBJECT_MIRROR "kubernetes.io/config.mirror" /* of what kubelet made of a manifest on the node */

struct pod {
	char id[PODPATH_UID_MAX + 1]; /* what its cgroup is named by: its uid, or the hash of a static pod */
	char *node;		      /* NULL: it is on none yet */
	enum pod_qos qos;
	bool finished; /* all of its containers have ended */
	bool ending; /* its phase says so, but nobody says that they do not: it is given nothing, and denied what it was */
	bool running; /* a container does, as was said last: there is a cgroup. Nothing to pod_equal() */
	bool host_network;
	bool own_users; /* uid 1000 inside is another one outside */
	/*
	 * Something about it is not as the API server would have it: it is given nothing, and every ClusterBindPolicy of
	 * its namespace is taken to select it.
	 */
	bool doubtful;
	bool narrowed;	      /* to what `narrow` holds */
	struct labels labels; /* none of one that has finished */
	struct rules narrow;
	char *narrow_error; /* why the annotation cannot be read; nothing is in `narrow` then */
};

struct ns_object {
	struct labels labels;
};

struct bind_policy {
	bool audit;
	struct selector pods;
	struct rules rules;
};

struct cluster_policy {
	bool audit;	   /* its rules and reserved ports; the ceiling holds all the same */
	bool host_network; /* the ceiling is for pods on the host's network, too */
	bool has_ceiling;  /* be it an empty one */
	/*
	 * Not all of it can be read: it may deny anything to the pods that it selects, so they are given nothing. What can
	 * be read of `reserved` and `rules` is there, no ceiling, and a selector that cannot be read selects everything.
	 */
	bool doubtful;
	struct selector namespaces, pods;
	struct rules ceiling, reserved, rules;
};

/*
 * "NAMESPACE/NAME", or "NAME" of what is in no namespace. -EINVAL with a sentence when that is no name for an object; the
 * key is the best there is then, for messages.
 */
int object_key(struct json_object *object, bool namespaced, char key[OBJECT_KEY_MAX], struct bc_error *reterr);

/*
 * 0; -ENOMEM; -EINVAL with the field and what is wrong with it, and nothing is returned. -EBADMSG: the same, but the pod
 * or the cluster policy is returned, as a doubtful one.
 */
int pod_parse(struct json_object *object, struct pod *ret, struct bc_error *reterr);
int ns_object_parse(struct json_object *object, struct ns_object *ret, struct bc_error *reterr);
int bind_policy_parse(struct json_object *object, struct bind_policy *ret, struct bc_error *reterr);
int cluster_policy_parse(struct json_object *object, struct cluster_policy *ret, struct bc_error *reterr);

void pod_done(struct pod *pod);
void ns_object_done(struct ns_object *ns);
void bind_policy_done(struct bind_policy *policy);
void cluster_policy_done(struct cluster_policy *policy);

/* About how many bytes it takes. */
size_t bind_policy_weight(const struct bind_policy *policy);

bool pod_equal(const struct pod *a, const struct pod *b);
bool ns_object_equal(const struct ns_object *a, const struct ns_object *b);
bool bind_policy_equal(const struct bind_policy *a, const struct bind_policy *b);
bool cluster_policy_equal(const struct cluster_policy *a, const struct cluster_policy *b);

#endif
