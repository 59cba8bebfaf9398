// SPDX-License-Identifier: GPL-2.0-or-later
/* The two kinds of policies, and namespaces. */
#include <errno.h>
#include <string.h>

#include "agent/intent/object.h"

void bind_policy_done(struct bind_policy *policy)
{
	selector_done(&policy->pods);
	rules_done(&policy->rules);
	*policy = (struct bind_policy){};
}

void cluster_policy_done(struct cluster_policy *policy)
{
	selector_done(&policy->namespaces);
	selector_done(&policy->pods);
	rules_done(&policy->ceiling);
	rules_done(&policy->reserved);
	rules_done(&policy->rules);
	*policy = (struct cluster_policy){};
}

void ns_object_done(struct ns_object *ns)
{
	labels_done(&ns->labels);
}

bool bind_policy_equal(const struct bind_policy *a, const struct bind_policy *b)
{
	return a->audit == b->audit && selector_equal(&a->pods, &b->pods) && rules_equal(&a->rules, &b->rules);
}

bool cluster_policy_equal(const struct cluster_policy *a, const struct cluster_policy *b)
{
	return a->audit == b->audit && a->host_network == b->host_network && a->has_ceiling == b->has_ceiling &&
	       a->doubtful == b->doubtful && selector_equal(&a->namespaces, &b->namespaces) &&
	       selector_equal(&a->pods, &b->pods) && rules_equal(&a->ceiling, &b->ceiling) &&
	       rules_equal(&a->reserved, &b->reserved) && rules_equal(&a->rules, &b->rules);
}

bool ns_object_equal(const struct ns_object *a, const struct ns_object *b)
{
	return labels_equal(&a->labels, &b->labels);
}

int ns_object_parse(struct json_object *object, struct ns_object *ret, struct bc_error *reterr)
{
	const struct field root = field_root(object), metadata = field_member(&root, "metadata");
	const struct field labels = field_member(&metadata, "labels");

	return labels_parse(&labels, &ret->labels, reterr);
}

static int parse_mode(const struct field *spec, bool *ret_audit, struct bc_error *reterr)
{
	static const char *const words[] = { "Enforce", "Audit", NULL };
	const struct field field = field_member(spec, "mode");
	unsigned word = 0;
	int r = field.value ? field_word(&field, words, &word, reterr) : 0;

	*ret_audit = word;
	return r;
}

int bind_policy_parse(struct json_object *object, struct bind_policy *ret, struct bc_error *reterr)
{
	static const char *const members[] = { "podSelector", "mode", "rules", NULL };
	_cleanup_(bind_policy_done) struct bind_policy policy = {};
	const struct field root = field_root(object), spec = field_member(&root, "spec");
	const struct field pods = field_member(&spec, "podSelector"), rules = field_member(&spec, "rules");
	int r = field_only(&spec, members, reterr);

	r = r ?: parse_mode(&spec, &policy.audit, reterr);
	r = r ?: selector_parse(&pods, &policy.pods, reterr);
	r = r ?: rules_parse(&rules, RULES_OF_NAMESPACE, &policy.rules, reterr);
	if (r)
		return r;
	*ret = policy;
	policy = (struct bind_policy){};
	return 0;
}

/* Absent: all. */
static int parse_selector(const struct field *spec, const char *name, struct selector *ret, struct bc_error *reterr)
{
	const struct field field = field_member(spec, name);

	return field.value ? selector_parse(&field, ret, reterr) : 0;
}

static int parse_list(const struct field *spec, const char *name, enum rules_kind kind, struct rules *ret,
		      struct bc_error *reterr)
{
	const struct field field = field_member(spec, name);

	return field.value ? rules_parse(&field, kind, ret, reterr) : 0;
}

/* What can be read of a policy that cannot be read as a whole. 0 or -ENOMEM. */
static int salvage(const struct field *spec, struct cluster_policy *ret)
{
	_cleanup_(cluster_policy_done) struct cluster_policy policy = { .doubtful = true };
	const struct field reserved = field_member(spec, "reservedPorts"), rules = field_member(spec, "rules");

	(void)parse_mode(spec, &policy.audit, NULL);
	if (parse_selector(spec, "namespaceSelector", &policy.namespaces, NULL) == -ENOMEM ||
	    parse_selector(spec, "podSelector", &policy.pods, NULL) == -ENOMEM ||
	    rules_salvage(&reserved, RULES_RESERVED, &policy.reserved) ||
	    rules_salvage(&rules, RULES_OF_CLUSTER, &policy.rules))
		return -ENOMEM;
	*ret = policy;
	policy = (struct cluster_policy){};
	return 0;
}

int cluster_policy_parse(struct json_object *object, struct cluster_policy *ret, struct bc_error *reterr)
{
	static const char *const members[] = { "namespaceSelector", "podSelector", "ceiling", "allowHostNetwork",
					       "reservedPorts",	    "rules",	   "mode",    NULL };
	_cleanup_(cluster_policy_done) struct cluster_policy policy = {};
	const struct field root = field_root(object), spec = field_member(&root, "spec");
	const struct field ceiling = field_member(&spec, "ceiling"), host = field_member(&spec, "allowHostNetwork");
	int r = field_only(&spec, members, reterr);

	policy.has_ceiling = ceiling.value;
	r = r ?: parse_mode(&spec, &policy.audit, reterr);
	r = r ?: field_bool(&host, false, &policy.host_network, reterr);
	r = r ?: parse_selector(&spec, "namespaceSelector", &policy.namespaces, reterr);
	r = r ?: parse_selector(&spec, "podSelector", &policy.pods, reterr);
	r = r ?: parse_list(&spec, "ceiling", RULES_CEILING, &policy.ceiling, reterr);
	r = r ?: parse_list(&spec, "reservedPorts", RULES_RESERVED, &policy.reserved, reterr);
	r = r ?: parse_list(&spec, "rules", RULES_OF_CLUSTER, &policy.rules, reterr);
	if (r == -EINVAL)
		return salvage(&spec, ret) ? bc_fail(reterr, -ENOMEM, "out of memory") : -EBADMSG;
	if (r)
		return r;
	*ret = policy;
	policy = (struct cluster_policy){};
	return 0;
}
