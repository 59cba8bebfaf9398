// SPDX-License-Identifier: GPL-2.0-or-later
/* pure/unit: what systemd 252 and 257 did with the same names is the measure. */
#include "pure/unit.h"
#include "unit.h"

#define ALICES "/user.slice/user-1000.slice/user@1000.service"

struct place {
	const char *name, *slice, *path;
};

static void assert_paths(const struct place *places, size_t n, bool user)
{
	char path[BC_UNIT_PATH_MAX], text[256];

	for (size_t i = 0; i < n; i++) {
		const struct place *p = &places[i];
		int r = bc_unit_check(p->name, strlen(p->name), text, sizeof(text));

		if (r)
			fail_msg("%s: %s", p->name, text);
		r = bc_unit_path(p->name, p->slice, user, 1000, path, sizeof(path));
		if (r || strcmp(path, p->path))
			fail_msg("%s in %s: %s (%d), not %s", p->name, p->slice ? p->slice : "its default slice",
				 r ? "no path" : path, r, p->path);
	}
}

static void slices_name_is_its_path(void **state)
{
	static const struct place places[] = {
		{ "-.slice", NULL, "/" },
		{ "system.slice", NULL, "/system.slice" },
		{ "a-b-c.slice", NULL, "/a.slice/a-b.slice/a-b-c.slice" },
		{ "a.b-c.slice", NULL, "/a.b.slice/a.b-c.slice" },
		{ "a-b.slice", "other.slice", "/a.slice/a-b.slice" },
		{ "user-1000.slice", NULL, "/user.slice/user-1000.slice" },
		{ "system-foo\\x2dbar.slice", NULL, "/system.slice/system-foo\\x2dbar.slice" },
	};

	(void)state;
	assert_paths(places, ARRAY_SIZE(places), false);
}

static void units_are_below_system_slice_by_default(void **state)
{
	static const struct place places[] = {
		{ "nginx.service", NULL, "/system.slice/nginx.service" },
		{ "nginx.service", "", "/system.slice/nginx.service" },
		{ "dbus.socket", NULL, "/system.slice/dbus.socket" },
		{ "run-u1.scope", NULL, "/system.slice/run-u1.scope" },
		{ "mnt-a.mount", NULL, "/system.slice/mnt-a.mount" },
		{ "dev-sda2.swap", NULL, "/system.slice/dev-sda2.swap" },
		{ "service.service", NULL, "/system.slice/service.service" },
		{ "a:b_c.d.service", NULL, "/system.slice/a:b_c.d.service" },
	};

	(void)state;
	assert_paths(places, ARRAY_SIZE(places), false);
}

static void slice_that_is_given_counts(void **state)
{
	static const struct place places[] = {
		{ "web.service", "web-front.slice", "/web.slice/web-front.slice/web.service" },
		{ "web.service", "-.slice", "/web.service" },
		{ "web@1.service", "web.slice", "/web.slice/web@1.service" },
		{ "dev-hugepages.mount", "web.slice", "/web.slice/dev-hugepages.mount" },
		{ "session-3.scope", "user-1000.slice", "/user.slice/user-1000.slice/session-3.scope" },
	};

	(void)state;
	assert_paths(places, ARRAY_SIZE(places), false);
}

static void instances_have_a_slice_of_their_template(void **state)
{
	static const struct place places[] = {
		{ "foo@bar.service", NULL, "/system.slice/system-foo.slice/foo@bar.service" },
		{ "foo-bar@x.service", NULL, "/system.slice/system-foo\\x2dbar.slice/foo-bar@x.service" },
		{ "a\\x2db@z.service", NULL, "/system.slice/system-a\\x5cx2db.slice/a\\x2db@z.service" },
		{ ".dot@y.service", NULL, "/system.slice/system-\\x2edot.slice/_.dot@y.service" },
		{ "a.dot@y.service", NULL, "/system.slice/system-a.dot.slice/a.dot@y.service" },
		{ "p@1@2.service", NULL, "/system.slice/system-p.slice/p@1@2.service" },
		{ "p@.x.service", NULL, "/system.slice/system-p.slice/p@.x.service" },
		{ "in-sock@3.socket", NULL, "/system.slice/system-in\\x2dsock.slice/in-sock@3.socket" },
	};

	(void)state;
	assert_paths(places, ARRAY_SIZE(places), false);
}

static void some_units_have_a_place_of_their_own(void **state)
{
	static const struct place places[] = {
		{ "init.scope", NULL, "/init.scope" },
		{ "-.mount", NULL, "/-.mount" },
		{ "dev-hugepages.mount", NULL, "/dev-hugepages.mount" },
		{ "proc-sys-fs-binfmt_misc.mount", NULL, "/proc-sys-fs-binfmt_misc.mount" },
		{ "sys-kernel-debug.mount", NULL, "/sys-kernel-debug.mount" },
		{ "devel.mount", NULL, "/system.slice/devel.mount" },
		{ "tmp.mount", NULL, "/system.slice/tmp.mount" },
		{ "user@1000.service", NULL, ALICES },
		{ "user-runtime-dir@7.service", NULL, "/user.slice/user-7.slice/user-runtime-dir@7.service" },
		{ "user@bob.service", NULL, "/system.slice/system-user.slice/user@bob.service" },
		{ "user@1000.socket", NULL, "/system.slice/system-user.slice/user@1000.socket" },
		{ "user.service", NULL, "/system.slice/user.service" },
	};

	(void)state;
	assert_paths(places, ARRAY_SIZE(places), false);
}

