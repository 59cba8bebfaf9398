// SPDX-License-Identifier: GPL-2.0-or-later
/* Names, and pods. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "agent/intent/object.h"

#define HASH_LEN 32 /* of a static pod: hexadecimal digits */

void pod_done(struct pod *pod)
{
	free(pod->node);
	free(pod->narrow_error);
	labels_done(&pod->labels);
	rules_done(&pod->narrow);
	*pod = (struct pod){};
}

bool pod_equal(const struct pod *a, const struct pod *b)
{
	return !strcmp(a->id, b->id) && bc_same_text(a->node, b->node) && a->qos == b->qos &&
	       a->finished == b->finished && a->ending == b->ending && a->host_network == b->host_network &&
	       a->own_users == b->own_users && a->doubtful == b->doubtful && a->narrowed == b->narrowed &&
	       labels_equal(&a->labels, &b->labels) && rules_equal(&a->narrow, &b->narrow) &&
	       bc_same_text(a->narrow_error, b->narrow_error);
}

/* What a name may be made of, whichever kind: small letters, digits, '-' and, where `dots`, '.'; ends in none of these. */
static bool is_name(const char *name, size_t max, bool dots)
{
	size_t len = strlen(name);

	if (!len || len > max || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != len)
		return false;
	return !strchr("-.", name[0]) && !strchr("-.", name[len - 1]) && (dots || !strchr(name, '.'));
}

static int check_name(const struct field *field, size_t max, bool dots, const char **ret, struct bc_error *reterr)
{
	char shown[FIELD_SHOWN];
	int r = field_string(field, ret, reterr);

	if (r)
		*ret = "?";
	else if (!is_name(*ret, max, dots))
		r = field_fail(field, reterr, "'%s' is not a name", field_show(shown, *ret));
	return r;
}

int object_key(struct json_object *object, bool namespaced, char key[OBJECT_KEY_MAX], struct bc_error *reterr)
{
	const struct field root = field_root(object), metadata = field_member(&root, "metadata");
	const struct field name_field = field_member(&metadata, "name"),
			   namespace_field = field_member(&metadata, "namespace");
	const char *name, *namespace = "";
	int r = check_name(&name_field, 253, true, &name, reterr);

	if (namespaced) {
		int bad = check_name(&namespace_field, 63, false, &namespace, r ? NULL : reterr);

		r = r ?: bad;
	}
	snprintf(key, OBJECT_KEY_MAX, "%.63s%s%.253s", namespace, namespaced ? "/" : "", name);
	return r;
}

static bool is_hash(const char *text)
{
	return strlen(text) == HASH_LEN && strspn(text, "0123456789abcdef") == HASH_LEN;
}

/* Whether the node that the pod is on owns it, as it does the mirror of a static pod. */
static bool is_of_node(const struct field *metadata, const char *node)
{
	const struct field owners = field_member(metadata, "ownerReferences");
	size_t n = json_object_is_type(owners.value, json_type_array) ? json_object_array_length(owners.value) : 0;

	for (size_t i = 0; node && i < n; i++) {
		const struct field owner = field_element(&owners, i);
		const struct field kind = field_member(&owner, "kind"), name = field_member(&owner, "name");
		const char *kind_text, *name_text;

		if (!field_string(&kind, &kind_text, NULL) && !field_string(&name, &name_text, NULL) &&
		    !strcmp(kind_text, "Node") && !strcmp(name_text, node))
			return true;
	}
	return false;
}

/* The name of the pod's cgroup. Whoever may make pods must not get one that is another pod's. */
static int parse_id(const struct field *metadata, struct pod *pod, struct bc_error *reterr)
{
	const struct field uid = field_member(metadata, "uid");
	const struct field annotations = field_member(metadata, "annotations");
	const struct field mirror = field_member(&annotations, OBJECT_MIRROR);
	char shown[FIELD_SHOWN];
	const char *id;
	int r = field_string(&uid, &id, reterr);

	if (!r && !podpath_uid_ok(id))
		r = field_fail(&uid, reterr, "'%s' is not a uid", field_show(shown, id));
	/* A hash has no dashes, a uid of the API server's has: neither can be taken for the other. */
	if (!r && is_hash(id))
		r = field_fail(&uid, reterr, "'%s' is the hash of a static pod", id);
	if (r)
		return r;
	snprintf(pod->id, sizeof(pod->id), "%s", id);
	if (!mirror.value)
		return 0;
	if (field_string(&mirror, &id, reterr) || !is_hash(id) || !is_of_node(metadata, pod->node)) {
		field_fail(&mirror, reterr,
			   "the pod is not its node's, or this is no hash: it is not taken for a static pod");
		return -EBADMSG;
	}
	snprintf(pod->id, sizeof(pod->id), "%s", id);
	return 0;
}

