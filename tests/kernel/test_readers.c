// SPDX-License-Identifier: GPL-2.0-or-later
/* Who reads what the programs report: how many can, what each gets, and what is counted that one does not. */
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"
#include "kernel/force.h"
#include "pure/gate.h"
#include "seen.h"

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
	const struct bc_wanted wanted = { .ring_bytes = 1 << 20 };
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443, .call = bind_often };
	struct bc_events *events;
	struct bc_losses losses;
	struct bc_error error;
	struct seen seen;

	(void)state;
	bed_policy("deny port 443\n");
	events = seen_open(&wanted);
	assert_int_equal(bed_try(&try).error, 0);
	seen_read(events, &seen);
	assert_int_equal(bc_events_losses(events, &losses, &error), 0);
	printf("# 20000 refusals without a reader: %zu in the ring, %u lost\n", seen.n, (unsigned)losses.lost);
	assert_int_equal(seen.n + losses.lost, 20000);
	assert_true(losses.lost > 0 && seen.n > 1000);
	/* Room again. */
	try.call = NULL;
	assert_int_equal(bed_try(&try).error, EACCES);
	seen_read(events, &seen);
	assert_int_equal(seen.n, 1);
	bc_events_close(&events);
}

/* Several readers at once: each gets all there is, until it closes; and one place more than there are is refused. */
static void every_reader_gets_everything(void **state)
{
	const struct bc_wanted wanted = { .ring_bytes = 1 << 16 };
	const struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443 };
	struct bc_events *all[BC_READERS], *more = NULL;
	struct bc_error error = {};
	struct seen seen;

	(void)state;
	bed_policy("deny port 443\n");
	for (unsigned i = 0; i < BC_READERS; i++)
		all[i] = seen_open(&wanted);
	assert_int_equal(bc_events_open(bed.pins, &wanted, &more, &error), -EBUSY);
	assert_non_null(strstr(error.text, "8 processes read events already"));
	assert_int_equal(bed_try(&try).error, EACCES);
	for (unsigned i = 0; i < BC_READERS; i++) {
		seen_read(all[i], &seen);
		assert_int_equal(seen.n, 1);
		assert_int_equal(seen.events[0].port, 443);
	}
	bc_events_close(&all[3]);
	all[3] = seen_open(&wanted);
	assert_int_equal(bed_try(&try).error, EACCES);
	for (unsigned i = 0; i < BC_READERS; i++) {
		seen_read(all[i], &seen);
		assert_int_equal(seen.n, 1);
		bc_events_close(&all[i]);
	}
}

