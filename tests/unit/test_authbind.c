// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What authbind's files become, one by one, and where they meet. tests/kernel/test_authbind.c compares whole
 * configurations with authbind itself.
 */
#include "imported.h"

#include "pure/authbind.h"

static struct bc_auth auth;

/* As Debian has it: directories that everybody may search. */
static int begin(void **state)
{
	(void)state;
	for (int i = 0; i < BC_AUTH_PLACES; i++)
		auth.places[i] = (struct bc_auth_access){ .exists = true, .mode = 0755 };
	return 0;
}

static int end(void **state)
{
	(void)state;
	bc_auth_done(&auth);
	return 0;
}

static struct bc_auth_file *add(enum bc_auth_place place, const char *name, uint32_t uid, uint32_t gid, uint32_t mode)
{
	struct bc_auth_file *file;

	assert_int_equal(bc_grow(&auth.files, &auth.room, auth.n + 1), 0);
	file = &auth.files[auth.n++];
	*file = (struct bc_auth_file){ .place = place,
				       .name = strdup(name),
				       .access = { .exists = true, .uid = uid, .gid = gid, .mode = mode } };
	return file;
}

static void add_user(const char *name, const char *text)
{
	struct bc_auth_file *file = add(BC_AUTH_BYUID, name, 0, 0, 0600);

	file->text = strdup(text);
	file->len = strlen(text);
}

/* The directory has no name. */
static void assert_becomes(size_t lost, const char *expected)
{
	struct bc_import import = {};
	struct bc_error error = {};

	if (bc_import_authbind(&auth, "", &import, &error))
		fail_msg("%s", error.text);
	assert_imported(&import, lost, expected);
}

static void empty_directory_is_an_empty_policy(void **state)
{
	(void)state;
	assert_becomes(0, "");
}

#define NAME "\n# /byport/80: mode "
#define ROOT "allow user 0 port 80\n"

/* The owner's bit, the group's and the others', in every combination. */
static void each_mode_says_who(void **state)
{
	static const char *const expected[8] = {
		NAME "0000, nobody but root may execute it\n",
		NAME "0001\nallow user 1000 port 80\n" ROOT "allow group 2000 port 80\ngrant port 80\n",
		NAME "0010\nallow user 1000 port 80\n" ROOT "grant group 2000 port 80\n",
		NAME "0011\nallow user 1000 port 80\n" ROOT "grant port 80\n",
		NAME "0100\ngrant user 1000 port 80\n",
		NAME "0101\ngrant user 1000 port 80\n" ROOT "allow group 2000 port 80\ngrant port 80\n",
		NAME "0110\ngrant user 1000 port 80\n" ROOT "grant group 2000 port 80\n",
		NAME "0111\n" ROOT "grant port 80\n",
	};
	struct bc_auth_file *file = add(BC_AUTH_BYPORT, "80", 1000, 2000, 0);

	(void)state;
	for (unsigned bits = 0; bits < 8; bits++) {
		file->access.mode = (bits & 4) << 4 | (bits & 2) << 2 | (bits & 1);
		assert_becomes(0, expected[bits]);
	}
}

static void roots_own_bit_is_nothing(void **state)
{
	struct bc_auth_file *file = add(BC_AUTH_BYPORT, "80", 0, 2000, 0700);

	(void)state;
	assert_becomes(0, NAME "0700, nobody but root may execute it\n");
	file->access.mode = 0710;
	assert_becomes(0, NAME "0710\n" ROOT "grant group 2000 port 80\n");
}

