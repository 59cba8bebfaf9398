// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs of somebody else's at the same hooks, who is root as we are: what each does to a bind, whether the policy
 * holds all the same, and that `status` shows him. Where he has his way, that is what the manual says.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "rogue.h"

/* 443 is nobody's, 8443 and 444 are denied; 9100 is led to loopback. */
static const char policy[] = "grant user 65534 port 443\n"
			     "deny port 8443 errno EADDRNOTAVAIL\n"
			     "deny port 444\n"
			     "deny port 8444 addr 127.0.0.1\n"
			     "rewrite user 65534 port 9100 to 127.0.0.1:9101\n"
			     "deny port 9101\n";

enum place {
	BEFORE, /* attached before us, at the same cgroup */
	AFTER,
	BELOW, /* at a cgroup below, where the bind is made */
};

#define BIND4 .type = BPF_CGROUP_INET4_BIND
#define BIND6 .type = BPF_CGROUP_INET6_BIND
#define POST4 .type = BPF_CGROUP_INET4_POST_BIND

struct row {
	const char *attack;
	enum place place;
	struct rogue rogues[2];
	uint32_t flags; /* attached the old way, with these; 0: by a link */
	bool plain;	/* ... with none at all */
	struct try try;
	int error;
	uint16_t port; /* that the bind ended at; 0: not looked at */
	const char *said;
};