/* A reader that was killed keeps its place until somebody looks; one that lives keeps it then, too. */
static void killed_readers_are_swept_away(void **state)
{
	const struct bc_wanted wanted = { .all = true, .ring_bytes = 1 << 16 }, plain = { .ring_bytes = 1 << 16 };
	_cleanup_(bc_force_done) struct bc_force force = BC_FORCE_NONE;
	struct bc_gate needs, gate;
	const uint32_t only = 0;
	struct bc_events *lives;
	struct seen seen;

	(void)state;
	bed_policy("deny port 443\n");
	lives = seen_open(&plain);
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
	assert_int_equal(gate.watch, BC_WATCH(0));
	assert_memory_equal(gate.ports, needs.ports, sizeof(gate.ports));
	assert_int_equal(bed_try(&(struct try){ .uid = NOBODY, .family = AF_INET, .port = 443 }).error, EACCES);
	seen_read(lives, &seen);
	assert_int_equal(seen.n, 1);
	bc_events_close(&lives);
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
	const struct bc_wanted plain = { .ring_bytes = 1 << 16 };
	struct bc_events *events, *refusals;
	struct seen seen, others;

	(void)state;
	bed_policy("grant user nobody port 443\ndeny port 8443\nallow port 8444 log\nrewrite port 8445 to :8446\n");
	refusals = seen_open(&plain);
	events = seen_open(&wanted);
	for (size_t i = 0; i < ARRAY_SIZE(all) * 2; i++) {
		const struct try try = { .uid = all[i / 2].uid,
					 .family = i % 2 ? AF_INET6 : AF_INET,
					 .port = all[i / 2].port };

		assert_int_equal(bed_try(&try).error, all[i / 2].error);
		seen_read(events, &seen);
		assert_int_equal(seen.n, 1);
		assert_int_equal(seen.events[0].port, all[i / 2].port);
		assert_int_equal(seen.events[0].kind, all[i / 2].kind);
		assert_int_equal(seen.events[0].verdict, all[i / 2].verdict);
		assert_int_equal(seen.events[0].flags, all[i / 2].flags | BC_EVENT_HOST);
		assert_true(seen.events[0].generation > 0);
		seen_read(refusals, &others);
		assert_int_equal(others.n, all[i / 2].kind != BC_EVENT_BIND);
	}
	/* Whether [::] takes the IPv4 port along. */
	assert_int_equal(
		bed_try(&(struct try){ .uid = NOBODY, .family = AF_INET6, .port = 8080, .v6only = true }).error, 0);
	seen_read(events, &seen);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.events[0].flags, BC_EVENT_PRIVILEGED | BC_EVENT_HOST | BC_EVENT_V6ONLY);
	/* A change of the policy takes nothing away. */
	bed_policy("grant user nobody port 443\n");
	assert_int_equal(bed_try(&(struct try){ .uid = NOBODY, .family = AF_INET, .port = 9999 }).error, 0);
	seen_read(events, &seen);
	assert_int_equal(seen.n, 1);
	bc_events_close(&refusals);
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
	struct bc_events *events;
	struct bc_losses losses;
	struct bc_error error;
	struct seen seen = {};
	time_t begin, seconds;
	size_t logged;

	(void)state;
	bed_policy("grant user nobody port 443 log\ndeny port 444\n");
	events = seen_open(&wanted);
	begin = time(NULL);
	assert_int_equal(bed_try(&try).error, 0);
	/* Each of them has its hundred, however little of it was of this; and time() is a moment late. */
	seconds = time(NULL) - begin + 2;
	seen_read(events, &seen);
	assert_int_equal(bc_events_losses(events, &losses, &error), 0);
	logged = seen.n;
	printf("# 20000 logged binds at a rate of 100: %zu in the ring, %u kept back, %u lost\n", seen.n,
	       (unsigned)losses.limited, (unsigned)losses.lost);
	assert_int_equal(seen.n + losses.limited, 20000);
	assert_in_range(seen.n, 100, 100 * seconds);
	assert_int_equal(losses.lost, 0);
	try.port = 444;
	try.call = bind_often;
	assert_int_equal(bed_try(&try).error, 0);
	seen_read(events, &seen);
	assert_int_equal(seen.n, 20000);
	assert_true(logged < seen.n);
	bc_events_close(&events);
}

/* The last quarter of a ring is for refusals alone. */
static void refusals_have_room_kept_for_them(void **state)
{
	const struct bc_wanted wanted = { .ring_bytes = 1 << 16 };
	struct try try = { .uid = NOBODY, .family = AF_INET, .port = 443, .call = bind_logged };
	struct bc_events *events;
	struct bc_losses losses;
	struct seen seen = {};

	(void)state;
	bed_policy("grant user nobody port 443 log\ndeny port 444\n");
	events = seen_open(&wanted);
	assert_int_equal(bed_try(&try).error, 0);
	try.port = 444;
	try.call = NULL;
	for (int i = 0; i < 10; i++)
		assert_int_equal(bed_try(&try).error, EACCES);
	assert_int_equal(bc_events_losses(events, &losses, NULL), 0);
	seen_read(events, &seen);
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
	for (int i = 0; i < PATIENCE && !bc_gate_watched(&force); i++)
		nap();
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
		cmocka_unit_test(full_ring_loses_events_and_nothing_else),
		cmocka_unit_test(every_reader_gets_everything),
		cmocka_unit_test(killed_readers_are_swept_away),
		cmocka_unit_test(all_binds_are_seen_by_who_asks),
		cmocka_unit_test(rate_limits_what_is_not_refused),
		cmocka_unit_test(refusals_have_room_kept_for_them),
		cmocka_unit_test(storm_is_accounted_for),
	};

	return cmocka_run_group_tests(table, NULL, NULL);
}

int main(void)
{
	return bed_main(tests);
}
