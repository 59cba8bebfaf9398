// SPDX-License-Identifier: GPL-2.0-or-later
/* What it costs the binds that somebody reads events: a grant, of which only a reader of all binds hears, and a deny. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/events.h"
#include "runs.h"

#define BURSTS 8
#define BINDS 256

static const struct audience {
	const char *name;
	unsigned n;
	bool all; /* else they read what `bindctl monitor --denied` reads */
} audiences[] = {
	{ "nobody reads", 0, false },	  { "1 reads refusals", 1, false }, { "8 read refusals", 8, false },
	{ "1 reads all binds", 1, true }, { "8 read all binds", 8, true },
};

static const struct act {
	const char *name;
	enum kind kind;
	int wanted;
} acts[] = {
	{ "user grant", USERS, 0 },
	{ "deny", DENIES, EACCES },
};

static int forget(void *ctx, const struct bc_event *event)
{
	(void)event;
	++*(uint64_t *)ctx;
	return 0;
}

/* Once a burst, which is less than a ring holds: nothing is lost, and reading does not take the binds' processor. */
static void read_all(struct bc_events **readers, const struct audience *audience, uint64_t wanted)
{
	for (unsigned i = 0; i < audience->n; i++) {
		uint64_t seen = 0;

		bc_events_read(readers[i], forget, &seen);
		if (seen != wanted)
			fail("%s: %ju events of %ju binds", audience->name, (uintmax_t)seen, (uintmax_t)wanted);
	}
}

static void measure_audience(const struct worker *worker, const struct programs *ours, double nothing,
			     const struct act *act, const struct audience *audience)
{
	const struct bc_wanted wanted = { .all = audience->all, .ring_bytes = 1u << 20 };
	const struct order order = { .mode = ORDER_WHOLE,
				     .count = BINDS,
				     .family = AF_INET,
				     .type = SOCK_STREAM,
				     .port = PORT,
				     .nports = ORDER_PORTS,
				     .step = 1,
				     .wanted = act->wanted };
	struct bc_events *readers[BC_READERS];
	struct bc_error error;

	for (unsigned i = 0; i < audience->n; i++)
		if (bc_events_open(bench.pins, &wanted, &readers[i], &error))
			fail("%s", error.text);
	for (unsigned burst = 0; burst <= BURSTS; burst++) {
		struct count count = programs_measure(ours, worker, &order);

		/* The first one is of cold caches. */
		if (burst)
			figure_add(READERS, act->name, audience->name, count.ns - nothing * count.runs);
		read_all(readers, audience, audience->all || act->wanted ? BINDS : 0);
	}
	for (unsigned i = 0; i < audience->n; i++)
		bc_events_close(&readers[i]);
}

/* What the empty program takes, the kernel's clock included. */
static double measure_nothing(const struct worker *worker)
{
	const struct order order = { .mode = ORDER_WHOLE,
				     .count = 8 * BINDS,
				     .family = AF_INET,
				     .type = SOCK_STREAM,
				     .port = PORT_UNNAMED,
				     .nports = ORDER_PORTS,
				     .step = 1 };
	struct programs empties = programs_find(EMPTY_HOOK);
	double ns = programs_measure(&empties, worker, &order).ns;

	programs_release(&empties);
	return ns;
}

static void measure_act(const struct worker *worker, const struct worker *empty_worker, const struct act *act)
{
	_cleanup_(bc_cells_done) struct bc_cells cells = {};
	double nothing = measure_nothing(empty_worker);
	struct programs ours;
	struct image image;

	policy_compile(act->kind, sizes[0], &cells);
	image = policy_image(&cells, NULL);
	bed_attach(image.needs.features);
	policy_publish(&image);
	ours = programs_find(OURS);
	for (unsigned i = 0; i < ARRAY_SIZE(audiences); i++)
		measure_audience(worker, &ours, nothing, act, &audiences[i]);
	programs_release(&ours);
	close(image.fd);
}

void measure_readers(void)
{
	struct worker worker = worker_start(&(struct who){ OURS, .uid = WORKER_USER });
	struct worker empty_worker = worker_start(&(struct who){ EMPTY_HOOK });
	int stats = runs_count();

	for (unsigned round = 0; round < bench.rounds; round++) {
		bed_load();
		for (unsigned i = 0; i < ARRAY_SIZE(acts); i++)
			measure_act(&worker, &empty_worker, &acts[i]);
	}
	close(stats);
	worker_stop(&worker);
	worker_stop(&empty_worker);
}
