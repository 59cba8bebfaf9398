// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Policies against real binds: one row, one bind. Every row is also asked of `explain`'s code, which must answer as
 * the kernel did.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bed.h"
#include "pure/decide.h"

#define V4 .family = AF_INET
#define V6 .family = AF_INET6
#define UDP .type = SOCK_DGRAM
#define AS_NOBODY .uid = NOBODY
#define AS_SOMEBODY .uid = SOMEBODY

struct row {
	const char *policy; /* NULL: that of the row before */
	struct try try;
	int error;
	bool chosen; /* it is the port that the kernel chose that is refused, which explain cannot know */
};

static const struct row rows[] = {
	/* No rule: the kernel's own behaviour, unchanged. */
	{ "", { AS_NOBODY, V4, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V6, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V4, .port = 8443 }, 0 },
	{ NULL, { .uid = 0, V4, .port = 443 }, 0 },

	/* The main job, for every kind of socket. */
	{ "grant user nobody port 443\n", { AS_NOBODY, V4, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V6, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V4, UDP, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V6, UDP, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V4, .port = 443, .addr = "127.0.0.1" }, 0 },
	{ NULL, { AS_NOBODY, V6, .port = 443, .addr = "::1" }, 0 },
	{ NULL, { AS_NOBODY, V6, .port = 443, .addr = "::ffff:127.0.0.1" }, 0 },
	{ NULL, { AS_NOBODY, V6, .port = 443, .v6only = true }, 0 },
	{ NULL, { AS_NOBODY, V4, UDP, .protocol = IPPROTO_UDPLITE, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V6, UDP, .protocol = IPPROTO_UDPLITE, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V4, .protocol = IPPROTO_MPTCP, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V6, .protocol = IPPROTO_MPTCP, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V4, .port = 443, .no_new_privs = true }, 0 },
	/* ... and nobody else, no other port, nowhere else. */
	{ NULL, { AS_NOBODY, V4, .port = 442 }, EACCES },
	{ NULL, { AS_NOBODY, V4, .port = 444 }, EACCES },
	{ NULL, { AS_SOMEBODY, V4, .port = 443 }, EACCES },
	{ NULL, { AS_SOMEBODY, V6, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V4, .port = 443, .outside = true }, EACCES },
	{ NULL, { AS_NOBODY, V4, .port = 443, .foreign_netns = true }, EACCES },
	{ NULL, { AS_NOBODY, V6, .port = 443, .foreign_netns = true }, EACCES },

	/* The effective uid counts, not the real one. */
	{ NULL, { AS_NOBODY, .ruid = SOMEBODY, V4, .port = 443 }, 0 },
	{ NULL, { AS_SOMEBODY, .ruid = NOBODY, V4, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, .real_only = true, V4, .port = 443 }, 0 },
	{ "deny user nobody port 443\n", { .uid = 0, .ruid = NOBODY, V4, .port = 443 }, 0 },

	/* What the caller writes into the address's family decides nothing. */
	{ "grant user nobody port 443\n", { AS_NOBODY, V4, .port = 443, .sa_family = -1 }, 0 },
	{ "deny port 443\n", { .uid = 0, V4, .port = 443, .sa_family = -1 }, EACCES },
	{ NULL, { .uid = 0, V4, .port = 443, .sa_family = -1, .addr = "127.0.0.1" }, EACCES },
	{ NULL, { .uid = 0, V4, .port = 443, .addrlen = 128 }, EACCES },
	{ NULL, { .uid = 0, V6, .port = 443, .addrlen = 128 }, EACCES },
	{ NULL, { .uid = 0, V4, .port = 443, .sa_family = AF_INET6, .addrlen = 28 }, EACCES },
	{ "grant user nobody port 443\n",
	  { AS_NOBODY, V4, .port = 443, .sa_family = AF_INET6, .addrlen = 28 },
	  EAFNOSUPPORT },
	{ NULL, { AS_NOBODY, V6, .port = 443, .sa_family = AF_INET }, EAFNOSUPPORT },
	{ NULL, { AS_NOBODY, V4, .port = 443, .addrlen = 128 }, 0 },

	/* A deny holds for root, for every protocol and both families, high ports too. */
	{ "deny port 443,8443\n", { .uid = 0, V4, .port = 443 }, EACCES },
	{ NULL, { .uid = 0, V6, .port = 443 }, EACCES },
	{ NULL, { .uid = 0, V6, .port = 443, .v6only = true }, EACCES },
	{ NULL, { .uid = 0, V6, .port = 443, .addr = "::ffff:0.0.0.0" }, EACCES },
	{ NULL, { .uid = 0, V4, UDP, .port = 443 }, EACCES },
	{ NULL, { .uid = 0, V6, UDP, .protocol = IPPROTO_UDPLITE, .port = 443 }, EACCES },
	{ NULL, { .uid = 0, V4, .protocol = IPPROTO_MPTCP, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V4, .port = 8443 }, EACCES },
	{ NULL, { .uid = 0, V4, .port = 8442 }, 0 },
	{ NULL, { .uid = 0, V4, .port = 443, .foreign_netns = true }, 0 },
	{ NULL, { .uid = 0, V4, .port = 443, .outside = true }, 0 },
	{ "deny port 443 netns any\n", { .uid = 0, V4, .port = 443, .foreign_netns = true }, EACCES },
	{ NULL, { .uid = 0, V6, .port = 443, .foreign_netns = true }, EACCES },
	{ "grant user nobody port 443 netns any\n", { AS_NOBODY, V4, .port = 443, .foreign_netns = true }, 0 },
	{ NULL, { AS_NOBODY, V4, .port = 443 }, 0 },

	/* A chosen errno. */
	{ "deny port 443 errno EADDRINUSE\n", { .uid = 0, V4, .port = 443 }, EADDRINUSE },
	{ NULL, { .uid = 0, V6, .port = 443 }, EADDRINUSE },
	{ "deny port 443 errno EADDRNOTAVAIL\n", { .uid = 0, V4, .port = 443 }, EADDRNOTAVAIL },
	{ "deny port 443 errno EPERM\n", { .uid = 0, V6, .port = 443 }, EPERM },

	/* Port 0, the kernel's choice, is matched by `any` alone. */
	{ "deny port 1-20\n", { .uid = 0, V4, .port = 0 }, 0 },
	{ NULL, { .uid = 0, V6, .port = 0 }, 0 },
	/* ... but the port that it chooses is held against every deny. */
	{ "deny port 1-65535\n", { .uid = 0, V4, .port = 0 }, EACCES, .chosen = true },
	{ NULL, { .uid = 0, V6, .port = 0 }, EACCES, .chosen = true },
	{ NULL, { .uid = 0, V4, .port = 65535 }, EACCES },
	{ NULL, { .uid = 0, V4, .port = 1 }, EACCES },
	{ "deny port any\n", { .uid = 0, V4, .port = 0 }, EACCES },
	{ NULL, { .uid = 0, V6, .port = 0 }, EACCES },
	{ NULL, { .uid = 0, V4, .port = 1 }, EACCES },
	{ NULL, { .uid = 0, V4, .port = 65535 }, EACCES },
	{ "grant user nobody port any\n", { AS_NOBODY, V4, .port = 0 }, 0 },
	{ NULL, { AS_NOBODY, V4, .port = 1 }, 0 },

	/* Protocols. */
	{ "grant user nobody port 443 proto tcp\n", { AS_NOBODY, V4, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V4, .protocol = IPPROTO_MPTCP, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V4, UDP, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V6, UDP, .protocol = IPPROTO_UDPLITE, .port = 443 }, EACCES },
	{ "grant user nobody port 443 proto udp\n", { AS_NOBODY, V4, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V6, UDP, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V4, UDP, .protocol = IPPROTO_UDPLITE, .port = 443 }, 0 },

	/* Addresses; ::ffff:a.b.c.d is a.b.c.d. */
	{ "grant user nobody port 443 addr 127.0.0.0/8\n", { AS_NOBODY, V4, .port = 443, .addr = "127.9.9.9" }, 0 },
	{ NULL, { AS_NOBODY, V6, .port = 443, .addr = "::ffff:127.0.0.1" }, 0 },
	{ NULL, { AS_NOBODY, V4, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V6, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V6, .port = 443, .addr = "::1" }, EACCES },
	{ "grant user nobody port 443 addr ::ffff:127.0.0.0/104\n",
	  { AS_NOBODY, V4, .port = 443, .addr = "127.0.0.1" },
	  0 },
	{ "grant user nobody port 443 addr ::1\n", { AS_NOBODY, V6, .port = 443, .addr = "::1" }, 0 },
	{ NULL, { AS_NOBODY, V6, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V4, .port = 443, .addr = "127.0.0.1" }, EACCES },

	/* Dual stack: [::] is decided for both families and the lesser privilege holds, unless V6ONLY. */
	{ "deny port 443 addr 0.0.0.0/0\n", { .uid = 0, V6, .port = 443 }, EACCES },
	{ NULL, { .uid = 0, V6, .port = 443, .v6only = true }, 0 },
	{ NULL, { .uid = 0, V6, .port = 443, .addr = "::1" }, 0 },
	{ NULL, { .uid = 0, V6, .port = 443, .addr = "::ffff:127.0.0.1" }, EACCES },
	{ "deny port 443 addr 0.0.0.0\n", { .uid = 0, V6, .port = 443 }, EACCES },
	{ NULL, { .uid = 0, V6, UDP, .port = 443 }, EACCES },
	{ "grant user nobody port 443 addr 0.0.0.0/0\n", { AS_NOBODY, V6, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V4, .port = 443 }, 0 },
	{ "grant user nobody port 443 addr ::/0\n", { AS_NOBODY, V6, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V6, .port = 443, .v6only = true }, 0 },
	{ NULL, { AS_NOBODY, V4, .port = 443 }, EACCES },
	{ NULL, { AS_NOBODY, V6, .port = 443, .addr = "::ffff:0.0.0.0" }, EACCES },
	{ "grant user nobody port 443 addr ::/0\ngrant user nobody port 443 addr 0.0.0.0/0\n",
	  { AS_NOBODY, V6, .port = 443 },
	  0 },
	{ "deny user nobody port 443 addr ::/0 errno EADDRINUSE\ngrant user nobody port 443\n",
	  { AS_NOBODY, V6, .port = 443 },
	  EADDRINUSE },
	{ NULL, { AS_NOBODY, V6, .port = 443, .addr = "::ffff:0.0.0.0" }, 0 },

	/* Which rule decides: user, then narrower range, then longer prefix, then protocol, then lesser privilege. */
	{ "deny port 443\ngrant user nobody port 1-1000\n", { AS_NOBODY, V4, .port = 443 }, 0 },
	{ NULL, { AS_SOMEBODY, V4, .port = 443 }, EACCES },
	{ "deny user nobody port 400-500\ngrant user nobody port 440-450\n", { AS_NOBODY, V4, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V4, .port = 451 }, EACCES },
	{ "grant user nobody port 443\ndeny user nobody port 443 addr 127.0.0.0/8\n"
	  "grant user nobody port 443 addr 127.0.0.1\n",
	  { AS_NOBODY, V4, .port = 443, .addr = "127.0.0.1" },
	  0 },
	{ NULL, { AS_NOBODY, V4, .port = 443, .addr = "127.0.0.2" }, EACCES },
	{ NULL, { AS_NOBODY, V4, .port = 443 }, 0 },
	{ "deny user nobody port 443\ngrant user nobody port 443 proto udp\n", { AS_NOBODY, V4, UDP, .port = 443 }, 0 },
	{ NULL, { AS_NOBODY, V4, .port = 443 }, EACCES },
	{ "grant user nobody port 443\ndeny user nobody port 443 errno EPERM\n",
	  { AS_NOBODY, V4, .port = 443 },
	  EPERM },
	{ "grant user nobody port 443\nallow user nobody port 443\n", { AS_NOBODY, V4, .port = 443 }, EACCES },
	{ "deny port any\nallow user nobody port 8443\n", { AS_NOBODY, V4, .port = 8443 }, 0 },
	{ NULL, { AS_SOMEBODY, V4, .port = 8443 }, EACCES },
	{ "deny port any\nallow user 0 port 443\n", { .uid = 0, V4, .port = 443 }, 0 },
	/* A rule that does not hold is as if absent: the next one decides. */
	{ "deny user nobody port 443 proto udp\ngrant port 443\n", { AS_NOBODY, V4, .port = 443 }, 0 },
	{ "deny user nobody port 443 addr 127.0.0.1\ngrant port 443\n", { AS_NOBODY, V4, .port = 443 }, 0 },
	{ "deny port 400-500 netns any\ngrant user nobody port 443\n",
	  { AS_NOBODY, V4, .port = 443, .foreign_netns = true },
	  EACCES },
};