static void names_of_the_kernels_files_are_escaped(void **state)
{
	static const struct place places[] = {
		{ "_a.service", NULL, "/system.slice/__a.service" },
		{ ".a.service", NULL, "/system.slice/_.a.service" },
		{ "cpu.service", NULL, "/system.slice/_cpu.service" },
		{ "cpu.foo.service", NULL, "/system.slice/_cpu.foo.service" },
		{ "memory.mount", NULL, "/system.slice/_memory.mount" },
		{ "bpf-devices.service", NULL, "/system.slice/_bpf-devices.service" },
		{ "cgroup.foo.service", NULL, "/system.slice/_cgroup.foo.service" },
		{ "io-web.slice", NULL, "/_io.slice/io-web.slice" },
		{ "web.service", "pids.slice", "/_pids.slice/web.service" },
		{ "cpux.service", NULL, "/system.slice/cpux.service" },
		{ "cpu@1.service", NULL, "/system.slice/system-cpu.slice/cpu@1.service" },
		{ "tasks.service", NULL, "/system.slice/tasks.service" },
		{ "hugetlb.service", NULL, "/system.slice/hugetlb.service" },
	};

	(void)state;
	assert_paths(places, ARRAY_SIZE(places), false);
}

static void users_units_are_below_their_manager(void **state)
{
	static const struct place places[] = {
		{ "-.slice", NULL, ALICES },
		{ "init.scope", NULL, ALICES "/init.scope" },
		{ "app.slice", NULL, ALICES "/app.slice" },
		{ "web.service", NULL, ALICES "/app.slice/web.service" },
		{ "web.socket", NULL, ALICES "/app.slice/web.socket" },
		{ "web.service", "session.slice", ALICES "/session.slice/web.service" },
		{ "web@1.service", NULL, ALICES "/app.slice/app-web.slice/web@1.service" },
		{ "we-b@1.service", NULL, ALICES "/app.slice/app-we\\x2db.slice/we-b@1.service" },
		{ "home-a.mount", NULL, ALICES "/home-a.mount" },
		{ "dev-sda2.swap", NULL, ALICES "/dev-sda2.swap" },
		{ "user@1000.service", NULL, ALICES "/app.slice/app-user.slice/user@1000.service" },
		{ "cpu.service", NULL, ALICES "/app.slice/_cpu.service" },
	};

	(void)state;
	assert_paths(places, ARRAY_SIZE(places), true);
}

static void assert_refused(const char *name, size_t len, const char *fragment)
{
	char text[512] = "", path[BC_UNIT_PATH_MAX];

	if (bc_unit_check(name, len, text, sizeof(text)) != -EINVAL)
		fail_msg("%s is taken", name);
	assert_contains(text, fragment);
	if (strlen(name) == len)
		assert_int_equal(bc_unit_path(name, NULL, false, 0, path, sizeof(path)), -EINVAL);
}

