// SPDX-License-Identifier: GPL-2.0-or-later
/* What is remembered of refusals, for `bindctl why`, whether or not anybody reads events. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
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

/* A process of that user, in a user namespace of its own and a network namespace of that. */
static pid_t start_owner(uint32_t uid)
{
	const struct try who = { .uid = uid };
	pid_t child;
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		bed_become(&who);
		if (unshare(CLONE_NEWUSER) || unshare(CLONE_NEWNET) || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

/* What bind(2) says to that user, who holds no capability, in that network namespace: 0 or errno. */
static int bind_over_there(int netns, uint32_t uid, uint16_t port)
{
	const struct try who = { .uid = uid };
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
		int fd;

		if (setns(netns, CLONE_NEWNET))
			_exit(255);
		bed_become(&who);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		_exit(bind(fd, (struct sockaddr *)&in, sizeof(in)) ? errno : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Who made a user namespace can do all in it, also from outside; nobody else can. */
static void owner_of_a_namespace_is_not_refused_there(void **state)
{
	_cleanup_free_ struct bc_refused *all = NULL;
	char path[64];
	pid_t owner;
	size_t n;
	int fd;

	(void)state;
	bed_unload();
	bed_policy("deny port 443\n");
	owner = start_owner(4321);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)owner);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(bind_over_there(fd, 4321, 84), 0);
	assert_int_equal(bind_over_there(fd, 4322, 85), EACCES);
	close(fd);
	kill(owner, SIGKILL);
	waitpid(owner, NULL, 0);
	assert_int_equal(bc_refusals_read(bed.pins, &all, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_non_null(find_refused(all, n, 4322, 85));
}

static int bind_two(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in in = *(const struct sockaddr_in *)addr;

	in.sin_port = htons(89);
	if (!bind(fd, (struct sockaddr *)&in, len) || errno != EACCES)
		return 1;
	return bind(fd, addr, len) ? errno : 0;
}

/* Where ports are low ends in each network namespace elsewhere. */
static void low_ports_are_those_of_the_network_namespace(void **state)
{
	_cleanup_free_ struct bc_refused *all = NULL;
	int status;
	size_t n;
	pid_t child;

	(void)state;
	bed_unload();
	bed_policy("deny port 443\n");
	child = fork();
	if (child == 0) {
		const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 90, .call = bind_two };
		FILE *file;

		if (unshare(CLONE_NEWNET))
			_exit(255);
		file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w");
		if (!file || fputs("90", file) < 0 || fclose(file))
			_exit(254);
		_exit(bed_try(&try).error);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(bc_refusals_read(bed.pins, &all, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_non_null(find_refused(all, n, NOBODY, 89));
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(refusals_are_remembered),
		cmocka_unit_test(nobody_can_have_others_refusals_forgotten),
		cmocka_unit_test(capability_counts_where_it_is_held),
		cmocka_unit_test(owner_of_a_namespace_is_not_refused_there),
		cmocka_unit_test(low_ports_are_those_of_the_network_namespace),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
