// SPDX-License-Identifier: GPL-2.0-or-later
/* What is remembered of refusals, for `bindctl why`, whether or not anybody reads events. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"
#include "kernel/events.h"

/* The newest refusal of that user, port and protocol that is remembered. */
static const struct bc_refused *find_refused(const struct bc_refused *all, size_t n, uint32_t uid, uint16_t port)
{
	while (n--)
		if (all[n].last.uid == uid && all[n].last.port == port)
			return &all[n];
	return NULL;
}

/* Without any reader. */
static void refusals_are_remembered(void **state)
{
	_cleanup_free_ struct bc_refused *all = NULL;
	const struct bc_refused *one;
	struct bc_error error;
	size_t n;

	(void)state;
	bed_unload();
	bed_policy("deny port 443 errno EPERM\ndeny port 445 audit\nallow user nobody port 446\n");
	for (int i = 0; i < 3; i++)
		assert_int_equal(bed_try(&(struct try){ .uid = NOBODY, .family = AF_INET, .port = 443 }).error, EPERM);
	assert_int_equal(bed_try(&(struct try){ .uid = SOMEBODY, .family = AF_INET6, .port = 80 }).error, EACCES);
	assert_int_equal(bed_try(&(struct try){ .uid = NOBODY, .family = AF_INET, .port = 446 }).error, EACCES);
	assert_int_equal(bed_try(&(struct try){ .uid = 0, .family = AF_INET, .port = 445 }).error, 0);
	if (bc_refusals_read(bed.pins, &all, &n, &error))
		fail_msg("%s", error.text);
	assert_int_equal(n, 3);
	one = find_refused(all, n, NOBODY, 443);
	assert_true(one && one->times == 3 && one->last.err == EPERM && one->last.kind == BC_EVENT_DENY);
	assert_string_equal(one->last.comm, "test_refusals");
	one = find_refused(all, n, SOMEBODY, 80);
	assert_true(one && one->times == 1 && one->last.kind == BC_EVENT_KERNEL && one->last.rule == BC_RULE_NONE);
	one = find_refused(all, n, NOBODY, 446);
	assert_true(one && one->times == 1 && one->last.kind == BC_EVENT_KERNEL && one->last.rule == 2);
	/* The oldest first. */
	assert_true(all[0].last.time < all[1].last.time && all[1].last.time < all[2].last.time);
}

static int bind_all_low(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in in = *(const struct sockaddr_in *)addr;

	for (int port = 1; port < 1024; port++) {
		in.sin_port = htons(port);
		if (!bind(fd, (struct sockaddr *)&in, len) || errno != EACCES)
			return 1;
	}
	return 0;
}

/* Whoever is refused everything there is takes a user's places, and nobody else's. */
static void nobody_can_have_others_refusals_forgotten(void **state)
{
	_cleanup_free_ struct bc_refused *all = NULL;
	struct try flood = { .family = AF_INET, .port = 1, .call = bind_all_low };
	size_t n;

	(void)state;
	bed_policy("deny port 443\n");
	assert_int_equal(bed_try(&(struct try){ .uid = NOBODY, .family = AF_INET, .port = 443 }).error, EACCES);
	flood.uid = SOMEBODY;
	assert_int_equal(bed_try(&flood).error, 0);
	assert_int_equal(bc_refusals_read(bed.pins, &all, &n, NULL), 0);
	assert_in_range(n, 2, 1 + BC_REFUSALS_USER + 3);
	assert_non_null(find_refused(all, n, NOBODY, 443));
	assert_non_null(find_refused(all, n, SOMEBODY, 1023));
}

/* A process that has the capability in a namespace of its own has nothing of it here. */
static void capability_counts_where_it_is_held(void **state)
{
	_cleanup_free_ struct bc_refused *all = NULL;
	size_t before, n;
	int status;
	pid_t child;

	(void)state;
	bed_policy("deny port 443\n");
	assert_int_equal(bc_refusals_read(bed.pins, &all, &before, NULL), 0);
	free(TAKE_PTR(all));
	child = fork();
	if (child == 0) {
		const struct try who = { .uid = 4321 };
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(81) };
		int fd, fail = 0;

		bed_become(&who);
		if (unshare(CLONE_NEWUSER))
			_exit(77);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		fail |= !bind(fd, (struct sockaddr *)&in, sizeof(in)) || errno != EACCES;
		close(fd);
		/* In a network namespace that is the user namespace's own it is worth what it says. */
		fail |= unshare(CLONE_NEWNET) << 1;
		fd = socket(AF_INET, SOCK_STREAM, 0);
		in.sin_port = htons(82);
		fail |= bind(fd, (struct sockaddr *)&in, sizeof(in)) << 2;
		_exit(fail & 7);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(bc_refusals_read(bed.pins, &all, &n, NULL), 0);
	assert_int_equal(n, before + 1);
	assert_non_null(find_refused(all, n, 4321, 81));
	assert_null(find_refused(all, n, 4321, 82));
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(refusals_are_remembered),
		cmocka_unit_test(nobody_can_have_others_refusals_forgotten),
		cmocka_unit_test(capability_counts_where_it_is_held),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