static void names_that_authbind_does_not_ask_for_are_said(void **state)
{
	(void)state;
	add(BC_AUTH_BYPORT, "!1023", 1000, 0, 0500);
	add(BC_AUTH_BYPORT, "!511", 1000, 0, 0500);
	add(BC_AUTH_BYPORT, "!8080", 1000, 0, 0500);
	add(BC_AUTH_BYPORT, "0", 1000, 0, 0500);
	add(BC_AUTH_BYPORT, "080", 1000, 0, 0500);
	add(BC_AUTH_BYPORT, "512", 1000, 0, 0500);
	add(BC_AUTH_BYPORT, "http", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "0.0.0.0", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "0::1,80", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "010.0.0.1,80", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "::1:80", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "::1,600", 1000, 0, 0500);
	add_user("0", "::1,80\n");
	add_user("alice", "::1,80\n");
	assert_becomes(
		0, "\n# /byport/!511: authbind does not look for it: the name has a '!', and the port is below 512\n"
		   "\n# /byport/!8080: authbind leaves ports from 1024 on to the kernel\n"
		   "\n# /byport/0: authbind looks for no file of this name\n"
		   "\n# /byport/080: authbind looks for no file of this name\n"
		   "\n# /byport/512: authbind does not look for it: from port 512 on the name must begin with '!'\n"
		   "\n# /byport/http: authbind looks for no file of this name\n"
		   "\n# /byaddr/0.0.0.0: authbind looks for no file of this name\n"
		   "\n# /byaddr/0::1,80: authbind looks for no file of this name\n"
		   "\n# /byaddr/010.0.0.1,80: authbind looks for no file of this name\n"
		   "\n# /byaddr/::1:80: authbind looks for no file of this name\n"
		   "\n# /byaddr/::1,600: authbind does not look for it: from port 512 on the name must begin with '!'\n"
		   "\n# /byuid/0: authbind does not ask for root's: root binds without it\n"
		   "\n# /byuid/alice: authbind looks for no file of this name\n"
		   "\n# /byport/!1023: mode 0500\ngrant user 1000 port 1023\n");
}

#define NEVER ": authbind never comes to it: it finds the file of the address's other name first\n"

static void every_name_of_an_address_is_known_and_the_first_counts(void **state)
{
	(void)state;
	add(BC_AUTH_BYADDR, "!10.0.0.1:600", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "10.0.0.1,25", 1001, 0, 0500);
	add(BC_AUTH_BYADDR, "10.0.0.1:25", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "10.0.0.2,25", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "fd00:0:0:1:0:0:0:1,80", 1001, 0, 0500);
	add(BC_AUTH_BYADDR, "fd00:0:0:1::1,80", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "fd00:0:0:2:0:0:0:1,80", 1000, 0, 0500);
	assert_becomes(0, "\n# /byaddr/10.0.0.1,25" NEVER "\n# /byaddr/fd00:0:0:1:0:0:0:1,80" NEVER
			  "\n# /byaddr/10.0.0.1:25: mode 0500\ngrant user 1000 port 25 addr 10.0.0.1\n"
			  "\n# /byaddr/!10.0.0.1:600: mode 0500\ngrant user 1000 port 600 addr 10.0.0.1\n"
			  "\n# /byaddr/10.0.0.2,25: mode 0500\ngrant user 1000 port 25 addr 10.0.0.2\n"
			  "\n# /byaddr/fd00:0:0:1::1,80: mode 0500\ngrant user 1000 port 80 addr fd00:0:0:1::1\n"
			  "\n# /byaddr/fd00:0:0:2:0:0:0:1,80: mode 0500\ngrant user 1000 port 80 addr fd00:0:0:2::1\n");
}

static void byport_decides_before_all_others(void **state)
{
	(void)state;
	add(BC_AUTH_BYPORT, "80", 0, 0, 0);
	add(BC_AUTH_BYADDR, "10.0.0.1,80", 1000, 0, 0500);
	add_user("1000", "10.0.0.1,79-81\n10.0.0.1,80\n");
	assert_becomes(0, "\n# /byaddr/10.0.0.1,80: authbind never comes to it: byport has a file for the port\n" NAME
			  "0000, nobody but root may execute it\n"
			  "\n# /byuid/1000:1: 10.0.0.1,79-81\ngrant user 1000 port 79,81 addr 10.0.0.1\n"
			  "\n# /byuid/1000:2: 10.0.0.1,80: authbind comes to this file for none of these ports\n");
}

static void lines_permit_prefixes_in_the_ports_of_their_file(void **state)
{
	(void)state;
	add_user("!1000", "0.0.0.0/0,1-65535\n10.0.0.1,80\n");
	add_user("1000", "# hello\n\n10.0.0.1-10.0.0.4,80\nhello, world\n0.0.0.0/0,500-600\n10.0.0.1/8,25\n");
	assert_becomes(0,
		       "\n# /byuid/1000:3: 10.0.0.1-10.0.0.4,80\ngrant user 1000 port 80 addr 10.0.0.1\n"
		       "grant user 1000 port 80 addr 10.0.0.2/31\ngrant user 1000 port 80 addr 10.0.0.4\n"
		       "\n# /byuid/1000:4:1: authbind does not read this line: hello, world\n"
		       "\n# /byuid/1000:5: 0.0.0.0/0,500-600\ngrant user 1000 port 500-511 addr 0.0.0.0/0\n"
		       "\n# /byuid/1000:6:1: the address has bits behind its prefix: permits nothing: 10.0.0.1/8,25\n"
		       "\n# /byuid/!1000:1: 0.0.0.0/0,1-65535\ngrant user 1000 port 512-1023 addr 0.0.0.0/0\n"
		       "\n# /byuid/!1000:2: 10.0.0.1,80: authbind comes to this file for none of these ports\n");
}

