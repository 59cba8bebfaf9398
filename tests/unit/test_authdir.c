// SPDX-License-Identifier: GPL-2.0-or-later
/* authbind's directory is read as it is: names, modes, links, and what is no file. */
#include "unit.h"

#include <endian.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "host/authdir.h"

static char dir[64];

static char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *name, mode_t mode, const char *text)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(bc_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/bindctl-authdir-XXXXXX");
	if (!mkdtemp(dir) || chmod(dir, 0755))
		return -1;
	return mkdir(path_of("byport"), 0755) || mkdir(path_of("byaddr"), 0711) || mkdir(path_of("byuid"), 0700);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

static int end(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void read_dir(struct bc_auth *auth)
{
	struct bc_error error = {};

	if (bc_auth_read(dir, auth, &error))
		fail_msg("%s", error.text);
}

static void assert_file(const struct bc_auth *auth, size_t i, enum bc_auth_place place, const char *name, uint32_t mode)
{
	assert_true(i < auth->n);
	assert_int_equal(auth->files[i].place, place);
	assert_string_equal(auth->files[i].name, name);
	assert_int_equal(auth->files[i].access.mode, mode);
}

static void files_come_by_name_with_their_modes(void **state)
{
	struct bc_auth auth = {};

	(void)state;
	write_file("byport/80", 0750, "");
	write_file("byport/!600", 0644, "not read");
	write_file("byport/.hidden", 0, "");
	write_file("byaddr/10.0.0.1,80", 04711, "");
	write_file("byuid/1000", 0600, "::1,80\n");
	assert_int_equal(mkdir(path_of("byport/443"), 0711), 0);
	read_dir(&auth);
	assert_int_equal(auth.n, 6);
	assert_file(&auth, 0, BC_AUTH_BYPORT, "!600", 0644);
	assert_null(auth.files[0].text);
	assert_file(&auth, 1, BC_AUTH_BYPORT, ".hidden", 0);
	assert_file(&auth, 2, BC_AUTH_BYPORT, "443", 0711);
	assert_file(&auth, 3, BC_AUTH_BYPORT, "80", 0750);
	assert_int_equal(auth.files[3].access.uid, geteuid());
	assert_null(auth.files[3].access.odd);
	assert_file(&auth, 4, BC_AUTH_BYADDR, "10.0.0.1,80", 04711);
	assert_file(&auth, 5, BC_AUTH_BYUID, "1000", 0600);
	assert_string_equal(auth.files[5].text, "::1,80\n");
	assert_int_equal(auth.files[5].len, 7);
	assert_int_equal(auth.places[BC_AUTH_TOP].mode, 0755);
	assert_int_equal(auth.places[BC_AUTH_BYADDR].mode, 0711);
	bc_auth_done(&auth);
}

static void links_are_what_they_lead_to(void **state)
{
	struct bc_auth auth = {};

	(void)state;
	write_file("target", 0755, "");
	assert_int_equal(mkdir(path_of("shut"), 0700), 0);
	write_file("shut/target", 0755, "");
	assert_int_equal(symlink("nothing", path_of("byport/1")), 0);
	assert_int_equal(symlink("2", path_of("byport/2")), 0);
	assert_int_equal(symlink("../target", path_of("byport/3")), 0);
	assert_int_equal(symlink("../shut/target", path_of("byport/4")), 0);
	read_dir(&auth);
	/* One to nothing is as if it were not there, a loop is there and lets nobody. */
	assert_int_equal(auth.n, 3);
	assert_file(&auth, 0, BC_AUTH_BYPORT, "2", 0);
	assert_null(auth.files[0].access.odd);
	assert_file(&auth, 1, BC_AUTH_BYPORT, "3", 0755);
	assert_null(auth.files[1].access.odd);
	assert_file(&auth, 2, BC_AUTH_BYPORT, "4", 0755);
	assert_contains(auth.files[2].access.odd, "link to where not everybody may come");
	bc_auth_done(&auth);
}

/* A list in the kernel's form: entries of owner, user 1000, group, group 2000, mask and others. False if none can be. */
static bool set_acl(const char *name, uint16_t user, uint16_t group, uint16_t named, uint16_t mask)
{
	const uint16_t permissions[] = { 7, user, group, named, mask, 0 };
	const uint32_t ids[] = { ~0u, 1000, ~0u, 2000, ~0u, ~0u };
	char value[4 + 6 * 8] = { 2 };

	for (unsigned i = 0; i < 6; i++) {
		uint16_t words[2] = { htole16(1u << i), htole16(permissions[i]) };
		uint32_t id = htole32(ids[i]);

		memcpy(value + 4 + 8 * i, words, sizeof(words));
		memcpy(value + 8 + 8 * i, &id, sizeof(id));
	}
	return !setxattr(path_of(name), "system.posix_acl_access", value, sizeof(value), 0);
}

static void assert_entries(const struct bc_auth_file *file, bool user, bool group, bool named)
{
	const struct bc_auth_access *access = &file->access;

	assert_null(access->odd);
	assert_int_equal(access->n, 2);
	assert_int_equal(access->entries[0].id, 1000);
	assert_int_equal(access->entries[1].id, 2000);
	assert_true(!access->entries[0].group && access->entries[1].group);
	assert_int_equal(access->entries[0].may, user);
	assert_int_equal(access->entries[1].may, named);
	assert_int_equal(!!(access->mode & 010), group);
}

static void access_control_list_is_read_with_its_mask(void **state)
{
	static const char *const names[] = { "byport/1", "byport/2", "byport/3", "byport/4" };
	struct bc_auth auth = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		write_file(names[i], 0755, "");
	if (!set_acl(names[0], 5, 4, 1, 7)) {
		printf("# /tmp has no access control lists\n");
		skip();
	}
	assert_true(set_acl(names[1], 4, 1, 4, 1));
	assert_true(set_acl(names[2], 5, 5, 5, 4));
	assert_true(set_acl(names[3], 5, 5, 5, 0));
	assert_true(set_acl("byaddr", 5, 5, 5, 5));
	read_dir(&auth);
	assert_int_equal(auth.n, 4);
	assert_entries(&auth.files[0], true, false, true);
	assert_entries(&auth.files[1], false, true, false);
	assert_entries(&auth.files[2], false, false, false);
	/* The kernel does not look at a list with an empty mask. */
	assert_int_equal(auth.files[3].access.n, 0);
	assert_string_equal(auth.places[BC_AUTH_BYADDR].odd, "it has an access control list");
	bc_auth_done(&auth);
}

static void place_that_is_missing_or_no_directory_is_told(void **state)
{
	struct bc_auth auth = {};

	(void)state;
	assert_int_equal(rmdir(path_of("byport")), 0);
	assert_int_equal(rmdir(path_of("byaddr")), 0);
	write_file("byaddr", 0755, "");
	assert_int_equal(mkdir(path_of("byuid/1000"), 0755), 0);
	read_dir(&auth);
	assert_false(auth.places[BC_AUTH_BYPORT].exists);
	assert_true(auth.places[BC_AUTH_BYADDR].exists);
	assert_int_equal(auth.places[BC_AUTH_BYADDR].mode, 0);
	assert_int_equal(auth.n, 1);
	assert_null(auth.files[0].text);
	bc_auth_done(&auth);
}

static void directory_that_is_none_is_an_error(void **state)
{
	struct bc_auth auth = {};
	struct bc_error error = {};

	(void)state;
	write_file("file", 0644, "");
	assert_int_equal(bc_auth_read(path_of("nothing"), &auth, &error), -ENOENT);
	assert_contains(error.text, "nothing: No such file or directory");
	assert_int_equal(bc_auth_read(path_of("file"), &auth, &error), -ENOTDIR);
	assert_int_equal(auth.n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest table[] = {
		TEST(files_come_by_name_with_their_modes),	 TEST(links_are_what_they_lead_to),
		TEST(access_control_list_is_read_with_its_mask), TEST(place_that_is_missing_or_no_directory_is_told),
		TEST(directory_that_is_none_is_an_error),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}
