// SPDX-License-Identifier: GPL-2.0-or-later
/* host/store and host/build, in a directory of their own under /tmp. Only root can make files that are trusted. */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "host/build.h"
#include "host/store.h"
#include "unit.h"

struct fixture {
	char base[64];
	char *dirs[BC_STORE_DIRS];
	struct bc_store store;
};

static char *path_in(const struct fixture *f, const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", f->base, name);
	return path;
}

static int setup(void **state)
{
	static const char *const names[] = { "usr", "run", "etc" };
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->base, "/tmp/bindctl-store-XXXXXX");
	if (!mkdtemp(f->base))
		return -1;
	f->store.ndirs = BC_STORE_DIRS;
	for (int i = 0; i < BC_STORE_DIRS; i++) {
		if (asprintf(&f->dirs[i], "%s/%s", f->base, names[i]) < 0 || mkdir(f->dirs[i], 0755))
			return -1;
		f->store.dirs[i] = f->dirs[i];
	}
	f->store.runtime = f->dirs[1];
	f->store.persistent = f->dirs[2];
	umask(022);
	*state = f;
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = nftw(f->base, remove_entry, 8, FTW_DEPTH | FTW_PHYS);

	for (int i = 0; i < BC_STORE_DIRS; i++)
		free(f->dirs[i]);
	free(f);
	return r;
}

/* Every test begins with this: without root no file can be one that only root could have written. */
static struct fixture *need_root(void **state)
{
	if (geteuid()) {
		print_message("# SKIPPED, NOT PASSED: needs root, to own the files\n");
		skip();
	}
	return *state;
}

