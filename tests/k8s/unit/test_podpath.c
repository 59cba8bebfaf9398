// SPDX-License-Identifier: GPL-2.0-or-later
#include "../../unit/unit.h"
#include "kubelet_names.h"
#include "pure/clause.h"

#define UID "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e"

static void paths_are_kubelets(void **unused)
{
	(void)unused;
	assert_int_equal(ARRAY_SIZE(kubelet_names), 24);
	for (size_t i = 0; i < ARRAY_SIZE(kubelet_names); i++) {
		const struct podpath_config config = { kubelet_names[i].root, PODPATH_SYSTEMD | PODPATH_CGROUPFS };
		char path[PODPATH_MAX], text[256];

		assert_int_equal(podpath_check(&config, NULL), 0);
		assert_int_equal(podpath(&config, PODPATH_SYSTEMD, kubelet_names[i].qos, kubelet_names[i].uid, path,
					 sizeof(path), NULL),
				 0);
		assert_string_equal(path, kubelet_names[i].systemd);
		assert_int_equal(bc_check_path(path, strlen(path), text, sizeof(text)), 0);
		assert_int_equal(podpath(&config, PODPATH_CGROUPFS, kubelet_names[i].qos, kubelet_names[i].uid, path,
					 sizeof(path), NULL),
				 0);
		assert_string_equal(path, kubelet_names[i].cgroupfs);
		assert_int_equal(bc_check_path(path, strlen(path), text, sizeof(text)), 0);
	}
}

/* kind runs kubelet below /kubelet, and whoever nests it once more has a root of two parts. */
static void roots_nest(void **unused)
{
	static const struct {
		const char *root;
		unsigned driver;
		const char *path;
	} cases[] = {
		{ "/a/b-c", PODPATH_CGROUPFS, "/a/b-c/kubepods/besteffort/podx-1" },
		{ "/a/b-c", PODPATH_SYSTEMD,
		  "/a.slice/a-b_c.slice/a-b_c-kubepods.slice/a-b_c-kubepods-besteffort.slice/"
		  "a-b_c-kubepods-besteffort-podx_1.slice" },
		{ NULL, PODPATH_CGROUPFS, "/kubepods/besteffort/podx-1" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct podpath_config config = { cases[i].root, cases[i].driver };
		char path[PODPATH_MAX];

		assert_int_equal(podpath(&config, cases[i].driver, POD_BEST_EFFORT, "x-1", path, sizeof(path), NULL),
				 0);
		assert_string_equal(path, cases[i].path);
	}
}

static void assert_places(unsigned drivers, enum pod_qos qos, const char *expected)
{
	const struct podpath_config config = { "/", drivers };
	_cleanup_(bc_text_done) struct bc_text text = {};
	char path[PODPATH_MAX];

	for (struct podpath_place place = {}; podpath_next(&config, qos, &place);) {
		assert_int_equal(podpath(&config, place.driver, place.qos, "x", path, sizeof(path), NULL), 0);
		bc_text_addf(&text, "%s\n", path);
	}
	assert_string_equal(text.data, expected);
}

static void places_are_those_of_driver_and_class(void **unused)
{
	(void)unused;
	assert_places(PODPATH_CGROUPFS, POD_GUARANTEED, "/kubepods/podx\n");
	assert_places(PODPATH_CGROUPFS, POD_QOS_CLASSES,
		      "/kubepods/podx\n/kubepods/burstable/podx\n/kubepods/besteffort/podx\n");
	assert_places(PODPATH_SYSTEMD, POD_GUARANTEED, "/kubepods.slice/kubepods-podx.slice\n");
	assert_places(PODPATH_SYSTEMD | PODPATH_CGROUPFS, POD_BEST_EFFORT,
		      "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podx.slice\n"
		      "/kubepods/besteffort/podx\n");
}

static void uid_is_letters_digits_and_dashes(void **unused)
{
	static const char *const bad[] = {
		"",
		"../../etc",
		"a/b",
		"a b",
		"a\nb",
		"a.b",
		"a_b",
		"\xc3\xa9",
		"a\"b",
		"a#b",
		"00000000000000000000000000000000000000000000000000000000000000001",
	};
	const struct podpath_config config = { "/", PODPATH_CGROUPFS };
	char path[PODPATH_MAX] = "untouched";
	struct bc_error error;

	(void)unused;
	assert_true(podpath_uid_ok(UID));
	assert_true(podpath_uid_ok("0000000000000000000000000000000000000000000000000000000000000001"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(podpath_uid_ok(bad[i]));
		assert_int_equal(podpath(&config, PODPATH_CGROUPFS, POD_BURSTABLE, bad[i], path, sizeof(path), &error),
				 -EINVAL);
		assert_string_equal(path, "untouched");
	}
	assert_int_equal(podpath(&config, PODPATH_CGROUPFS, POD_QOS_CLASSES, UID, path, sizeof(path), &error), -EINVAL);
}

static void config_that_is_none_is_refused(void **unused)
{
	static const struct {
		struct podpath_config config;
		int code;
		const char *said;
	} cases[] = {
		{ { "/", 0 }, -EINVAL, "no such cgroup driver" },
		{ { "/", 4 }, -EINVAL, "no such cgroup driver" },
		{ { "kubelet", PODPATH_SYSTEMD }, -EINVAL, "begins with /" },
		{ { "", PODPATH_SYSTEMD }, -EINVAL, "begins with /" },
		{ { "/a/../b", PODPATH_SYSTEMD }, -EINVAL, "'..' part" },
		{ { "/a//b", PODPATH_SYSTEMD }, -EINVAL, "an empty" },
		{ { "/a\nb", PODPATH_SYSTEMD }, -EINVAL, "control character" },
		{ { "/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
		    "789/"
		    "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
		    "89",
		    PODPATH_SYSTEMD },
		  -ENAMETOOLONG,
		  "too long" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bc_error error = {};

		assert_int_equal(podpath_check(&cases[i].config, &error), cases[i].code);
		assert_contains(error.text, cases[i].said);
	}
}

static void path_that_does_not_fit_is_no_path(void **unused)
{
	const struct podpath_config config = { "/kubelet", PODPATH_SYSTEMD | PODPATH_CGROUPFS };

	(void)unused;
	for (size_t size = 1; size < 64; size++) {
		char path[64];

		assert_int_equal(podpath(&config, PODPATH_SYSTEMD, POD_BURSTABLE, UID, path, size, NULL),
				 -ENAMETOOLONG);
		assert_int_equal(podpath(&config, PODPATH_CGROUPFS, POD_BURSTABLE, UID, path, size, NULL),
				 -ENAMETOOLONG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_kubelets),
		cmocka_unit_test(roots_nest),
		cmocka_unit_test(places_are_those_of_driver_and_class),
		cmocka_unit_test(uid_is_letters_digits_and_dashes),
		cmocka_unit_test(config_that_is_none_is_refused),
		cmocka_unit_test(path_that_does_not_fit_is_no_path),
	};

	return cmocka_run_group_tests_name("podpath", tests, NULL, NULL);
}
