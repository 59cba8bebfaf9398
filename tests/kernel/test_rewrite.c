// SPDX-License-Identifier: GPL-2.0-or-later
/* Rewrites: where a bind ends up, what its program sees of it, and which binds cannot be led there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"

#define V4 .family = AF_INET
#define V6 .family = AF_INET6

/* A bind by nobody, and where it ended up. */
struct row {
	const char *policy; /* NULL: that of the row before */
	struct try try;
	int error;
	const char *addr; /* that getsockname(2) shows; NULL: not looked at */
	uint16_t port;
};

static const struct row rows[] = {
	/* The port alone, below 1024 too, for every family and protocol. */
	{ "rewrite user nobody port 8443 to :443\n", { V4, .port = 8443 }, 0, "0.0.0.0", 443 },
	{ NULL, { V6, .port = 8443 }, 0, "::", 443 },
	{ NULL, { V6, .port = 8443, .v6only = true }, 0, "::", 443 },
	{ NULL, { V4, .port = 8443, .addr = "127.0.0.1" }, 0, "127.0.0.1", 443 },
	{ NULL, { V6, .port = 8443, .addr = "::1" }, 0, "::1", 443 },
	{ NULL, { V6, .port = 8443, .addr = "::ffff:127.0.0.1" }, 0, "::ffff:127.0.0.1", 443 },
	{ NULL, { V4, .port = 8443, .type = SOCK_DGRAM }, 0, "0.0.0.0", 443 },
	{ NULL, { V4, .port = 8443, .protocol = IPPROTO_MPTCP }, 0, "0.0.0.0", 443 },
	{ NULL, { V4, .port = 8443, .sa_family = -1 }, 0, "0.0.0.0", 443 },
	{ NULL, { V4, .port = 443 }, EACCES },
	{ NULL, { V4, .port = 8444 }, 0, "0.0.0.0", 8444 },
	/* The address alone; the port stays, 0 too. */
	{ "rewrite user nobody port any to 127.0.0.2\n", { V4, .port = 8443 }, 0, "127.0.0.2", 8443 },
	{ NULL, { V4, .port = 444 }, 0, "127.0.0.2", 444 },
	{ NULL, { V4, .port = 0 }, 0, "127.0.0.2" },
	{ NULL, { V6, .port = 8443 }, 0, "::ffff:127.0.0.2", 8443 },
	{ NULL, { V6, .port = 8443, .addr = "::1" }, 0, "::ffff:127.0.0.2", 8443 },
	{ NULL, { V6, .port = 8443, .addr = "::ffff:10.0.0.1" }, 0, "::ffff:127.0.0.2", 8443 },
	/* ... and where it cannot go: never somewhere else instead. */
	{ NULL, { V6, .port = 8443, .v6only = true }, EAFNOSUPPORT },
	{ NULL, { V6, .port = 8443, .addr = "::1", .v6only = true }, EAFNOSUPPORT },
	{ "rewrite user nobody port 8443 to [::1]:443\n", { V6, .port = 8443 }, 0, "::1", 443 },
	{ NULL, { V6, .port = 8443, .v6only = true }, 0, "::1", 443 },
	{ NULL, { V6, .port = 8443, .addr = "::ffff:127.0.0.1" }, 0, "::1", 443 },
	{ NULL, { V4, .port = 8443 }, EAFNOSUPPORT },
	{ NULL, { V4, .port = 8443, .addr = "127.0.0.1" }, EAFNOSUPPORT },
	/* Both. */
	{ "rewrite user nobody port 8443 to 127.0.0.3:444\n", { V4, .port = 8443 }, 0, "127.0.0.3", 444 },
	{ NULL, { V6, .port = 8443 }, 0, "::ffff:127.0.0.3", 444 },
	/* What is led to is not decided again: the rule that led there has decided. */
	{ "rewrite user nobody port 8443 to :443\ndeny port 443\n", { V4, .port = 8443 }, 0, "0.0.0.0", 443 },
	{ NULL, { V6, .port = 8443 }, 0, "::", 443 },
	{ NULL, { V4, .port = 443 }, EACCES },
	/* Hidden: what was asked for is what is seen. */
	{ "rewrite user nobody port 8443 to :443 hidden\n", { V4, .port = 8443 }, 0, "0.0.0.0", 8443 },
	{ NULL, { V6, .port = 8443 }, 0, "::", 8443 },
	{ NULL, { V6, .port = 8443, .addr = "::1" }, 0, "::1", 8443 },
	/* MPTCP is bound through a subflow, whose note getsockname(2) of the socket does not see. */
	{ "rewrite user nobody port 8443 to :443 hidden\n",
	  { V4, .port = 8443, .protocol = IPPROTO_MPTCP },
	  0,
	  "0.0.0.0",
	  443 },
	{ "rewrite user nobody port 8443 to 127.0.0.3:444 hidden\n", { V4, .port = 8443 }, 0, "0.0.0.0", 8443 },
	{ NULL, { V6, .port = 8443 }, 0, "::", 8443 },
	{ NULL, { V6, .port = 8443, .addr = "::ffff:127.0.0.1" }, 0, "::ffff:127.0.0.1", 8443 },
	{ "rewrite user nobody port any to 127.0.0.3 hidden\n", { V4, .port = 0 }, 0, "0.0.0.0" },
	/* Its privilege is less than a grant's and more than none: at equal rank, and between the two of [::]. */
	{ "grant user nobody port 8443\nrewrite user nobody port 8443 to :443\n",
	  { V4, .port = 8443 },
	  0,
	  "0.0.0.0",
	  443 },
	{ "allow user nobody port 8443\nrewrite user nobody port 8443 to :443\n",
	  { V4, .port = 8443 },
	  0,
	  "0.0.0.0",
	  8443 },
	{ "grant user nobody port 444 addr ::/0\nrewrite user nobody port 444 addr 0.0.0.0/0 to :443\n",
	  { V6, .port = 444 },
	  0,
	  "::",
	  443 },
	{ NULL, { V6, .port = 444, .v6only = true }, 0, "::", 444 },
	{ "rewrite user nobody port 444 addr 0.0.0.0/0 to :445\nrewrite user nobody port 444 addr ::/0 to :443\n",
	  { V6, .port = 444 },
	  0,
	  "::",
	  445 },
	{ NULL, { V6, .port = 444, .v6only = true }, 0, "::", 443 },
	{ "rewrite user nobody port 444 addr ::/0 to :443\n", { V6, .port = 444 }, EACCES },
};