/* What explain says of the row, as an errno. */
static int explained(const struct row *row)
{
	const struct try *try = &row->try;
	struct bc_question question = {
		.uid = try->uid,
		.port = try->port,
		.host_netns = !try->foreign_netns,
		.v6only = try->v6only,
		.proto = try->type == SOCK_DGRAM ? BC_UDP : BC_TCP,
		.v4 = try->family == AF_INET,
	};
	_cleanup_(bc_answer_done) struct bc_answer answer = {};
	uint32_t wire[4] = { 0, 0, htonl(0xffff), 0 };
	struct in6_addr in6 = {};

	if (try->family == AF_INET6) {
		if (try->addr)
			inet_pton(AF_INET6, try->addr, &in6);
		memcpy(wire, &in6, sizeof(wire));
		question.v4 = IN6_IS_ADDR_V4MAPPED(&in6);
	} else if (try->addr) {
		inet_pton(AF_INET, try->addr, &wire[3]);
	}
	for (int i = 0; i < 4; i++)
		question.addr[i] = ntohl(wire[i]);
	assert_int_equal(bc_decide_image(&bed_build.cells, &question, &answer), 0);
	if (answer.verdict == BC_DENY)
		return answer.err;
	if (answer.verdict == BC_GRANT)
		return 0;
	return try->uid && try->port && try->port < 1024 ? EACCES : 0;
}

