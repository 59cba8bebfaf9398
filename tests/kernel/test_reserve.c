// SPDX-License-Identifier: GPL-2.0-or-later
/* A port that is somebody's: no way of asking for it, and no luck with the kernel's choice, gives it to another. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"

#define OWNER SOMEBODY
#define PORT 5432
#define CHOICES bed_share(2000)

/* Two ways to say it. */
static const char *const policies[] = {
	"deny port 5432 netns any\ngrant user 1234 port 5432 netns any\n",
	"reserve user 1234 port 5432 netns any\n",
};

static int in_own_cgroup(const char *policy, const struct try *try)
{
	bed_policy(policy);
	return bed_try(try).error;
}

static void nobody_else_gets_it_by_asking(void **state)
{
	static const struct try tries[] = {
		{ .uid = 0, .family = AF_INET },
		{ .uid = 0, .family = AF_INET6 },
		{ .uid = 0, .family = AF_INET6, .v6only = true },
		{ .uid = 0, .family = AF_INET, .addr = "127.0.0.1" },
		{ .uid = 0, .family = AF_INET6, .addr = "::1" },
		{ .uid = 0, .family = AF_INET6, .addr = "::ffff:0.0.0.0" },
		{ .uid = 0, .family = AF_INET6, .addr = "::ffff:127.0.0.1" },
		{ .uid = 0, .family = AF_INET, .sa_family = -1 },
		{ .uid = 0, .family = AF_INET, .addrlen = 128 },
		{ .uid = 0, .family = AF_INET, .type = SOCK_DGRAM },
		{ .uid = 0, .family = AF_INET6, .type = SOCK_DGRAM, .protocol = IPPROTO_UDPLITE },
		{ .uid = 0, .family = AF_INET, .protocol = IPPROTO_MPTCP },
		{ .uid = 0, .family = AF_INET, .foreign_netns = true },
		{ .uid = NOBODY, .family = AF_INET },
		{ .uid = NOBODY, .ruid = OWNER, .family = AF_INET },
	};
	const bool udp_lite = bed_has_udp_lite();

	(void)state;
	for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
		for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
			struct try try = tries[i];

			if (try.protocol == IPPROTO_UDPLITE && !udp_lite)
				continue;
			try.port = PORT;
			if (in_own_cgroup(policies[p], &try) != EACCES)
				fail_msg("policy %zu, try %zu", p, i);
			try.uid = OWNER;
			try.ruid = 0;
			assert_int_equal(bed_try(&try).error, 0);
		}
	}
}

/*
 * CHOICES binds to port 0; how many were given PORT, in *ret_got. The others' errors must be EACCES. The three sockets
 * before stay open: of four ports the kernel, which likes odd ones better, must come to the fourth.
 */
static int choose_often(const struct try *try, int *ret_got, int *ret_refused)
{
	int held[3] = { -1, -1, -1 };

	for (int i = 0; i < CHOICES; i++) {
		struct sockaddr_in6 name = {};
		struct sockaddr_storage any = { .ss_family = try->family };
		socklen_t len = try->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(name);
		int fd = socket(try->family, try->type ?: SOCK_STREAM, 0);

		if (bind(fd, (struct sockaddr *)&any, len)) {
			if (errno != EACCES)
				return -errno;
			++*ret_refused;
		} else if (getsockname(fd, (struct sockaddr *)&name, &len)) {
			return -errno;
		} else if (ntohs(name.sin6_port) == PORT) {
			++*ret_got;
		}
		close(held[i % 3]);
		held[i % 3] = fd;
	}
	return 0;
}

struct tally {
	int error, got, refused;
};

