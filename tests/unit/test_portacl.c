// SPDX-License-Identifier: GPL-2.0-or-later
/* mac_portacl's rules become grants, and what is none is refused where it stands. */
#include "imported.h"

#include "pure/portacl.h"

static void assert_becomes(const char *source, const char *text, size_t lost, const char *expected)
{
	struct bc_import import = {};
	struct bc_error error = {};

	if (bc_import_portacl(source, text, strlen(text), &import, &error))
		fail_msg("%s:%u:%u: %s", error.source, error.line, error.column, error.text);
	assert_imported(&import, lost, expected);
}

static void assert_refused(const char *source, const char *text, const char *place, unsigned line, unsigned column,
			   const char *fragment)
{
	struct bc_import import = {};
	struct bc_error error = {};

	assert_int_equal(bc_import_portacl(source, text, strlen(text), &import, &error), -EINVAL);
	assert_null(import.notes);
	if (strcmp(error.source, place) || error.line != line || error.column != column)
		fail_msg("%s:%u:%u: %s", error.source, error.line, error.column, error.text);
	assert_contains(error.text, fragment);
}

static void every_element_becomes_a_grant(void **state)
{
	(void)state;
	assert_becomes(NULL, "", 0, "");
	assert_becomes(NULL, "uid:80:tcp:80", 0, "\n# portacl: uid:80:tcp:80\ngrant user 80 port 80 proto tcp\n");
	assert_becomes(NULL, ",gid:0:udp:65535,,uid:4294967294:tcp:1,", 0,
		       "\n# portacl: gid:0:udp:65535\ngrant group 0 port 65535 proto udp\n"
		       "\n# portacl: uid:4294967294:tcp:1\ngrant user 4294967294 port 1 proto tcp\n");
}

static void element_that_is_repeated_is_one_rule(void **state)
{
	(void)state;
	assert_becomes(NULL, "uid:1:tcp:2,gid:1:tcp:2,uid:1:udp:2,uid:1:tcp:2", 0,
		       "\n# portacl: uid:1:tcp:2\ngrant user 1 port 2 proto tcp\n"
		       "\n# portacl: gid:1:tcp:2\ngrant group 1 port 2 proto tcp\n"
		       "\n# portacl: uid:1:udp:2\ngrant user 1 port 2 proto udp\n"
		       "\n# portacl: uid:1:tcp:2: there is such a rule already\n");
}

static void port_0_is_lost(void **state)
{
	(void)state;
	assert_becomes(
		NULL, "uid:1:tcp:0", 1,
		"\n# NOT IMPORTED: portacl: uid:1:tcp:0: that the kernel may choose a port is no rule's affair\n");
}

static void file_is_read_by_lines(void **state)
{
	(void)state;
	assert_becomes("s", "# hello\n\nuid:1:tcp:2,uid:1:tcp:3 # two\n  gid:1:udp:4\r\n", 0,
		       "\n# s:3:1: uid:1:tcp:2\ngrant user 1 port 2 proto tcp\n"
		       "\n# s:3:13: uid:1:tcp:3\ngrant user 1 port 3 proto tcp\n"
		       "\n# s:4:3: gid:1:udp:4\ngrant group 1 port 4 proto udp\n");
	assert_becomes("s", "net.inet.ip.portrange.reservedhigh=0\nsecurity.mac.portacl.rules = \"uid:1:tcp:2\"\n", 0,
		       "\n# s:2:31: uid:1:tcp:2\ngrant user 1 port 2 proto tcp\n");
	assert_becomes("s", "security.mac.portacl.rules=uid:1:tcp:2", 0,
		       "\n# s:1:28: uid:1:tcp:2\ngrant user 1 port 2 proto tcp\n");
}

static void variables_that_refuse_are_lost_unless_they_are_as_usual(void **state)
{
	(void)state;
	assert_becomes("s",
		       "security.mac.portacl.enabled=1\nsecurity.mac.portacl.port_high=1023\n"
		       "security.mac.portacl.suser_exempt=1\nsecurity.mac.portacl.autoport_exempt=1\n",
		       0, "");
	assert_becomes("s",
		       "security.mac.portacl.enabled=0\nsecurity.mac.portacl.port_high=2000\n"
		       "security.mac.portacl.suser_exempt=0\nsecurity.mac.portacl.autoport_exempt=0\n",
		       4,
		       "\n# NOT IMPORTED: s:1:1: security.mac.portacl.enabled=0: the rules are not in force\n"
		       "\n# NOT IMPORTED: s:2:1: security.mac.portacl.port_high=2000: up to that port whatever no "
		       "rule permits is refused; see deny\n"
		       "\n# NOT IMPORTED: s:3:1: security.mac.portacl.suser_exempt=0: root is refused what no rule "
		       "permits; see deny\n"
		       "\n# NOT IMPORTED: s:4:1: security.mac.portacl.autoport_exempt=0: the kernel's choice of a "
		       "port is refused; see deny\n");
}

static void fault_is_reported_where_it_is(void **state)
{
	(void)state;
	assert_refused("s", "uid:1:tcp:2,uuid:1:tcp:2", "s", 1, 13, "expected uid or gid, not 'uuid'");
	assert_refused("s", "\n uid:x:tcp:2", "s", 2, 6, "the number of a user or group, not 'x'");
	assert_refused("s", "uid::tcp:2", "s", 1, 5, "the number of a user or group, not ''");
	assert_refused("s", "uid:4294967295:tcp:2", "s", 1, 5, "the number");
	assert_refused("s", "uid:-1:tcp:2", "s", 1, 5, "the number");
	assert_refused("s", "uid:1:sctp:2", "s", 1, 7, "tcp or udp, not 'sctp'");
	assert_refused("s", "uid:1", "s", 1, 6, "tcp or udp, not ''");
	assert_refused("s", "uid:1:tcp", "s", 1, 10, "a port");
	assert_refused("s", "uid:1:tcp:65536", "s", 1, 11, "a port, 0 to 65535, not '65536'");
	assert_refused("s", "uid:1:tcp:80-90", "s", 1, 11, "a port");
	assert_refused("s", "uid:1:tcp:2:3", "s", 1, 11, "a port, 0 to 65535, not '2:3'");
	assert_refused("s", "uid:1:tcp:2, uid:1:tcp:3", "s", 1, 13, "expected uid or gid, not ' uid'");
	assert_refused("s", "security.mac.portacl.rules=uid:1:tcp:2\nsecurity.mac.portacl.rules=uid:1:tcp:2\n", "s", 2,
		       1, "a second time");
	assert_refused("s", "security.mac.portacl.rules=\"uid:1:icmp:2\"", "s", 1, 35, "tcp or udp");
	assert_refused(NULL, "uid:1:tcp:2,uid:1:tcp:x", "argument 'uid:1:tcp:x'", 0, 0, "a port, 0 to 65535, not 'x'");
}

int main(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(every_element_becomes_a_grant),
		cmocka_unit_test(element_that_is_repeated_is_one_rule),
		cmocka_unit_test(port_0_is_lost),
		cmocka_unit_test(file_is_read_by_lines),
		cmocka_unit_test(variables_that_refuse_are_lost_unless_they_are_as_usual),
		cmocka_unit_test(fault_is_reported_where_it_is),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}
