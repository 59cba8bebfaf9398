// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the programs cost, by the kernel's own account (BPF_STATS_RUN_TIME). Reading the clock is part of it, so an
 * empty program's time is taken off for every run of every program of ours.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/events.h"
#include "runs.h"

/* A round is many short bursts: an interruption spoils one of them, not the round's mean. */
#define BURSTS 8
#define BINDS 256     /* a row and burst: each of its ports once */
#define FIRST_BINDS 4 /* of those whose cgroup is made anew for each */

enum subject {
	THE_USER,
	NOBODY_SPOKEN_OF,
	OTHERS_IN_TURN,
	GROUPS_1,
	GROUPS_32,
	GROUPS_1000,
	DEPTH_1, /* in the order of `depths` */
	DEPTH_4,
	DEPTH_8,
	DEPTH_16,
	SUBJECTS,
};

static const struct {
	struct who who;
	unsigned depth;
} subjects[SUBJECTS] = {
	[THE_USER] = { { OURS, .uid = WORKER_USER } },
	[NOBODY_SPOKEN_OF] = { { OURS, .uid = 65534 } },
	[OTHERS_IN_TURN] = { { OURS } },
	[GROUPS_1] = { { OURS, .uid = 65534, .ngroups = 1 } },
	[GROUPS_32] = { { OURS, .uid = 65534, .ngroups = 32 } },
	[GROUPS_1000] = { { OURS, .uid = 65534, .ngroups = 1000 } },
	[DEPTH_1] = { { OURS, .uid = 65534 }, 1 },
	[DEPTH_4] = { { OURS, .uid = 65534 }, 4 },
	[DEPTH_8] = { { OURS, .uid = 65534 }, 8 },
	[DEPTH_16] = { { OURS, .uid = 65534 }, 16 },
};

#define V4 .family = AF_INET, .type = SOCK_STREAM
#define MAIN .port = PORT, .nports = ORDER_PORTS, .step = 1
#define UNNAMED .port = PORT_UNNAMED, .nports = ORDER_PORTS, .step = 1
#define OTHERS .port = PORT_OTHERS, .nports = PORT_OTHERS_N, .step = PORT_OTHERS_STEP

static const struct row {
	const char *name;
	enum kind kind;
	enum subject subject;
	struct order order;
	bool first; /* from a cgroup that was never seen before */
} rows[] = {
	{ "port that no rule names", USERS, THE_USER, { V4, UNNAMED } },
	{ "port that only others' rules name", USERS, NOBODY_SPOKEN_OF, { V4, OTHERS, .wanted = EACCES } },
	{ "user grant", USERS, THE_USER, { V4, MAIN } },
	{ "user grant, UDP", USERS, THE_USER, { .family = AF_INET, .type = SOCK_DGRAM, MAIN } },
	{ "user grant, IPv6", USERS, THE_USER, { .family = AF_INET6, .type = SOCK_STREAM, MAIN } },
	{ "user grant, users and ports at random", USERS, OTHERS_IN_TURN, { V4, OTHERS, .uid = USER_OTHERS } },
	{ "user grant beside a deny of its port", MIXED, THE_USER, { V4, MAIN } },
	{ "group grant, in 1 group", GROUPS, GROUPS_1, { V4, MAIN } },
	{ "group grant, in 32 groups", GROUPS, GROUPS_32, { V4, MAIN } },
	{ "group grant, in 1,000 groups", GROUPS, GROUPS_1000, { V4, MAIN } },
	{ "cgroup grant, 1 level deep", CGROUPS, DEPTH_1, { V4, MAIN } },
	{ "cgroup grant, 4 levels deep", CGROUPS, DEPTH_4, { V4, MAIN } },
	{ "cgroup grant, 8 levels deep", CGROUPS, DEPTH_8, { V4, MAIN } },
	{ "cgroup grant, 16 levels deep", CGROUPS, DEPTH_16, { V4, MAIN } },
	{ "first bind from a cgroup 4 levels deep", CGROUPS, DEPTH_4, { V4, MAIN }, true },
	{ "first bind from a cgroup 8 levels deep", CGROUPS, DEPTH_8, { V4, MAIN }, true },
	{ "first bind from a cgroup 16 levels deep", CGROUPS, DEPTH_16, { V4, MAIN }, true },
	{ "rewrite", REWRITES, THE_USER, { V4, MAIN } },
	{ "deny", DENIES, THE_USER, { V4, MAIN, .wanted = EACCES } },
};

/* Each time from a cgroup that is new, under the name of the one before. */
static void bind_first(const struct worker *worker, const struct row *row)
{
	const char *leaf = depth_path(subjects[row->subject].depth);
	struct order order = row->order;

	order.count = 1;
	for (unsigned i = 0; i < FIRST_BINDS; i++) {
		worker_move(worker, OURS, NULL);
		cgroup_remove(OURS, leaf);
		cgroup_make(OURS, leaf);
		worker_move(worker, OURS, leaf);
		worker_do(worker, &order);
	}
}

