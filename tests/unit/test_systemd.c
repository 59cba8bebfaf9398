// SPDX-License-Identifier: GPL-2.0-or-later
/* host/systemd and host/manager: what the system's manager says, and what files say where there is none. */
#include "fake_systemd.h"

static void active_unit_is_where_systemd_says(void **state)
{
	struct fixture *f = *state;

	START_SYSTEM(f, { "a.service", "/else.slice/a.service", "system.slice" }, { "b.scope", "/b", "system.slice" },
		     { "c.slice", "/over/c.slice", "", .active = "active" }, { "d.socket", "/d", "system.slice" },
		     { "e.mount", "/e", "system.slice" }, { "f.swap", "/f", "system.slice" },
		     { "-.slice", "/", "", .active = "active" });
	assert_unit(f, "a.service", BC_NO_USER, "/else.slice/a.service", true);
	assert_unit(f, "a.service", f->uid, "/else.slice/a.service", true);
	assert_unit(f, "b.scope", BC_NO_USER, "/b", true);
	assert_unit(f, "c.slice", BC_NO_USER, "/over/c.slice", true);
	assert_unit(f, "d.socket", BC_NO_USER, "/d", true);
	assert_unit(f, "e.mount", BC_NO_USER, "/e", true);
	assert_unit(f, "f.swap", BC_NO_USER, "/f", true);
	assert_unit(f, "-.slice", BC_NO_USER, "/", true);
	assert_unit(f, "-.slice", f->uid, "/", true);
}

static void inactive_unit_is_where_it_will_be(void **state)
{
	struct fixture *f = *state;

	START_SYSTEM(f, { "web.service", "", "web-front.slice" }, { "plain.service", "", "" },
		     { "foo-bar@x.service", "", "system-foo\\x2dbar.slice" }, { "in@1.socket", "", "" },
		     { "alias.service", "", "web.slice", .id = "real.service" },
		     { "broken.service", "", "", .load = "bad-setting" });
	assert_unit(f, "web.service", BC_NO_USER, "/web.slice/web-front.slice/web.service", true);
	assert_unit(f, "plain.service", BC_NO_USER, "/system.slice/plain.service", true);
	assert_unit(f, "foo-bar@x.service", BC_NO_USER, "/system.slice/system-foo\\x2dbar.slice/foo-bar@x.service",
		    true);
	assert_unit(f, "in@1.socket", BC_NO_USER, "/system.slice/system-in.slice/in@1.socket", true);
	assert_unit(f, "alias.service", BC_NO_USER, "/web.slice/real.service", true);
	assert_unit(f, "broken.service", BC_NO_USER, "/system.slice/broken.service", true);
}

static void unknown_unit_is_by_the_systems_rules(void **state)
{
	struct fixture *f = *state;

	START_SYSTEM(f, { "a.service" });
	assert_unit(f, "no@1.service", BC_NO_USER, "/system.slice/system-no.slice/no@1.service", false);
	assert_unit(f, "no.scope", f->uid, "/system.slice/no.scope", false);
}

static void bad_names_are_not_asked_for(void **state)
{
	struct fixture *f = *state;

	START_SYSTEM(f, { "a.service" });
	assert_fails(f, "nginx", -EINVAL);
	assert_fails(f, "foo@.service", -EINVAL);
	assert_int_equal(f->seen->connections, 0);
}

static void thousand_units_are_one_connection(void **state)
{
	struct fixture *f = *state;
	char name[32], path[64];

	START_SYSTEM(f, { "a.service" });
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "u%d.service", i);
		snprintf(path, sizeof(path), "/system.slice/%s", name);
		assert_unit(f, name, BC_NO_USER, path, false);
	}
	assert_int_equal(f->seen->connections, 1);
}

static void manager_that_refuses_is_an_error(void **state)
{
	struct fixture *f = *state;

	boot(f);
	start_at(f, "/run/systemd/private", geteuid(), REFUSES, NULL, 0);
	assert_fails(f, "a.service", -EACCES);
}

static void nobody_there_is_an_error(void **state)
{
	struct fixture *f = *state;

	boot(f);
	assert_fails(f, "a.service", -ENOENT);
	start_at(f, "/run/systemd/private", geteuid(), ANSWERS, NULL, 0);
	stop_managers(f);
	assert_fails(f, "a.service", -ENOENT);
	start_at(f, "/run/dbus/system_bus_socket", geteuid(), ANSWERS, NULL, 0);
	stop_managers(f);
	assert_fails(f, "a.service", -ECONNREFUSED);
}

