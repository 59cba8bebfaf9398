// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "agent/api/glance.h"
#include "agent/api/prune.h"
#include "agent/api/split.h"
#include "base/util.h"

#define MAX 64

static int see(void *ctx, enum split_part part, const char *text, size_t len)
{
	struct bc_text *seen = ctx;

	assert_int_equal(text[len], '\0');
	assert_true(len <= MAX);
	if (len > 6 && !memcmp(text, "{\"stop", 6))
		return -42;
	bc_text_addf(seen, "%c", " OMX"[part]);
	bc_text_add(seen, text, len);
	bc_text_add(seen, "|", 1);
	return 0;
}

/* The same however it is cut: in two at each place, and byte by byte. */
static void assert_split(enum split_mode mode, const char *text, const char *expected, int fed, int ended)
{
	size_t len = strlen(text);

	for (size_t at = 0; at <= len + 1; at++) {
		_cleanup_(bc_text_done) struct bc_text seen = {};
		_cleanup_(split_freep) struct split *split = split_new(mode, MAX, see, &seen);
		int r = 0;

		assert_non_null(split);
		if (at <= len) {
			r = split_feed(split, text, at);
			if (!r)
				r = split_feed(split, text + at, len - at);
		} else {
			for (size_t i = 0; i < len && !r; i++)
				r = split_feed(split, text + i, 1);
		}
		if (r != fed || strcmp(seen.data ? seen.data : "", expected))
			fail_msg("%s\ncut at %zu: %d, %s", text, at, r, seen.data ? seen.data : "");
		if (!r && split_end(split) != ended)
			fail_msg("%s\ncut at %zu ends with %d", text, at, split_end(split));
	}
}

static void stream_is_cut_into_values(void **state)
{
	(void)state;
	assert_split(SPLIT_STREAM, "", "", 0, 0);
	assert_split(SPLIT_STREAM, " \r\n\t", "", 0, 0);
	assert_split(SPLIT_STREAM, "{}", "O{}|", 0, 0);
	assert_split(SPLIT_STREAM, "{\"a\":1}{\"b\":2}\n {\"c\":[{}]}", "O{\"a\":1}|O{\"b\":2}|O{\"c\":[{}]}|", 0, 0);
	assert_split(SPLIT_STREAM, "{\"a\":\"}{]\\\"}\\\\\"}\n{}", "O{\"a\":\"}{]\\\"}\\\\\"}|O{}|", 0, 0);
}

static void stream_that_is_cut_short_is_seen(void **state)
{
	(void)state;
	assert_split(SPLIT_STREAM, "{\"a\":1}\n{\"b\":", "O{\"a\":1}|", 0, -EBADMSG);
	assert_split(SPLIT_STREAM, "{\"a\":\"}", "", 0, -EBADMSG);
}

static void stream_of_anything_else_is_refused(void **state)
{
	(void)state;
	assert_split(SPLIT_STREAM, "<html>", "", -EBADMSG, 0);
	assert_split(SPLIT_STREAM, "[{}]", "", -EBADMSG, 0);
	assert_split(SPLIT_STREAM, "{}null", "O{}|", -EBADMSG, 0);
	assert_split(SPLIT_STREAM, "{}}", "O{}|", -EBADMSG, 0);
}

static void list_is_cut_into_items(void **state)
{
	(void)state;
	assert_split(SPLIT_LIST, "{\"kind\":\"L\",\"metadata\":{\"v\":\"1\"},\"items\":[{\"a\":[1]},{\"b\":{}}]}\n",
		     "M{\"v\":\"1\"}|O{\"a\":[1]}|O{\"b\":{}}|", 0, 0);
	assert_split(SPLIT_LIST, "{ \"items\" : [ ] , \"metadata\" : { } }", "M{ }|", 0, 0);
	assert_split(SPLIT_LIST, "{\"items\":null,\"metadata\":{}}", "M{}|", 0, 0);
	assert_split(SPLIT_LIST, "{\"items\":[{}],\"metadata\":{}}", "O{}|M{}|", 0, 0);
	/* What is no object is for the reader to refuse. */
	assert_split(SPLIT_LIST, "{\"items\":[1,\"x,]\", true ,[]],\"metadata\":{}}", "O1|O\"x,]\"|Otrue|O[]|M{}|", 0,
		     0);
	/* The same names elsewhere mean nothing. */
	assert_split(SPLIT_LIST, "{\"x\":{\"items\":[{}],\"metadata\":{}},\"y\":[\"items\"],\"z\":1.5e3}", "", 0,
		     -EBADMSG);
	assert_split(SPLIT_LIST, "{\"itemsandmanymoreletters\":[{}],\"item\":[{}]}", "", 0, -EBADMSG);
}