/* Beyond 298 bytes the helper takes what is left for another line. */
static void line_that_is_too_long_is_several(void **state)
{
	char text[400];

	(void)state;
	memset(text, ' ', sizeof(text));
	text[0] = '#';
	strcpy(text + 298, "10.0.0.1,80\n::1,25");
	add_user("1000", text);
	assert_becomes(0, "\n# /byuid/1000:1: 10.0.0.1,80\ngrant user 1000 port 80 addr 10.0.0.1\n"
			  "\n# /byuid/1000:2: ::1,25\ngrant user 1000 port 25 addr ::1\n");
}

/* A rule of the user's goes before those of a group: where byaddr decides by the group, there must be none. */
static void what_byaddr_decides_by_group_is_left_out(void **state)
{
	(void)state;
	add(BC_AUTH_BYADDR, "10.0.0.1,80", 0, 2000, 0710);
	add_user("1000", "10.0.0.0/30,79-80\n10.0.0.1,80\n");
	assert_becomes(0, "\n# /byaddr/10.0.0.1,80: mode 0710\nallow user 0 port 80 addr 10.0.0.1\n"
			  "grant group 2000 port 80 addr 10.0.0.1\n"
			  "\n# /byuid/1000:1: 10.0.0.0/30,79-80\ngrant user 1000 port 80 addr 10.0.0.0\n"
			  "grant user 1000 port 80 addr 10.0.0.2/31\ngrant user 1000 port 79 addr 10.0.0.0/30\n"
			  "\n# /byuid/1000:2: 10.0.0.1,80\n");
}

static void what_byaddr_refuses_to_the_user_is_taken_out(void **state)
{
	struct bc_auth_file *file = add(BC_AUTH_BYADDR, "10.0.0.1,80", 1001, 2000, 0700);

	(void)state;
	add_user("1000", "10.0.0.0/8,79-80\n10.0.0.1,79-80\n");
	assert_becomes(0, "\n# /byaddr/10.0.0.1,80: mode 0700\ngrant user 1001 port 80 addr 10.0.0.1\n"
			  "\n# /byuid/1000:1: 10.0.0.0/8,79-80\ngrant user 1000 port 79-80 addr 10.0.0.0/8\n"
			  "\n# /byuid/1000:2: 10.0.0.1,79-80\ngrant user 1000 port 79 addr 10.0.0.1\n"
			  "\n# /byuid/1000: but for what byaddr has a file that the user may not execute\n"
			  "allow user 1000 port 80 addr 10.0.0.1\n");
	/* The owner has such a rule already. */
	file->access = (struct bc_auth_access){ .exists = true, .uid = 1000, .gid = 2000, .mode = 0677 };
	assert_becomes(0, "\n# /byaddr/10.0.0.1,80: mode 0677\nallow user 1000 port 80 addr 10.0.0.1\n"
			  "allow user 0 port 80 addr 10.0.0.1\ngrant port 80 addr 10.0.0.1\n"
			  "\n# /byuid/1000:1: 10.0.0.0/8,79-80\ngrant user 1000 port 79-80 addr 10.0.0.0/8\n"
			  "\n# /byuid/1000:2: 10.0.0.1,79-80\ngrant user 1000 port 79 addr 10.0.0.1\n");
}

#define DUAL                                                                                                           \
	": a socket that takes IPv4, too, can bind [::] only where 0.0.0.0 is granted besides, as authbind does not; " \
	"one with IPV6_V6ONLY can\n"

