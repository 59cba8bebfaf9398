// SPDX-License-Identifier: GPL-2.0-or-later
/* host/systemd and host/userside: units of a user, whose manager may do anything. */
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>

#include "fake_systemd.h"

static void users_manager_knows_the_users_units(void **state)
{
	struct fixture *f = *state;
	char group[256];

	START_SYSTEM(f, { "both.service", "", "system.slice" });
	snprintf(group, sizeof(group), "%s/deep.slice/on.service", f->prefix);
	START_USER(f, { "on.service", group, "app.slice" }, { "off.service", "", "session.slice" },
		   { "in@1.service", "", "" }, { "alias.service", "", "app.slice", .id = "real.service" },
		   { "both.service", group, "app.slice" });
	assert_users(f, "on.service", "/deep.slice/on.service");
	assert_users(f, "off.service", "/session.slice/off.service");
	assert_users(f, "in@1.service", "/app.slice/app-in.slice/in@1.service");
	assert_users(f, "alias.service", "/app.slice/real.service");
	assert_int_equal(f->seen->uid, f->uid);
	/* The system's come first, and nobody is asked whom the rule does not name. */
	assert_unit(f, "both.service", f->uid, "/system.slice/both.service", true);
	assert_unit(f, "on.service", BC_NO_USER, "/system.slice/on.service", false);
	put(f, "/usr/lib/systemd/user/neither.service");
	assert_unit(f, "neither.service", f->uid, "/system.slice/neither.service", false);
}

static void users_manager_is_believed_in_its_own_subtree_only(void **state)
{
	static const char *const lies[] = {
		"/system.slice/nginx.service",
		"/",
		"relative",
		"/user.slice/user-4711.slice/user@4711.service/a.service",
		"%s",
		"%s/",
		"%s-not/a.service",
		"%s/../../../system.slice/nginx.service",
		"%s/app.slice/..",
		"%s/./a.service",
		"%s//a.service",
		"%s/a.service/",
		"x%s/a.service",
	};
	struct fixture *f = *state;
	char names[ARRAY_SIZE(lies)][32], groups[ARRAY_SIZE(lies)][256], path[64];
	struct fake units[ARRAY_SIZE(lies)] = {};

	START_SYSTEM(f, { "a.service" });
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		const char *place = strstr(lies[i], "%s");

		snprintf(names[i], sizeof(names[i]), "lie%zu.service", i);
		snprintf(groups[i], sizeof(groups[i]), "%.*s%s%s", (int)(place ? place - lies[i] : 0), lies[i],
			 place ? f->prefix : "", place ? place + 2 : lies[i]);
		units[i] = (struct fake){ names[i], groups[i], "session.slice" };
	}
	start_user(f, ANSWERS, units, ARRAY_SIZE(units));
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		snprintf(path, sizeof(path), "/session.slice/%s", names[i]);
		assert_users(f, names[i], path);
	}
}

static void other_lies_fall_back_to_the_rules(void **state)
{
	static char endless[BC_UNIT_PATH_MAX + 1];
	struct fixture *f = *state;

	START_SYSTEM(f, { "a.service" });
	memset(endless, '/', sizeof(endless) - 1);
	START_USER(f, { "slice.service", "", "../../evil.slice" }, { "id.service", "", "", .id = "../evil.service" },
		   { "root.service", "", "-.slice" }, { "endless.service", endless, "" }, { "after.service", "", "" });
	assert_users(f, "slice.service", "/app.slice/slice.service");
	assert_users(f, "id.service", "/app.slice/id.service");
	assert_users(f, "root.service", "/root.service");
	/* No answer that can be read is no answer, for this and all that would follow. */
	assert_unit(f, "endless.service", f->uid, "/system.slice/endless.service", false);
	assert_unit(f, "after.service", f->uid, "/system.slice/after.service", false);
}

static void hanging_manager_is_asked_once_by_a_process_without_rights(void **state)
{
	struct fixture *f = *state;
	int64_t start = now_ms();

	if (!geteuid())
		assert_int_equal(setgroups(2, (gid_t[]){ 0, 7 }), 0);
	START_SYSTEM(f, { "a.service" });
	start_user(f, HANGS, NULL, 0);
	put(f, "/usr/lib/systemd/user/two.service");
	assert_unit(f, "one.service", f->uid, "/system.slice/one.service", false);
	assert_true(now_ms() - start >= BC_USERSIDE_SECONDS * 1000 - 100);
	assert_users(f, "two.service", "/app.slice/two.service");
	/* The system's, and the user's. */
	assert_int_equal(f->seen->connections, 2);
	assert_int_equal(f->seen->uid, f->uid);
	assert_true(f->seen->capabilities == 0);
	/* Three that lead nowhere, the pipe, the socket; none of ours. Only root can count them, or change groups. */
	if (!geteuid()) {
		assert_int_equal(f->seen->files, 5);
		assert_int_equal(f->seen->group, -1);
	}
}

static void manager_that_answers_no_call_is_left(void **state)
{
	struct fixture *f = *state;
	struct bc_unit_facts facts;
	bool managed;

	start_user(f, NEVER_CALLS, NULL, 0);
	assert_int_equal(bc_userside_ask(f->root, f->uid, "one.service", &facts, &managed), -ETIMEDOUT);
}

static void flood_stays_outside(void **state)
{
	struct fixture *f = *state;
	struct rusage before, after;

	START_SYSTEM(f, { "a.service" });
	start_user(f, FLOODS, NULL, 0);
	getrusage(RUSAGE_CHILDREN, &before);
	assert_unit(f, "one.service", f->uid, "/system.slice/one.service", false);
	getrusage(RUSAGE_CHILDREN, &after);
	/* In KiB. */
	assert_in_range(after.ru_maxrss, 0, (before.ru_maxrss > 65536 ? before.ru_maxrss : 65536) + 131072);
}