static void list_that_is_cut_short_is_seen(void **state)
{
	static const char whole[] = "{\"metadata\":{},\"items\":[{\"a\":1}],\"n\":12}";

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		_cleanup_(bc_text_done) struct bc_text seen = {};
		_cleanup_(split_freep) struct split *split = split_new(SPLIT_LIST, MAX, see, &seen);

		assert_int_equal(split_feed(split, whole, len), 0);
		assert_int_equal(split_end(split), -EBADMSG);
	}
	assert_split(SPLIT_LIST, whole, "M{}|O{\"a\":1}|", 0, 0);
}

/* Else an answer of another kind would be a list of nothing, and all that is known would go. */
static void list_without_its_members_is_none(void **state)
{
	(void)state;
	assert_split(SPLIT_LIST, "{}", "", 0, -EBADMSG);
	assert_split(SPLIT_LIST, "{\"items\":[]}", "", 0, -EBADMSG);
	assert_split(SPLIT_LIST, "{\"metadata\":{}}", "M{}|", 0, -EBADMSG);
	assert_split(SPLIT_LIST, "[]", "", -EBADMSG, 0);
	assert_split(SPLIT_LIST, "{\"items\":{}}", "", -EBADMSG, 0);
	assert_split(SPLIT_LIST, "{\"items\":\"x\"}", "", -EBADMSG, 0);
	assert_split(SPLIT_LIST, "{\"items\":[}", "", -EBADMSG, 0);
	assert_split(SPLIT_LIST, "{\"a\" 1}", "", -EBADMSG, 0);
	assert_split(SPLIT_LIST, "{\"a\":}", "", -EBADMSG, 0);
	assert_split(SPLIT_LIST, "{1}", "", -EBADMSG, 0);
	assert_split(SPLIT_LIST, "{\"metadata\":{},\"items\":[]} x", "M{}|", -EBADMSG, 0);
}

