// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of the log: one an event, whatever is in the values, and not the same again and again. */
#include <fcntl.h>
#include <json-c/json.h>

#include "../../unit/unit.h"
#include "agent/log.h"

#define TIME (INT64_C(1795514400) * 1000000000 + 7654321)

static void assert_line(enum log_format format, const char *value, const char *expected)
{
	const struct log_field fields[] = { { "left", NULL }, { "value", value } };
	_cleanup_(bc_text_done) struct bc_text line = {};
	_cleanup_(bc_text_done) struct bc_text whole = {};

	log_line(&line, format, TIME, LEVEL_WARNING, "object-rejected", fields, ARRAY_SIZE(fields));
	bc_text_addf(&whole,
		     format == LOG_FORMAT_JSON ?
			     "{\"time\":\"2026-11-24T10:00:00.007Z\",\"level\":\"warning\",\"event\":"
			     "\"object-rejected\",\"value\":%s}\n" :
			     "time=2026-11-24T10:00:00.007Z level=warning event=object-rejected value=%s\n",
		     expected);
	assert_string_equal(line.data, whole.data);
}

static void text_quotes_what_is_not_plain(void **state)
{
	(void)state;
	assert_line(LOG_FORMAT_TEXT, "default/edge-1.2", "default/edge-1.2");
	assert_line(LOG_FORMAT_TEXT, "[::]:9734", "[::]:9734");
	assert_line(LOG_FORMAT_TEXT, "", "\"\"");
	assert_line(LOG_FORMAT_TEXT, "two words", "\"two words\"");
	assert_line(LOG_FORMAT_TEXT, "a=b", "\"a=b\"");
	assert_line(LOG_FORMAT_TEXT, "say \"so\"", "\"say \\\"so\\\"\"");
	assert_line(LOG_FORMAT_TEXT, "größer", "\"größer\"");
}

/* A value that would end the line, move the cursor or look like another line's is not let. */
static void text_escapes_hostile_values(void **state)
{
	(void)state;
	assert_line(LOG_FORMAT_TEXT, "x\nlevel=info event=applied", "\"x\\x0alevel=info event=applied\"");
	assert_line(LOG_FORMAT_TEXT, "\x1b[2J", "\"\\x1b[2J\"");
	assert_line(LOG_FORMAT_TEXT, "\xff\xfe", "\"\\xff\\xfe\"");
	/* What looks like an escaped byte, and is none, can be told from one. */
	assert_line(LOG_FORMAT_TEXT, "\\x0a", "\"\\\\x0a\"");
	assert_line(LOG_FORMAT_TEXT, "%s%n", "\"%s%n\"");
}

static void json_is_json(void **state)
{
	(void)state;
	assert_line(LOG_FORMAT_JSON, "default/edge", "\"default/edge\"");
	assert_line(LOG_FORMAT_JSON, "x\n\"}{\"", "\"x\\n\\\"}{\\\"\"");
	assert_line(LOG_FORMAT_JSON, "\xff", "\"\\\\xff\"");
	assert_line(LOG_FORMAT_JSON, "", "\"\"");
}

static void long_values_are_cut_between_characters(void **state)
{
	_cleanup_(bc_text_done) struct bc_text line = {};
	_cleanup_free_ char *value = malloc(10001);
	struct log_field field = { "value", value };

	(void)state;
	for (size_t i = 0; i < 10000; i += 2)
		memcpy(value + i, "ö", 2);
	value[0] = 'x';
	value[1] = 'y';
	value[2] = 'z';
	memmove(value + 3, value + 4, 9996);
	value[9999] = '\0';
	log_line(&line, LOG_FORMAT_TEXT, TIME, LEVEL_INFO, "long", &field, 1);
	assert_true(line.len < 4300);
	assert_contains(line.data, "xyzö");
	assert_contains(line.data, "ö…\"\n");
}

/* What is written to standard error while `say` runs, malloc'ed. */
static char *said_by(void (*say)(void))
{
	char path[] = "/tmp/bindctl-test-log-XXXXXX";
	int file = mkstemp(path), old = dup(STDERR_FILENO);
	char *text;
	size_t len;

	assert_true(file >= 0 && old >= 0);
	assert_int_equal(unlink(path), 0);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
	say();
	assert_true(dup2(old, STDERR_FILENO) >= 0);
	close(old);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	assert_int_equal(bc_read_all(file, 1 << 20, &text, &len), 0);
	close(file);
	return text;
}

static size_t lines_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void say_repeats(void)
{
	log_setup(LOG_FORMAT_TEXT, LEVEL_INFO);
	for (int i = 0; i < 1000; i++)
		log_repeating(LEVEL_WARNING, "watch", "resource", "pods", NULL);
	log_repeating(LEVEL_WARNING, "watch", "resource", "namespaces", NULL);
	log_repeating(LEVEL_ERROR, "watch", "resource", "pods", NULL);
	log_repeating(LEVEL_DEBUG, "hidden", NULL);
	log_event(LEVEL_DEBUG, "hidden", NULL);
	/* What comes and goes is said each time. */
	for (int i = 0; i < 3; i++)
		log_event(LEVEL_INFO, "rejected", "name", "edge", NULL);
}

static void repeats_are_held_back(void **state)
{
	_cleanup_free_ char *text = said_by(say_repeats);

	(void)state;
	assert_int_equal(lines_of(text), 6);
	assert_null(strstr(text, "hidden"));
}

static void say_error_at(void)
{
	struct bc_error error;

	log_setup(LOG_FORMAT_JSON, LEVEL_DEBUG);
	bc_fail_at(&error, -EINVAL, "/etc/x.conf", 4, 9, "unknown '%s'", "tpc");
	log_error(LEVEL_ERROR, "apply-failed", &error);
	bc_fail(&error, -EINVAL, "out of memory");
	log_error(LEVEL_DEBUG, "apply-failed", &error);
}

static void errors_have_their_place(void **state)
{
	_cleanup_free_ char *text = said_by(say_error_at);

	(void)state;
	assert_contains(text, "\"error\":\"unknown 'tpc'\",\"at\":\"/etc/x.conf:4:9\"}\n");
	assert_contains(text, "\"level\":\"debug\",\"event\":\"apply-failed\",\"error\":\"out of memory\"}\n");
	assert_int_equal(lines_of(text), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_quotes_what_is_not_plain),
		cmocka_unit_test(text_escapes_hostile_values),
		cmocka_unit_test(json_is_json),
		cmocka_unit_test(long_values_are_cut_between_characters),
		cmocka_unit_test(repeats_are_held_back),
		cmocka_unit_test(errors_have_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
