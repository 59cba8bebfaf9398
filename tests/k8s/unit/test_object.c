// SPDX-License-Identifier: GPL-2.0-or-later
/* What is read of objects, and what is said of those that cannot be read. */
#include "cluster.h"

typedef int parse_fn(struct json_object *object, struct bc_error *error);

static int parse_pod(struct json_object *object, struct bc_error *error)
{
	_cleanup_(pod_done) struct pod pod = {};

	return pod_parse(object, &pod, error);
}

static int parse_ns(struct json_object *object, struct bc_error *error)
{
	_cleanup_(ns_object_done) struct ns_object ns = {};

	return ns_object_parse(object, &ns, error);
}

static int parse_bind(struct json_object *object, struct bc_error *error)
{
	_cleanup_(bind_policy_done) struct bind_policy policy = {};

	return bind_policy_parse(object, &policy, error);
}

static int parse_cluster(struct json_object *object, struct bc_error *error)
{
	_cleanup_(cluster_policy_done) struct cluster_policy policy = {};

	return cluster_policy_parse(object, &policy, error);
}

#define RULE(rest) "{'spec': {'podSelector': {}, 'rules': [{'action': 'Grant', 'ports': [443]" rest "}]}}"
#define PORTS(ports) "{'spec': {'podSelector': {}, 'rules': [{'action': 'Grant', 'ports': " ports "}]}}"
#define REWRITE(to) "{'spec': {'podSelector': {}, 'rules': [{'action': 'Rewrite', 'ports': [443], 'to': " to "}]}}"

struct bad {
	const char *text, *said;
};

static void assert_bad(parse_fn *parse, const struct bad *cases, size_t n, int code)
{
	for (size_t i = 0; i < n; i++) {
		struct json_object *object = json(cases[i].text);
		struct bc_error error = {};

		if (parse(object, &error) != code)
			fail_msg("taken: %s", cases[i].text);
		json_object_put(object);
		if (!strstr(error.text, cases[i].said))
			fail_msg("'%s' does not contain '%s', of %s", error.text, cases[i].said, cases[i].text);
	}
}

