// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes wrong between a reflector and the server: nothing that is known is taken back by it. */
#include "reflected.h"

#define ERROR_EVENT(rest) "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\"," rest "}}"

/* The next request comes by the first backoff. */
static void assert_backs_off(struct bed *bed)
{
	assert_in_range(wait_next(bed), 800, 1600);
}

static void expired_watch_lists_anew(void **state)
{
	static const char *const replies[] = { "1.20-watch-410", "1.36-watch-410", "1.20-list-410" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		_cleanup_(bed_done) struct bed bed;

		bed_watching(&bed);
		replay(&bed, replies[i]);
		assert_told(&bed, "");
		assert_noted(&bed, "W the API server has forgotten our version (410): ");
		assert_backs_off(&bed);
		assert_asks(&bed, FIRST_PAGE);
		say(&bed, 200, EMPTY_LIST);
		assert_told(&bed, "begin\nend\n");
		assert_asks(&bed, WATCH_FROM("7"));
		assert_int_equal(stats(&bed)->expired, 1);
		assert_string_equal(stats(&bed)->failure, "");
	}
}

static void expired_page_is_followed_by_one_that_has_all(void **state)
{
	_cleanup_(bed_done) struct bed bed;

	(void)state;
	bed_set(&bed, 0, 1);
	assert_asks(&bed, FIRST_PAGE);
	replay(&bed, "1.20-list-page-1");
	reflector_step(bed.reflector, clock_ms);
	replay(&bed, "1.20-list-continue-410");
	assert_told(&bed, "begin\nset dns/resolver 221\nset kube-system/kube-proxy-n1 222\n");
	assert_int_equal(wait_next(&bed), 0);
	assert_asks(&bed, PODS "?limit=0&" NODE);
	say(&bed, 200, EMPTY_LIST);
	assert_told(&bed, "begin\nend\n");
	assert_asks(&bed, WATCH_FROM("7"));
	replay(&bed, "1.20-watch-410");
	wait_next(&bed);
	assert_asks(&bed, FIRST_PAGE); /* in pages again */
	replay(&bed, "1.20-list-410"); /* of no version of ours */
	assert_in_range(wait_next(&bed), 1600, 3200);
	assert_asks(&bed, FIRST_PAGE);
}

static void refusal_waits_and_says_why(void **state)
{
	static const struct {
		const char *reply, *failure;
		unsigned status;
		bool watch_lists; /* after this a watch begins with a list */
	} cases[] = {
		{ "1.20-401", "does not accept our credentials (401): Unauthorized", 401, false },
		{ "1.36-401-expired", "does not accept our credentials (401): Unauthorized", 401, false },
		{ "1.36-list-403", "forbids it (403): pods is forbidden: User", 403, false },
		{ "1.20-watch-403", "forbids it (403): pods is forbidden: User", 403, false },
		{ "1.36-404", "does not have /api/v1/pods (404): 404 page not found", 404, true },
		{ "1.36-400", "answers 400: field label not supported: spec.bogus", 400, true },
		{ "1.20-watch-500", "answers 500: resourceVersion: Invalid value: \"abc\"", 500, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bed_done) struct bed list, watch;

		bed_set(&list, 0, 1);
		assert_asks(&list, FIRST_PAGE);
		replay(&list, cases[i].reply);
		assert_told(&list, "");
		assert_noted(&list, cases[i].failure);
		assert_backs_off(&list);
		assert_asks(&list, FIRST_PAGE);
		replay(&list, cases[i].reply);
		assert_noted(&list, "D "); /* said once aloud */
		assert_in_range(wait_next(&list), 1600, 3200);

		bed_watching(&watch);
		replay(&watch, cases[i].reply);
		assert_told(&watch, "");
		assert_non_null(strstr(stats(&watch)->failure, cases[i].failure));
		assert_int_equal(stats(&watch)->status, cases[i].status);
		assert_backs_off(&watch);
		assert_asks(&watch, cases[i].watch_lists ? FIRST_PAGE : WATCH_FROM("7"));
		say(&watch, 200, cases[i].watch_lists ? EMPTY_LIST : "");
		assert_string_equal(stats(&watch)->failure, "");
	}
}

