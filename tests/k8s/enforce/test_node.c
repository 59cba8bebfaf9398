// SPDX-License-Identifier: GPL-2.0-or-later
/* On a node that is not all it could be: policy directories that are read-only, missing or full; users of another root. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/privilege.h"
#include "agent/filename.h"
#include "inside.h"

/* In a child of its own, which the directories are read-only for. */
static int run_read_only(const struct inside *inside)
{
	const struct enforcer_config config = { .instance = bed.instance, .store = *inside->store };
	_cleanup_(bc_report_done) struct bc_report report = {};
	enum enforce_result result;
	struct enforcer enforcer;
	struct bc_error error;

	umask(022);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(in("etc"), in("etc"), NULL, MS_BIND, NULL) ||
	    mount(NULL, in("etc"), NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) || !access(in("etc"), W_OK))
		return wrong("read-only directory");
	if (bc_privilege_keep(BC_CAPS_BPF, &error) || enforcer_init(&enforcer, &config, &error) ||
	    enforce(&enforcer, inside->text, strlen(inside->text), &result, &report, &error))
		return wrong(error.text);
	enforcer_done(&enforcer);
	return result == ENFORCE_CHANGED && !report.n ? 0 : wrong("not changed");
}

static void directories_may_be_missing_or_read_only(void **state)
{
	const struct bc_store store = {
		.dirs = { in("usr"), in("run/bindctl/policy.d"), in("etc") },
		.ndirs = 3,
		.runtime = in("run/bindctl/policy.d"),
		.persistent = in("etc"),
	};
	const struct try somebody = { .uid = SOMEBODY, .family = AF_INET, .port = 445 };
	const char *text = pod_grant(POD_A, 443);
	struct enforcer enforcer;
	struct stat st;

	(void)state;
	bed_make_cgroup(POD_A CONTAINER);
	write_path(in("etc/10-host.conf"), "grant user 1234 port 445\n");
	run_inside(&(struct inside){ run_read_only, text, .store = &store });
	assert_int_equal(pod_bind(POD_A, 443), 0);
	assert_int_equal(bed_try(&somebody).error, 0);
	assert_string_equal(read_path(in("run/bindctl/policy.d/" FILENAME_DEFAULT)), text);
	assert_int_equal(stat(in("run/bindctl/policy.d"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	/* None of these may hide what the agent writes. */
	write_path(in("etc/" FILENAME_DEFAULT), "\n");
	pods_open_store(&enforcer, &store);
	pods_refuse(&enforcer, "", -EEXIST, "hides", NULL);
	assert_string_equal(read_path(in("run/bindctl/policy.d/" FILENAME_DEFAULT)), text);
	enforcer_done(&enforcer);
	bed_remove_cgroup("kubepods.slice");
}

/* In a child: the text in force, then one that finds no room, as /run has an end, too. */
static int run_full(const struct inside *inside)
{
	const struct enforcer_config config = { .instance = bed.instance, .store = bc_store_at(in("run")) };
	_cleanup_(bc_report_done) struct bc_report report = {}, second = {}, third = {};
	_cleanup_(bc_text_done) struct bc_text large = {};
	_cleanup_free_ char *found = NULL;
	const char *text = inside->text;
	enum enforce_result result;
	struct enforcer enforcer;
	struct bc_error error;

	bc_text_addf(&large, "grant port 445\n");
	while (large.len < 100000)
		bc_text_addf(&large, "# more and more\n");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", in("run"), "tmpfs", 0, "size=64k,mode=755"))
		return wrong("tmpfs");
	if (enforcer_init(&enforcer, &config, &error) ||
	    enforce(&enforcer, text, strlen(text), &result, &report, &error))
		return wrong(error.text);
	if (enforce(&enforcer, large.data, large.len, &result, &second, &error) != -ENOSPC)
		return wrong("there was room");
	found = read_path(in("run/" FILENAME_DEFAULT));
	if (!found || strcmp(found, text) || !access(in("run/." FILENAME_DEFAULT ".new"), F_OK))
		return wrong("the file is not as it was");
	if (enforce(&enforcer, text, strlen(text), &result, &third, &error) || result != ENFORCE_NOTHING || third.n)
		return wrong("something was to do");
	enforcer_done(&enforcer);
	return 0;
}

static void full_file_system_leaves_all_as_it_was(void **state)
{
	(void)state;
	bed_make_cgroup(POD_A CONTAINER);
	run_inside(&(struct inside){ run_full, pod_grant(POD_A, 443) });
	assert_int_equal(pod_bind(POD_A, 443), 0);
	assert_int_equal(pod_bind(POD_A, 445), EACCES);
	bed_remove_cgroup("kubepods.slice");
}

/* The administrator's files name the host's users, whom the container's own database does not know, or takes for others. */
static void names_are_those_of_the_host(void **state)
{
	const struct try user = { .uid = SOMEBODY, .family = AF_INET, .port = 445 },
			 group = { .uid = 1, .gid = 4321, .family = AF_INET, .port = 446 };
	struct enforcer_config config = { .instance = bed.instance,
					  .store = bc_store_at(bed.policy),
					  .root = in("root") };
	struct enforcer enforcer;
	struct bc_error error;

	(void)state;
	bed_write("10-host.conf", "grant user webuser port 445\ngrant group webgroup port 446\n", 58);
	pods_open(&enforcer);
	pods_refuse(&enforcer, "", -ENOENT, "in the policy", "webuser");
	enforcer_done(&enforcer);
	assert_int_equal(enforcer_init(&enforcer, &config, &error), 0);
	/* That they cannot be looked up is not that there is none. */
	pods_refuse(&enforcer, "", -ENODATA, "in the policy", "cannot look up");
	write_path(in("root/etc/passwd"), "root:x:0:0::/:/bin/sh\nwebuser:x:1234:1234::/:/bin/false\n");
	write_path(in("root/etc/group"), "root:x:0:\nwebgroup:x:4321:webuser\n");
	pods_enforce(&enforcer, "", ENFORCE_CHANGED, 0);
	assert_int_equal(bed_try(&user).error, 0);
	assert_int_equal(bed_try(&group).error, 0);
	/* A user who comes later is found. */
	write_path(in("root/etc/passwd"), "root:x:0:0::/:/bin/sh\nwebuser:x:1235:1235::/:/bin/false\n");
	pods_check(&enforcer, ENFORCE_MENDED, "was not that of the files");
	assert_int_equal(bed_try(&user).error, EACCES);
	bed_write("10-host.conf", "grant user daemon port 445\n", 27);
	pods_refuse(&enforcer, "", -ENOENT, "in the policy", "daemon");
	enforcer_done(&enforcer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, inside_make, inside_remove)

static int tests(void)
{
	const struct CMUnitTest table[] = {
		TEST(directories_may_be_missing_or_read_only),
		TEST(full_file_system_leaves_all_as_it_was),
		TEST(names_are_those_of_the_host),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
