// SPDX-License-Identifier: GPL-2.0-or-later
/* Selectors match as the API server's do, and none that it would refuse is taken. */
#include "cluster.h"

static int parse(const char *text, struct selector *ret, struct bc_error *error)
{
	struct json_object *object = json(text);
	const struct field field = { .name = "podSelector", .value = object };
	int r = selector_parse(&field, ret, error);

	json_object_put(object);
	return r;
}

static bool matches(const char *selector_text, const char *labels_text)
{
	_cleanup_(selector_done) struct selector selector = {};
	_cleanup_(labels_done) struct labels labels = {};
	struct json_object *object = json(labels_text);
	const struct field field = { .name = "labels", .value = object };
	struct bc_error error = {};

	if (parse(selector_text, &selector, &error))
		fail_msg("%s: %s", selector_text, error.text);
	assert_int_equal(labels_parse(&field, &labels, &error), 0);
	json_object_put(object);
	return selector_matches(&selector, &labels);
}

#define EXPRESSION(key, op, values) \
	"{'matchExpressions': [{'key': '" key "', 'operator': '" op "', 'values': [" values "]}]}"

static void labels_are_matched_as_by_the_api_server(void **unused)
{
	static const struct {
		const char *selector, *labels;
		bool matches;
	} cases[] = {
		{ "{}", "{}", true },
		{ "{}", "{'a': 'b'}", true },
		{ "{'matchLabels': {'a': 'b'}}", "{'a': 'b', 'c': 'd'}", true },
		{ "{'matchLabels': {'a': 'b'}}", "{'a': 'bb'}", false },
		{ "{'matchLabels': {'a': 'b'}}", "{'aa': 'b'}", false },
		{ "{'matchLabels': {'a': 'b'}}", "{}", false },
		/* A value is no key. */
		{ "{'matchLabels': {'b': 'c'}}", "{'a': 'b', 'd': 'c'}", false },
		{ "{'matchLabels': {'a': ''}}", "{'a': ''}", true },
		{ "{'matchLabels': {'a': ''}}", "{}", false },
		{ "{'matchLabels': {'a': 'b', 'c': 'd'}}", "{'c': 'd', 'a': 'b'}", true },
		{ "{'matchLabels': {'a': 'b', 'c': 'd'}}", "{'a': 'b'}", false },
		{ "{'matchLabels': {'x.example/a': 'b'}}", "{'x.example/a': 'b'}", true },
		{ EXPRESSION("a", "In", "'b', 'c'"), "{'a': 'c'}", true },
		{ EXPRESSION("a", "In", "'b', 'c'"), "{'a': 'd'}", false },
		{ EXPRESSION("a", "In", "'b', 'c'"), "{}", false },
		{ EXPRESSION("a", "NotIn", "'b', 'c'"), "{'a': 'd'}", true },
		{ EXPRESSION("a", "NotIn", "'b', 'c'"), "{'a': 'c'}", false },
		{ EXPRESSION("a", "NotIn", "'b', 'c'"), "{'x': 'c'}", true },
		{ EXPRESSION("a", "NotIn", "'b', 'c'"), "{}", true },
		{ EXPRESSION("a", "Exists", ""), "{'a': ''}", true },
		{ EXPRESSION("a", "Exists", ""), "{'b': 'a'}", false },
		{ EXPRESSION("a", "DoesNotExist", ""), "{'b': 'a'}", true },
		{ EXPRESSION("a", "DoesNotExist", ""), "{'a': 'b'}", false },
		{ "{'matchLabels': {'a': 'b'}, 'matchExpressions': [{'key': 'c', 'operator': 'Exists'}]}",
		  "{'a': 'b', 'c': 'd'}", true },
		{ "{'matchLabels': {'a': 'b'}, 'matchExpressions': [{'key': 'c', 'operator': 'Exists'}]}", "{'a': 'b'}",
		  false },
		/* Case counts. */
		{ "{'matchLabels': {'a': 'B'}}", "{'a': 'b'}", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (matches(cases[i].selector, cases[i].labels) != cases[i].matches)
			fail_msg("%s of %s", cases[i].selector, cases[i].labels);
}

#define SIXTY_THREE "a123456789012345678901234567890123456789012345678901234567890bc"

static void what_is_no_selector_is_refused_with_its_place(void **unused)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "[]", "podSelector: is a list, not an object" },
		{ "'x'", "podSelector: is a string, not an object" },
		{ "{'matchLabel': {}}", "podSelector: the member 'matchLabel' is not known" },
		{ "{'matchLabels': []}", "podSelector.matchLabels: is a list, not an object" },
		{ "{'matchLabels': {'a': 1}}", "podSelector.matchLabels: is a whole number, not a string" },
		{ "{'matchLabels': {'': 'a'}}", "'' is not a label's key" },
		{ "{'matchLabels': {'a b': 'a'}}", "'a b' is not a label's key" },
		{ "{'matchLabels': {'a/b/c': 'a'}}", "is not a label's key" },
		{ "{'matchLabels': {'/b': 'a'}}", "is not a label's key" },
		{ "{'matchLabels': {'a/': 'a'}}", "is not a label's key" },
		{ "{'matchLabels': {'A.example/b': 'a'}}", "is not a label's key" },
		{ "{'matchLabels': {'a..b/c': 'a'}}", "is not a label's key" },
		{ "{'matchLabels': {'-a': 'a'}}", "is not a label's key" },
		{ "{'matchLabels': {'" SIXTY_THREE "x': 'a'}}", "is not a label's key" },
		{ "{'matchLabels': {'a': '" SIXTY_THREE "x'}}", "is not a label's value" },
		{ "{'matchLabels': {'a': 'b\\ngrant port any'}}", "'b\\x0agrant port any' is not a label's value" },
		{ "{'matchLabels': {'a': 'b\\u0000'}}", "has a NUL in it" },
		{ "{'matchLabels': {'a': '-b'}}", "is not a label's value" },
		{ "{'matchLabels': {'a': '\xff\xfe'}}", "'\\xff\\xfe' is not a label's value" },
		{ "{'matchExpressions': {}}", "podSelector.matchExpressions: is an object, not a list" },
		{ "{'matchExpressions': [1]}", "podSelector.matchExpressions[0]: is a whole number, not an object" },
		{ "{'matchExpressions': [{'operator': 'In', 'values': ['a']}]}",
		  "matchExpressions[0].key: is missing" },
		{ "{'matchExpressions': [{'key': 'a', 'values': ['a']}]}", "matchExpressions[0].operator: is missing" },
		{ "{'matchExpressions': [{'key': 'a', 'operator': 'Is', 'values': ['a']}]}",
		  "matchExpressions[0].operator: 'Is' is not In, NotIn, Exists or DoesNotExist" },
		{ EXPRESSION("a", "In", ""), "matchExpressions[0].values: is empty" },
		{ EXPRESSION("a", "NotIn", ""), "matchExpressions[0].values: is empty" },
		{ "{'matchExpressions': [{'key': 'a', 'operator': 'In'}]}", "values: is missing" },
		{ EXPRESSION("a", "Exists", "'b'"), "Exists and DoesNotExist have no values" },
		{ EXPRESSION("a", "In", "'b', 3"), "matchExpressions[0].values[1]: is a whole number, not a string" },
		/* What nothing can fulfil. */
		{ "{'matchLabels': {'a': 'b'}, 'matchExpressions': [{'key': 'a', 'operator': 'In', 'values': ['c']}]}",
		  "podSelector: selects nothing: no value of 'a' can fulfil it" },
		{ "{'matchExpressions': [{'key': 'a', 'operator': 'Exists'}, {'key': 'a', 'operator': "
		  "'DoesNotExist'}]}",
		  "selects nothing" },
		{ "{'matchLabels': {'a': 'b'}, 'matchExpressions': [{'key': 'a', 'operator': 'DoesNotExist'}]}",
		  "selects nothing" },
		{ "{'matchLabels': {'a': 'b'}, 'matchExpressions': [{'key': 'a', 'operator': 'NotIn', 'values': "
		  "['b']}]}",
		  "selects nothing" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(selector_done) struct selector selector = {};
		struct bc_error error = {};

		if (parse(cases[i].text, &selector, &error) != -EINVAL || selector.n)
			fail_msg("taken: %s", cases[i].text);
		assert_contains(error.text, cases[i].said);
	}
}

