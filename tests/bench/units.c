// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the programs cost that systemd attaches to a unit for SocketBindAllow= and SocketBindDeny=, and ours beside them,
 * by the same account as in programs.c: an empty program's time is taken off for every run. tests/bench/systemd has the
 * systemd that it wants.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "host/mounts.h"
#include "runs.h"

/* As in programs.c. */
#define BURSTS 8
#define BINDS 256

#define MANIES 3
static const unsigned many[MANIES] = { 1, 16, 128 }; /* rules; more than 128 systemd refuses */
static const char *const many_names[MANIES] = { "1 rule", "16", "128" };

#define PORT_ELSEWHERE 2000 /* of rules that do not match */

enum setting {
	ALLOW,
	DENY,
	SETTINGS
};

static const char *const setting_words[SETTINGS] = { "allow", "deny" };
static const char *const setting_rows[SETTINGS] = {
	[ALLOW] = "systemd, SocketBindAllow=, last tried fits",
	[DENY] = "systemd, SocketBindDeny=, none fits",
};

static const struct order binds = {
	.mode = ORDER_WHOLE,
	.count = BINDS,
	.family = AF_INET,
	.type = SOCK_STREAM,
	.port = PORT,
	.nports = ORDER_PORTS,
	.step = 1,
};

static const char *unit_name(enum setting setting, unsigned size)
{
	static char name[64];

	snprintf(name, sizeof(name), "bindctl-bench-%s-%u.service", setting_words[setting], many[size]);
	return name;
}

static const char *unit_file(enum setting setting, unsigned size)
{
	static char path[128];

	snprintf(path, sizeof(path), "/run/systemd/system/%s", unit_name(setting, size));
	return path;
}

static void write_unit(enum setting setting, unsigned size)
{
	FILE *f = fopen(unit_file(setting, size), "we");
	unsigned others = setting == ALLOW ? many[size] - 1 : many[size];

	if (!f)
		fail("cannot write %s: %m", unit_file(setting, size));
	fprintf(f, "[Service]\nExecStart=/bin/sleep infinity\n");
	/* systemd has its programs try them from the last line to the first. */
	if (setting == ALLOW)
		fprintf(f, "SocketBindDeny=any\nSocketBindAllow=tcp:%u-%u\n", PORT, PORT + ORDER_PORTS - 1);
	for (unsigned i = 0; i < others; i++)
		fprintf(f, "SocketBind%s=tcp:%u\n", setting == ALLOW ? "Allow" : "Deny", PORT_ELSEWHERE + i);
	if (fclose(f))
		fail("cannot write %s: %m", unit_file(setting, size));
}

static void remove_units(void)
{
	bool stopped = !system("systemctl stop 'bindctl-bench-*.service'");

	for (enum setting setting = 0; setting < SETTINGS; setting++)
		for (unsigned size = 0; size < MANIES; size++)
			unlink(unit_file(setting, size));
	if (system("systemctl daemon-reload") || !stopped)
		fprintf(stderr, "bench: cannot end its services\n");
}

static void make_units(void)
{
	if (access("/run/systemd/system", F_OK))
		fail("systemd is not the first process");
	atexit(remove_units);
	for (enum setting setting = 0; setting < SETTINGS; setting++)
		for (unsigned size = 0; size < MANIES; size++)
			write_unit(setting, size);
	if (system("systemctl daemon-reload"))
		fail("systemctl daemon-reload failed");
}

/* Which has systemd load its programs anew. */
static void restart_unit(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "systemctl restart %s", name);
	if (system(command))
		fail("%s failed", command);
}

/* Has UNIT be the cgroup of that service, which is in systemd's own part of the tree, beside our cgroups. */
static void go_to_unit(const char *name)
{
	char *path = bench.cgroups[UNIT];
	struct bc_error error;

	snprintf(path, sizeof(bench.cgroups[UNIT]), "%.*s/system.slice/%s",
		 (int)(strrchr(bench.cgroups[OURS], '/') - bench.cgroups[OURS]), bench.cgroups[OURS], name);
	if (bench.cgroup_fds[UNIT])
		close(bench.cgroup_fds[UNIT]);
	if (bc_open_cgroup(path, &bench.cgroup_fds[UNIT], &error))
		fail("%s", error.text);
}