static int parse_annotation(const struct field *metadata, struct pod *pod, struct bc_error *reterr)
{
	const struct field annotations = field_member(metadata, "annotations");
	const struct field field = field_member(&annotations, OBJECT_PORTS);
	char text[160] = "is not a string, or has a NUL in it";
	const char *list;
	int r = -EINVAL;

	if (!field.value)
		return 0;
	pod->narrowed = true;
	if (!field_string(&field, &list, NULL))
		r = rules_parse_list(list, &pod->narrow, text, sizeof(text));
	if (r == -EINVAL) {
		pod->narrow_error = strdup(text);
		r = pod->narrow_error ? 0 : -ENOMEM;
	}
	return r ? bc_fail(reterr, r, "out of memory") : 0;
}

/*
 * Whether a container may still run. A pod can be Failed long before that: when it is evicted, or its time is over, an
 * older kubelet says so at once, and then gives it the time that its author has asked for. One that was waiting when that
 * kubelet last looked may be running.
 */
static bool may_run(const struct field *status)
{
	static const char *const lists[] = { "containerStatuses", "initContainerStatuses",
					     "ephemeralContainerStatuses" };
	size_t told = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct field list = field_member(status, lists[i]);
		size_t n = json_object_is_type(list.value, json_type_array) ? json_object_array_length(list.value) : 0;

		for (size_t k = 0; k < n; k++) {
			const struct field container = field_element(&list, k);
			const struct field state = field_member(&container, "state");

			if (!field_member(&state, "terminated").value)
				return true;
		}
		told += n;
	}
	return !told;
}

/* Whether a container is said to run. */
static bool is_running(const struct field *status)
{
	const struct field list = field_member(status, "containerStatuses");
	size_t n = json_object_is_type(list.value, json_type_array) ? json_object_array_length(list.value) : 0;

	for (size_t i = 0; i < n; i++) {
		const struct field container = field_element(&list, i), state = field_member(&container, "state");

		if (field_member(&state, "running").value)
			return true;
	}
	return false;
}

/* What the API server and the scheduler have made of it. */
static int parse_place(const struct field *root, struct pod *pod, struct bc_error *reterr)
{
	static const char *const classes[] = { "Guaranteed", "Burstable", "BestEffort" };
	const struct field spec = field_member(root, "spec"), status = field_member(root, "status");
	const struct field node_field = field_member(&spec, "nodeName");
	const struct field qos_field = field_member(&status, "qosClass"), phase_field = field_member(&status, "phase");
	const struct field host = field_member(&spec, "hostNetwork"), users = field_member(&spec, "hostUsers");
	const char *node, *qos, *phase;
	bool host_users;
	int r = field_want(&spec, json_type_object, reterr);

	r = r ?: field_optional(&node_field, &node, reterr);
	r = r ?: field_optional(&qos_field, &qos, reterr);
	r = r ?: field_optional(&phase_field, &phase, reterr);
	r = r ?: field_bool(&host, false, &pod->host_network, reterr);
	r = r ?: field_bool(&users, true, &host_users, reterr);
	if (r)
		return r;
	pod->qos = POD_GUARANTEED;
	while (pod->qos < POD_QOS_CLASSES && !bc_same_text(classes[pod->qos], qos))
		pod->qos++;
	if (bc_same_text(phase, "Succeeded") || bc_same_text(phase, "Failed"))
		*(may_run(&status) ? &pod->ending : &pod->finished) = true;
	pod->running = is_running(&status);
	pod->own_users = !host_users;
	pod->node = node ? strdup(node) : NULL;
	return node && !pod->node ? bc_fail(reterr, -ENOMEM, "out of memory") : 0;
}

int pod_parse(struct json_object *object, struct pod *ret, struct bc_error *reterr)
{
	_cleanup_(pod_done) struct pod pod = {};
	const struct field root = field_root(object), metadata = field_member(&root, "metadata");
	const struct field labels = field_member(&metadata, "labels");
	int doubt = 0, r = parse_place(&root, &pod, reterr);

	r = r ?: parse_id(&metadata, &pod, reterr);
	if (r == -EBADMSG) {
		doubt = r;
		r = 0;
	}
	/* The first thing that is wrong is told. */
	r = r ?: labels_parse(&labels, &pod.labels, doubt ? NULL : reterr);
	if (r == -EINVAL && *pod.id) {
		doubt = -EBADMSG;
		r = 0;
	}
	r = r ?: parse_annotation(&metadata, &pod, doubt ? NULL : reterr);
	if (r)
		return r;
	pod.doubtful = doubt;
	/* Nothing selects it. */
	if (pod.finished)
		labels_done(&pod.labels);
	*ret = pod;
	pod = (struct pod){};
	return doubt;
}