static void large_piece_is_dropped_and_told(void **state)
{
	char text[400], expected[512];
	char large[MAX + 2], rest[MAX + 1];

	(void)state;
	memset(large, 'x', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	snprintf(rest, sizeof(rest), "{\"a\":\"%.*s", MAX - 6, large); /* the first MAX bytes of it */
	snprintf(text, sizeof(text), "{\"a\":\"%s\"}{\"b\":1}", large);
	snprintf(expected, sizeof(expected), "X%s|O{\"b\":1}|", rest);
	assert_split(SPLIT_STREAM, text, expected, 0, 0);
	snprintf(text, sizeof(text), "{\"metadata\":{},\"skipped\":\"%s\",\"items\":[{\"a\":\"%s\"},{}]}", large,
		 large);
	snprintf(expected, sizeof(expected), "M{}|X%s|O{}|", rest);
	assert_split(SPLIT_LIST, text, expected, 0, 0);
	/* One that just fits. */
	snprintf(text, sizeof(text), "{\"a\":\"%.*s\"}", MAX - 8, large);
	snprintf(expected, sizeof(expected), "O%s|", text);
	assert_split(SPLIT_STREAM, text, expected, 0, 0);
}

static void reader_can_stop_it(void **state)
{
	(void)state;
	assert_split(SPLIT_STREAM, "{\"a\":1}{\"stop\":1}{\"b\":1}", "O{\"a\":1}|", -42, 0);
}

static void depth_has_no_bound(void **state)
{
	_cleanup_(bc_text_done) struct bc_text seen = {};
	_cleanup_(split_freep) struct split *split = split_new(SPLIT_STREAM, MAX, see, &seen);

	(void)state;
	assert_int_equal(split_feed(split, "{\"a\":", 5), 0);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(split_feed(split, "[", 1), 0);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(split_feed(split, "]", 1), 0);
	assert_int_equal(split_feed(split, "}{}", 3), 0);
	assert_int_equal(split_end(split), 0);
	assert_non_null(strstr(seen.data, "|O{}|"));
}

static void assert_glance(const char *text, bool event, const char *expected)
{
	struct glance seen;
	char line[1024];

	glance(text, strlen(text), event, &seen);
	snprintf(line, sizeof(line), "%s %s/%s %s", seen.type, seen.namespace, seen.name, seen.version);
	assert_string_equal(line, expected);
}

static void glance_finds_whose_text_it_is(void **state)
{
	(void)state;
	assert_glance("{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"resourceVersion\":\"5\"}}", false, " n/a 5");
	assert_glance("{ \"type\" : \"ADDED\",\n \"object\" : {\"metadata\" : { \"name\" : \"a\" } } }", true,
		      "ADDED /a ");
	assert_glance("{\"object\":{\"metadata\":{\"name\":\"a\"}},\"type\":\"DELETED\"}", true, "DELETED /a ");
	/* Only these, and only there. */
	assert_glance("{\"name\":\"x\",\"spec\":{\"name\":\"y\",\"metadata\":{\"name\":\"z\"}}}", false, " / ");
	assert_glance(
		"{\"metadata\":{\"ownerReferences\":[{\"name\":\"x\"}],\"labels\":{\"name\":\"y\"},\"name\":\"a\"}}",
		false, " /a ");
	assert_glance("{\"metadata\":{\"labels\":{\"a\":\"name\",\"b\":\"x\"},\"name\":\"a\"}}", false, " /a ");
	assert_glance("{\"other\":{\"metadata\":{\"name\":\"x\"}}}", true, " / ");
	assert_glance("{\"metadata\":{\"name\":{\"name\":\"x\"}}}", false, " / ");
	/* Of a beginning, and of anything else. */
	assert_glance("{\"metadata\":{\"name\":\"a\",\"namespace\":\"cut of", false, " /a ");
	assert_glance("{\"metadata\":{\"name\":\"a\\", false, " / ");
	assert_glance("}}]]{{{{{{[[[[\"", false, " / ");
	assert_glance("", true, " / ");
}

static void glance_takes_plain_names_alone(void **state)
{
	char text[512], name[300];

	(void)state;
	assert_glance("{\"metadata\":{\"name\":\"a\nb\",\"namespace\":\"\xff\",\"resourceVersion\":\"\\u0041\"}}",
		      false, " / ");
	memset(name, 'a', sizeof(name));
	name[254] = '\0';
	snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"%s\"}}", name);
	assert_glance(text, false, " / ");
}

static void assert_pruned(const char *text, bool event, const char *expected)
{
	static const char *const keep[] = { "metadata.labels", "spec.nodeName", "spec.a.b", "status", NULL };
	_cleanup_free_ char *pruned = NULL, *copy = strdup(text); /* of just its size, for the sanitizer */
	size_t len = strlen(text), left = 0;
	int r;

	assert_non_null(copy);
	r = prune(copy, len, event, keep, &pruned, &left);
	if (!expected) {
		assert_int_equal(r, -EBADMSG);
		assert_null(pruned);
		return;
	}
	assert_int_equal(r, 0);
	assert_string_equal(pruned, expected);
	assert_int_equal(left, strlen(expected));
}