/* A version that the server cannot take is not tried for ever. */
static void faults_in_a_row_end_in_a_list(void **state)
{
	_cleanup_(bed_done) struct bed bed;

	(void)state;
	bed_watching(&bed);
	for (int i = 0; i < 3; i++) {
		assert_asks(&bed, WATCH_FROM("7"));
		replay(&bed, "1.36-watch-500");
		wait_next(&bed);
	}
	assert_asks(&bed, FIRST_PAGE);
	assert_told(&bed, "");
	say(&bed, 200, EMPTY_LIST);
	for (int i = 0; i < 3; i++) {
		assert_asks(&bed, WATCH_FROM("7"));
		say(&bed, 200, ERROR_EVENT("\"code\":500,\"details\":{\"retryAfterSeconds\":1}"));
		wait_next(&bed);
	}
	assert_asks(&bed, FIRST_PAGE);
}

static void server_says_how_long_to_wait(void **state)
{
	static const struct {
		unsigned status;
		int64_t retry_after_s;
		const char *body;
		int64_t least, most;
	} cases[] = {
		{ 429, 7, "", 7000, 7800 },
		{ 503, 7, "", 7000, 7800 },
		{ 504, -1, "{\"details\":{\"retryAfterSeconds\":9},\"code\":504}", 9000, 9800 },
		{ 429, 1000000, "", 300000, 300800 },
		{ 429, INT64_MAX, "", 300000, 300800 },
		{ 429, 0, "", 800, 1600 },
		{ 429, -1, "{\"details\":{\"retryAfterSeconds\":-5}}", 800, 1600 },
		{ 403, 5, "", 5000, 5800 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bed_done) struct bed bed;

		bed_watching(&bed);
		reply(&bed, cases[i].status, cases[i].retry_after_s, cases[i].body, strlen(cases[i].body), 5,
		      HTTP_COMPLETE);
		assert_in_range(wait_next(&bed), cases[i].least, cases[i].most);
		assert_asks(&bed, WATCH_FROM("7"));
	}
}

static void recorded_overload_waits(void **state)
{
	static const char *const replies[] = { "1.36-429", "1.20-504", "1.36-504" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		_cleanup_(bed_done) struct bed bed;

		bed_set(&bed, 0, 3);
		assert_asks(&bed, FIRST_PAGE);
		replay(&bed, replies[i]);
		assert_in_range(wait_next(&bed), 1000, 1800);
		assert_asks(&bed, FIRST_PAGE);
	}
}

static void error_event_decides_how_to_go_on(void **state)
{
	static const struct {
		const char *event, *failure;
		bool lists;
	} cases[] = {
		{ ERROR_EVENT("\"code\":429,\"message\":\"slow\""), "error 429: slow", false },
		{ ERROR_EVENT("\"code\":500,\"message\":\"oh\""), "error 500: oh", true },
		{ ERROR_EVENT("\"code\":500,\"message\":\"oh\",\"details\":{\"retryAfterSeconds\":1}"), "error 500: oh",
		  false },
		{ ERROR_EVENT("\"code\":500,\"reason\":\"Expired\""), "forgotten our version (410): Expired", true },
		{ ERROR_EVENT("\"code\":\"x\""), "error 0: no reason given", true },
		{ "{\"type\":\"ERROR\",\"object\":7}", "makes no sense: an event has no type or no object", true },
		{ "{\"type\":\"SURPRISE\",\"object\":{}}", "makes no sense: an event is of an unknown type", true },
		{ "{\"type\":\"ERROR\",\"object\":{\"x\":\"\xff\"}}", "makes no sense: an event cannot be read", true },
		{ "{\"type\":\"DELETED\",\"object\":{\"x\":\"\xff\"}}", "makes no sense: an event cannot be read",
		  true },
		{ "<html>", "makes no sense: this is no watch", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bed_done) struct bed bed;
		_cleanup_(bc_text_done) struct bc_text events = {};

		bed_watching(&bed);
		bc_text_addf(&events, "%s%s%s", EVENT("ADDED", "a", "8"), cases[i].event, EVENT("ADDED", "b", "9"));
		say(&bed, 200, events.data);
		assert_told(&bed, "set web/a 8\n"); /* what is behind the fault does not count */
		assert_noted(&bed, cases[i].failure);
		assert_in_range(wait_next(&bed), 800, 1800);
		assert_asks(&bed, cases[i].lists ? FIRST_PAGE : WATCH_FROM("8"));
	}
}