static const struct bad bad_policies[] = {
	{ "{}", "spec: is missing" },
	{ "[]", "spec: is missing" },
	{ "{'spec': []}", "spec: is a list, not an object" },
	{ "{'spec': {'rules': []}}", "spec.podSelector: is missing" },
	{ "{'spec': {'podSelector': {}}}", "spec.rules: is missing" },
	{ "{'spec': {'podSelector': {}, 'rules': []}}", "spec.rules: is empty" },
	{ "{'spec': {'podSelector': {}, 'rules': {}}}", "spec.rules: is an object, not a list" },
	{ "{'spec': {'podSelector': {}, 'rules': [null]}}", "spec.rules[0]: is missing" },
	{ "{'spec': {'podSelector': {}, 'rule': []}}", "spec: the member 'rule' is not known" },
	{ "{'spec': {'podSelector': {}, 'mode': 'enforce', 'rules': []}}",
	  "spec.mode: 'enforce' is not Enforce or Audit" },
	{ "{'spec': {'podSelector': {}, 'mode': 1, 'rules': []}}", "spec.mode: is a whole number, not a string" },
	{ "{'spec': {'podSelector': {}, 'rules': [{'ports': [1]}]}}", "spec.rules[0].action: is missing" },
	{ "{'spec': {'podSelector': {}, 'rules': [{'action': 'Permit', 'ports': [1]}]}}",
	  "spec.rules[0].action: 'Permit' is not Grant, Allow, Deny or Rewrite" },
	{ "{'spec': {'podSelector': {}, 'rules': [{'action': 'Grant'}]}}", "spec.rules[0].ports: is missing" },
	{ PORTS("[]"), "spec.rules[0].ports: is empty" },
	{ PORTS("443"), "spec.rules[0].ports: is a whole number, not a list" },
	{ PORTS("[443, 70000]"), "spec.rules[0].ports[1]: port 70000 is out of range (1 to 65535)" },
	{ PORTS("['70000']"), "spec.rules[0].ports[0]: port 70000 is out of range (1 to 65535)" },
	{ PORTS("[-1]"), "spec.rules[0].ports[0]: port -1 is out of range (1 to 65535)" },
	{ PORTS("[99999999999999999999]"), "is out of range" },
	{ PORTS("['99999999999999999999999999999999999999']"), "is out of range" },
	{ PORTS("[0]"), "port 0 lets the kernel choose" },
	{ PORTS("['0']"), "port 0 lets the kernel choose" },
	{ PORTS("['0-5']"), "port 0 lets the kernel choose" },
	{ PORTS("['8100-8000']"), "spec.rules[0].ports[0]: the port range 8100-8000 runs backwards" },
	{ PORTS("['80-']"), "'' is not a port number (1 to 65535), a range such as 8000-8100, or any" },
	{ PORTS("['-80']"), "'-80' is not a port" },
	{ PORTS("['1-2-3']"), "'2-3' is not a port" },
	{ PORTS("['']"), "'' is not a port" },
	{ PORTS("['any ']"), "'any ' is not a port" },
	{ PORTS("['+1']"), "'+1' is not a port" },
	{ PORTS("['0x50']"), "'0x50' is not a port" },
	{ PORTS("['80\\ngrant port any']"), "'80\\x0agrant port any' is not a port" },
	{ PORTS("['80\\u0000']"), "has a NUL in it" },
	{ PORTS("['\xff']"), "'\\xff' is not a port" },
	{ PORTS("[80.0]"), "spec.rules[0].ports[0]: is neither a port nor a string" },
	{ PORTS("[true]"), "is neither a port nor a string" },
	{ PORTS("[null]"), "spec.rules[0].ports[0]: is missing" },
	{ PORTS("[[80]]"), "is neither a port nor a string" },
	{ RULE(", 'protocol': 'SCTP'"), "spec.rules[0].protocol: 'SCTP' is not TCP or UDP" },
	{ RULE(", 'protocol': 'tcp'"), "spec.rules[0].protocol: 'tcp' is not TCP or UDP" },
	{ RULE(", 'addresses': []"), "spec.rules[0].addresses: is empty" },
	{ RULE(", 'addresses': '10.0.0.1'"), "spec.rules[0].addresses: is a string, not a list" },
	{ RULE(", 'addresses': ['10.0.0.1/8']"), "did you mean 10.0.0.0/8?" },
	{ RULE(", 'addresses': ['10.0.0.0/33']"), "prefix length '33'" },
	{ RULE(", 'addresses': ['::1', 'localhost']"), "spec.rules[0].addresses[1]: 'localhost' is not an IPv4" },
	{ RULE(", 'addresses': ['10.0.0.1\\n']"), "'10.0.0.1\\x0a' is not an IPv4" },
	{ RULE(", 'addresses': ['\xff\xfe']"), "'\\xff\\xfe' is not an IPv4" },
	{ RULE(", 'runAsUser': -1"), "spec.rules[0].runAsUser: -1 is below 0" },
	{ RULE(", 'runAsUser': 4294967295"), "spec.rules[0].runAsUser: 4294967295 is above 4294967294" },
	{ RULE(", 'runAsUser': 'root'"), "spec.rules[0].runAsUser: is a string, not a whole number" },
	{ RULE(", 'runAsUser': 1000.5"), "spec.rules[0].runAsUser: is a fraction, not a whole number" },
	{ RULE(", 'user': 'root'"), "spec.rules[0]: the member 'user' is not known" },
	{ RULE(", 'to': {'port': 80}"), "spec.rules[0].to: is for the action Rewrite alone" },
	{ REWRITE("null"), "spec.rules[0].to: is missing" },
	{ REWRITE("{}"), "spec.rules[0].to: has neither an address nor a port" },
	{ REWRITE("{'hidden': true}"), "has neither an address nor a port" },
	{ REWRITE("{'port': 0}"), "a rewrite leads to a port from 1 to 65535" },
	{ REWRITE("{'port': 65536}"), "spec.rules[0].to.port: 65536 is above 65535" },
	{ REWRITE("{'port': '80'}"), "spec.rules[0].to.port: is a string, not a whole number" },
	{ REWRITE("{'address': '10.0.0.0/8'}"), "one address, not to a prefix" },
	{ REWRITE("{'address': '10.0.0.0/32'}"), "one address, not to a prefix" },
	{ REWRITE("{'address': 'x'}"), "spec.rules[0].to.address: 'x' is not an IPv4" },
	{ REWRITE("{'port': 80, 'hidden': 1}"), "spec.rules[0].to.hidden: is a whole number, not true or false" },
	{ REWRITE("{'port': 80, 'host': 'x'}"), "spec.rules[0].to: the member 'host' is not known" },
};