static void ipv6_wildcard_alone_is_not_all_there(void **state)
{
	(void)state;
	add(BC_AUTH_BYADDR, "0.0.0.0,25", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "::,25", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "::,80", 1000, 0, 0500);
	add_user("1001", "::/0,443\n0.0.0.0/0:443,443\n");
	add_user("1002", "::,443\n10.0.0.0/8:443,443\n");
	assert_becomes(2, "\n# /byaddr/0.0.0.0,25: mode 0500\ngrant user 1000 port 25 addr 0.0.0.0\n"
			  "\n# /byaddr/::,25: mode 0500\ngrant user 1000 port 25 addr ::\n"
			  "\n# /byaddr/::,80: mode 0500\ngrant user 1000 port 80 addr ::\n"
			  "\n# NOT IMPORTED: /byaddr/::,80" DUAL
			  "\n# /byuid/1001:1: ::/0,443\ngrant user 1001 port 443 addr ::/0\n"
			  "\n# /byuid/1001:2: 0.0.0.0/0:443,443\ngrant user 1001 port 443 addr 0.0.0.0/0\n"
			  "\n# /byuid/1002:1: ::,443\ngrant user 1002 port 443 addr ::\n"
			  "\n# NOT IMPORTED: /byuid/1002:1" DUAL
			  "\n# /byuid/1002:2: 10.0.0.0/8:443,443\ngrant user 1002 port 443 addr 10.0.0.0/8\n");
}

#define OF_V4 ": an IPv4 address of IPv6 sockets: a rule would give it to IPv4 sockets, too\n"

static void ipv4_address_of_ipv6_is_not_imported(void **state)
{
	(void)state;
	add(BC_AUTH_BYADDR, "::ffff:10.0.0.1,80", 1000, 0, 0500);
	add_user("1000", "::ffff:10.0.0.1,80\n::fffe:ffff:ffff-::ffff:0:1,25\n::/0,26\n0.0.0.0/0,26\n");
	assert_becomes(3, "\n# NOT IMPORTED: /byaddr/::ffff:10.0.0.1,80" OF_V4 "\n# /byuid/1000:1: ::ffff:10.0.0.1,80\n"
			  "\n# NOT IMPORTED: /byuid/1000:1" OF_V4 "\n# /byuid/1000:2: ::fffe:ffff:ffff-::ffff:0:1,25\n"
			  "grant user 1000 port 25 addr ::fffe:ffff:ffff\n\n# NOT IMPORTED: /byuid/1000:2" OF_V4
			  "\n# /byuid/1000:3: ::/0,26\ngrant user 1000 port 26 addr ::/0\n"
			  "\n# /byuid/1000:4: 0.0.0.0/0,26\ngrant user 1000 port 26 addr 0.0.0.0/0\n");
}

static void file_that_more_than_a_mode_decides_about_is_for_nobody(void **state)
{
	struct bc_auth_file *file = add(BC_AUTH_BYPORT, "80", 1000, 0, 0777);

	(void)state;
	file->access.odd = "it is a link to where not everybody may come";
	add_user("1000", "::1,79-80\n");
	assert_becomes(
		1, "\n# NOT IMPORTED: /byport/80: it is a link to where not everybody may come: nobody is granted it\n"
		   "\n# /byuid/1000:1: ::1,79-80\ngrant user 1000 port 79 addr ::1\n");
}

static void name_entry(struct bc_auth_file *file, uint32_t id, bool group, bool may)
{
	file->access.entries = realloc(file->access.entries, (file->access.n + 1) * sizeof(*file->access.entries));
	assert_non_null(file->access.entries);
	file->access.entries[file->access.n++] = (struct bc_auth_entry){ id, group, may };
}