static void list_that_breaks_off_removes_nothing(void **state)
{
	_cleanup_(bed_done) struct bed bed;

	(void)state;
	bed_set(&bed, 0, 1);
	assert_asks(&bed, FIRST_PAGE);
	cut(&bed, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" POD("a", "1") ",{\"meta");
	assert_told(&bed, "begin\nset web/a 1\n");
	assert_noted(&bed, "W the list was cut short: transfer closed; trying again in ");
	assert_backs_off(&bed);
	assert_asks(&bed, FIRST_PAGE);
	replay(&bed, "1.36-list-page-1");
	assert_told(&bed, "begin\nset dns/resolver 234\nset kube-system/kube-proxy-n1 235\n");
	/* A later page by itself. */
	reflector_step(bed.reflector, clock_ms);
	cut(&bed, "{\"metadata\":{\"resourceVersion\":\"235\"},\"items\":[");
	wait_next(&bed);
	assert_asks(
		&bed,
		PAGE_AFTER("eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjM1LCJzdGFydCI6Ii9rdWJlLXN5c3RlbS9rdWJlLXByb3h5LW4xX"
			   "HUwMDAwIn0"));
	replay(&bed, "1.36-list-page-3");
	assert_told(&bed, "end\n");
	assert_int_equal(stats(&bed)->truncated, 2);
}

/* Answers with status 200 that are no list: each would take everything back if it were taken for an empty one. */
static void what_is_no_list_ends_no_list(void **state)
{
	static const char *const bodies[] = {
		"",
		"{}",
		"[]",
		"null",
		"<html>\n",
		"{\"kind\":\"Status\",\"metadata\":{},\"status\":\"Failure\",\"code\":500}",
		"{\"metadata\":{},\"items\":[]}",
		"{\"metadata\":{\"resourceVersion\":\"\"},\"items\":[]}",
		"{\"metadata\":{\"resourceVersion\":7},\"items\":[]}",
		"{\"metadata\":{\"resourceVersion\":\"7\"}}",
		"{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]",
		"{\"metadata\":[],\"items\":[]}",
		"{\"items\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		_cleanup_(bed_done) struct bed bed;

		bed_set(&bed, 0, 1);
		assert_asks(&bed, FIRST_PAGE);
		say(&bed, 200, bodies[i]);
		assert_told(&bed, "begin\n");
		assert_false(reflector_synced(bed.reflector));
		assert_backs_off(&bed);
		assert_asks(&bed, FIRST_PAGE);
	}
}

/* Its version is not known, and it may have gone on. */
static void list_whose_metadata_is_too_large_is_not_complete(void **state)
{
	_cleanup_(bed_done) struct bed bed;
	char body[600];

	(void)state;
	bed_set(&bed, 400, 1);
	assert_asks(&bed, FIRST_PAGE);
	snprintf(body, sizeof(body), "{\"metadata\":{\"resourceVersion\":\"7\",\"continue\":\"%0400d\"},\"items\":[]}",
		 0);
	say(&bed, 200, body);
	assert_told(&bed, "begin\nunreadable /: too large\n");
	assert_backs_off(&bed);
	assert_asks(&bed, FIRST_PAGE);
}

static void list_that_goes_in_circles_is_left(void **state)
{
	_cleanup_(bed_done) struct bed bed;

	(void)state;
	bed_set(&bed, 0, 1);
	assert_asks(&bed, FIRST_PAGE);
	replay(&bed, "1.36-list-page-2");
	reflector_step(bed.reflector, clock_ms);
	replay(&bed, "1.36-list-page-2");
	assert_noted(&bed, "goes round in circles");
	assert_backs_off(&bed);
	assert_asks(&bed, FIRST_PAGE);
}

/* The server is killed, within an event and between two. */
static void watch_that_breaks_off_goes_on(void **state)
{
	_cleanup_(bed_done) struct bed bed;

	(void)state;
	bed_watching(&bed);
	clock_ms += 2000;
	cut(&bed, EVENT("ADDED", "a", "8") "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"a\",");
	assert_told(&bed, "set web/a 8\n");
	assert_int_equal(wait_next(&bed), 0);
	assert_asks(&bed, WATCH_FROM("8"));
	replay(&bed, "1.36-watch-killed");
	assert_told(&bed, "set web/edge 270\n");
	assert_noted(&bed, "D the watch broke off after 0 s: transfer closed\n");
	wait_next(&bed);
	assert_asks(&bed, WATCH_FROM("270"));
	assert_int_equal(stats(&bed)->truncated, 2);
}

static void unreachable_server_is_tried_for_ever(void **state)
{
	_cleanup_(bed_done) struct bed bed;
	int64_t wait = 0;

	(void)state;
	bed_watching(&bed);
	for (int i = 0; i < 100; i++) {
		reflector_done(bed.reflector, HTTP_UNREACHABLE, "Connection refused");
		assert_string_equal(stats(&bed)->failure, "cannot reach the API server: Connection refused");
		wait = wait_next(&bed);
		assert_asks(&bed, WATCH_FROM("7"));
	}
	assert_in_range(wait, 15000, 30000);
	assert_told(&bed, "");
	assert_true(reflector_synced(bed.reflector));
	assert_int_equal(stats(&bed)->replies[0], 100);
	say(&bed, 200, "");
	assert_noted(&bed, "I watching again\n");
	assert_string_equal(stats(&bed)->failure, "");
}

static void silence_is_cut(void **state)
{
	_cleanup_(bed_done) struct bed bed;
	int64_t begun, seconds;

	(void)state;
	bed_set(&bed, 0, 1);
	assert_asks(&bed, FIRST_PAGE);
	assert_int_equal(reflector_next(bed.reflector), clock_ms + 60000);
	clock_ms += 59999;
	assert_asks(&bed, FIRST_PAGE); /* still */
	reflector_head(bed.reflector, 200, -1);
	assert_int_equal(reflector_next(bed.reflector), clock_ms + 60000);
	clock_ms += 60000;
	reflector_step(bed.reflector, clock_ms);
	assert_noted(&bed, "the list was cut short: it took too long");
	assert_backs_off(&bed);

	/* A byte now and then is not enough. */
	assert_asks(&bed, FIRST_PAGE);
	reflector_head(bed.reflector, 200, -1);
	begun = clock_ms;
	for (int i = 0; i < 8; i++) {
		assert_non_null(reflector_target(bed.reflector));
		assert_int_equal(reflector_data(bed.reflector, " ", 1), 0);
		clock_ms = reflector_next(bed.reflector) - 20000;
		reflector_step(bed.reflector, clock_ms);
	}
	clock_ms = begun + 299999;
	reflector_step(bed.reflector, clock_ms++);
	assert_non_null(reflector_target(bed.reflector));
	reflector_step(bed.reflector, clock_ms);
	assert_null(reflector_target(bed.reflector));
	wait_next(&bed);
	assert_asks(&bed, FIRST_PAGE);
	say(&bed, 200, EMPTY_LIST);

	/* A watch may be silent until its end, and 30 s more; that it has begun is to be said at once. */
	assert_asks(&bed, WATCH_FROM("7"));
	assert_int_equal(reflector_next(bed.reflector), clock_ms + 60000);
	seconds = atoi(strstr(reflector_target(bed.reflector), "timeoutSeconds=") + 15);
	reflector_head(bed.reflector, 200, -1);
	assert_int_equal(reflector_next(bed.reflector), clock_ms + seconds * 1000 + 30000);
	clock_ms = reflector_next(bed.reflector);
	assert_asks(&bed, WATCH_FROM("7")); /* the next one, at once */
	assert_int_equal(reflector_next(bed.reflector), clock_ms + 60000);
	assert_int_equal(stats(&bed)->silent, 3);
	assert_int_equal(stats(&bed)->truncated, 0);
}

static void object_that_found_no_memory_is_listed_again(void **state)
{
	_cleanup_(bed_done) struct bed bed;

	(void)state;
	bed_watching(&bed);
	bed.no_memory = true;
	say(&bed, 200, EVENT("ADDED", "a", "8") EVENT("ADDED", "b", "9"));
	assert_told(&bed, "set web/a 8\n");
	assert_noted(&bed, "out of memory");
	assert_backs_off(&bed);
	assert_asks(&bed, FIRST_PAGE);
	say(&bed, 200, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" POD("a", "8") "]}");
	assert_told(&bed, "begin\nset web/a 8\n");
	bed.no_memory = false;
	wait_next(&bed);
	assert_asks(&bed, FIRST_PAGE);
}