static void bad_bind_policy_is_refused_with_its_field(void **unused)
{
	(void)unused;
	assert_bad(parse_bind, bad_policies, ARRAY_SIZE(bad_policies), -EINVAL);
}

static void bad_cluster_policy_is_refused_with_its_field(void **unused)
{
	static const struct bad cases[] = {
		{ "{'spec': {'rules': [{'action': 'Grant', 'ports': [1]}]}}",
		  "spec.rules[0].action: 'Grant' is not Deny" },
		{ "{'spec': {'rules': [{'action': 'Deny', 'ports': [1], 'to': {}}]}}", "the member 'to' is not known" },
		{ "{'spec': {'ceiling': {}}}", "spec.ceiling: is an object, not a list" },
		{ "{'spec': {'ceiling': [{}]}}", "spec.ceiling[0].ports: is missing" },
		{ "{'spec': {'ceiling': [{'ports': [1], 'runAsUser': 0}]}}", "the member 'runAsUser' is not known" },
		{ "{'spec': {'ceiling': [{'ports': [1], 'action': 'Deny'}]}}", "the member 'action' is not known" },
		{ "{'spec': {'allowHostNetwork': 'true'}}", "spec.allowHostNetwork: is a string, not true or false" },
		{ "{'spec': {'reservedPorts': [{'ports': ['any']}]}}",
		  "spec.reservedPorts[0].ports: 'any' would leave no port" },
		{ "{'spec': {'reservedPorts': [{'ports': [1], 'addresses': ['::1']}]}}",
		  "spec.reservedPorts[0]: the member 'addresses' is not known" },
		{ "{'spec': {'namespaceSelector': {'matchLabels': {'a': 'b c'}}}}",
		  "spec.namespaceSelector.matchLabels: 'b c' is not a label's value" },
		{ "{'spec': {'podSelector': 1}}", "spec.podSelector: is a whole number, not an object" },
		{ "{'spec': {'mode': 'Off'}}", "spec.mode: 'Off' is not Enforce or Audit" },
		{ "{'spec': {'ceilings': []}}", "the member 'ceilings' is not known" },
		{ "{'spec': null}", "spec: is missing" },
	};

	(void)unused;
	assert_bad(parse_cluster, cases, ARRAY_SIZE(cases), -EBADMSG);
}

#define BAD_POD(metadata, spec) "{'metadata': {" metadata "}, 'spec': {'nodeName': 'n1'" spec "}}"
#define GOOD_UID "'uid': '" UID_OF(1) "'"

static void bad_pod_is_refused_with_its_field(void **unused)
{
	static const struct bad refused[] = {
		{ "{}", "spec: is missing" },
		{ BAD_POD("", ""), "metadata.uid: is missing" },
		{ BAD_POD("'uid': 7", ""), "metadata.uid: is a whole number, not a string" },
		{ BAD_POD("'uid': '../../system.slice'", ""), "metadata.uid: '../../system.slice' is not a uid" },
		{ BAD_POD("'uid': 'a/b'", ""), "is not a uid" },
		{ BAD_POD("'uid': 'a b'", ""), "is not a uid" },
		{ BAD_POD("'uid': 'a\\nb'", ""), "'a\\x0ab' is not a uid" },
		{ BAD_POD("'uid': 'a\\u0000b'", ""), "has a NUL in it" },
		{ BAD_POD("'uid': ''", ""), "'' is not a uid" },
		{ BAD_POD("'uid': '\xc3\x28'", ""), "is not a uid" },
		{ BAD_POD("'uid': '0123456789abcdef0123456789abcdef'", ""), "is the hash of a static pod" },
		{ BAD_POD(GOOD_UID, ", 'hostNetwork': 'true'"), "spec.hostNetwork: is a string, not true or false" },
		{ BAD_POD(GOOD_UID, ", 'hostUsers': 0"), "spec.hostUsers: is a whole number, not true or false" },
		{ "{'metadata': {" GOOD_UID "}, 'spec': {'nodeName': 5}}", "spec.nodeName: is a whole number" },
		{ "{'metadata': {" GOOD_UID "}, 'spec': {}, 'status': {'phase': []}}", "status.phase: is a list" },
		{ "{'metadata': {" GOOD_UID "}, 'spec': {}, 'status': {'qosClass': {}}}",
		  "status.qosClass: is an object" },
	};
	/* Whose identity is sure, though. */
	static const struct bad doubtful[] = {
		{ BAD_POD(GOOD_UID ", 'labels': []", ""), "metadata.labels: is a list, not an object" },
		{ BAD_POD(GOOD_UID ", 'labels': {'a': 1}", ""), "metadata.labels: is a whole number, not a string" },
		{ BAD_POD(GOOD_UID ", 'labels': {'a': 'b\\nc'}", ""), "'b\\x0ac' is not a label's value" },
		{ BAD_POD(GOOD_UID ", 'labels': {'a b': 'c'}", ""), "'a b' is not a label's key" },
		{ BAD_POD(GOOD_UID ", 'annotations': {'" OBJECT_MIRROR "': '0123456789abcdef0123456789abcdef'}", ""),
		  "metadata.annotations.kubernetes.io/config.mirror: the pod is not its node's" },
	};

	(void)unused;
	assert_bad(parse_pod, refused, ARRAY_SIZE(refused), -EINVAL);
	assert_bad(parse_pod, doubtful, ARRAY_SIZE(doubtful), -EBADMSG);
}

