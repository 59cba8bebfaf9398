// SPDX-License-Identifier: GPL-2.0-or-later
/* authbind's lines are read as its helper reads them. tests/kernel/test_authbind.c asks the helper itself. */
#include "unit.h"

#include "pure/authline.h"

static bc_auth_addr number_of(const char *addr)
{
	unsigned char bytes[16];
	bool v4 = inet_pton(AF_INET, addr, bytes) == 1;

	if (!v4)
		assert_int_equal(inet_pton(AF_INET6, addr, bytes), 1);
	return bc_auth_number(bytes, v4);
}

static void assert_permits(const char *text, const char *first, const char *last, uint32_t first_port,
			   uint32_t last_port)
{
	struct bc_auth_line line = {};
	size_t at;
	const char *fault = bc_auth_read_line(text, &line, &at);

	if (fault || line.first != number_of(first) || line.last != number_of(last) || line.first_port != first_port ||
	    line.last_port != last_port || line.v4 != !strchr(first, ':'))
		fail_msg("'%s': %s, ports %u to %u", text, fault ?: "other addresses", line.first_port, line.last_port);
}

static void assert_ignored(const char *text, size_t column, const char *why)
{
	struct bc_auth_line line;
	size_t at;
	const char *fault = bc_auth_read_line(text, &line, &at);

	if (!fault || at != column)
		fail_msg("'%s': %s, at %zu", text, fault ?: "taken", at);
	assert_contains(fault, why);
}

static void every_form_is_read(void **state)
{
	(void)state;
	assert_permits("10.0.0.1,80\n", "10.0.0.1", "10.0.0.1", 80, 80);
	assert_permits("10.0.0.1,80-90", "10.0.0.1", "10.0.0.1", 80, 90);
	assert_permits("10.0.0.1-10.0.1.0,80", "10.0.0.1", "10.0.1.0", 80, 80);
	assert_permits("10.0.0.0/8,80-90\n", "10.0.0.0", "10.255.255.255", 80, 90);
	assert_permits("10.0.0.0/8:80,90\n", "10.0.0.0", "10.255.255.255", 80, 90);
	assert_permits("0.0.0.0/0:1,511", "0.0.0.0", "255.255.255.255", 1, 511);
	assert_permits("1.2.3.4/32,1", "1.2.3.4", "1.2.3.4", 1, 1);
	assert_permits("::1,80", "::1", "::1", 80, 80);
	assert_permits("fd00::-fd00::ffff,80-81", "fd00::", "fd00::ffff", 80, 81);
	assert_permits("fd00::/16,80", "fd00::", "fd00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 80, 80);
	assert_permits("::/0,80", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 80, 80);
	assert_permits("::/128,80", "::", "::", 80, 80);
	assert_permits("::ffff:10.0.0.1,80", "::ffff:10.0.0.1", "::ffff:10.0.0.1", 80, 80);
}

/* Its numbers are scanf's. */
static void odd_numbers_are_taken_as_the_helper_takes_them(void **state)
{
	(void)state;
	assert_permits("  10. 0.0.1/ 32: 80, 90 \r\n", "10.0.0.1", "10.0.0.1", 80, 90);
	assert_permits("+10.00.0.1/32:+80,0090", "10.0.0.1", "10.0.0.1", 80, 90);
	assert_permits("10.0.0.1, 80- 90\t", "10.0.0.1", "10.0.0.1", 80, 90);
	assert_permits("10.0.0.0/ 8 ,80", "10.0.0.0", "10.255.255.255", 80, 80);
	assert_permits("10.0.0.1,80--1", "10.0.0.1", "10.0.0.1", 80, UINT32_MAX);
	assert_permits("10.0.0.1,80-70000", "10.0.0.1", "10.0.0.1", 80, 70000);
	assert_permits("0.0.0.0/0:4294967376,90", "0.0.0.0", "255.255.255.255", 80, 90);
}

static void what_the_helper_does_not_read_is_ignored_where_it_goes_wrong(void **state)
{
	(void)state;
	assert_ignored("", 0, "does not read");
	assert_ignored("hello", 0, "does not read");
	assert_ignored("# 10.0.0.1,80", 0, "does not read");
	assert_ignored(" 10.0.0.1,80", 0, "does not read");
	assert_ignored("10.0.0.1:80", 0, "does not read");
	assert_ignored("10.0.0.1 ,80", 0, "does not read");
	assert_ignored("10.0.0,80", 0, "does not read");
	assert_ignored("localhost,80", 0, "does not read");
	assert_ignored("10.0.0.0/8-10.0.0.9,80", 0, "does not read");
	assert_ignored("10.0.0.0-::1,80", 0, "does not read");
	assert_ignored("10.0.0.0/33,80", 0, "does not read");
	assert_ignored("10.0.0.0/-1,80", 0, "does not read");
	assert_ignored("10.0.0.0/,80", 0, "does not read");
	assert_ignored("10.0.0.0/8/8,80", 0, "does not read");
	assert_ignored("::/129,80", 0, "does not read");
	assert_ignored("256.0.0.0/8:80,90", 0, "does not read");
	assert_ignored("10.0.0.0/33:80,90", 0, "does not read");
	assert_ignored("10.0.0.0/8:80,65536", 0, "does not read");
	assert_ignored("10.0.0.0/8:80-90,90", 0, "does not read");
	assert_ignored("::1/128:80,90", 0, "does not read");
	assert_ignored("10.0.0.1,", 9, "does not read");
	assert_ignored("10.0.0.1,http", 9, "does not read");
	assert_ignored("10.0.0.1,80,90", 9, "does not read");
	assert_ignored("10.0.0.1,80 -90", 9, "does not read");
	assert_ignored("10.0.0.1,80-", 9, "does not read");
	assert_ignored("10.0.0.1,80 # www", 9, "does not read");
}

static void what_permits_nothing_is_ignored(void **state)
{
	(void)state;
	assert_ignored("10.0.0.1/8,80", 0, "bits behind its prefix");
	assert_ignored("10.0.0.1/8:80,90", 0, "bits behind its prefix");
	assert_ignored("::1/127,80", 0, "bits behind its prefix");
	assert_ignored("10.0.0.2-10.0.0.1,80", 0, "above the last");
	assert_ignored("10.0.0.1,90-80", 9, "above the last");
	assert_ignored("10.0.0.0/8:90,80", 0, "above the last");
}

int main(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(odd_numbers_are_taken_as_the_helper_takes_them),
		cmocka_unit_test(what_the_helper_does_not_read_is_ignored_where_it_goes_wrong),
		cmocka_unit_test(what_permits_nothing_is_ignored),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}