static void pruning_leaves_what_is_wanted(void **state)
{
	(void)state;
	assert_pruned("{}", false, "{}");
	assert_pruned(
		"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"uid\":\"u\",\"labels\":{\"x\":"
		"\"y\","
		"\"managedFields\":\"z\"},\"managedFields\":[{\"name\":\"b\"}],\"resourceVersion\":\"5\"},\"spec\":{"
		"\"containers\":[{\"nodeName\":\"q\"}],\"nodeName\":\"n1\",\"nodeNames\":1,\"node\":2},\"status\":{"
		"\"x\":[{"
		"}]}}",
		false,
		"{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\",\"labels\":{\"x\":\"y\",\"managedFields\":\"z\"},"
		"\"resourceVersion\":\"5\"},\"spec\":{\"nodeName\":\"n1\"},\"status\":{\"x\":[{}]}}");
	/* What is of another type is left to its reader. */
	assert_pruned("{\"spec\":[1],\"metadata\":null,\"status\":-1}", false,
		      "{\"spec\":[1],\"metadata\":null,\"status\":-1}");
	assert_pruned("{\"spec\":{\"a\":{\"b\":1,\"c\":2},\"b\":3}}", false, "{\"spec\":{\"a\":{\"b\":1}}}");
	assert_pruned(" {}", false, NULL);
	assert_pruned("{ \"x\" : \"}\\\"\" ,\n \"status\" : { } }", false, "{\"status\":{ } }");
	/* An event has its object one level down, and that of an ERROR is a Status. */
	assert_pruned("{\"type\":\"ADDED\",\"object\":{\"spec\":{\"x\":1},\"kind\":\"Pod\"}}", true,
		      "{\"type\":\"ADDED\",\"object\":{\"spec\":{}}}");
	assert_pruned(
		"{\"object\":{\"code\":410,\"reason\":\"Expired\",\"message\":\"m\",\"details\":{\"a\":1},\"kind\":1},"
		"\"type\":\"ERROR\"}",
		true,
		"{\"object\":{\"code\":410,\"reason\":\"Expired\",\"message\":\"m\",\"details\":{\"a\":1}},\"type\":"
		"\"ERROR\"}");
}

static void pruning_refuses_what_is_no_object(void **state)
{
	static const char *const bad[] = { "",
					   "x",
					   "[]",
					   "{",
					   "{\"",
					   "{\"a",
					   "{\"a\"",
					   "{\"a\":",
					   "{\"a\":1",
					   "{\"a\":}",
					   "{\"a\":,\"b\":1}",
					   "{\"a\" 1}",
					   "{\"a\":1 \"b\":2",
					   "{a:1}",
					   "{\"spec\":{\"x\":1}",
					   "{\"a\":\"\\",
					   "{\"a\":[1}",
					   "{\"spec\":{} \"a\":1}",
					   "{}}",
					   "{}x",
					   "{,}",
					   "{\"a\\" };
	char deep[40000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_pruned(bad[i], false, NULL);
	/* Neither a path nor depth moves it. */
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"spec\":", 8);
	deep[sizeof(deep) - 1] = '\0';
	assert_pruned(deep, false, NULL);
	for (size_t i = 0; i + 8 < sizeof(deep); i += 8)
		memcpy(deep + i, "{\"spec\":", 8);
	assert_pruned(deep, false, NULL);
	memset(deep, 'a', sizeof(deep));
	deep[0] = '{';
	deep[1] = '"';
	memcpy(deep + sizeof(deep) - 6, "\":{}}", 6);
	assert_pruned(deep, false, "{}");
}

/* Deeper than we go it is all taken. */
static void pruning_has_its_depth(void **state)
{
	static const char *const keep[] = { "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", NULL };
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_free_ char *pruned = NULL;
	size_t left = 0;

	(void)state;
	for (int i = 0; i < 40; i++)
		bc_text_add(&text, "{\"a\":", 5);
	bc_text_add(&text, "1", 1);
	for (int i = 0; i < 40; i++)
		bc_text_add(&text, "}", 1);
	assert_int_equal(prune(text.data, text.len, false, keep, &pruned, &left), 0);
	assert_string_equal(pruned, text.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stream_is_cut_into_values),
		cmocka_unit_test(stream_that_is_cut_short_is_seen),
		cmocka_unit_test(stream_of_anything_else_is_refused),
		cmocka_unit_test(list_is_cut_into_items),
		cmocka_unit_test(list_that_is_cut_short_is_seen),
		cmocka_unit_test(list_without_its_members_is_none),
		cmocka_unit_test(large_piece_is_dropped_and_told),
		cmocka_unit_test(reader_can_stop_it),
		cmocka_unit_test(depth_has_no_bound),
		cmocka_unit_test(glance_finds_whose_text_it_is),
		cmocka_unit_test(glance_takes_plain_names_alone),
		cmocka_unit_test(pruning_leaves_what_is_wanted),
		cmocka_unit_test(pruning_refuses_what_is_no_object),
		cmocka_unit_test(pruning_has_its_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
