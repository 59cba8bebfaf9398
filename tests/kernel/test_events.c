// SPDX-License-Identifier: GPL-2.0-or-later
/* What the programs report: every refusal, what `audit` and `log` ask for, and nothing else. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"
#include "host/mounts.h"
#include "pure/inspect.h"
#include "seen.h"

static struct bc_events *ring;

/* Under the policy one bind, and what was reported of it. */
static int report_of(const char *policy, const struct try *try, struct seen *seen)
{
	const struct bc_wanted wanted = { .ring_bytes = 1 << 16 };
	int r;

	bed_policy(policy);
	if (!ring)
		ring = seen_open(&wanted);
	seen_read(ring, seen);
	r = bed_try(try).error;
	seen_read(ring, seen);
	return r;
}

static void refusal_is_reported_whole(void **state)
{
	const struct try try = {
		.uid = NOBODY, .ruid = SOMEBODY, .gid = 3000, .family = AF_INET6, .port = 443, .addr = "::1"
	};
	const struct bc_event *event;
	time_t begin = time(NULL);
	struct seen seen;
	uint64_t id;
	int fd;

	(void)state;
	assert_int_equal(report_of("grant port 80\ndeny user nobody port 443 errno EPERM\n", &try, &seen), EPERM);
	assert_int_equal(seen.n, 1);
	event = &seen.events[0];
	assert_in_range(event->time / 1000000000, begin - 1, time(NULL) + 1);
	assert_int_equal(event->kind, BC_EVENT_DENY);
	assert_int_equal(event->verdict, BC_DENY);
	assert_int_equal(event->err, EPERM);
	assert_int_equal(event->rule, 1);
	assert_int_equal(event->id, bc_rule_at(&bed_build.cells, 1)->id);
	assert_int_equal(event->port, 443);
	assert_int_equal(event->proto, BC_TCP);
	assert_int_equal(event->family, 6);
	assert_int_equal(event->addr[3], 1);
	assert_int_equal(event->addr[0] | event->addr[1] | event->addr[2], 0);
	assert_int_equal(event->uid, NOBODY);
	assert_int_equal(event->ruid, SOMEBODY);
	assert_int_equal(event->gid, 3000);
	assert_true(event->pid > 0 && event->tid == event->pid);
	assert_true(event->generation > 0 && event->netns > 0 && !(event->flags & BC_EVENT_CHOSEN));
	assert_string_equal(event->comm, "test_events");
	assert_int_equal(bc_open_cgroup(bed.cgroup, &fd, NULL), 0);
	assert_int_equal(bc_cgroup_id(fd, &id), 0);
	close(fd);
	assert_int_equal(event->cgroup, id);
}

static void grants_are_not_reported(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443 };
	struct seen seen;

	(void)state;
	assert_int_equal(report_of("grant user nobody port 443\n", &try, &seen), 0);
	assert_int_equal(seen.n, 0);
	try.uid = 0;
	assert_int_equal(report_of("allow user root port 443\n", &try, &seen), 0);
	assert_int_equal(seen.n, 0);
	/* Named by no rule. */
	try.port = 80;
	assert_int_equal(report_of("allow user root port 443\n", &try, &seen), 0);
	assert_int_equal(seen.n, 0);
}

/* No rule grants it, so the kernel refuses it, whether or not a rule names the port. */
static void the_kernels_own_refusals_are_reported(void **state)
{
	static const struct {
		const char *policy;
		uint16_t port;
		uint32_t rule;
	} all[] = {
		{ "grant user root port 443\n", 443, BC_RULE_NONE },
		{ "allow port 80\nallow user nobody port 443\n", 443, 1 },
		{ "grant user root port 443\n", 1, BC_RULE_NONE },
		{ "grant user root port 443\n", 1023, BC_RULE_NONE },
		{ "grant user root port 443\n", 80, BC_RULE_NONE },
	};
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all) * 2; i++) {
		const struct try try = { .uid = NOBODY, .family = i % 2 ? AF_INET6 : AF_INET, .port = all[i / 2].port };
		const struct bc_event *event = &seen.events[0];
		time_t begin = time(NULL);

		assert_int_equal(report_of(all[i / 2].policy, &try, &seen), EACCES);
		assert_int_equal(seen.n, 1);
		assert_in_range(event->time / 1000000000, begin - 1, time(NULL) + 1);
		assert_int_equal(event->kind, BC_EVENT_KERNEL);
		assert_int_equal(event->err, EACCES);
		assert_int_equal(event->port, try.port);
		assert_int_equal(event->uid, NOBODY);
		assert_int_equal(event->rule, all[i / 2].rule);
		assert_int_equal(event->flags, BC_EVENT_HOST);
		if (event->rule != BC_RULE_NONE)
			assert_int_equal(event->id, bc_rule_at(&bed_build.cells, 1)->id);
	}
}

static void log_reports_every_verdict(void **state)
{
	static const struct {
		const char *policy;
		int error;
		enum bc_event_kind kind;
		enum bc_verdict verdict;
	} all[] = {
		{ "grant user nobody port 443 log\n", 0, BC_EVENT_LOG, BC_GRANT },
		{ "allow user nobody port 443 log\n", EACCES, BC_EVENT_KERNEL, BC_ALLOW },
		{ "allow user nobody port 8443 log\n", 0, BC_EVENT_LOG, BC_ALLOW },
		{ "rewrite user nobody port 443 to 127.0.0.1:444 log\n", 0, BC_EVENT_LOG, BC_REWRITE },
		{ "reserve user nobody port 443 log\n", 0, BC_EVENT_LOG, BC_GRANT },
		{ "reserve user root port 443 log\n", EACCES, BC_EVENT_DENY, BC_DENY },
		{ "deny user nobody port 443 log\n", EACCES, BC_EVENT_DENY, BC_DENY },
	};
	struct try try = { .uid = NOBODY, .family = AF_INET };
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		try.port = strstr(all[i].policy, "8443") ? 8443 : 443;
		assert_int_equal(report_of(all[i].policy, &try, &seen), all[i].error);
		assert_int_equal(seen.n, 1);
		assert_int_equal(seen.events[0].kind, all[i].kind);
		assert_int_equal(seen.events[0].verdict, all[i].verdict);
		assert_int_equal(seen.events[0].to_port, all[i].verdict == BC_REWRITE ? 444 : try.port);
		assert_int_equal(seen.events[0].to[3], all[i].verdict == BC_REWRITE ? INADDR_LOOPBACK : 0);
	}
}