static void describe(const struct row *row, const char *policy, const char *what, int got)
{
	const struct try *try = &row->try;

	print_error("row %td: %s: got %d (%s), expected %d (%s)\n"
		    "  uid %u, IPv%d, type %d, protocol %d, %s port %u\n%s",
		    row - rows, what, got, strerror(got), row->error, strerror(row->error), try->uid,
		    try->family == AF_INET ? 4 : 6, try->type, try->protocol, try->addr ? try->addr : "any address",
		    try->port, policy);
}

/* Either the rows of UDP-Lite, which newer kernels have no more, or all others. */
static void compare(bool udp_lite)
{
	const char *policy = "";
	int compared = 0, wrong = 0;
	bool applied = false;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct outcome outcome;

		if (row->policy) {
			policy = row->policy;
			applied = false;
		}
		if ((row->try.protocol == IPPROTO_UDPLITE) != udp_lite)
			continue;
		if (!applied)
			bed_policy(policy);
		applied = true;
		compared++;
		outcome = bed_try(&row->try);
		if (outcome.socket) {
			describe(row, policy, "no such socket on this kernel", outcome.socket);
			wrong++;
			continue;
		}
		if (outcome.error != row->error) {
			describe(row, policy, "bind(2)", outcome.error);
			wrong++;
		}
		/* A family that does not fit the socket is the kernel's own refusal, behind the policy's answer. */
		if (!row->try.outside && !row->chosen && row->error != EAFNOSUPPORT && explained(row) != row->error) {
			describe(row, policy, "explain", explained(row));
			wrong++;
		}
	}
	printf("# %d policies and binds compared with the kernel and with explain\n", compared);
	assert_true(compared > 0);
	assert_int_equal(wrong, 0);
}

static void every_row_holds(void **state)
{
	(void)state;
	compare(false);
}

static void every_row_of_udp_lite_holds(void **state)
{
	(void)state;
	if (!bed_has_udp_lite())
		skip();
	compare(true);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(every_row_holds),
		cmocka_unit_test(every_row_of_udp_lite_holds),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
