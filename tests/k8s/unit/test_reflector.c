// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists and watches as they should be, on recorded replies; test_reflector_faults.c has what goes wrong. */
#include "reflected.h"
#include "agent/api/target.h"

#define LIST_36                                                                                               \
	"begin\nset dns/resolver 234\nset kube-system/kube-proxy-n1 235\nset web/api 233\nset web/edge 231\n" \
	"end\n"
#define LATE_36                                                                                      \
	"set web/late 236\nset web/late 238\nset web/late 239\nset web/late 240\nset web/late 243\n" \
	"set web/late 244\ngone web/late 245\n"

static void list_then_watch(void **state)
{
	_cleanup_(bed_done) struct bed bed;

	(void)state;
	bed_set(&bed, 0, 1);
	assert_asks(&bed, FIRST_PAGE);
	replay(&bed, "1.36-list-page-1");
	assert_false(reflector_synced(bed.reflector));
	assert_int_equal(wait_next(&bed), 0);
	assert_asks(
		&bed,
		PAGE_AFTER("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjM1LCJzdGFydCI6Ii9rdWJlLXN5c3RlbS9rdWJlLXByb3h5LW4xX"
			   "HUwMDAwIn0"));
	replay(&bed, "1.36-list-page-2");
	assert_asks(&bed, PAGE_AFTER("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjM1LCJzdGFydCI6Ii93ZWIvZWRnZVx1MDAwMCJ9"));
	assert_false(reflector_synced(bed.reflector));
	replay(&bed, "1.36-list-page-3");
	assert_true(reflector_synced(bed.reflector));
	assert_told(&bed, LIST_36);
	assert_noted(&bed, "I listed 4 objects\n");

	assert_int_equal(wait_next(&bed), 0);
	assert_asks(&bed, WATCH_FROM("235"));
	replay(&bed, "1.36-watch");
	assert_told(&bed, LATE_36);
	assert_true(wait_next(&bed) <= 1600);
	assert_asks(&bed, WATCH_FROM("248")); /* a bookmark's */
	assert_int_equal(stats(&bed)->replies[2], 4);
	assert_int_equal(stats(&bed)->lists, 1);
	assert_int_equal(stats(&bed)->watches, 1);
	assert_int_equal(stats(&bed)->set, 10);
	assert_int_equal(stats(&bed)->gone, 1);
	assert_int_equal(stats(&bed)->bookmarks, 2);
	assert_string_equal(stats(&bed)->failure, "");
}

static void old_server_says_the_same(void **state)
{
	_cleanup_(bed_done) struct bed bed;

	(void)state;
	bed_set(&bed, 0, 1);
	assert_asks(&bed, FIRST_PAGE);
	replay(&bed, "1.20-list-page-1");
	reflector_step(bed.reflector, clock_ms);
	replay(&bed, "1.20-list-page-2");
	reflector_step(bed.reflector, clock_ms);
	replay(&bed, "1.20-list-page-3");
	assert_told(&bed, "begin\nset dns/resolver 221\nset kube-system/kube-proxy-n1 222\nset web/api 220\n"
			  "set web/edge 219\nend\n");
	assert_asks(&bed, WATCH_FROM("222"));
	replay(&bed, "1.20-watch");
	assert_told(&bed, "set web/late 223\nset web/late 225\nset web/late 226\nset web/late 227\nset web/late 230\n"
			  "set web/late 231\ngone web/late 232\n");
}

/* The watch's own time-out, and a server that is stopped: the next watch goes on from the last bookmark. */
static void watch_that_ends_begins_anew(void **state)
{
	_cleanup_(bed_done) struct bed bed;

	(void)state;
	bed_watching(&bed);
	clock_ms += 300000;
	replay(&bed, "1.36-watch-idle");
	assert_int_equal(wait_next(&bed), 0);
	assert_asks(&bed, WATCH_FROM("7"));
	clock_ms += 5000;
	replay(&bed, "1.36-watch-shutdown");
	assert_told(&bed, "set web/edge 258\n");
	assert_int_equal(wait_next(&bed), 0);
	assert_asks(&bed, WATCH_FROM("265"));
	assert_int_equal(stats(&bed)->truncated, 0);
	assert_int_equal(stats(&bed)->lists, 1);
	assert_int_equal(stats(&bed)->last_bookmark_ms, clock_ms);
}