static void manager_that_breaks_off_is_left(void **state)
{
	struct fixture *f = *state;
	struct bc_unit_facts facts;
	bool managed;

	START_SYSTEM(f, { "a.service" });
	start_user(f, BREAKS, NULL, 0);
	assert_int_equal(bc_userside_ask(f->root, f->uid, "one.service", &facts, &managed), -EPROTO);
	assert_unit(f, "one.service", f->uid, "/system.slice/one.service", false);
	assert_unit(f, "two.service", f->uid, "/system.slice/two.service", false);
	assert_int_equal(f->seen->connections, 3);
}

static void uid_without_a_user_has_a_manager_all_the_same(void **state)
{
	struct fixture *f = *state;

	if (geteuid()) {
		print_message("# SKIPPED, NOT PASSED: needs root, to be another user\n");
		skip();
	}
	f->uid = 4000000000u;
	assert_null(getpwuid(f->uid));
	snprintf(f->prefix, sizeof(f->prefix), "/user.slice/user-%u.slice/user@%u.service", f->uid, f->uid);
	START_SYSTEM(f, { "a.service" });
	START_USER(f, { "one.service", "", "session.slice" });
	assert_users(f, "one.service", "/session.slice/one.service");
}

static void without_a_manager_a_file_makes_a_users_unit(void **state)
{
	struct fixture *f = *state;
	const struct passwd *user = getpwuid(f->uid);
	char path[256];

	START_SYSTEM(f, { "a.service" });
	put(f, "/etc/systemd/user/etc.service");
	put(f, "/run/systemd/user/run.service");
	put(f, "/usr/local/lib/systemd/user/local.socket");
	put(f, "/usr/lib/systemd/user/many@.service");
	assert_users(f, "etc.service", "/app.slice/etc.service");
	assert_users(f, "run.service", "/app.slice/run.service");
	assert_users(f, "local.socket", "/app.slice/local.socket");
	assert_users(f, "many@1.service", "/app.slice/app-many.slice/many@1.service");
	assert_unit(f, "etc.service", BC_NO_USER, "/system.slice/etc.service", false);
	assert_unit(f, "home.service", f->uid, "/system.slice/home.service", false);
	assert_non_null(user);
	snprintf(path, sizeof(path), "%s/.config/systemd/user/home.service", user->pw_dir);
	put(f, path);
	snprintf(path, sizeof(path), "%s/.local/share/systemd/user/data@.service", user->pw_dir);
	put(f, path);
	assert_users(f, "home.service", "/app.slice/home.service");
	assert_users(f, "data@x.service", "/app.slice/app-data.slice/data@x.service");
	assert_int_equal(f->systemd.nsilent, 0);
}

static void slice_is_a_users_by_a_file_of_the_systems_only(void **state)
{
	struct fixture *f = *state;

	START_SYSTEM(f, { "implied.slice", "", "-.slice" }, { "app.slice", "", "-.slice" },
		     { "file.slice", "", "-.slice", .file = "/etc/systemd/system/file.slice" },
		     { "active.slice", "/active.slice", "-.slice", .active = "active" },
		     { "dropin.slice", "", "-.slice", .dropin = "/etc/systemd/system/dropin.slice.d/a.conf" });
	START_USER(f, { "implied.slice", "", "", .active = "active" });
	put(f, "/usr/lib/systemd/user/app.slice");
	put(f, "/usr/lib/systemd/user/file.slice");
	put(f, "/usr/lib/systemd/user/active.slice");
	put(f, "/usr/lib/systemd/user/dropin.slice");
	assert_unit(f, "implied.slice", BC_NO_USER, "/implied.slice", true);
	assert_unit(f, "implied.slice", f->uid, "/implied.slice", true);
	assert_unit(f, "app.slice", BC_NO_USER, "/app.slice", true);
	assert_users(f, "app.slice", "/app.slice");
	assert_unit(f, "file.slice", f->uid, "/file.slice", true);
	assert_unit(f, "active.slice", f->uid, "/active.slice", true);
	assert_unit(f, "dropin.slice", f->uid, "/dropin.slice", true);
	assert_int_equal(f->seen->connections, 1);
}

static void only_root_becomes_another_user(void **state)
{
	struct fixture *f = *state;
	struct bc_unit_facts facts;
	int status;
	pid_t pid;

	START_SYSTEM(f, { "a.service" });
	START_USER(f, { "a.service", "", "" });
	pid = fork();
	if (!pid) {
		bool managed;

		if (!geteuid() && setresuid(2, 2, 2))
			_exit(2);
		_exit(bc_userside_ask(f->root, geteuid() + 1, "a.service", &facts, &managed) != -EPERM);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
	assert_int_equal(f->seen->connections, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(users_manager_knows_the_users_units),
		TEST(users_manager_is_believed_in_its_own_subtree_only),
		TEST(other_lies_fall_back_to_the_rules),
		TEST(hanging_manager_is_asked_once_by_a_process_without_rights),
		TEST(manager_that_answers_no_call_is_left),
		TEST(flood_stays_outside),
		TEST(manager_that_breaks_off_is_left),
		TEST(uid_without_a_user_has_a_manager_all_the_same),
		TEST(without_a_manager_a_file_makes_a_users_unit),
		TEST(slice_is_a_users_by_a_file_of_the_systems_only),
		TEST(only_root_becomes_another_user),
	};

	return cmocka_run_group_tests_name("userside", tests, NULL, NULL);
}
