// SPDX-License-Identifier: GPL-2.0-or-later
/* What the programs report: every refusal, what `audit` and `log` ask for, and nothing else. */
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"
#include "host/mounts.h"
#include "kernel/events.h"
#include "kernel/force.h"
#include "pure/gate.h"

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
	const struct bc_wanted wanted = { .ring_bytes = 1 << 20 };
	struct bc_error error = {};
	int r;

	bed_policy(policy);
	if (!ring && bc_events_open(bed.pins, &wanted, &ring, &error))
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
		struct timespec now;

		assert_int_equal(report_of(all[i / 2].policy, &try, &seen), EACCES);
		assert_int_equal(seen.n, 1);
		clock_gettime(CLOCK_REALTIME, &now);
		assert_in_range(event->time / 1000000000, now.tv_sec - 2, now.tv_sec + 1);
		assert_int_equal(event->kind, BC_EVENT_KERNEL);
		assert_int_equal(event->err, EACCES);
		assert_int_equal(event->port, try.port);
		assert_int_equal(event->uid, NOBODY);
		assert_int_equal(event->rule, all[i / 2].rule);
		assert_int_equal(event->flags, BC_EVENT_HOST);
		if (event->rule != BC_RULE_NONE)
			assert_int_equal(event->id,
					 bed_build.cells.cells[bed_build.cells.cells[0].header.rules + 1].rule.id);
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

static void chosen_port_is_reported_as_such(void **state)
{
	struct try try = { .uid = NOBODY, .family = AF_INET, .local_ports = "9444 9444" };
	struct seen seen;

	(void)state;
	assert_int_equal(report_of("deny port 9444 netns any\n", &try, &seen), EACCES);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].port, 9444);
	assert_int_equal(seen.events[0].flags & BC_EVENT_CHOSEN, BC_EVENT_CHOSEN);
	assert_int_equal(report_of("deny port 9444 netns any audit\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].flags & BC_EVENT_CHOSEN, BC_EVENT_CHOSEN);
	/* One that was asked for is reported once, though it is looked at twice. */
	try.port = 9444;
	assert_int_equal(report_of("deny port 9444 netns any audit\n", &try, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].flags & BC_EVENT_CHOSEN, 0);
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
	struct bc_losses before, after;
	struct bc_error error;
	struct seen seen;

	(void)state;
	bed_policy("deny port 443\n");
	read_all(&seen);
	assert_int_equal(bc_events_losses(ring, &before, &error), 0);
	assert_int_equal(bed_try(&try).error, 0);
	read_all(&seen);
	assert_int_equal(bc_events_losses(ring, &after, &error), 0);
	printf("# 20000 refusals without a reader: %zu in the ring, %u lost\n", seen.n,
	       (unsigned)(after.lost - before.lost));
	assert_int_equal(seen.n + after.lost - before.lost, 20000);
	assert_true(after.lost > before.lost && seen.n > 1000);
	/* Room again. */
	assert_int_equal(report_of("deny port 443\n", &(struct try){ .uid = 0, .family = AF_INET, .port = 443 }, &seen),
			 EACCES);
	assert_int_equal(seen.n, 1);
}

/* Several readers at once: each gets all there is, until it closes; and one place more than there are is refused. */
static void every_reader_gets_everything(void **state)
{
	const struct bc_wanted wanted = { .ring_bytes = 1 << 16 };
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443 };
	struct bc_events *more[BC_READERS] = {};
	struct bc_error error = {};
	struct seen seen;

	(void)state;
	bed_policy("deny port 443\n");
	read_all(&seen);
	for (unsigned i = 0; i < BC_READERS - 1; i++)
		if (bc_events_open(bed.pins, &wanted, &more[i], &error))
			fail_msg("%s", error.text);
	assert_int_equal(bc_events_open(bed.pins, &wanted, &more[BC_READERS - 1], &error), -EBUSY);
	assert_non_null(strstr(error.text, "8 processes read events already"));
	assert_int_equal(bed_try(&try).error, EACCES);
	for (unsigned i = 0; i < BC_READERS - 1; i++) {
		seen.n = 0;
		assert_int_equal(bc_events_read(more[i], keep, &seen), 0);
		assert_int_equal(seen.n, 1);
		assert_int_equal(seen.events[0].port, 443);
	}
	read_all(&seen);
	assert_int_equal(seen.n, 1);
	for (unsigned i = 0; i < BC_READERS - 1; i++)
		bc_events_close(&more[i]);
	assert_int_equal(bc_events_open(bed.pins, &wanted, &more[0], &error), 0);
	bc_events_close(&more[0]);
}