/* Watches that last no time are further and further apart, until one is of use. */
static void short_watches_are_spread(void **state)
{
	_cleanup_(bed_done) struct bed bed;
	int64_t most = 1600, before = 0;

	(void)state;
	bed_watching(&bed);
	for (int i = 0; i < 10; i++) {
		int64_t wait;

		clock_ms += 10;
		say(&bed, 200, "");
		wait = wait_next(&bed);
		assert_in_range(wait, most / 2, most);
		assert_int_not_equal(wait, before);
		before = wait;
		assert_asks(&bed, WATCH_FROM("7"));
		most = most * 2 > 30000 ? 30000 : most * 2;
	}
	say(&bed, 200, EVENT("ADDED", "a", "8"));
	assert_told(&bed, "set web/a 8\n");
	assert_in_range(wait_next(&bed), 800, 1600);
	assert_asks(&bed, WATCH_FROM("8"));
	/* The same again is no use. */
	say(&bed, 200, EVENT("ADDED", "a", "8"));
	assert_in_range(wait_next(&bed), 1600, 3200);
	/* A long time without a fault is. */
	assert_asks(&bed, WATCH_FROM("8"));
	clock_ms += 120000;
	say(&bed, 200, "");
	assert_int_equal(wait_next(&bed), 0);
	assert_asks(&bed, WATCH_FROM("8"));
	say(&bed, 200, "");
	assert_in_range(wait_next(&bed), 800, 1600);
}

/* The nodes of a cluster are not to come in the same moment. */
static void nodes_differ(void **state)
{
	int64_t waits[8], least = INT64_MAX, most = 0;

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(waits); i++) {
		_cleanup_(bed_done) struct bed bed;

		bed_set(&bed, 0, i);
		assert_asks(&bed, FIRST_PAGE);
		replay(&bed, "1.36-401");
		waits[i] = wait_next(&bed);
		least = waits[i] < least ? waits[i] : least;
		most = waits[i] > most ? waits[i] : most;
		for (uint32_t j = 0; j < i; j++)
			assert_int_not_equal(waits[i], waits[j]);
	}
	assert_true(most - least > 400); /* of the 800 there are */
}

static void versions_and_tokens_are_opaque(void **state)
{
	_cleanup_(bed_done) struct bed bed;
	_cleanup_free_ char *all = target_list("/x", NULL, 0, NULL);

	(void)state;
	assert_string_equal(all, "/x?limit=0");
	bed_set(&bed, 0, 1);
	assert_asks(&bed, FIRST_PAGE);
	say(&bed, 200,
	    "{\"metadata\":{\"continue\":\"a+b/c=&d%\\u00e9 \",\"resourceVersion\":\"r&w=1#\"},\"items\":[]}");
	assert_asks(&bed, PAGE_AFTER("a%2Bb%2Fc%3D%26d%25%C3%A9%20"));
	/* The list is as of its first page. */
	say(&bed, 200, "{\"items\":[],\"metadata\":{\"resourceVersion\":\"later\"}}");
	assert_asks(&bed, WATCH_FROM("r%26w%3D1%23"));
}