static void put(const struct fixture *f, const char *name, const char *text)
{
	_cleanup_close_ int fd = open(path_in(f, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(bc_write_all(fd, text, strlen(text)), 0);
}

static void assert_text(const struct fixture *f, const char *name, const char *expected)
{
	struct bc_file file = {};

	assert_int_equal(bc_file_read(path_in(f, name), &file, NULL), 0);
	assert_string_equal(file.text, expected);
	bc_file_done(&file);
}

static void assert_refused(const struct fixture *f, int code, const char *said)
{
	struct bc_files files = {};
	struct bc_error error = {};

	assert_int_equal(bc_store_read(&f->store, &files, &error), code);
	assert_contains(error.text, said);
	assert_null(files.items);
}

/* The files that count, as "etc/a.conf=text …". */
static void assert_counts(const struct fixture *f, const char *expected)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	_cleanup_(bc_files_done) struct bc_files files = {};
	struct bc_error error = {};

	if (bc_store_read(&f->store, &files, &error))
		fail_msg("%s", error.text);
	bc_text_add(&text, "", 0);
	for (size_t i = 0; i < files.n; i++)
		bc_text_addf(&text, "%s%s=%s", i ? " " : "", files.items[i].path + strlen(f->base) + 1,
			     files.items[i].text);
	assert_string_equal(text.data, expected);
}

static void files_count_in_order_of_their_names(void **state)
{
	struct fixture *f = need_root(state);

	put(f, "etc/10-b.conf", "1");
	put(f, "usr/20-c.conf", "2");
	put(f, "run/9.conf", "3");
	put(f, "etc/a.conf", "4");
	put(f, "usr/B.conf", "5");
	put(f, "run/10-a.conf", "6");
	assert_counts(f, "run/10-a.conf=6 etc/10-b.conf=1 usr/20-c.conf=2 run/9.conf=3 usr/B.conf=5 etc/a.conf=4");
}

static void later_directory_wins_by_name(void **state)
{
	struct fixture *f = need_root(state);

	put(f, "usr/a.conf", "usr");
	put(f, "run/a.conf", "run");
	put(f, "etc/a.conf", "etc");
	put(f, "usr/b.conf", "usr");
	put(f, "run/b.conf", "run");
	put(f, "usr/c.conf", "usr");
	put(f, "etc/c.conf", "");
	assert_counts(f, "etc/a.conf=etc run/b.conf=run etc/c.conf=");
}

static void other_names_are_not_policy(void **state)
{
	struct fixture *f = need_root(state);

	put(f, "etc/.hidden.conf", "1");
	put(f, "etc/.a.conf.new", "1");
	put(f, "etc/.conf", "1");
	put(f, "etc/a.conf~", "1");
	put(f, "etc/a.conf.bak", "1");
	put(f, "etc/aconf", "1");
	put(f, "etc/README", "1");
	assert_int_equal(mkdir(path_in(f, "etc/sub"), 0777), 0);
	assert_counts(f, "");
}

static void missing_directory_is_an_error_only_if_asked_for(void **state)
{
	struct fixture *f = need_root(state);

	assert_int_equal(rmdir(f->dirs[0]), 0);
	assert_int_equal(rmdir(f->dirs[1]), 0);
	put(f, "etc/a.conf", "1");
	assert_counts(f, "etc/a.conf=1");
	f->store.required = true;
	assert_refused(f, -ENOENT, "cannot open the policy directory");
	put(f, "usr", "no directory");
	f->store.required = false;
	assert_refused(f, -ENOTDIR, "cannot open the policy directory");
}

static void file_that_others_could_have_written_is_refused(void **state)
{
	struct fixture *f = need_root(state);

	put(f, "etc/a.conf", "1");
	assert_int_equal(chmod(path_in(f, "etc/a.conf"), 0664), 0);
	assert_refused(f, -EPERM, "etc/a.conf is writable by others than its owner (mode 0664); run: chmod go-w");
	assert_int_equal(chmod(path_in(f, "etc/a.conf"), 0602), 0);
	assert_refused(f, -EPERM, "writable by others");
	assert_int_equal(chmod(path_in(f, "etc/a.conf"), 0644), 0);
	assert_int_equal(chown(path_in(f, "etc/a.conf"), 12345, 0), 0);
	assert_refused(f, -EPERM, "etc/a.conf belongs to uid 12345, not to root");
	assert_int_equal(chown(path_in(f, "etc/a.conf"), 0, 12345), 0);
	assert_int_equal(chmod(path_in(f, "etc/a.conf"), 0600), 0);
	assert_counts(f, "etc/a.conf=1");
}

static void directory_that_others_could_have_written_is_refused(void **state)
{
	struct fixture *f = need_root(state);

	put(f, "run/a.conf", "1");
	assert_int_equal(chmod(f->dirs[1], 0775), 0);
	assert_refused(f, -EPERM, "run is writable by others");
	assert_int_equal(chmod(f->dirs[1], 01777), 0);
	assert_refused(f, -EPERM, "run is writable by others than its owner (mode 1777)");
	assert_int_equal(chmod(f->dirs[1], 0755), 0);
	assert_int_equal(chown(f->dirs[1], 12345, 0), 0);
	assert_refused(f, -EPERM, "run belongs to uid 12345");
}

static void only_regular_files_are_read(void **state)
{
	struct fixture *f = need_root(state);

	put(f, "target", "grant port any\n");
	assert_int_equal(symlink(path_in(f, "target"), path_in(f, "etc/a.conf")), 0);
	assert_refused(f, -ELOOP, "etc/a.conf is a symbolic link; policy must be in regular files");
	assert_int_equal(unlink(path_in(f, "etc/a.conf")), 0);
	assert_int_equal(symlink("nowhere", path_in(f, "etc/a.conf")), 0);
	assert_refused(f, -ELOOP, "symbolic link");
	assert_int_equal(unlink(path_in(f, "etc/a.conf")), 0);
	assert_int_equal(mkfifo(path_in(f, "etc/a.conf"), 0644), 0);
	assert_refused(f, -EINVAL, "etc/a.conf is not a regular file");
	assert_int_equal(unlink(path_in(f, "etc/a.conf")), 0);
	assert_int_equal(mkdir(path_in(f, "etc/a.conf"), 0755), 0);
	assert_refused(f, -EISDIR, "etc/a.conf is a directory");
}

/* store.h: "the other is not read". So what is wrong with it is nobody's concern, and an administrator can mend it. */
static void overridden_file_is_not_read(void **state)
{
	struct fixture *f = need_root(state);

	put(f, "etc/a.conf", "1");
	assert_int_equal(symlink("nowhere", path_in(f, "usr/a.conf")), 0);
	assert_counts(f, "etc/a.conf=1");
}

static void file_is_replaced_whole(void **state)
{
	struct fixture *f = need_root(state);
	struct stat before, after;
	struct bc_error error = {};

	put(f, "etc/a.conf", "the old text, longer");
	assert_int_equal(chmod(path_in(f, "etc/a.conf"), 0600), 0);
	assert_int_equal(stat(path_in(f, "etc/a.conf"), &before), 0);
	umask(077);
	assert_int_equal(bc_store_replace(path_in(f, "etc/a.conf"), "new\n", 4, &error), 0);
	assert_text(f, "etc/a.conf", "new\n");
	assert_int_equal(stat(path_in(f, "etc/a.conf"), &after), 0);
	/* Another inode: whoever has the old one open still reads the old text. */
	assert_true(before.st_ino != after.st_ino);
	/* Its mode stays, whatever the umask; a new file can be read by all. */
	assert_int_equal(after.st_mode, S_IFREG | 0600);
	assert_int_equal(access(path_in(f, "etc/.a.conf.new"), F_OK), -1);
	assert_int_equal(bc_store_replace(path_in(f, "etc/b.conf"), "", 0, &error), 0);
	assert_int_equal(stat(path_in(f, "etc/b.conf"), &after), 0);
	assert_int_equal(after.st_mode, S_IFREG | 0644);
	assert_counts(f, "etc/a.conf=new\n etc/b.conf=");
}

static void leftover_of_a_dead_writer_is_healed(void **state)
{
	struct fixture *f = need_root(state);
	struct bc_error error = {};

	put(f, "target", "untouched");
	put(f, "etc/.a.conf.new", "half a te");
	assert_counts(f, "");
	assert_int_equal(bc_store_replace(path_in(f, "etc/a.conf"), "one\n", 4, &error), 0);
	assert_counts(f, "etc/a.conf=one\n");
	assert_int_equal(access(path_in(f, "etc/.a.conf.new"), F_OK), -1);
	/* A link there is not followed. */
	assert_int_equal(symlink(path_in(f, "target"), path_in(f, "etc/.a.conf.new")), 0);
	assert_int_equal(bc_store_replace(path_in(f, "etc/a.conf"), "two\n", 4, &error), 0);
	assert_counts(f, "etc/a.conf=two\n");
	assert_text(f, "target", "untouched");
}

static void replacing_that_fails_leaves_everything(void **state)
{
	struct fixture *f = need_root(state);
	struct bc_error error = {};

	assert_int_equal(mkdir(path_in(f, "etc/a.conf"), 0755), 0);
	assert_int_equal(bc_store_replace(path_in(f, "etc/a.conf"), "new\n", 4, &error), -EISDIR);
	assert_contains(error.text, "cannot write ");
	assert_int_equal(access(path_in(f, "etc/.a.conf.new"), F_OK), -1);
	put(f, "etc/b.conf", "old\n");
	assert_int_equal(chmod(f->dirs[2], 0777), 0);
	assert_int_equal(bc_store_replace(path_in(f, "etc/b.conf"), "new\n", 4, &error), -EPERM);
	assert_text(f, "etc/b.conf", "old\n");
	assert_int_equal(bc_store_replace(path_in(f, "no/b.conf"), "new\n", 4, &error), -ENOENT);
}

static void directory_is_prepared_and_checked(void **state)
{
	struct fixture *f = need_root(state);
	char deep[160], *path;
	struct bc_error error = {};
	struct stat st;

	snprintf(deep, sizeof(deep), "%s/x/y/z", f->base);
	f->store.persistent = deep;
	umask(0);
	assert_int_equal(bc_store_prepare(&f->store, false, &error), 0);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(bc_store_prepare(&f->store, false, &error), 0);
	assert_int_equal(chmod(deep, 0777), 0);
	assert_int_equal(bc_store_prepare(&f->store, false, &error), -EPERM);
	put(f, "x/file", "");
	f->store.runtime = path_in(f, "x/file");
	assert_int_equal(bc_store_prepare(&f->store, true, &error), -ENOTDIR);
	path = bc_store_path(&f->store, true);
	assert_string_equal(path + strlen(f->base), "/x/file/" BC_FILE_RUNTIME);
	free(path);
}

static void text_is_set_in_its_place(void **state)
{
	_cleanup_(bc_files_done) struct bc_files files = {};

	(void)state;
	assert_int_equal(bc_files_set(&files, "/etc/b.conf", "b", 1, 1), 0);
	assert_int_equal(bc_files_set(&files, "/etc/c.conf", "c", 1, 2), 0);
	assert_int_equal(bc_files_set(&files, "/run/a.conf", "a", 1, 3), 0);
	assert_int_equal(bc_files_set(&files, "/etc/b.conf", "new", 3, 4), 0);
	assert_int_equal(files.n, 3);
	assert_string_equal(files.items[0].path, "/run/a.conf");
	assert_string_equal(bc_files_find(&files, "/etc/b.conf")->text, "new");
	assert_true(bc_files_find(&files, "/etc/b.conf")->written == 4);
	assert_true(bc_files_find(&files, "/etc/c.conf")->written == 2);
	assert_null(bc_files_find(&files, "/run/b.conf"));
}

static void file_knows_when_it_was_written(void **state)
{
	const struct fixture *f = need_root(state);
	const struct timespec times[2] = { { 5, 6 }, { 1795514400, 123456789 } };
	_cleanup_(bc_files_done) struct bc_files files = {};
	struct bc_error error;

	put(f, "etc/a.conf", "grant port 80 until +1h\n");
	assert_int_equal(utimensat(AT_FDCWD, path_in(f, "etc/a.conf"), times, 0), 0);
	assert_int_equal(bc_store_read(&f->store, &files, &error), 0);
	assert_true(files.items[0].written == UNIT_NOW + 123456789);
}

/* What counts from then has no moment to mean. */
static void file_of_a_time_beyond_all_moments_is_of_their_end(void **state)
{
	const struct fixture *f = need_root(state);
	const struct timespec times[2] = { { 5, 6 }, { 13569465600, 7 } }; /* 2400 */
	_cleanup_(bc_files_done) struct bc_files files = {};
	struct bc_error error;
	struct stat st;

	put(f, "etc/a.conf", "grant port 80 until +1h\n");
	assert_int_equal(utimensat(AT_FDCWD, path_in(f, "etc/a.conf"), times, 0), 0);
	assert_int_equal(stat(path_in(f, "etc/a.conf"), &st), 0);
	if (st.st_mtim.tv_sec != times[1].tv_sec)
		skip();
	assert_int_equal(bc_store_read(&f->store, &files, &error), 0);
	assert_true(files.items[0].written == BC_MOMENT_END);
}

static void any_file_is_read_for_linting(void **state)
{
	struct fixture *f = need_root(state);
	struct bc_file file = {};
	struct bc_error error = {};

	put(f, "a", "text");
	assert_int_equal(chmod(path_in(f, "a"), 0666), 0);
	assert_int_equal(chown(path_in(f, "a"), 12345, 12345), 0);
	assert_text(f, "a", "text");
	assert_int_equal(bc_file_read(path_in(f, "none"), &file, &error), -ENOENT);
	assert_int_equal(bc_file_read(f->base, &file, &error), -EISDIR);
	assert_null(file.path);
}

static void policy_is_built_from_all_files_or_not_at_all(void **state)
{
	_cleanup_(bc_files_done) struct bc_files files = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_build_done) struct bc_build build = {};
	struct bc_error error = {};

	(void)state;
	assert_int_equal(bc_files_set(&files, "/etc/b.conf", "grant user alice port 80\n", 25, 0), 0);
	assert_int_equal(bc_files_set(&files, "/etc/a.conf", "deny port 80\n", 13, 0), 0);
	assert_int_equal(bc_build_policy(&files, &unit_names, BC_ERROR, BC_ERROR, &build, &report, &error), 0);
	assert_int_equal(build.policy.n, 2);
	assert_int_equal(build.policy.rules[0].verb, BC_VERB_DENY);
	assert_string_equal(bc_policy_source_of(&build.policy, &build.policy.rules[1]), "/etc/b.conf");
	bc_build_done(&build);
	build = (struct bc_build){};
	assert_int_equal(bc_files_set(&files, "/etc/c.conf", "dent port 1\ndeny user no-such-user-x port 1\n", 44, 0),
			 0);
	assert_int_equal(bc_build_policy(&files, &unit_names, BC_ERROR, BC_ERROR, &build, &report, &error), -EINVAL);
	assert_int_equal(report.errors, 2);
	assert_contains(error.text, "2 errors");
	assert_null(build.cells.cells);
}