static void oversized_lists_and_labels_are_refused(void **unused)
{
	_cleanup_(bc_text_done) struct bc_text rules = {}, ports = {}, labels = {}, pairs = {};
	struct bad cases[3];

	(void)unused;
	for (int i = 0; i < 65; i++) {
		bc_text_addf(&rules, "%s{'action': 'Grant', 'ports': [1]}",
			     i ? ", " : "{'spec': {'podSelector': {}, 'rules': [");
		bc_text_addf(&ports, "%s%d",
			     i ? ", " : "{'spec': {'podSelector': {}, 'rules': [{'action': 'Deny', 'ports': [", i + 1);
	}
	bc_text_addf(&rules, "]}}");
	bc_text_addf(&ports, "]}]}}");
	for (int i = 0; i < 17; i++) {
		bc_text_addf(&pairs, "%s{'action': 'Grant', 'addresses': ['10.0.0.1', '10.0.0.2'], 'ports': [",
			     i ? ", " : "{'spec': {'podSelector': {}, 'rules': [");
		for (int k = 0; k < 64; k++)
			bc_text_addf(&pairs, "%s%d", k ? ", " : "", 2 * k + 1);
		bc_text_addf(&pairs, "]}");
	}
	bc_text_addf(&pairs, "]}}");
	cases[0] = (struct bad){ rules.data, "spec.rules: has 65 elements, and may have 64" };
	cases[1] = (struct bad){ ports.data, "spec.rules[0].ports: has 65 elements, and may have 64" };
	cases[2] = (struct bad){ pairs.data, "spec.rules: has 2176 pairs of a port range and an address" };
	assert_bad(parse_bind, cases, ARRAY_SIZE(cases), -EINVAL);
	for (int i = 0; i < 2000; i++)
		bc_text_addf(&labels, "%s'l%d': 'a12345678901234567890123456789012345678901234567890'",
			     i ? ", " : "{'metadata': {" GOOD_UID ", 'labels': {", i);
	bc_text_addf(&labels, "}}, 'spec': {}}");
	assert_bad(parse_pod, &(struct bad){ labels.data, "metadata.labels: has more than 65536 bytes" }, 1, -EBADMSG);
}

