// SPDX-License-Identifier: GPL-2.0-or-later
/* What the programs report: every refusal, what `audit` and `log` ask for, and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "bed.h"
#include "host/mounts.h"
#include "kernel/events.h"

#define KEPT 64

struct seen {
	struct bc_event events[KEPT];
	size_t n; /* in all; the first KEPT are kept */
};

static struct bc_events *ring;

static int keep(void *ctx, const struct bc_event *event)
{
	struct seen *seen = ctx;

	if (seen->n < KEPT)
		seen->events[seen->n] = *event;
	seen->n++;
	return 0;
}

static void read_all(struct seen *seen)
{
	seen->n = 0;
	assert_int_equal(bc_events_read(ring, keep, seen), 0);
}

/* Under the policy one bind, and what was reported of it. */
static int report_of(const char *policy, const struct try *try, struct seen *seen)
{
	struct bc_error error = {};
	int r;

	bed_policy(policy);
	if (!ring && bc_events_open(bed.pins, &ring, &error))
		fail_msg("%s", error.text);
	read_all(seen);
	r = bed_try(try).error;
	read_all(seen);
	return r;
}

static void refusal_is_reported_whole(void **state)
{
	const struct try try = {
		.uid = NOBODY, .ruid = SOMEBODY, .gid = 3000, .family = AF_INET6, .port = 443, .addr = "::1"
	};
	const struct bc_event *event;
	struct timespec now;
	struct seen seen;
	uint64_t id;
	int fd;

	(void)state;
	assert_int_equal(report_of("grant port 80\ndeny user nobody port 443 errno EPERM\n", &try, &seen), EPERM);
	assert_int_equal(seen.n, 1);
	event = &seen.events[0];
	clock_gettime(CLOCK_REALTIME, &now);
	assert_in_range(event->time / 1000000000, now.tv_sec - 60, now.tv_sec + 1);
	assert_int_equal(event->kind, BC_EVENT_DENY);
	assert_int_equal(event->verdict, BC_DENY);
	assert_int_equal(event->err, EPERM);
	assert_int_equal(event->rule, 1);
	assert_int_equal(event->id, bed_build.cells.cells[bed_build.cells.cells[0].header.rules + 1].rule.id);
	assert_int_equal(event->port, 443);
	assert_int_equal(event->proto, BC_TCP);
	assert_int_equal(event->family, 6);
	assert_int_equal(event->addr[3], 1);
	assert_int_equal(event->addr[0] | event->addr[1] | event->addr[2], 0);
	assert_int_equal(event->uid, NOBODY);
	assert_int_equal(event->ruid, SOMEBODY);
	assert_int_equal(event->gid, 3000);
	assert_true(event->pid > 0 && event->tid == event->pid);
	assert_true(event->generation > 0 && event->netns > 0 && !event->chosen);
	assert_string_equal(event->comm, "test_events");
	assert_int_equal(bc_open_cgroup(bed.cgroup, &fd, NULL), 0);
	assert_int_equal(bc_cgroup_id(fd, &id), 0);
	close(fd);
	assert_int_equal(event->cgroup, id);
}

static void grants_and_the_kernels_own_refusals_are_not_reported(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443 };
	struct seen seen;

	(void)state;
	assert_int_equal(report_of("grant user nobody port 443\n", &try, &seen), 0);
	assert_int_equal(seen.n, 0);
	assert_int_equal(report_of("allow user nobody port 443\n", &try, &seen), EACCES);
	assert_int_equal(seen.n, 0);
	assert_int_equal(report_of("grant user root port 443\n", &try, &seen), EACCES);
	assert_int_equal(seen.n, 0);
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
		{ "allow user nobody port 443 log\n", EACCES, BC_EVENT_LOG, BC_ALLOW },
		{ "rewrite user nobody port 443 to 127.0.0.1:444 log\n", 0, BC_EVENT_LOG, BC_REWRITE },
		{ "reserve user nobody port 443 log\n", 0, BC_EVENT_LOG, BC_GRANT },
		{ "reserve user root port 443 log\n", EACCES, BC_EVENT_DENY, BC_DENY },
		{ "deny user nobody port 443 log\n", EACCES, BC_EVENT_DENY, BC_DENY },
	};
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443 };
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(report_of(all[i].policy, &try, &seen), all[i].error);
		assert_int_equal(seen.n, 1);
		assert_int_equal(seen.events[0].kind, all[i].kind);
		assert_int_equal(seen.events[0].verdict, all[i].verdict);
		assert_int_equal(seen.events[0].to_port, all[i].verdict == BC_REWRITE ? 444 : 443);
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
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].kind, BC_EVENT_AUDIT);
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

static void chosen_port_is_reported_as_such(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .local_ports = "9444 9444" };
	struct seen seen;

	(void)state;
	assert_int_equal(report_of("deny port 9444 netns any\n", &try, &seen), EACCES);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].port, 9444);
	assert_int_equal(seen.events[0].chosen, 1);
	assert_int_equal(report_of("deny port 9444 netns any audit\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].chosen, 1);
	/* One that was asked for is reported once, though it is looked at twice. */
	try.port = 9444;
	assert_int_equal(report_of("deny port 9444 netns any audit\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].chosen, 0);
	assert_int_equal(report_of("grant port 9444 netns any log\ndeny port 9445\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
}

static int bind_often(int fd, const struct sockaddr *addr, socklen_t len)
{
	int refused = 0;

	for (int i = 0; i < 20000; i++)
		refused += bind(fd, addr, len) && errno == EACCES;
	return refused == 20000 ? 0 : -1;
}

/* A full ring changes no decision, and what did not fit into it is counted. */
static void full_ring_loses_events_and_nothing_else(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443, .call = bind_often };
	uint64_t before, after;
	struct bc_error error;
	struct seen seen;

	(void)state;
	bed_policy("deny port 443\n");
	read_all(&seen);
	assert_int_equal(bc_events_lost(ring, &before, &error), 0);
	assert_int_equal(bed_try(&try).error, 0);
	read_all(&seen);
	assert_int_equal(bc_events_lost(ring, &after, &error), 0);
	printf("# 20000 refusals without a reader: %zu in the ring, %u lost\n", seen.n, (unsigned)(after - before));
	assert_int_equal(seen.n + after - before, 20000);
	assert_true(after > before && seen.n > 1000);
	/* Room again. */
	assert_int_equal(report_of("deny port 443\n", &(struct try){ .uid = 0, .family = AF_INET, .port = 443 }, &seen),
			 EACCES);
	assert_int_equal(seen.n, 1);
}

static int tests(void)
{
	const struct CMUnitTest table[] = {
		cmocka_unit_test(refusal_is_reported_whole),
		cmocka_unit_test(grants_and_the_kernels_own_refusals_are_not_reported),
		cmocka_unit_test(log_reports_every_verdict),
		cmocka_unit_test(impossible_rewrite_is_reported),
		cmocka_unit_test(audit_reports_and_lets_the_next_rule_decide),
		cmocka_unit_test(audit_of_the_ipv4_side),
		cmocka_unit_test(chosen_port_is_reported_as_such),
		cmocka_unit_test(full_ring_loses_events_and_nothing_else),
	};
	int failures = cmocka_run_group_tests(table, NULL, NULL);

	bc_events_close(&ring);
	return failures;
}

int main(void)
{
	return bed_main(tests);
}