static void what_can_be_fulfilled_is_taken(void **unused)
{
	static const char *const texts[] = {
		"{'matchLabels': {'" SIXTY_THREE "': '" SIXTY_THREE "'}}",
		"{'matchLabels': {'a.b-c.example/A_b.c-d': '1.0_a-b'}}",
		"{'matchExpressions': [{'key': 'a', 'operator': 'In', 'values': ['b', 'c']}, {'key': 'a', 'operator': "
		"'NotIn', "
		"'values': ['b']}]}",
		"{'matchExpressions': [{'key': 'a', 'operator': 'NotIn', 'values': ['b']}, {'key': 'a', 'operator': "
		"'DoesNotExist'}]}",
		"{'matchExpressions': [{'key': 'a', 'operator': 'NotIn', 'values': ['b']}, {'key': 'a', 'operator': "
		"'Exists'}]}",
		"{'matchLabels': null, 'matchExpressions': null}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(selector_done) struct selector selector = {};
		struct bc_error error = {};

		if (parse(texts[i], &selector, &error))
			fail_msg("%s: %s", texts[i], error.text);
	}
}

/* Of many labels, whose keys have what is before and behind any sign that could end them. */
static void label_is_found_among_any_others(void **unused)
{
	static const char *const keys[] = { "0",    "A",    "A-0", "a",	 "a-a", "a.a", "a.a/a", "a/a", "a/a-a",
					    "a/a0", "a/aa", "a/b", "a0", "a0a", "aA",  "a_a",	"aa",  "b" };
	static const char *const others[] = { "1", "B", "a-0", "a.a/0", "a/A", "a1", "az", "ab", "c" };

	(void)unused;
	for (size_t n = 0; n <= ARRAY_SIZE(keys); n++) {
		_cleanup_(bc_text_done) struct bc_text labels = {};

		bc_text_addf(&labels, "{");
		for (size_t i = 0; i < n; i++)
			bc_text_addf(&labels, "%s'%s': 'v%zu'", i ? ", " : "", keys[i], i);
		bc_text_addf(&labels, "}");
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			char asked[80];

			snprintf(asked, sizeof(asked), "{'matchLabels': {'%s': 'v%zu'}}", keys[i], i);
			if (matches(asked, labels.data) != (i < n))
				fail_msg("%s of %s", asked, labels.data);
		}
		for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
			char asked[80];

			snprintf(asked, sizeof(asked), EXPRESSION("%s", "Exists", ""), others[i]);
			if (matches(asked, labels.data))
				fail_msg("%s of %s", asked, labels.data);
		}
	}
}

static void equal_is_what_says_the_same(void **unused)
{
	_cleanup_(selector_done) struct selector a = {}, b = {}, c = {};

	(void)unused;
	assert_int_equal(parse("{'matchLabels': {'a': 'b', 'c': 'd'}}", &a, NULL), 0);
	assert_int_equal(parse("{'matchLabels': {'c': 'd', 'a': 'b'}}", &b, NULL), 0);
	assert_int_equal(parse("{'matchLabels': {'c': 'd', 'a': 'c'}}", &c, NULL), 0);
	assert_true(selector_equal(&a, &b));
	assert_false(selector_equal(&a, &c));
	assert_false(selector_equal(&a, &(struct selector){}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_matched_as_by_the_api_server),
		cmocka_unit_test(what_is_no_selector_is_refused_with_its_place),
		cmocka_unit_test(what_can_be_fulfilled_is_taken),
		cmocka_unit_test(label_is_found_among_any_others),
		cmocka_unit_test(equal_is_what_says_the_same),
	};

	return cmocka_run_group_tests_name("selector", tests, NULL, NULL);
}