/* A rewrite that the socket cannot follow is a refusal. */
static void impossible_rewrite_is_reported(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = 8443 };
	struct seen seen;

	(void)state;
	assert_int_equal(report_of("rewrite user nobody port 8443 to ::1\n", &try, &seen), EAFNOSUPPORT);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].kind, BC_EVENT_DENY);
	assert_int_equal(seen.events[0].err, EAFNOSUPPORT);
	try.family = AF_INET6;
	try.v6only = true;
	assert_int_equal(report_of("rewrite user nobody port 8443 to 127.0.0.1\n", &try, &seen), EAFNOSUPPORT);
	assert_int_equal(seen.n, 1);
}

static void audit_reports_and_lets_the_next_rule_decide(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443 };
	struct seen seen;

	(void)state;
	assert_int_equal(report_of("deny port 443 errno EPERM audit\ngrant port 1-1000\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].kind, BC_EVENT_AUDIT);
	assert_int_equal(seen.events[0].verdict, BC_DENY);
	assert_int_equal(seen.events[0].err, EPERM);
	assert_int_equal(seen.events[0].rule, 0);
	/* A nearer rule would have kept it from refusing anything. */
	assert_int_equal(report_of("deny port 443 audit\ngrant user nobody port 443\n", &try, &seen), 0);
	assert_int_equal(seen.n, 0);
	/* The first of two would have refused; what refuses in the end is reported besides. */
	assert_int_equal(report_of("deny port 443 audit\ndeny port 1-500 audit\ndeny port 1-1000\n", &try, &seen),
			 EACCES);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.events[0].kind, BC_EVENT_AUDIT);
	assert_int_equal(seen.events[0].rule, 0);
	assert_int_equal(seen.events[1].kind, BC_EVENT_DENY);
	assert_int_equal(seen.events[1].rule, 2);
	assert_int_equal(report_of("mode audit\nreserve user root port 443\ndeny port 1-1000\n", &try, &seen), EACCES);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.events[0].kind, BC_EVENT_AUDIT);
	assert_int_equal(seen.events[1].kind, BC_EVENT_KERNEL);
}

/* The IPv4 side of [::] is audited, too, unless the socket does not take it. */
static void audit_of_the_ipv4_side(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET6, .port = 443 };
	struct seen seen;

	(void)state;
	assert_int_equal(report_of("deny port 443 addr 0.0.0.0/0 audit\ngrant port 443\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
	try.v6only = true;
	assert_int_equal(report_of("deny port 443 addr 0.0.0.0/0 audit\ngrant port 443\n", &try, &seen), 0);
	assert_int_equal(seen.n, 0);
}

/* How often the policy's first rule was hit, under it and those before it that had the same rule. */
static uint64_t hits(void)
{
	struct bc_cells image = {};
	uint64_t n;

	assert_int_equal(bc_instance_image(&bed.instance, &image, NULL), 0);
	n = bc_rule_at(&image, 0)->hits;
	bc_cells_done(&image);
	return n;
}

static void chosen_port_is_reported_as_such(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .local_ports = "9444 9444" };
	struct seen seen;

	(void)state;
	assert_int_equal(report_of("deny port 9444 netns any\n", &try, &seen), EACCES);
	assert_int_equal(seen.n, 1);
	assert_int_equal(hits(), 1);
	assert_int_equal(seen.events[0].port, 9444);
	assert_int_equal(seen.events[0].flags & BC_EVENT_CHOSEN, BC_EVENT_CHOSEN);
	assert_int_equal(report_of("deny port 9444 netns any audit\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(hits(), 1);
	assert_int_equal(seen.events[0].flags & BC_EVENT_CHOSEN, BC_EVENT_CHOSEN);
	/* One that was asked for is reported and counted once, though it is looked at twice. */
	try.port = 9444;
	assert_int_equal(report_of("deny port 9444 netns any audit\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(hits(), 2);
	assert_int_equal(seen.events[0].flags & BC_EVENT_CHOSEN, 0);
	assert_int_equal(report_of("grant port 9444 netns any log\ndeny port 9445\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(hits(), 1);
	/* And so is a choice that was audited before it was made. */
	try.port = 0;
	assert_int_equal(report_of("deny port any netns any audit\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(hits(), 1);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(refusal_is_reported_whole),
		cmocka_unit_test(grants_are_not_reported),
		cmocka_unit_test(the_kernels_own_refusals_are_reported),
		cmocka_unit_test(log_reports_every_verdict),
		cmocka_unit_test(impossible_rewrite_is_reported),
		cmocka_unit_test(audit_reports_and_lets_the_next_rule_decide),
		cmocka_unit_test(audit_of_the_ipv4_side),
		cmocka_unit_test(chosen_port_is_reported_as_such),
	};
	int failures = cmocka_run_group_tests(table, NULL, NULL);

	bc_events_close(&ring);
	return failures;
}

int main(void)
{
	return bed_main(tests);
}