static const struct row rows[] = {
	{ "leads an allowed bind to a denied port, behind us",
	  AFTER,
	  { { BIND4, .answer = 1, .port = 8443 } },
	  .try = { .port = 9000 },
	  .error = EADDRNOTAVAIL,
	  .said = "(rogue) runs after ours" },
	{ "the same with IPv6",
	  AFTER,
	  { { BIND6, .answer = 1, .port = 8443 } },
	  .try = { .family = AF_INET6, .port = 9000 },
	  .error = EADDRNOTAVAIL,
	  .said = "bind6: program" },
	{ "the same in front of us",
	  BEFORE,
	  { { BIND4, .answer = 1, .port = 8443 } },
	  .try = { .port = 9000 },
	  .error = EADDRNOTAVAIL,
	  .said = "(rogue) runs before ours" },
	{ "the same below us",
	  BELOW,
	  { { BIND4, .answer = 1, .port = 8443 } },
	  .try = { .in = "below", .port = 9000 },
	  .error = EADDRNOTAVAIL,
	  .said = "which is below" },
	{ "leads a grant to another's low port",
	  AFTER,
	  { { BIND4, .answer = 1, .port = 444 } },
	  .try = { .port = 443 },
	  .error = EACCES },
	/* The capability that we waived is waived for his port, too. */
	{ "leads a grant to a low port that no rule names",
	  AFTER,
	  { { BIND4, .answer = 1, .port = 445 } },
	  .try = { .port = 443 },
	  .error = 0,
	  .port = 445,
	  .said = "grant what is not" },
	{ "leads a denied bind away before we see it",
	  BEFORE,
	  { { BIND4, .answer = 1, .port = 9001 } },
	  .try = { .port = 8443 },
	  .error = 0,
	  .port = 9001 },
	{ "leads a bind to an address that is denied",
	  AFTER,
	  { { BIND4, .answer = 1, .addr = INADDR_LOOPBACK } },
	  .try = { .addr = "127.0.0.2", .port = 8444 },
	  .error = EACCES },
	{ "leads our rewrite to a denied port",
	  AFTER,
	  { { BIND4, .answer = 1, .port = 8443 } },
	  .try = { .port = 9100 },
	  .error = EADDRNOTAVAIL },
	{ "leaves our rewrite as it is, past the deny of what it leads to",
	  AFTER,
	  { { BIND4, .answer = 1 } },
	  .try = { .port = 9100 },
	  .error = 0,
	  .port = 9101 },
	{ "the same with IPv6",
	  AFTER,
	  { { BIND6, .answer = 1 } },
	  .try = { .family = AF_INET6, .port = 9100 },
	  .error = 0,
	  .port = 9101 },
	{ "leads our rewrite to another address",
	  AFTER,
	  { { BIND4, .answer = 1, .addr = 0x7f000002 } },
	  .try = { .port = 9100 },
	  .error = EACCES },
	{ "the same with IPv6",
	  AFTER,
	  { { BIND6, .answer = 1, .addr6 = 0x7f000002 } },
	  .try = { .family = AF_INET6, .port = 9100 },
	  .error = EACCES },
	{ "erases our refusal, at bind alone",
	  AFTER,
	  { { BIND4, .answer = 1, .sets_retval = true } },
	  .try = { .port = 8443 },
	  .error = EADDRNOTAVAIL,
	  .said = "grant what is not" },
	{ "the same with IPv6",
	  AFTER,
	  { { BIND6, .answer = 1, .sets_retval = true } },
	  .try = { .family = AF_INET6, .port = 8443 },
	  .error = EADDRNOTAVAIL,
	  .said = "grant what is not" },
	/* Nothing of ours runs behind that. */
	{ "erases our refusal at both hooks",
	  AFTER,
	  { { BIND4, .answer = 1, .sets_retval = true }, { POST4, .answer = 1, .sets_retval = true } },
	  .try = { .port = 8443 },
	  .error = 0,
	  .port = 8443,
	  .said = "post_bind4: program" },
	{ "erases a refusal in front of us",
	  BEFORE,
	  { { BIND4, .answer = 1, .sets_retval = true }, { POST4, .answer = 1, .sets_retval = true } },
	  .try = { .port = 8443 },
	  .error = EADDRNOTAVAIL,
	  .said = "post_bind4: program" },
	{ "answers 2, behind us", AFTER, { { BIND4, .answer = 2 } }, .try = { .port = 443 }, .error = EPERM },
	{ "answers 2, in front of us", BEFORE, { { BIND4, .answer = 2 } }, .try = { .port = 443 }, .error = EPERM },
	{ "waives the capability for what is denied",
	  AFTER,
	  { { BIND4, .answer = 3 } },
	  .try = { .port = 8443 },
	  .error = EADDRNOTAVAIL },
	{ "waives the capability below us",
	  BELOW,
	  { { BIND4, .answer = 3 } },
	  .try = { .in = "below", .port = 81 },
	  .error = 0,
	  .said = "it may refuse or grant by itself" },
	{ "waives it below us for what is denied",
	  BELOW,
	  { { BIND4, .answer = 3 } },
	  .try = { .in = "below", .port = 8443 },
	  .error = EADDRNOTAVAIL },
	{ "wants a cgroup below for himself",
	  BELOW,
	  { { BIND4, .answer = 1 } },
	  .plain = true,
	  .try = { .in = "below", .port = 8443 },
	  .error = EADDRNOTAVAIL,
	  .said = "which is below" },
	{ "leaves himself to be overridden below",
	  BELOW,
	  { { BIND4, .answer = 1 } },
	  BPF_F_ALLOW_OVERRIDE,
	  .try = { .in = "below", .port = 8443 },
	  .error = EADDRNOTAVAIL,
	  .said = "which is below" },
	{ "erases our refusal below, before it is there",
	  BELOW,
	  { { BIND4, .answer = 1, .sets_retval = true }, { POST4, .answer = 1, .sets_retval = true } },
	  .try = { .in = "below", .port = 8443 },
	  .error = EADDRNOTAVAIL,
	  .said = "which is below" },
	{ "pushes to the front",
	  AFTER,
	  { { BIND4, .answer = 1, .port = 8443 } },
	  BPF_F_ALLOW_MULTI | ROGUE_PREORDER,
	  .try = { .port = 9000 },
	  .error = EADDRNOTAVAIL,
	  .said = "(rogue) runs before ours" },
	{ "pushes to the front and erases",
	  AFTER,
	  { { BIND4, .answer = 1, .sets_retval = true } },
	  BPF_F_ALLOW_MULTI | ROGUE_PREORDER,
	  .try = { .port = 8443 },
	  .error = EADDRNOTAVAIL },
	{ "has the name of ours",
	  AFTER,
	  { { .name = "bc_bind4", BIND4, .answer = 0 } },
	  .try = { .port = 443 },
	  .error = EPERM,
	  .said = "(bc_bind4) runs after ours" },
	{ "refuses the port once it is taken",
	  AFTER,
	  { { POST4, .answer = 0 } },
	  .try = { .port = 443 },
	  .error = EPERM,
	  .said = "post_bind4: program" },
	/* What a socket is bound to besides is nothing that rules speak of. */
	{ "binds each new socket to a device, for a port that is denied",
	  AFTER,
	  { { .type = BPF_CGROUP_INET_SOCK_CREATE, .answer = 1, .device = 1 } },
	  .try = { .port = 8443 },
	  .error = EADDRNOTAVAIL },
	{ "binds each new socket to a device, for one that is granted",
	  AFTER,
	  { { .type = BPF_CGROUP_INET_SOCK_CREATE, .answer = 1, .device = 1 } },
	  .try = { .port = 443 },
	  .error = 0,
	  .port = 443 },
};

