// SPDX-License-Identifier: GPL-2.0-or-later
/* What somebody changes behind the agent's back is found, mended and said: once, and then there is nothing to do. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/force.h"
#include "agent/filename.h"
#include "pods.h"

static char path[256]; /* of the agent's file */
static struct enforcer enforcer;

static int open_enforcer(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/" FILENAME_DEFAULT, bed.policy);
	pods_forget();
	bed_make_cgroup(POD_A CONTAINER);
	pods_open(&enforcer);
	pods_enforce(&enforcer, pod_grant(POD_A, 443), ENFORCE_CHANGED, 0);
	return 0;
}

static int close_enforcer(void **state)
{
	(void)state;
	enforcer_done(&enforcer);
	bed_remove_cgroup("kubepods.slice");
	return 0;
}

/* Mended: whole once more, in the kernel and on disk. */
static void check_whole(const char *finding)
{
	_cleanup_free_ char *found = NULL;

	pods_check(&enforcer, ENFORCE_MENDED, finding);
	assert_int_equal(pod_bind(POD_A, 443), 0);
	found = read_path(path);
	assert_string_equal(found, pod_grant(POD_A, 443));
	pods_agree();
	pods_check(&enforcer, ENFORCE_NOTHING, NULL);
}

static void unloaded(void **state)
{
	(void)state;
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	assert_int_equal(pod_bind(POD_A, 443), EACCES);
	check_whole("not loaded: no pins in");
}

static void file_removed(void **state)
{
	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	assert_int_equal(pod_bind(POD_A, 443), EACCES);
	check_whole("did not say what it is to say");
}

static void file_edited(void **state)
{
	(void)state;
	write_path(path, "grant port any\n");
	check_whole("did not say what it is to say");
	/* One that nobody could apply. */
	write_path(path, "grant port\n");
	check_whole("did not say what it is to say");
	write_path(path, "mode audit\n");
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	check_whole("did not say what it is to say");
}

/* Somebody wrote a file, and did not apply it. */
static void another_file_changed(void **state)
{
	const struct try somebody = { .uid = SOMEBODY, .family = AF_INET, .port = 445 };

	(void)state;
	bed_write("10-host.conf", "grant user 1234 port 445\n", 25);
	assert_int_equal(bed_try(&somebody).error, EACCES);
	check_whole("the policy in force was not that of the files");
	assert_int_equal(bed_try(&somebody).error, 0);
}

static void policy_withdrawn(void **state)
{
	_cleanup_(bc_force_done) struct bc_force force = BC_FORCE_NONE;
	struct bc_error error;

	(void)state;
	assert_int_equal(bc_force_open(bed.pins, &force, &error), 0);
	assert_int_equal(bc_image_withdraw(force.policy_fd, &error), 0);
	assert_int_equal(pod_bind(POD_A, 443), EACCES);
	check_whole("no policy is in force");
}

static void another_policy_in_force(void **state)
{
	(void)state;
	bed_policy("grant user nobody port 444\n");
	assert_int_equal(pod_bind(POD_A, 443), EACCES);
	check_whole("the policy in force was not that of the files");
}

/* The digests of the two are the same. */
static void policy_with_its_digest_in_force(void **state)
{
	static const char ours[] = "deny user 4001 port 80 cgroup /fLEO1LSJSZN\n",
			  his[] = "grant user 4001 port 22 cgroup /Y_Pf6tJWolH\n";

	(void)state;
	pods_enforce(&enforcer, ours, ENFORCE_CHANGED, 0);
	write_path(path, his);
	assert_int_equal(BINDCTL(NULL, "apply"), 0);
	write_path(path, ours);
	pods_check(&enforcer, ENFORCE_MENDED, "the policy in force was not that of the files");
	pods_agree();
	pods_enforce(&enforcer, pod_grant(POD_A, 443), ENFORCE_CHANGED, 0);
}

static void link_detached(void **state)
{
	(void)state;
	for (int pass = 0; pass < 2; pass++) {
		const char *name = pass ? "bind6" : "bind4";
		int fd = bed_open_pin(name);

		assert_int_equal(bpf_link_detach(fd), 0);
		close(fd);
		check_whole("somebody detached our program");
	}
}

static void pin_removed(void **state)
{
	static const char *const pins[] = { "bind4", "gate", "notes", "counters" };
	char pin[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pins); i++) {
		_cleanup_(bc_report_done) struct bc_report report = {};
		enum enforce_result result;
		struct bc_error error;

		snprintf(pin, sizeof(pin), "%s/%s", bed.pins, pins[i]);
		assert_int_equal(unlink(pin), 0);
		if (enforce_check(&enforcer, &result, &report, &error))
			fail_msg("without %s: %s", pins[i], error.text);
		assert_int_equal(pod_bind(POD_A, 443), 0);
		assert_int_equal(BINDCTL(NULL, "apply"), 0);
	}
}

/* Programs that are there, but hang on other maps than those that are written. */
static void maps_exchanged(void **state)
{
	char pin[160];

	(void)state;
	snprintf(pin, sizeof(pin), "%s/policy", bed.pins);
	assert_int_equal(unlink(pin), 0);
	pods_check(&enforcer, ENFORCE_MENDED, "policy");
	pods_enforce(&enforcer, pod_grant(POD_A, 444), ENFORCE_CHANGED, 0);
	assert_int_equal(pod_bind(POD_A, 443), EACCES);
	assert_int_equal(pod_bind(POD_A, 444), 0);
	pods_agree();
}

/* What happened while no agent ran is mended by the first call of the next one. */
static void unloaded_before_the_start(void **state)
{
	const char *text = pod_grant(POD_A, 443);

	(void)state;
	enforcer_done(&enforcer);
	assert_int_equal(BINDCTL(NULL, "unload"), 0);
	assert_int_equal(pod_bind(POD_A, 443), EACCES);
	pods_open(&enforcer);
	pods_enforce(&enforcer, text, ENFORCE_MENDED, 1);
	assert_int_equal(pod_bind(POD_A, 443), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_enforcer, close_enforcer)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(unloaded),
		TEST(file_removed),
		TEST(file_edited),
		TEST(another_file_changed),
		TEST(policy_withdrawn),
		TEST(another_policy_in_force),
		TEST(policy_with_its_digest_in_force),
		TEST(link_detached),
		TEST(pin_removed),
		TEST(maps_exchanged),
		TEST(unloaded_before_the_start),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