static void names_are_checked(void **unused)
{
	static const struct {
		const char *text, *key, *said;
	} cases[] = {
		{ "{}", "?/?", "metadata.name: is missing" },
		{ "{'metadata': {'namespace': 'a'}}", "a/?", "metadata.name: is missing" },
		{ "{'metadata': {'name': 'a'}}", "?/a", "metadata.namespace: is missing" },
		{ "{'metadata': {'name': 'a/b', 'namespace': 'c'}}", "c/a/b", "'a/b' is not a name" },
		{ "{'metadata': {'name': 'a\\nb', 'namespace': 'c'}}", "c/a\nb", "'a\\x0ab' is not a name" },
		{ "{'metadata': {'name': 'a\\u0000b', 'namespace': 'c'}}", "c/?", "has a NUL in it" },
		{ "{'metadata': {'name': '\xff', 'namespace': 'c'}}", "c/\xff", "'\\xff' is not a name" },
		{ "{'metadata': {'name': 'A', 'namespace': 'c'}}", "c/A", "'A' is not a name" },
		{ "{'metadata': {'name': '-a', 'namespace': 'c'}}", "c/-a", "is not a name" },
		{ "{'metadata': {'name': '', 'namespace': 'c'}}", "c/", "'' is not a name" },
		{ "{'metadata': {'name': 'a', 'namespace': 'c.d'}}", "c.d/a",
		  "metadata.namespace: 'c.d' is not a name" },
		{ "{'metadata': {'name': 3, 'namespace': 'c'}}", "c/?", "metadata.name: is a whole number" },
	};
	char key[OBJECT_KEY_MAX];
	struct json_object *object;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bc_error error = {};

		object = json(cases[i].text);
		assert_int_equal(object_key(object, true, key, &error), -EINVAL);
		assert_string_equal(key, cases[i].key);
		assert_contains(error.text, cases[i].said);
		json_object_put(object);
	}
	object = json("{'metadata': {'name': 'a.b-1', 'namespace': 'c-d'}}");
	assert_int_equal(object_key(object, true, key, NULL), 0);
	assert_string_equal(key, "c-d/a.b-1");
	assert_int_equal(object_key(object, false, key, NULL), 0);
	assert_string_equal(key, "a.b-1");
	json_object_put(object);
}

static void annotation_is_a_list_of_ports(void **unused)
{
	static const struct {
		const char *list, *said; /* NULL: good */
		unsigned n;
	} cases[] = {
		{ "443", NULL, 1 },
		{ "443/tcp,8000-8100", NULL, 2 },
		{ " 443/TCP , 53/udp ", NULL, 2 },
		{ "any", NULL, 1 },
		{ "", "'' is not a port", 0 },
		{ "443,", "'' is not a port", 0 },
		{ "443;80", "'443;80' is not a port", 0 },
		{ "443/sctp", "stands tcp or udp", 0 },
		{ "443/", "stands tcp or udp", 0 },
		{ "tcp:443", "is not a port", 0 },
		{ "70000", "port 70000 is out of range", 0 },
		{ "5-4", "runs backwards", 0 },
		{ "443\\n80", "is not a port", 0 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(pod_done) struct pod pod = {};
		_cleanup_free_ char *text = NULL;
		struct json_object *object;

		assert_true(asprintf(&text, BAD_POD(GOOD_UID ", 'annotations': {'" OBJECT_PORTS "': '%s'}", ""),
				     cases[i].list) > 0);
		object = json(text);
		assert_int_equal(pod_parse(object, &pod, NULL), 0);
		assert_true(pod.narrowed);
		assert_int_equal(pod.narrow.n, cases[i].n);
		if (cases[i].said)
			assert_contains(pod.narrow_error, cases[i].said);
		else
			assert_null(pod.narrow_error);
		json_object_put(object);
	}
}

static void static_pod_has_the_hash_of_its_manifest(void **unused)
{
	static const char text[] =
		"{'metadata': {" GOOD_UID ", 'annotations': {'" OBJECT_MIRROR "': '0123456789abcdef0123456789abcdef'}, "
		"'ownerReferences': [{'kind': 'Node', 'name': '%s'}]}, 'spec': {'nodeName': 'n1'}}";
	static const struct {
		const char *owner, *id;
		int code;
	} cases[] = { { "n1", "0123456789abcdef0123456789abcdef", 0 }, { "n2", UID_OF(1), -EBADMSG } };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(pod_done) struct pod pod = {};
		_cleanup_free_ char *whole = NULL;
		struct json_object *object;

		assert_true(asprintf(&whole, text, cases[i].owner) > 0);
		object = json(whole);
		assert_int_equal(pod_parse(object, &pod, NULL), cases[i].code);
		assert_string_equal(pod.id, cases[i].id);
		assert_int_equal(pod.doubtful, cases[i].code != 0);
		json_object_put(object);
	}
}