/* A reader that was killed keeps its place until somebody looks. */
static void killed_readers_are_swept_away(void **state)
{
	const struct bc_wanted wanted = { .all = true, .ring_bytes = 1 << 16 };
	_cleanup_(bc_force_done) struct bc_force force = BC_FORCE_NONE;
	struct bc_gate needs, gate;
	const uint32_t only = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct bc_events *events = NULL;
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(bc_events_open(bed.pins, &wanted, &events, NULL) != 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	assert_int_equal(bc_force_open(bed.pins, &force, NULL), 0);
	assert_int_equal(bpf_map_lookup_elem(force.gate_fd, &only, &gate), 0);
	assert_true(gate.watch >> BC_READERS && gate.ports[0] == ~0ull);
	bed_policy("deny port 443\n");
	assert_int_equal(bpf_map_lookup_elem(force.gate_fd, &only, &gate), 0);
	bc_gate_needs(&bed_build.cells, &needs);
	assert_int_equal(gate.watch, 1);
	assert_memory_equal(gate.ports, needs.ports, sizeof(gate.ports));
}

/* Who wants all gets each bind once, of whatever port, and the others none of that. */
static void all_binds_are_seen_by_who_asks(void **state)
{
	static const struct {
		uint16_t port;
		uint32_t uid;
		int error;
		enum bc_event_kind kind;
		enum bc_verdict verdict;
		uint32_t flags;
	} all[] = {
		{ 8080, NOBODY, 0, BC_EVENT_BIND, BC_NONE, BC_EVENT_PRIVILEGED },
		{ 0, NOBODY, 0, BC_EVENT_BIND, BC_NONE, BC_EVENT_PRIVILEGED },
		{ 443, NOBODY, 0, BC_EVENT_BIND, BC_GRANT, 0 },
		{ 443, 0, 0, BC_EVENT_BIND, BC_NONE, BC_EVENT_PRIVILEGED },
		{ 80, NOBODY, EACCES, BC_EVENT_KERNEL, BC_NONE, 0 },
		{ 8443, NOBODY, EACCES, BC_EVENT_DENY, BC_DENY, BC_EVENT_PRIVILEGED },
		{ 8444, NOBODY, 0, BC_EVENT_LOG, BC_ALLOW, BC_EVENT_PRIVILEGED },
		{ 8445, NOBODY, 0, BC_EVENT_BIND, BC_REWRITE, BC_EVENT_PRIVILEGED },
	};
	const struct bc_wanted wanted = { .all = true, .ring_bytes = 1 << 16 };
	struct bc_events *events = NULL;
	struct bc_error error = {};
	struct seen seen, others;

	(void)state;
	bed_policy("grant user nobody port 443\ndeny port 8443\nallow port 8444 log\nrewrite port 8445 to :8446\n");
	if (bc_events_open(bed.pins, &wanted, &events, &error))
		fail_msg("%s", error.text);
	for (size_t i = 0; i < ARRAY_SIZE(all) * 2; i++) {
		const struct try try = { .uid = all[i / 2].uid,
					 .family = i % 2 ? AF_INET6 : AF_INET,
					 .port = all[i / 2].port };

		read_all(&others);
		assert_int_equal(bed_try(&try).error, all[i / 2].error);
		seen.n = 0;
		assert_int_equal(bc_events_read(events, keep, &seen), 0);
		assert_int_equal(seen.n, 1);
		assert_int_equal(seen.events[0].port, all[i / 2].port);
		assert_int_equal(seen.events[0].kind, all[i / 2].kind);
		assert_int_equal(seen.events[0].verdict, all[i / 2].verdict);
		assert_int_equal(seen.events[0].flags, all[i / 2].flags | BC_EVENT_HOST);
		assert_true(seen.events[0].generation > 0);
		read_all(&others);
		assert_int_equal(others.n, all[i / 2].kind != BC_EVENT_BIND);
	}
	/* Whether [::] takes the IPv4 port along. */
	assert_int_equal(
		bed_try(&(struct try){ .uid = NOBODY, .family = AF_INET6, .port = 8080, .v6only = true }).error, 0);
	seen.n = 0;
	assert_int_equal(bc_events_read(events, keep, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].flags, BC_EVENT_PRIVILEGED | BC_EVENT_HOST | BC_EVENT_V6ONLY);
	/* A change of the policy takes nothing away. */
	bed_policy("grant user nobody port 443\n");
	assert_int_equal(bed_try(&(struct try){ .uid = NOBODY, .family = AF_INET, .port = 9999 }).error, 0);
	seen.n = 0;
	assert_int_equal(bc_events_read(events, keep, &seen), 0);
	assert_int_equal(seen.n, 1);
	bc_events_close(&events);
}

static int bind_logged(int fd, const struct sockaddr *addr, socklen_t len)
{
	for (int i = 0; i < 20000; i++) {
		int one = socket(addr->sa_family, SOCK_STREAM, 0);

		/* Whoever looks into our /proc/PID/fd holds the last socket for a moment. */
		if (bind(one, addr, len) && errno != EADDRINUSE)
			return errno;
		close(one);
	}
	(void)fd;
	return 0;
}

/* Of what nothing refused no more than the rate says; what was kept back is counted, and refusals are never. */
static void rate_limits_what_is_not_refused(void **state)
{
	const struct bc_wanted wanted = { .rate = 100, .ring_bytes = 1 << 22 };
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443, .call = bind_logged };
	struct bc_events *events = NULL;
	struct bc_losses losses;
	struct bc_error error;
	struct seen seen = {};
	size_t logged;

	(void)state;
	bed_policy("grant user nobody port 443 log\ndeny port 444\n");
	if (bc_events_open(bed.pins, &wanted, &events, &error))
		fail_msg("%s", error.text);
	assert_int_equal(bed_try(&try).error, 0);
	assert_int_equal(bc_events_read(events, keep, &seen), 0);
	assert_int_equal(bc_events_losses(events, &losses, &error), 0);
	logged = seen.n;
	printf("# 20000 logged binds at a rate of 100: %zu in the ring, %u kept back, %u lost\n", seen.n,
	       (unsigned)losses.limited, (unsigned)losses.lost);
	assert_int_equal(seen.n + losses.limited, 20000);
	assert_in_range(seen.n, 100, 6000);
	assert_int_equal(losses.lost, 0);
	try.port = 444;
	try.call = bind_often;
	assert_int_equal(bed_try(&try).error, 0);
	seen.n = 0;
	assert_int_equal(bc_events_read(events, keep, &seen), 0);
	assert_int_equal(seen.n, 20000);
	assert_true(logged < seen.n);
	bc_events_close(&events);
}