/* One row's binds: what all programs there took for one of them, and how often they ran. */
static struct count measure(const struct programs *programs, const struct worker *worker, const struct row *row,
			    uint32_t rules)
{
	unsigned binds = row->first ? FIRST_BINDS : BINDS;
	struct order order = row->order;
	struct count before, after;

	order.mode = ORDER_WHOLE;
	order.count = binds;
	if (order.uid)
		order.nuids = (rules - 1) / PORT_OTHERS_N ?: 1;
	if (order.uid && rules < 1000)
		order.nports = rules - 1;
	/* As it is from the second time on; not where the first one is what matters. */
	if (!row->first)
		worker_do(worker, &(struct order){ .mode = ORDER_WHOLE,
						   .count = 64,
						   .family = order.family,
						   .type = order.type,
						   .port = order.port,
						   .nports = order.nports,
						   .step = order.step,
						   .wanted = order.wanted,
						   .uid = order.uid,
						   .nuids = order.nuids });
	if (!row->first)
		return programs_measure(programs, worker, &order);
	before = programs_count(programs);
	bind_first(worker, row);
	after = programs_count(programs);
	return (struct count){ (after.ns - before.ns) / binds, (after.runs - before.runs) / binds };
}

/* What denials leave in the ring buffer would soon fill it, and the next ones take another way. */
static int forget(void *ctx, const struct bc_event *event)
{
	(void)ctx;
	(void)event;
	return 0;
}

static void drain_events(struct bc_events *events)
{
	bc_events_read(events, forget, NULL);
}

/* Whatever the measuring needs. */
struct measured {
	struct programs ours;
	struct programs empties;
	struct worker workers[SUBJECTS];
	struct worker empty_worker;
};

/* One burst of every row that the policy in force is for. */
static void measure_rows(const struct measured *bed, enum kind kind, unsigned size)
{
	const struct row empty = { .order = { V4, UNNAMED } };
	double nothing = measure(&bed->empties, &bed->empty_worker, &empty, 0).ns;

	figure_add(PROGRAMS, EMPTY, size_names[size], nothing);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct count count;

		if (rows[i].kind != kind)
			continue;
		count = measure(&bed->ours, &bed->workers[rows[i].subject], &rows[i], sizes[size]);
		figure_add(PROGRAMS, rows[i].name, size_names[size], count.ns - nothing * count.runs);
	}
}

static void start_subjects(struct worker *workers)
{
	for (enum subject i = 0; i < SUBJECTS; i++) {
		struct who who = subjects[i].who;

		if (subjects[i].depth > 1) {
			who.in = depth_path(subjects[i].depth);
			cgroup_make(OURS, who.in);
		}
		workers[i] = worker_start(&who);
	}
}

/* Also counts what it costs. */
static struct image make_image(enum kind kind, unsigned size)
{
	_cleanup_(bc_cells_done) struct bc_cells cells = {};
	struct image image;
	uint64_t bytes;

	policy_compile(kind, sizes[size], &cells);
	image = policy_image(&cells, &bytes);
	figure_add(MEMORY, kind_names[kind], size_names[size], (double)bytes / sizes[size]);
	return image;
}

static void set_goals(void)
{
	double most = 0;

	figure_goal("program, a port that no rule names, 1 M rules", "ns",
		    figure_median(PROGRAMS, "port that no rule names", size_names[3]), 60, false);
	figure_goal("program, a user grant, 10 rules", "ns", figure_median(PROGRAMS, "user grant", size_names[0]), 150,
		    false);
	figure_goal("program, a user grant, 1 M rules to 10 rules", "times",
		    figure_ratio(PROGRAMS, "user grant", size_names[3], "user grant", size_names[0]), 1.5, false);
	figure_goal("program, a cgroup grant 8 levels deep, seen before, 1 M rules", "ns",
		    figure_median(PROGRAMS, "cgroup grant, 8 levels deep", size_names[3]), 250, false);
	for (enum kind kind = 0; kind < ALL_KINDS; kind++) {
		double bytes = figure_median(MEMORY, kind_names[kind], size_names[3]);

		most = bytes > most ? bytes : most;
	}
	figure_goal("kernel memory for a rule, of 1 M that need the most", "bytes", most, 96, false);
}

void measure_programs(void)
{
	struct measured bed = { .empty_worker = worker_start(&(struct who){ EMPTY_HOOK }) };
	struct image images[KINDS][SIZES];
	int stats;

	start_subjects(bed.workers);
	for (enum kind kind = 0; kind < ALL_KINDS; kind++)
		for (unsigned size = 0; size < SIZES; size++) {
			struct image image = make_image(kind, size);

			if (kind < KINDS)
				images[kind][size] = image;
			else
				close(image.fd);
		}
	stats = runs_count();
	for (unsigned round = 0; round < bench.rounds; round++) {
		const struct bc_wanted wanted = { .ring_bytes = BC_RING_BYTES };
		struct bc_events *events;
		struct bc_error error;

		bed_load();
		if (bc_events_open(bench.pins, &wanted, &events, &error))
			fail("%s", error.text);
		bed.empties = programs_find(EMPTY_HOOK);
		/* The kinds that deny or rewrite have programs at more hooks, and come behind the others. */
		for (enum kind kind = 0; kind < KINDS; kind++) {
			bed_attach(images[kind][0].needs.features);
			bed.ours = programs_find(OURS);
			for (unsigned size = 0; size < SIZES; size++) {
				policy_publish(&images[kind][size]);
				for (unsigned burst = 0; burst < BURSTS; burst++) {
					drain_events(events);
					measure_rows(&bed, kind, size);
				}
			}
			programs_release(&bed.ours);
		}
		programs_release(&bed.empties);
		bc_events_close(&events);
	}
	close(stats);
	for (enum kind kind = 0; kind < KINDS; kind++)
		for (unsigned size = 0; size < SIZES; size++)
			close(images[kind][size].fd);
	for (enum subject i = 0; i < SUBJECTS; i++)
		worker_stop(&bed.workers[i]);
	worker_stop(&bed.empty_worker);
	set_goals();
}