static void every_row_holds(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct outcome outcome;
		struct try try = row->try;

		if (row->policy)
			bed_policy(row->policy);
		try.uid = NOBODY;
		outcome = bed_try(&try);
		if (outcome.error == row->error &&
		    (!row->addr || (!strcmp(outcome.addr, row->addr) && (!row->port || outcome.port == row->port))))
			continue;
		print_error("row %zu: errno %d, at %s port %u; not errno %d, at %s port %u\n", i, outcome.error,
			    outcome.addr, outcome.port, row->error, row->addr ?: "-", row->port);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/*
 * A server that looks at its own uid and refuses to serve a low port unless it is root; started as nobody it binds
 * 8443. Answers one client, and says what port it believes to serve, on its listening and its accepted socket.
 */
static int picky_server(int ready)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(geteuid() ? 8443 : 443) }, name;
	socklen_t len = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM, 0), client;
	uint16_t seen[2];

	bed_reuse(fd);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&name, &len))
		return 1;
	seen[0] = ntohs(name.sin_port);
	if (write(ready, "r", 1) != 1)
		return 2;
	client = accept(fd, NULL, NULL);
	if (client < 0 || getsockname(client, (struct sockaddr *)&name, &len))
		return 3;
	seen[1] = ntohs(name.sin_port);
	return write(client, seen, sizeof(seen)) == sizeof(seen) ? 0 : 4;
}

static void ask_picky_server(const char *policy, uint16_t believed)
{
	const struct try try = { .uid = NOBODY };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(443) };
	int pipes[2], status, fd;
	uint16_t seen[2] = {};
	pid_t child;
	char byte;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bed_policy(policy);
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		bed_become(&try);
		_exit(picky_server(pipes[1]));
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(read(fd, seen, sizeof(seen)), sizeof(seen));
	close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(seen[0], believed);
	assert_int_equal(seen[1], believed);
}

static void program_that_checks_its_uid_is_reached_on_the_low_port(void **state)
{
	(void)state;
	ask_picky_server("rewrite user nobody port 8443 to :443\n", 443);
	ask_picky_server("rewrite user nobody port 8443 to :443 hidden\n", 8443);
}

/* Where the kernel can choose 9444 alone. */
static int fail_then_choose(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in in = *(const struct sockaddr_in *)addr;
	int zero = 0, busy = socket(AF_INET, SOCK_STREAM, 0);

	/* The target is taken, so the rewritten bind fails behind the policy. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &zero, sizeof(zero));
	if (bind(busy, addr, len))
		return -1;
	if (!bind(fd, addr, len) || errno != EADDRINUSE)
		return -2;
	if (close(busy))
		return -3;
	in.sin_port = 0;
	return bind(fd, (struct sockaddr *)&in, sizeof(in)) ? errno : 0;
}

/* That the port is a rewrite's target must not be held in favour of another bind of the same socket. */
static void failed_rewrite_is_forgotten(void **state)
{
	struct try try = { .uid = NOBODY, V4, .port = 8443, .local_ports = "9444 9444", .call = fail_then_choose };

	(void)state;
	bed_policy("rewrite user nobody port 8443 to :9444 hidden netns any\ndeny port 9444 netns any\n");
	assert_int_equal(bed_try(&try).error, EACCES);
	bed_policy("rewrite user nobody port 8443 to :9444 hidden netns any\n");
	assert_int_equal(bed_try(&try).error, 0);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(every_row_holds),
		cmocka_unit_test(program_that_checks_its_uid_is_reached_on_the_low_port),
		cmocka_unit_test(failed_rewrite_is_forgotten),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