static struct tally tally_choices(const struct try *try)
{
	struct tally tally = {};
	int pipes[2], status;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		bed_become(try);
		tally.error = choose_often(try, &tally.got, &tally.refused);
		_exit(write(pipes[1], &tally, sizeof(tally)) != sizeof(tally));
	}
	close(pipes[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(read(pipes[0], &tally, sizeof(tally)), sizeof(tally));
	close(pipes[0]);
	return tally;
}

/* Where the kernel has four ports to choose from, one of them reserved. */
static void nobody_else_gets_it_by_the_kernels_choice(void **state)
{
	static const struct try tries[] = {
		{ .uid = 0, .family = AF_INET },
		{ .uid = 0, .family = AF_INET6 },
		{ .uid = NOBODY, .family = AF_INET, .type = SOCK_DGRAM },
		{ .uid = NOBODY, .family = AF_INET6, .type = SOCK_DGRAM },
	};

	(void)state;
	for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
		for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
			struct try try = tries[i];
			struct tally tally;

			bed_policy(policies[p]);
			try.local_ports = "5430 5433";
			tally = tally_choices(&try);
			assert_int_equal(tally.error, 0);
			assert_int_equal(tally.got, 0);
			/* It was chosen, and refused: otherwise nothing was tested. */
			assert_true(tally.refused > 0);
			try.uid = OWNER;
			tally = tally_choices(&try);
			assert_int_equal(tally.refused, 0);
			assert_true(tally.got > 0);
		}
	}
	printf("# %d binds to port 0 for each kind of socket, none given the reserved port\n", CHOICES);
}

/* The range is the port alone: the errno is the rule's. */
static void chosen_port_is_refused_with_the_rules_errno(void **state)
{
	struct try try = { .uid = 0, .family = AF_INET, .local_ports = "5432 5432" };

	(void)state;
	assert_int_equal(in_own_cgroup("reserve user 1234 port 5432 netns any errno EADDRINUSE\n", &try), EADDRINUSE);
	try.family = AF_INET6;
	assert_int_equal(bed_try(&try).error, EADDRINUSE);
	/* The address that the socket took counts. */
	try.addr = "::1";
	assert_int_equal(in_own_cgroup("deny port 5432 addr 0.0.0.0/0 netns any\n", &try), EADDRNOTAVAIL);
	try.addr = NULL;
	assert_int_equal(bed_try(&try).error, EACCES);
	try.v6only = true;
	assert_int_equal(bed_try(&try).error, 0);
	try.v6only = false;
	try.family = AF_INET;
	assert_int_equal(in_own_cgroup("deny port 5432 addr ::/0 netns any\n", &try), 0);
	assert_int_equal(in_own_cgroup("deny port 5432 proto udp netns any\n", &try), 0);
	assert_int_equal(in_own_cgroup("deny port 5432 netns any audit\n", &try), 0);
	assert_int_equal(in_own_cgroup("deny port 5432\n", &try), 0);
}

static void groups_cgroups_and_wider_rules(void **state)
{
	static const gid_t groups[] = { 3000 };
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = PORT, .groups = groups, .ngroups = 1 };
	_cleanup_(bc_text_done) struct bc_text text = {};

	(void)state;
	assert_int_equal(in_own_cgroup("reserve group 3000 port 5432\n", &try), 0);
	try.ngroups = 0;
	assert_int_equal(bed_try(&try).error, EACCES);
	bc_text_addf(&text, "reserve cgroup %s/db port 5432\n", bed.scope);
	assert_int_equal(in_own_cgroup(text.data, &try), EACCES);
	bed_make_cgroup("db/deep");
	bed_make_cgroup("other");
	try.in = "db/deep";
	assert_int_equal(bed_try(&try).error, 0);
	try.uid = 0;
	assert_int_equal(bed_try(&try).error, 0);
	try.in = "other";
	assert_int_equal(bed_try(&try).error, EACCES);
	bed_remove_cgroup("db");
	bed_remove_cgroup("other");
	/* Others' denies lie at everyone's rank: a rule for a user is nearer, and can say otherwise. */
	try.in = NULL;
	try.uid = NOBODY;
	assert_int_equal(in_own_cgroup("reserve user 1234 port 5432\nallow user nobody port 5432\n", &try), 0);
	/* Two owners share it. */
	try.uid = OWNER;
	assert_int_equal(in_own_cgroup("reserve user 1234 port 5432\nreserve user nobody port 5432\n", &try), 0);
	try.uid = NOBODY;
	assert_int_equal(bed_try(&try).error, 0);
	try.uid = 0;
	assert_int_equal(bed_try(&try).error, EACCES);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(nobody_else_gets_it_by_asking),
		cmocka_unit_test(nobody_else_gets_it_by_the_kernels_choice),
		cmocka_unit_test(chosen_port_is_refused_with_the_rules_errno),
		cmocka_unit_test(groups_cgroups_and_wider_rules),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