/* The last quarter of a ring is for refusals alone. */
static void refusals_have_room_kept_for_them(void **state)
{
	const struct bc_wanted wanted = { .ring_bytes = 1 << 16 };
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443, .call = bind_logged };
	struct bc_events *events = NULL;
	struct bc_losses losses;
	struct seen seen = {};

	(void)state;
	bed_policy("grant user nobody port 443 log\ndeny port 444\n");
	assert_int_equal(bc_events_open(bed.pins, &wanted, &events, NULL), 0);
	assert_int_equal(bed_try(&try).error, 0);
	try.port = 444;
	try.call = NULL;
	for (int i = 0; i < 10; i++)
		assert_int_equal(bed_try(&try).error, EACCES);
	assert_int_equal(bc_events_losses(events, &losses, NULL), 0);
	assert_int_equal(bc_events_read(events, keep, &seen), 0);
	assert_int_equal(seen.n + losses.lost, 20010);
	assert_in_range(seen.n, (1 << 16) / 128 / 4 * 3, (1 << 16) / 128 - 50);
	bc_events_close(&events);
}

/* `bindctl monitor` as a process of its own, ready to see. */
static pid_t start_monitor(FILE *out, FILE *err)
{
	static const char *const argv[] = { "monitor", "--json", NULL };
	_cleanup_(bc_force_done) struct bc_force force = BC_FORCE_NONE;
	const char *args[BED_ARGUMENTS];
	pid_t pid;

	bed_arguments(getenv("BINDCTL"), argv, args);
	pid = fork();
	if (pid == 0) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		execv(args[0], (char *const *)args);
		_exit(127);
	}
	assert_int_equal(bc_force_open(bed.pins, &force, NULL), 0);
	for (int i = 0; i < 1000 && !bc_gate_watched(&force); i++)
		usleep(10000);
	assert_int_equal(bc_gate_watched(&force), BC_WATCH(0));
	return pid;
}

