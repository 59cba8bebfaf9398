// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules of groups: the effective gid and every supplementary group, however many there are. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bed.h"

static int bind_as(uint32_t gid, const gid_t *groups, size_t n, int family)
{
	const struct try try = {
		.uid = NOBODY, .gid = gid, .groups = groups, .ngroups = n, .family = family, .port = 443
	};

	return bed_try(&try).error;
}

static void effective_group_counts(void **state)
{
	(void)state;
	bed_policy("grant group 3000 port 443\n");
	assert_int_equal(bind_as(3000, NULL, 0, AF_INET), 0);
	assert_int_equal(bind_as(3000, NULL, 0, AF_INET6), 0);
	assert_int_equal(bind_as(3001, NULL, 0, AF_INET), EACCES);
	assert_int_equal(bind_as(2999, NULL, 0, AF_INET), EACCES);
}

static void every_supplementary_group_counts(void **state)
{
	static const gid_t groups[] = { 10, 3000, 20, 4294967294u, 3000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		_cleanup_(bc_text_done) struct bc_text text = {};

		bc_text_addf(&text, "grant group %u port 443\n", groups[i]);
		bed_policy(text.data);
		assert_int_equal(bind_as(1, groups, ARRAY_SIZE(groups), AF_INET), 0);
		assert_int_equal(bind_as(1, groups, i, AF_INET), i == 4 ? 0 : EACCES);
	}
	bed_policy("grant group 11 port 443\n");
	assert_int_equal(bind_as(1, groups, ARRAY_SIZE(groups), AF_INET), EACCES);
}

/* As many as a process can be in: the first, the last, some between, and the gaps between them. */
static void sixty_five_thousand_groups_count(void **state)
{
	static gid_t groups[NGROUPS_MAX];
	static const unsigned in[] = { 0, 1, 2, 32767, 32768, 65534, 65535 };

	(void)state;
	for (unsigned i = 0; i < NGROUPS_MAX; i++)
		groups[i] = 100000 + 2 * i;
	for (size_t i = 0; i < ARRAY_SIZE(in); i++) {
		_cleanup_(bc_text_done) struct bc_text member = {}, stranger = {};

		bc_text_addf(&member, "grant group %u port 443\n", groups[in[i]]);
		bc_text_addf(&stranger, "grant group %u port 443\n", groups[in[i]] + 1);
		bed_policy(member.data);
		assert_int_equal(bind_as(1, groups, NGROUPS_MAX, AF_INET), 0);
		bed_policy(stranger.data);
		assert_int_equal(bind_as(1, groups, NGROUPS_MAX, AF_INET), EACCES);
	}
	bed_policy("grant group 99999 port 443\n");
	assert_int_equal(bind_as(1, groups, NGROUPS_MAX, AF_INET), EACCES);
}

static void user_goes_before_group_and_group_before_anyone(void **state)
{
	static const gid_t groups[] = { 3000 };

	(void)state;
	bed_policy("deny port 443\ngrant group 3000 port any\n");
	assert_int_equal(bind_as(1, groups, 1, AF_INET), 0);
	assert_int_equal(bind_as(1, NULL, 0, AF_INET), EACCES);
	bed_policy("deny user nobody port any errno EPERM\ngrant group 3000 port 443\n");
	assert_int_equal(bind_as(1, groups, 1, AF_INET), EPERM);
}

/* Of the rules of all of its groups the most specific decides, whichever group it is. */
static void rules_of_several_groups_compete_by_rank(void **state)
{
	static const gid_t groups[] = { 3000, 3001 };

	(void)state;
	bed_policy("deny group 3000 port 1-1000\ngrant group 3001 port 443\n");
	assert_int_equal(bind_as(1, groups, 2, AF_INET), 0);
	bed_policy("deny group 3001 port 1-1000\ngrant group 3000 port 443\n");
	assert_int_equal(bind_as(1, groups, 2, AF_INET), 0);
	bed_policy("grant group 3000 port 443\ndeny group 3001 port 443\n");
	assert_int_equal(bind_as(1, groups, 2, AF_INET), EACCES);
	assert_int_equal(bind_as(3000, NULL, 0, AF_INET), 0);
	assert_int_equal(bind_as(3001, NULL, 0, AF_INET), EACCES);
	bed_policy("grant group 3001 port 443\ndeny group 3000 port 443\n");
	assert_int_equal(bind_as(1, groups, 2, AF_INET), EACCES);
}

/* Very many rules of groups on one port: each is asked for, none is lost. */
static void ten_thousand_groups_in_the_policy(void **state)
{
	static const gid_t groups[] = { 50000, 59999 };
	_cleanup_(bc_text_done) struct bc_text text = {};

	(void)state;
	for (unsigned gid = 50000; gid < 60000; gid++)
		bc_text_addf(&text, "grant group %u port 443\n", gid);
	bed_policy(text.data);
	assert_int_equal(bind_as(1, groups + 1, 1, AF_INET), 0);
	assert_int_equal(bind_as(1, groups, 1, AF_INET6), 0);
	assert_int_equal(bind_as(60000, NULL, 0, AF_INET), EACCES);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(effective_group_counts),
		cmocka_unit_test(every_supplementary_group_counts),
		cmocka_unit_test(sixty_five_thousand_groups_count),
		cmocka_unit_test(user_goes_before_group_and_group_before_anyone),
		cmocka_unit_test(rules_of_several_groups_compete_by_rank),
		cmocka_unit_test(ten_thousand_groups_in_the_policy),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