static void time_from_now_counts_from_when_the_file_was_written(void **state)
{
	static const char text[] = "grant port 80 until +1h\n";
	_cleanup_(bc_files_done) struct bc_files files = {};
	_cleanup_(bc_report_done) struct bc_report report = {};
	_cleanup_(bc_build_done) struct bc_build build = {};
	struct bc_error error = {};

	(void)state;
	assert_int_equal(bc_files_set(&files, "/etc/a.conf", text, strlen(text), 0), 0);
	assert_int_equal(bc_files_set(&files, "/etc/b.conf", text, strlen(text), UNIT_NOW), 0);
	assert_int_equal(bc_build_policy(&files, &unit_names, BC_ERROR, BC_ERROR, &build, &report, &error), 0);
	assert_true(build.policy.rules[0].until == 3600 * BC_SECOND);
	assert_true(build.policy.rules[1].until == UNIT_NOW + 3600 * BC_SECOND);
}

static void rules_of_unknown_subjects_are_left_out_where_that_is_asked_for(void **state)
{
	static const char text[] = "grant group nobodys port 80\ngrant user nobody port 80\ngrant group web port 80\n";
	_cleanup_(bc_files_done) struct bc_files files = {};

	(void)state;
	assert_int_equal(bc_files_set(&files, "/etc/a.conf", text, strlen(text), 0), 0);
	for (int unknown = BC_ERROR; unknown <= BC_WARNING; unknown++) {
		_cleanup_(bc_report_done) struct bc_report report = {};
		_cleanup_(bc_build_done) struct bc_build build = {};
		struct bc_error error = {};

		assert_int_equal(bc_build_policy(&files, &unit_names, BC_ERROR, unknown, &build, &report, &error),
				 unknown == BC_ERROR ? -ENOENT : 0);
		assert_int_equal(report.n, 2);
		assert_int_equal(build.unresolved, 2);
		assert_int_equal(build.policy.n, 1);
		assert_int_equal(!build.cells.cells, unknown == BC_ERROR);
	}
}