/* What the server says goes to logs: a line of printable text, however long it was. */
static void words_of_the_server_are_harmless(void **state)
{
	_cleanup_(bed_done) struct bed bed;
	_cleanup_(bc_text_done) struct bc_text body = {};

	(void)state;
	bed_watching(&bed);
	say(&bed, 403, "{\"message\":\"a\\u001b[2Jb\\u0000c\\nd\"}");
	assert_string_equal(stats(&bed)->failure, "the API server forbids it (403): a\\x1b[2Jb");
	wait_next(&bed);
	reflector_step(bed.reflector, clock_ms);
	say(&bed, 502, "\x1b]0;x\x07<b>bad</b>\r\nmore");
	assert_string_equal(stats(&bed)->failure, "the API server answers 502: \\x1b]0;x\\x07<b>bad</b>");
	wait_next(&bed);
	reflector_step(bed.reflector, clock_ms);
	for (int i = 0; i < 100000; i++)
		bc_text_add(&body, "\xc3\xa9", 2);
	say(&bed, 302, body.data);
	assert_in_range(strlen(stats(&bed)->failure), 200, sizeof(stats(&bed)->failure) - 1);
	assert_null(strstr(stats(&bed)->failure, "\\x")); /* no letter is cut in two */
	wait_next(&bed);
	assert_asks(&bed, FIRST_PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expired_watch_lists_anew),
		cmocka_unit_test(expired_page_is_followed_by_one_that_has_all),
		cmocka_unit_test(refusal_waits_and_says_why),
		cmocka_unit_test(faults_in_a_row_end_in_a_list),
		cmocka_unit_test(server_says_how_long_to_wait),
		cmocka_unit_test(recorded_overload_waits),
		cmocka_unit_test(error_event_decides_how_to_go_on),
		cmocka_unit_test(list_that_breaks_off_removes_nothing),
		cmocka_unit_test(what_is_no_list_ends_no_list),
		cmocka_unit_test(list_whose_metadata_is_too_large_is_not_complete),
		cmocka_unit_test(list_that_goes_in_circles_is_left),
		cmocka_unit_test(watch_that_breaks_off_goes_on),
		cmocka_unit_test(unreachable_server_is_tried_for_ever),
		cmocka_unit_test(silence_is_cut),
		cmocka_unit_test(object_that_found_no_memory_is_listed_again),
		cmocka_unit_test(words_of_the_server_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