#define STORM_RATE 50000 /* a second */
#define STORM_BINDS 150000

static int bind_in_a_storm(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct timespec due;

	clock_gettime(CLOCK_MONOTONIC, &due);
	for (int i = 0; i < STORM_BINDS; i++) {
		if (!bind(fd, addr, len) || errno != EACCES)
			return 1;
		/* A hundred at a time, and then the rest of the two milliseconds that they may take. */
		if (i % 100)
			continue;
		due.tv_nsec += 100 * (1000000000 / STORM_RATE);
		if (due.tv_nsec >= 1000000000) {
			due.tv_sec++;
			due.tv_nsec -= 1000000000;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	}
	return 0;
}

/* What the monitor shows and what it says that it lost is what happened, to the last bind. */
static void storm_is_accounted_for(void **state)
{
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443, .call = bind_in_a_storm };
	FILE *out = tmpfile(), *err = tmpfile();
	unsigned long seen = 0, lost = 0;
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	int status;
	pid_t pid;

	(void)state;
	bc_events_close(&ring);
	bed_policy("deny port 443\n");
	pid = start_monitor(out, err);
	assert_int_equal(bed_try(&try).error, 0);
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	rewind(out);
	while (getline(&line, &room, out) > 0)
		seen += strstr(line, "\"kind\":\"deny\"") && strstr(line, "\"port\":443,");
	rewind(err);
	if (getline(&line, &room, err) > 0)
		assert_int_equal(sscanf(line, "bindctl: %lu events were lost", &lost), 1);
	fclose(out);
	fclose(err);
	printf("# a storm of %d binds a second: %lu seen, %lu lost, of %d\n", STORM_RATE, seen, lost, STORM_BINDS);
	assert_int_equal(seen + lost, STORM_BINDS);
	assert_true(seen > 1000);
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
		cmocka_unit_test(full_ring_loses_events_and_nothing_else),
		cmocka_unit_test(every_reader_gets_everything),
		cmocka_unit_test(killed_readers_are_swept_away),
		cmocka_unit_test(all_binds_are_seen_by_who_asks),
		cmocka_unit_test(rate_limits_what_is_not_refused),
		cmocka_unit_test(refusals_have_room_kept_for_them),
		cmocka_unit_test(storm_is_accounted_for),
	};
	int failures = cmocka_run_group_tests(table, NULL, NULL);

	bc_events_close(&ring);
	return failures;
}

int main(void)
{
	return bed_main(tests);
}