static bool is_systemds(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) && !strncmp(info.name, "sd_bind", strlen("sd_bind"));
}

/* Those of one unit: one for each family and nothing else, or what is measured is not what the table says. */
static struct programs unit_programs(const char *name)
{
	struct programs programs;

	go_to_unit(name);
	programs = programs_find(UNIT);
	if (programs.n != 2 || !is_systemds(programs.fds[0]) || !is_systemds(programs.fds[1]))
		fail("systemd has not attached its two programs to %s, or there are others", name);
	return programs;
}

static struct count burst(const struct programs *programs, const struct worker *worker)
{
	struct order first = binds;
	struct count count;

	first.count = 64;
	worker_do(worker, &first);
	count = programs_measure(programs, worker, &binds);
	if (count.runs != 1)
		fail("a bind ran %g programs instead of one", count.runs);
	return count;
}

/* All that is measured in a round besides is in turns with the empty program. */
struct measured {
	struct programs empties;
	struct worker empty_worker;
	struct worker user;   /* of ours, who has the grant */
	struct worker member; /* of the cgroup that has one */
	struct worker unit;   /* root, whom SocketBindAllow= gives nothing */
};

static void measure(const struct measured *bed, const char *row, unsigned size, const struct programs *programs,
		    const struct worker *worker)
{
	for (unsigned i = 0; i < BURSTS; i++) {
		double nothing = burst(&bed->empties, &bed->empty_worker).ns;

		figure_add(UNITS, EMPTY, many_names[size], nothing);
		figure_add(UNITS, row, many_names[size], burst(programs, worker).ns - nothing);
	}
}

static void measure_settings(const struct measured *bed, unsigned size)
{
	for (enum setting setting = 0; setting < SETTINGS; setting++) {
		const char *name = unit_name(setting, size);
		struct programs programs;

		restart_unit(name);
		programs = unit_programs(name);
		worker_move(&bed->unit, UNIT, NULL);
		measure(bed, setting_rows[setting], size, &programs, &bed->unit);
		/* What is in a unit ends with it. */
		worker_move(&bed->unit, NO_HOOK, NULL);
		programs_release(&programs);
	}
}

static void measure_ours(const struct measured *bed, enum kind kind, const char *row, unsigned size,
			 const struct worker *worker)
{
	_cleanup_(bc_cells_done) struct bc_cells cells = {};
	struct programs programs;
	struct image image;

	policy_compile(kind, many[size], &cells);
	image = policy_image(&cells, NULL);
	bed_attach(image.needs.features);
	policy_publish(&image);
	close(image.fd);
	programs = programs_find(OURS);
	measure(bed, row, size, &programs, worker);
	programs_release(&programs);
}

void measure_units(void)
{
	struct measured bed = {
		.empty_worker = worker_start(&(struct who){ EMPTY_HOOK }),
		.user = worker_start(&(struct who){ OURS, .uid = WORKER_USER }),
		.member = worker_start(&(struct who){ OURS, .uid = 65534 }),
		.unit = worker_start(&(struct who){ NO_HOOK }),
	};
	int stats = runs_count();

	make_units();
	for (unsigned round = 0; round < bench.rounds; round++) {
		bed_load();
		bed.empties = programs_find(EMPTY_HOOK);
		for (unsigned size = 0; size < MANIES; size++) {
			measure_settings(&bed, size);
			measure_ours(&bed, USERS, "bindctl, user grant", size, &bed.user);
			/* A policy of this kind has a rule for each depth that there is. */
			if (many[size] >= ARRAY_SIZE(depths))
				measure_ours(&bed, CGROUPS, "bindctl, cgroup grant, 1 level deep", size, &bed.member);
		}
		programs_release(&bed.empties);
	}
	close(stats);
	worker_stop(&bed.empty_worker);
	worker_stop(&bed.user);
	worker_stop(&bed.member);
	worker_stop(&bed.unit);
}