static void broken_connection_is_an_error_once(void **state)
{
	static const struct fake units[] = { { "a.service", "/a.service", "" } };
	struct fixture *f = *state;

	START_SYSTEM(f, { "a.service", "/first/a.service", "" });
	assert_unit(f, "a.service", BC_NO_USER, "/first/a.service", true);
	stop_managers(f);
	assert_int_equal(unlink(below_root(f, "/run/systemd/private")), 0);
	start_at(f, "/run/systemd/private", geteuid(), ANSWERS, units, 1);
	assert_int_not_equal(bc_systemd_unit(&f->systemd, "a.service", BC_NO_USER, &(char *){ NULL }, &(bool){ false }),
			     0);
	assert_unit(f, "a.service", BC_NO_USER, "/a.service", true);
}

static void path_that_is_none_is_an_error(void **state)
{
	static const char *const names[] = { "a.service", "b.service", "c.service", "d.service", "e.service" };
	struct fixture *f = *state;

	START_SYSTEM(f, { "a.service", "a", "" }, { "b.service", "/a/../b", "" }, { "c.service", "/a//b", "" },
		     { "d.service", "/a/", "" }, { "e.service", "/.", "" }, { "f.service", "/..a/b..", "" });
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_fails(f, names[i], -EBADMSG);
	assert_unit(f, "f.service", BC_NO_USER, "/..a/b..", true);
}

static void message_bus_is_asked_where_the_managers_socket_is_not(void **state)
{
	static const struct fake units[] = { { "a.service", "/a.service", "" } };
	struct fixture *f = *state;

	boot(f);
	start_at(f, "/run/dbus/system_bus_socket", geteuid(), ANSWERS, units, 1);
	assert_unit(f, "a.service", BC_NO_USER, "/a.service", true);
}

static void without_systemd_files_tell(void **state)
{
	struct fixture *f = *state;

	put(f, "/etc/systemd/system/etc.service");
	put(f, "/usr/local/lib/systemd/system/local.socket");
	put(f, "/usr/lib/systemd/system/usr@.service");
	put(f, "/lib/systemd/system/lib.slice");
	put(f, "/usr/lib/systemd/user/users.service");
	put(f, "/usr/lib/systemd/user/app.slice");
	put(f, "/usr/lib/systemd/user/lib.slice");
	assert_int_equal(symlink("/nowhere", below_root(f, "/etc/systemd/system/dangling.service")), 0);
	assert_int_equal(symlink("/dev/null", below_root(f, "/etc/systemd/system/masked.service")), 0);
	assert_unit(f, "etc.service", BC_NO_USER, "/system.slice/etc.service", true);
	assert_unit(f, "local.socket", BC_NO_USER, "/system.slice/local.socket", true);
	assert_unit(f, "usr@7.service", BC_NO_USER, "/system.slice/system-usr.slice/usr@7.service", true);
	assert_unit(f, "masked.service", BC_NO_USER, "/system.slice/masked.service", true);
	assert_unit(f, "dangling.service", BC_NO_USER, "/system.slice/dangling.service", false);
	assert_unit(f, "lib.slice", f->uid, "/lib.slice", true);
	assert_unit(f, "no.slice", f->uid, "/no.slice", false);
	assert_unit(f, "usr@7.socket", BC_NO_USER, "/system.slice/system-usr.slice/usr@7.socket", false);
	assert_unit(f, "users.service", BC_NO_USER, "/system.slice/users.service", false);
	assert_users(f, "users.service", "/app.slice/users.service");
	assert_users(f, "app.slice", "/app.slice");
}

static void without_systemd_some_units_are_there_anyway(void **state)
{
	struct fixture *f = *state;

	assert_unit(f, "-.slice", BC_NO_USER, "/", true);
	assert_unit(f, "system.slice", f->uid, "/system.slice", true);
	assert_unit(f, "user.slice", BC_NO_USER, "/user.slice", true);
	assert_unit(f, "machine.slice", BC_NO_USER, "/machine.slice", true);
	assert_unit(f, "user-1000.slice", BC_NO_USER, "/user.slice/user-1000.slice", true);
	assert_unit(f, "init.scope", BC_NO_USER, "/init.scope", true);
	assert_unit(f, "user-bob.slice", BC_NO_USER, "/user.slice/user-bob.slice", false);
	assert_unit(f, "user-1000.scope", BC_NO_USER, "/system.slice/user-1000.scope", false);
	assert_unit(f, "session-1.scope", BC_NO_USER, "/system.slice/session-1.scope", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(active_unit_is_where_systemd_says),
		TEST(inactive_unit_is_where_it_will_be),
		TEST(unknown_unit_is_by_the_systems_rules),
		TEST(bad_names_are_not_asked_for),
		TEST(thousand_units_are_one_connection),
		TEST(manager_that_refuses_is_an_error),
		TEST(nobody_there_is_an_error),
		TEST(broken_connection_is_an_error_once),
		TEST(path_that_is_none_is_an_error),
		TEST(message_bus_is_asked_where_the_managers_socket_is_not),
		TEST(without_systemd_files_tell),
		TEST(without_systemd_some_units_are_there_anyway),
	};

	return cmocka_run_group_tests_name("systemd", tests, NULL, NULL);
}