#define store_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int user_out_of_reach(void *ctx, const char *name, uint32_t *ret_uid)
{
	(void)ctx, (void)name, (void)ret_uid;
	return -EIO;
}

/* A deny must not go missing because the user database could not be asked. */
static void look_up_that_fails_fails_the_whole(void **state)
{
	const struct bc_names names = { .user = user_out_of_reach };
	static const char text[] = "deny user alice port 80\ngrant port 80\n";

	(void)state;
	for (enum bc_severity unknown = BC_ERROR; unknown <= BC_WARNING; unknown++) {
		_cleanup_(bc_files_done) struct bc_files files = {};
		_cleanup_(bc_report_done) struct bc_report report = {};
		_cleanup_(bc_build_done) struct bc_build build = {};
		struct bc_error error;

		assert_int_equal(bc_files_set(&files, "a.conf", text, strlen(text), 0), 0);
		assert_int_equal(bc_build_policy(&files, &names, BC_WARNING, unknown, &build, &report, &error), -EIO);
		assert_null(build.cells.cells);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(look_up_that_fails_fails_the_whole),
		store_test(files_count_in_order_of_their_names),
		store_test(later_directory_wins_by_name),
		store_test(other_names_are_not_policy),
		store_test(missing_directory_is_an_error_only_if_asked_for),
		store_test(file_that_others_could_have_written_is_refused),
		store_test(directory_that_others_could_have_written_is_refused),
		store_test(only_regular_files_are_read),
		store_test(overridden_file_is_not_read),
		store_test(file_is_replaced_whole),
		store_test(leftover_of_a_dead_writer_is_healed),
		store_test(replacing_that_fails_leaves_everything),
		store_test(file_knows_when_it_was_written),
		store_test(file_of_a_time_beyond_all_moments_is_of_their_end),
		store_test(directory_is_prepared_and_checked),
		cmocka_unit_test(text_is_set_in_its_place),
		store_test(any_file_is_read_for_linting),
		cmocka_unit_test(policy_is_built_from_all_files_or_not_at_all),
		store_test(time_from_now_counts_from_when_the_file_was_written),
		store_test(rules_of_unknown_subjects_are_left_out_where_that_is_asked_for),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