/* Puts other values in the place of each member and element, one after another, and gives the whole to the parser. */
static size_t disturb(struct json_object *whole, struct json_object *part, parse_fn *parse)
{
	static const char *const values[] = {
		"null",	       "true", "1",	 "-1",	 "1e9", "9223372036854775808", "\"\"", "\"x\"", "\"\\u0000\"",
		"\"\\ud800\"", "[]",   "[null]", "[[]]", "{}",	"{\"a\":{}}"
	};
	bool is_array = json_object_is_type(part, json_type_array);
	size_t n = 0;

	if (is_array) {
		for (size_t i = 0; i < json_object_array_length(part); i++) {
			struct json_object *old = json_object_get(json_object_array_get_idx(part, i));

			for (size_t k = 0; k < ARRAY_SIZE(values); k++, n++) {
				struct bc_error error = {};

				json_object_array_put_idx(part, i, json_tokener_parse(values[k]));
				assert_true(!parse(whole, &error) || *error.text);
			}
			json_object_array_put_idx(part, i, old);
			n += disturb(whole, old, parse);
		}
	} else if (json_object_is_type(part, json_type_object)) {
		struct json_object_iterator at = json_object_iter_begin(part), end = json_object_iter_end(part);

		for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
			_cleanup_free_ char *name = strdup(json_object_iter_peek_name(&at));
			struct json_object *old = json_object_get(json_object_iter_peek_value(&at));

			for (size_t k = 0; k < ARRAY_SIZE(values); k++, n++) {
				struct bc_error error = {};

				json_object_object_add(part, name, json_tokener_parse(values[k]));
				assert_true(!parse(whole, &error) || *error.text);
			}
			json_object_object_add(part, name, old);
			n += disturb(whole, old, parse);
		}
	}
	return n;
}

static void any_type_in_any_place_is_borne(void **unused)
{
	static const struct {
		parse_fn *parse;
		const char *text;
	} cases[] = {
		{ parse_pod,
		  "{'metadata': {" GOOD_UID ", 'labels': {'a': 'b'}, 'annotations': {'" OBJECT_PORTS
		  "': '1', '" OBJECT_MIRROR
		  "': '0123456789abcdef0123456789abcdef'}, 'ownerReferences': [{'kind': 'Node', 'name': 'n1'}]}, "
		  "'spec': {'nodeName': 'n1', 'hostNetwork': true, 'hostUsers': true}, 'status': {'phase': "
		  "'Running', 'qosClass': 'Burstable'}}" },
		{ parse_ns, NAMESPACE("a", "'a': 'b'") },
		{ parse_bind,
		  POLICY("a", "b",
			 "'matchLabels': {'a': 'b'}, 'matchExpressions': [{'key': 'a', 'operator': 'In', "
			 "'values': ['b']}]",
			 "{'action': 'Rewrite', 'protocol': 'TCP', 'ports': [1, '2-3'], 'addresses': ['::1'], "
			 "'runAsUser': 1, 'to': {'address': '::1', 'port': 1, 'hidden': true}}") },
		{ parse_cluster,
		  CLUSTER("a",
			  "'namespaceSelector': {'matchLabels': {'a': 'b'}}, 'podSelector': {}, 'ceiling': "
			  "[{'protocol': "
			  "'TCP', 'ports': [1], 'addresses': ['::/0']}], 'allowHostNetwork': true, 'reservedPorts': "
			  "[{'protocol': 'UDP', 'ports': [1]}], 'rules': [{'action': 'Deny', 'ports': ['any']}], "
			  "'mode': 'Audit'") },
	};
	size_t n = 0;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_object *object = json(cases[i].text);
		struct bc_error error = {};

		if (cases[i].parse(object, &error))
			fail_msg("%s: %s", cases[i].text, error.text);
		n += disturb(object, object, cases[i].parse);
		/* All is as it was. */
		assert_int_equal(cases[i].parse(object, &error), 0);
		json_object_put(object);
	}
	print_message("# %zu disturbed objects\n", n);
	assert_true(n > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_bind_policy_is_refused_with_its_field),
		cmocka_unit_test(bad_cluster_policy_is_refused_with_its_field),
		cmocka_unit_test(bad_pod_is_refused_with_its_field),
		cmocka_unit_test(oversized_lists_and_labels_are_refused),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(annotation_is_a_list_of_ports),
		cmocka_unit_test(static_pod_has_the_hash_of_its_manifest),
		cmocka_unit_test(any_type_in_any_place_is_borne),
	};

	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