static bool is_alone(const struct rogue *rogue)
{
	return !rogue->answer && !rogue->name && rogue->type == 0;
}

/* What the neighbours of a row hold. */
struct held {
	int progs[2], links[2];
	bool attached[2];
	char cgroup[300];
};

#define HELD_NONE ((struct held){ .progs = { -1, -1 }, .links = { -1, -1 } })

/* 0, or -errno of a way to attach that this kernel does not know. */
static int come(const struct row *row, struct held *held)
{
	snprintf(held->cgroup, sizeof(held->cgroup), "%s%s", bed.cgroup, row->place == BELOW ? "/below" : "");
	for (int i = 0; i < 2 && !is_alone(&row->rogues[i]); i++) {
		const struct rogue *rogue = &row->rogues[i];
		int r = 0;

		held->progs[i] = rogue_load(rogue);
		if (row->flags || row->plain)
			r = rogue_attach(held->progs[i], held->cgroup, rogue->type, row->flags);
		else
			held->links[i] = rogue_link(held->progs[i], held->cgroup, rogue->type);
		held->attached[i] = !r && held->links[i] < 0;
		if (r)
			return r;
		assert_true(held->attached[i] || held->links[i] >= 0);
	}
	return 0;
}

static void go(const struct row *row, struct held *held)
{
	for (int i = 0; i < 2; i++) {
		if (held->attached[i])
			rogue_detach(held->progs[i], held->cgroup, row->rogues[i].type);
		bc_closep(&held->links[i]);
		bc_closep(&held->progs[i]);
	}
}

/* Says what is not as it should be; the neighbours are there. */
static int judge(const struct row *row)
{
	_cleanup_(bc_text_done) struct bc_text said = {};
	struct try try = row->try;
	struct outcome outcome;
	int wrong = 0, code;

	try.uid = NOBODY;
	try.family = try.family ?: AF_INET;
	outcome = bed_try(&try);
	if (outcome.error != row->error || (row->port && outcome.port != row->port)) {
		print_error("%s: errno %d at port %u, not errno %d\n", row->attack, outcome.error, outcome.port,
			    row->error);
		wrong++;
	}
	/* Whoever creates sockets is at no hook of ours. */
	code = BINDCTL(&said, "status");
	if (row->rogues[0].type != BPF_CGROUP_INET_SOCK_CREATE &&
	    (code != 3 || (row->said && !strstr(said.data, row->said)))) {
		print_error("%s: status exits with %d, and does not say \"%s\":\n%s", row->attack, code,
			    row->said ?: "", said.data);
		wrong++;
	}
	if (row->rogues[0].type != BPF_CGROUP_INET_SOCK_CREATE && BINDCTL(NULL, "status", "--ignore-neighbours")) {
		print_error("%s: status --ignore-neighbours finds more\n", row->attack);
		wrong++;
	}
	return wrong;
}

static int try_row(const struct row *row)
{
	struct held held = HELD_NONE;
	int wrong = 0, r = 0;

	if (row->place == BELOW)
		bed_make_cgroup("below");
	if (row->place == BEFORE)
		r = come(row, &held);
	bed_write("10-test.conf", policy, strlen(policy));
	assert_int_equal(BINDCTL(NULL, "load"), 0);
	if (row->place != BEFORE)
		r = come(row, &held);
	if (!r)
		wrong = judge(row);
	else if (row->flags & ROGUE_PREORDER && r == -EINVAL)
		print_message("%s: this kernel has no order of programs\n", row->attack);
	else
		wrong++;
	go(row, &held);
	/* He is gone: all is well. */
	if (!wrong)
		rogue_expect(0, "enforced      yes");
	BINDCTL(NULL, "unload");
	if (row->place == BELOW)
		bed_remove_cgroup("below");
	return wrong;
}

static void neighbour_is_shown_and_a_deny_holds_but_where_the_manual_says_so(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		wrong += try_row(&rows[i]);
	assert_int_equal(wrong, 0);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(neighbour_is_shown_and_a_deny_holds_but_where_the_manual_says_so),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
