// SPDX-License-Identifier: GPL-2.0-or-later
/* What a caller waits for: the time of whole system calls, with nothing counting beside. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "bench.h"

/*
 * Where a process and the programs lie in memory makes a difference of some percent, so both are made anew for every
 * few short bursts.
 */
#define ANEW 4 /* a round */
#define BURSTS 2
#define BINDS 512
#define AUTHBIND_BINDS 4
#define AUTHBIND_PORT 81 /* authbind takes no port of 512 and above, and one file for each */

enum policy {
	NONE, /* the row's place has no bindctl */
	FEW,
	MANY,
	POLICIES,
};

static const uint32_t policy_rules[POLICIES] = { [FEW] = 10, [MANY] = 1000000 };

#define MAIN .port = PORT, .nports = ORDER_PORTS, .step = 1
#define UNNAMED .port = PORT_UNNAMED, .nports = ORDER_PORTS, .step = 1

static const struct row {
	const char *name;
	struct who who;
	struct order order;
	enum policy policy;
} rows[] = {
	{ "low port, no hook, root", { NO_HOOK }, { MAIN } },
	{ "low port, no hook, setcap", { NO_HOOK, .uid = WORKER_USER, .setcap = true }, { MAIN } },
	{ "low port, empty hook, root", { EMPTY_HOOK }, { MAIN } },
	{ "low port, empty hook, setcap", { EMPTY_HOOK, .uid = WORKER_USER, .setcap = true }, { MAIN } },
	{ "low port, bindctl, setcap", { OURS, .uid = 65534, .setcap = true }, { MAIN }, FEW },
	{ "low port, bindctl, granted, 10 rules", { OURS, .uid = WORKER_USER }, { MAIN }, FEW },
	{ "low port, bindctl, granted, 1 M rules", { OURS, .uid = WORKER_USER }, { MAIN }, MANY },
	{ "low port, authbind --deep", { NO_HOOK, .uid = WORKER_USER, .authbind = true }, { .port = AUTHBIND_PORT } },
	{ "high port, no hook", { NO_HOOK, .uid = 65534 }, { UNNAMED } },
	{ "high port, empty hook", { EMPTY_HOOK, .uid = 65534 }, { UNNAMED } },
	{ "high port, bindctl, 10 rules on others", { OURS, .uid = 65534 }, { UNNAMED }, FEW },
	{ "high port, bindctl, 1 M rules on others", { OURS, .uid = 65534 }, { UNNAMED }, MANY },
};

#define ALONE "bind"
#define WHOLE "socket+bind+close"

static const struct column {
	const char *name;
	enum order_mode mode;
	int family, type;
} columns[] = {
	{ ALONE, ORDER_ALONE, AF_INET, SOCK_STREAM },
	{ WHOLE, ORDER_WHOLE, AF_INET, SOCK_STREAM },
	{ "bind, IPv6", ORDER_ALONE, AF_INET6, SOCK_STREAM },
	{ "bind, UDP", ORDER_ALONE, AF_INET, SOCK_DGRAM },
};

/* authbind's files are in /etc; the mount namespace is ours. */
static void allow_authbind(void)
{
	const char *const path = "/etc/authbind/byport/81";
	int fd;

	if (mount("tmpfs", "/etc/authbind", "tmpfs", 0, "mode=0755") || mkdir("/etc/authbind/byport", 0755))
		fail("cannot lay /etc/authbind over (is authbind installed?): %m");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0500);
	if (fd < 0 || fchown(fd, WORKER_USER, WORKER_USER))
		fail("cannot make %s: %m", path);
	close(fd);
}

static void measure(const struct row *row, const struct worker *worker, const struct column *column, bool counts)
{
	struct order order = row->order;
	struct answer answer;

	order.mode = column->mode;
	order.family = column->family;
	order.type = column->type;
	order.count = row->who.authbind ? AUTHBIND_BINDS : BINDS;
	order.nports = order.nports ?: 1;
	answer = worker_do(worker, &order);
	if (counts)
		figure_add(CALLS, row->name, column->name, (double)answer.ns / order.count);
}

/* All rows, though only some are about this policy: what runs in between makes a difference. */
static void measure_rows(const struct worker *workers, enum policy policy, unsigned burst)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		bool counts = row->policy == policy || (row->policy == NONE && policy == FEW);

		for (unsigned k = 0; k < ARRAY_SIZE(columns); k++)
			/* One port, which only one socket can have at a time; and slow. */
			if (!row->who.authbind || (k < 2 && burst == 0))
				measure(row, &workers[i], &columns[k], counts);
	}
}

static void set_goals(void)
{
	const char *granted = "low port, bindctl, granted, 10 rules";

	figure_goal("bind(2) of a granted port, to a holder of the capability without bindctl", "times",
		    figure_ratio(CALLS, granted, ALONE, "low port, no hook, setcap", ALONE), 1.05, false);
	figure_goal("the same, to such a holder behind an empty hook", "times",
		    figure_ratio(CALLS, granted, ALONE, "low port, empty hook, setcap", ALONE), 1.05, false);
	figure_goal("the same, to such a holder under bindctl", "times",
		    figure_ratio(CALLS, granted, ALONE, "low port, bindctl, setcap", ALONE), 1.05, false);
	figure_goal("socket+bind+close of a granted port, to a holder without bindctl", "times",
		    figure_ratio(CALLS, granted, WHOLE, "low port, no hook, setcap", WHOLE), 1.05, false);
	figure_goal("bind(2) under authbind, to a granted port's", "times",
		    figure_median(CALLS, "low port, authbind --deep", ALONE) / figure_median(CALLS, granted, ALONE),
		    500, true);
}

static void measure_anew(const struct image *images)
{
	struct worker workers[ARRAY_SIZE(rows)];

	bed_load();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		workers[i] = worker_start(&rows[i].who);
	for (enum policy policy = FEW; policy < POLICIES; policy++) {
		policy_publish(&images[policy]);
		for (unsigned burst = 0; burst < BURSTS; burst++)
			measure_rows(workers, policy, burst);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		worker_stop(&workers[i]);
}

void measure_calls(void)
{
	struct image images[POLICIES];

	allow_authbind();
	for (enum policy policy = FEW; policy < POLICIES; policy++) {
		_cleanup_(bc_cells_done) struct bc_cells cells = {};

		policy_compile(USERS, policy_rules[policy], &cells);
		images[policy] = policy_image(&cells, NULL);
	}
	for (unsigned i = 0; i < bench.rounds * ANEW; i++)
		measure_anew(images);
	for (enum policy policy = FEW; policy < POLICIES; policy++)
		close(images[policy].fd);
	set_goals();
}