static void names_that_are_none_are_refused(void **state)
{
	static const char *const refused[][2] = {
		{ "", "1 to 255 bytes" },
		{ "nginx", "unit 'nginx' has no type; did you mean nginx.service?" },
		{ "nginx.conf", "did you mean nginx.conf.service?" },
		{ "nginx.", "has no type" },
		{ "nginx.Service", "has no type" },
		{ ".service", "no name before its type" },
		{ "@x.service", "no name before its '@'" },
		{ "a b.service", "unit 'a b.service' has a character" },
		{ "a/b.service", "has a character" },
		{ "caf\303\251.service", "has a character" },
		{ "backup.timer", "has no cgroup: timers run" },
		{ "multi-user.target", "has no cgroup: targets run" },
		{ "x.path", "has no cgroup: paths run" },
		{ "dev-sda.device", "has no cgroup: devices run" },
		{ "home.automount", "has no cgroup: automounts run" },
		{ "foo@.service", "is a template; name one of its instances, foo@NAME.service, or" },
		{ "foo@.service", "system-foo.slice" },
		{ "foo-bar@.socket", "system-foo\\x2dbar.slice" },
		{ "a@b.slice", "only services and sockets have instances" },
		{ "a@b.scope", "only services and sockets have instances" },
		{ "a@.mount", "only services and sockets have instances" },
		{ "a--b.slice", "a path with dashes" },
		{ "-a.slice", "a path with dashes" },
		{ "a-.slice", "a path with dashes" },
		{ "--.slice", "a path with dashes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_refused(refused[i][0], strlen(refused[i][0]), refused[i][1]);
	assert_refused("a\0b.service", 11, "has a character");
}

static void name_is_not_read_beyond_its_length(void **state)
{
	char text[256], *name = malloc(5);

	(void)state;
	memcpy(name, "nginx", 5);
	assert_int_equal(bc_unit_check(name, 5, text, sizeof(text)), -EINVAL);
	assert_string_equal(text, "unit 'nginx' has no type; did you mean nginx.service?");
	free(name);
	assert_int_equal(bc_unit_check("a.service-and-more", 9, text, sizeof(text)), 0);
}

/* A name of `len` bytes: 'a' again and again, then `end`. */
static const char *long_name(size_t len, const char *end)
{
	static char names[2][512];
	static unsigned next;
	char *name = names[next++ % 2];

	memset(name, 'a', len);
	strcpy(name + len - strlen(end), end);
	return name;
}

static void long_names_end_at_255_bytes(void **state)
{
	char path[BC_UNIT_PATH_MAX], text[512];
	const char *name = long_name(255, ".service");

	(void)state;
	assert_int_equal(bc_unit_check(name, 255, text, sizeof(text)), 0);
	assert_int_equal(bc_unit_path(name, NULL, false, 0, path, sizeof(path)), 0);
	assert_int_equal(strlen(path), strlen("/system.slice/") + 255);
	name = long_name(256, ".service");
	assert_refused(name, 256, "1 to 255 bytes");
	/* Its message holds three names. */
	assert_refused(long_name(255, "@.service"), 255, "is a template");
	assert_refused(long_name(255, "a"), 255, "has no type");
}

static void parts_longer_than_a_file_name_do_not_fit(void **state)
{
	char path[BC_UNIT_PATH_MAX];
	char *name;

	(void)state;
	/* The template's slice is longer than its name. */
	assert_int_equal(bc_unit_path(long_name(250, "@1.service"), NULL, false, 0, path, sizeof(path)), 0);
	assert_int_equal(bc_unit_path(long_name(255, "@1.service"), NULL, false, 0, path, sizeof(path)), -ENAMETOOLONG);
	name = strdup(long_name(255, ".service"));
	name[0] = '_';
	assert_int_equal(bc_unit_path(name, NULL, false, 0, path, sizeof(path)), -ENAMETOOLONG);
	free(name);
}

static void path_fits_or_is_refused(void **state)
{
	static const struct {
		const char *name;
		bool user;
		size_t need;
	} cases[] = {
		{ "-.slice", false, 2 },
		{ "-.slice", true, sizeof(ALICES) },
		{ "a.service", false, sizeof("/system.slice/a.service") },
		{ "cpu.service", true, sizeof(ALICES "/app.slice/_cpu.service") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t size = 0; size <= cases[i].need; size++) {
			char *path = malloc(size ? size : 1);
			int r = bc_unit_path(cases[i].name, NULL, cases[i].user, 1000, path, size);

			free(path);
			if (r != (size < cases[i].need ? -ENAMETOOLONG : 0))
				fail_msg("%s in %zu bytes: %d", cases[i].name, size, r);
		}
	}
}

static void slice_that_is_none_is_refused(void **state)
{
	static const char *const slices[] = {
		"web", "web.service", "../../evil", "a--b.slice", "a/b.slice", "@.slice"
	};
	char path[BC_UNIT_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slices); i++)
		assert_int_equal(bc_unit_path("a.service", slices[i], false, 0, path, sizeof(path)), -EINVAL);
}

static void type_and_template_are_read_off_the_name(void **state)
{
	char template[BC_UNIT_NAME_MAX + 1] = "untouched";

	(void)state;
	assert_string_equal(bc_unit_type("a.b.socket"), "socket");
	assert_true(bc_unit_template("foo@b@r.baz.service", template));
	assert_string_equal(template, "foo@.service");
	strcpy(template, "untouched");
	assert_false(bc_unit_template("foo.service", template));
	assert_false(bc_unit_template("foo@1.timer", template));
	assert_string_equal(template, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_name_is_its_path),
		cmocka_unit_test(units_are_below_system_slice_by_default),
		cmocka_unit_test(slice_that_is_given_counts),
		cmocka_unit_test(instances_have_a_slice_of_their_template),
		cmocka_unit_test(some_units_have_a_place_of_their_own),
		cmocka_unit_test(names_of_the_kernels_files_are_escaped),
		cmocka_unit_test(users_units_are_below_their_manager),
		cmocka_unit_test(names_that_are_none_are_refused),
		cmocka_unit_test(name_is_not_read_beyond_its_length),
		cmocka_unit_test(long_names_end_at_255_bytes),
		cmocka_unit_test(parts_longer_than_a_file_name_do_not_fit),
		cmocka_unit_test(path_fits_or_is_refused),
		cmocka_unit_test(slice_that_is_none_is_refused),
		cmocka_unit_test(type_and_template_are_read_off_the_name),
	};

	return cmocka_run_group_tests_name("unit", tests, NULL, NULL);
}