/* What cannot be read is passed over, and named; everything else is told. */
static void unreadable_object_is_named(void **state)
{
	_cleanup_(bed_done) struct bed bed;
	char deep[200] = "";

	(void)state;
	bed_set(&bed, 400, 1);
	assert_asks(&bed, FIRST_PAGE);
	memset(deep, '[', 70);
	{
		_cleanup_(bc_text_done) struct bc_text list = {};

		bc_text_addf(&list, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[%s,", POD("a", "1"));
		bc_text_addf(&list, "{\"metadata\":{\"name\":\"bad\",\"namespace\":\"web\"},\"x\":\"\xed\xa0\x80\"},");
		bc_text_addf(&list, "{\"metadata\":{\"name\":\"deep\",\"namespace\":\"web\"},\"x\":%s%.70s},", deep,
			     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
		bc_text_addf(&list, "{\"metadata\":{\"name\":\"large\",\"namespace\":\"web\"},\"x\":\"%0500d\"},", 0);
		bc_text_addf(&list, "{\"metadata\":{\"name\":\"odd\",\"namespace\":\"web\"},\"x\":tru},");
		bc_text_addf(&list, "17,{\"x\":1},%s]}", POD("b", "2"));
		say(&bed, 200, list.data);
	}
	assert_told(&bed, "begin\nset web/a 1\nunreadable web/bad: not UTF-8\n"
			  "unreadable web/deep: nesting too deep\nunreadable web/large: too large\n"
			  "unreadable web/odd: boolean expected\nunreadable /: not an object\n"
			  "unreadable /: no metadata\nset web/b 2\nend\n");
	assert_asks(&bed, WATCH_FROM("7"));
	say(&bed, 200,
	    "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\",\"namespace\":\"web\",\"resourceVersion\":"
	    "\"8\"},"
	    "\"x\":\"\xc3\x28\"}}" EVENT("ADDED", "c", "9") "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":"
							    "\"c\",\"namespace\":\"web\",\"resourceVersion\":\"10\"},"
							    "\"x\":\"\xff\"}}"
							    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":"
							    "\"d\",\"resourceVersion\":\"11\"},\"x\":\"\xff\"}}");
	assert_told(&bed, "unreadable web/a: not UTF-8\nset web/c 9\ngone web/c 10\n"
			  "unreadable /d: not UTF-8\n");
	wait_next(&bed);
	assert_asks(&bed, WATCH_FROM("11"));
}

static void only_what_is_wanted_is_read(void **state)
{
	static const char *const wanted[] = { "metadata.uid", "spec.nodeName", NULL };
	_cleanup_(bed_done) struct bed bed;
	_cleanup_free_ char *many = calloc(1, 1 << 20);

	(void)state;
	keep = wanted;
	bed_set(&bed, 0, 1);
	keep = NULL;
	bed.whole = true;
	assert_asks(&bed, FIRST_PAGE);
	replay(&bed, "1.20-list-page-1");
	assert_told(&bed, "begin\n"
			  "{\"metadata\":{\"name\":\"resolver\",\"namespace\":\"dns\","
			  "\"uid\":\"171ad9b6-ae88-4727-a63e-8507db76e3e0\",\"resourceVersion\":\"221\"},"
			  "\"spec\":{\"nodeName\":\"n1\"}}\n"
			  "{\"metadata\":{\"name\":\"kube-proxy-n1\",\"namespace\":\"kube-system\","
			  "\"uid\":\"5a2730fe-eee2-4794-96a4-24afbd44c5d0\",\"resourceVersion\":\"222\"},"
			  "\"spec\":{\"nodeName\":\"n1\"}}\n");
	reflector_step(bed.reflector, clock_ms);
	say(&bed, 200, EMPTY_LIST);
	bc_text_done(&bed.told);
	assert_asks(&bed, WATCH_FROM("222"));
	assert_non_null(many);
	memset(many, ' ', 600 << 10);
	{
		_cleanup_(bc_text_done) struct bc_text events = {};

		bc_text_addf(&events, "{\"type\":\"ADDED\",\"object\":{\"x\":[%s],\"metadata\":{\"name\":\"a\"}}}",
			     many);
		bc_text_addf(&events, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"b\",\"uid\":[%s]}}}",
			     many);
		bc_text_addf(&events, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"c\"},\"x\":tru}}");
		reply(&bed, 200, -1, events.data, events.len, 4096, HTTP_COMPLETE);
	}
	assert_told(&bed,
		    "{\"metadata\":{\"name\":\"a\"}}\nunreadable /b: too large\n{\"metadata\":{\"name\":\"c\"}}\n");
	wait_next(&bed);
	assert_asks(&bed, WATCH_FROM("222"));
	replay(&bed, "1.36-watch-410"); /* is seen as ever */
	assert_int_equal(stats(&bed)->expired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_then_watch),
		cmocka_unit_test(old_server_says_the_same),
		cmocka_unit_test(watch_that_ends_begins_anew),
		cmocka_unit_test(short_watches_are_spread),
		cmocka_unit_test(nodes_differ),
		cmocka_unit_test(versions_and_tokens_are_opaque),
		cmocka_unit_test(unreadable_object_is_named),
		cmocka_unit_test(only_what_is_wanted_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