/* Users by their own entry; for the others one group that may is enough, which two rules of a protocol each say. */
static void access_control_list_says_more(void **state)
{
	struct bc_auth_file *file = add(BC_AUTH_BYADDR, "10.0.0.1,80", 1000, 2000, 0700);

	(void)state;
	name_entry(file, 1001, false, true);
	name_entry(file, 1002, false, false);
	name_entry(file, 1000, false, false);
	name_entry(file, 0, false, true);
	name_entry(file, 2001, true, true);
	name_entry(file, 2000, true, false);
	add_user("1001", "10.0.0.1,79-80\n");
	add_user("1002", "10.0.0.0/8,79-80\n");
	add_user("1003", "10.0.0.0/31,79-80\n");
	assert_becomes(0, "\n# /byaddr/10.0.0.1,80: mode 0700 and an access control list\n"
			  "grant user 1000 port 80 addr 10.0.0.1\ngrant user 1001 port 80 addr 10.0.0.1\n"
			  "allow user 1002 port 80 addr 10.0.0.1\nallow user 0 port 80 addr 10.0.0.1\n"
			  "grant group 2001 port 80 addr 10.0.0.1\n"
			  "\n# /byuid/1001:1: 10.0.0.1,79-80\ngrant user 1001 port 79 addr 10.0.0.1\n"
			  "\n# /byuid/1002:1: 10.0.0.0/8,79-80\ngrant user 1002 port 79-80 addr 10.0.0.0/8\n"
			  "\n# /byuid/1003:1: 10.0.0.0/31,79-80\ngrant user 1003 port 80 addr 10.0.0.0\n"
			  "grant user 1003 port 79 addr 10.0.0.0/31\n");
	file->access.mode = 0701;
	auth.n = 1;
	free(auth.files[1].name), free(auth.files[1].text);
	free(auth.files[2].name), free(auth.files[2].text);
	free(auth.files[3].name), free(auth.files[3].text);
	assert_becomes(0, "\n# /byaddr/10.0.0.1,80: mode 0701 and an access control list\n"
			  "grant user 1000 port 80 addr 10.0.0.1\ngrant user 1001 port 80 addr 10.0.0.1\n"
			  "allow user 1002 port 80 addr 10.0.0.1\nallow user 0 port 80 addr 10.0.0.1\n"
			  "allow group 2000 port 80 addr 10.0.0.1\n"
			  "grant group 2001 port 80 proto tcp addr 10.0.0.1\n"
			  "grant group 2001 port 80 proto udp addr 10.0.0.1\ngrant port 80 addr 10.0.0.1\n");
}

static void user_file_that_is_none_permits_nothing(void **state)
{
	(void)state;
	add(BC_AUTH_BYUID, "1000", 0, 0, 0755);
	assert_becomes(0, "\n# /byuid/1000: not a file that can be read: permits nothing\n");
}

/* What is behind a directory that somebody may not search is refused to them. */
static void directory_counts_that_not_everybody_may_search(void **state)
{
	(void)state;
	add(BC_AUTH_BYPORT, "80", 1000, 0, 0500);
	add(BC_AUTH_BYADDR, "::1,25", 1000, 0, 0500);
	add_user("1000", "::1,26\n");
	auth.places[BC_AUTH_BYADDR].mode = 0700;
	assert_becomes(0,
		       NAME "0500\ngrant user 1000 port 80\n"
			    "\n# /byaddr: mode 0700: nobody may search it, so authbind permits nothing from here on\n");
	auth.places[BC_AUTH_BYPORT].mode = 0750;
	assert_becomes(1,
		       "\n# NOT IMPORTED: /byport: mode 0750: only some may search it, and a rule cannot ask for that "
		       "besides; to import as if everybody could, run: chmod a+x /byport\n");
	auth.places[BC_AUTH_TOP].odd = "it has an access control list";
	assert_becomes(1, "\n# NOT IMPORTED: : it has an access control list: nothing that it decides is imported\n");
	/* Whether byuid can be searched is root's affair, and directories that are missing have no files. */
	auth.places[BC_AUTH_TOP].odd = NULL;
	auth.places[BC_AUTH_BYPORT] = auth.places[BC_AUTH_BYADDR] = (struct bc_auth_access){};
	auth.places[BC_AUTH_BYUID].mode = 0700;
	assert_becomes(0, NAME "0500\ngrant user 1000 port 80\n"
			       "\n# /byaddr/::1,25: mode 0500\ngrant user 1000 port 25 addr ::1\n"
			       "\n# /byuid/1000:1: ::1,26\ngrant user 1000 port 26 addr ::1\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest table[] = {
		TEST(empty_directory_is_an_empty_policy),
		TEST(each_mode_says_who),
		TEST(roots_own_bit_is_nothing),
		TEST(names_that_authbind_does_not_ask_for_are_said),
		TEST(every_name_of_an_address_is_known_and_the_first_counts),
		TEST(byport_decides_before_all_others),
		TEST(lines_permit_prefixes_in_the_ports_of_their_file),
		TEST(line_that_is_too_long_is_several),
		TEST(what_byaddr_decides_by_group_is_left_out),
		TEST(what_byaddr_refuses_to_the_user_is_taken_out),
		TEST(ipv6_wildcard_alone_is_not_all_there),
		TEST(ipv4_address_of_ipv6_is_not_imported),
		TEST(file_that_more_than_a_mode_decides_about_is_for_nobody),
		TEST(access_control_list_says_more),
		TEST(user_file_that_is_none_permits_nothing),
		TEST(directory_counts_that_not_everybody_may_search),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}
