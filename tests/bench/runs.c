// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <unistd.h>

#include "runs.h"

int runs_count(void)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (fd < 0)
		fail("cannot have the kernel count the programs' time: %m");
	return fd;
}

struct programs programs_find(enum place place)
{
	struct programs programs = {};

	for (enum bc_hook hook = 0; hook < BC_HOOKS; hook++) {
		struct bc_attached effective;
		struct bc_error error;

		if (bc_query(bench.cgroup_fds[place], hook, true, &effective, &error))
			fail("%s", error.text);
		for (unsigned i = 0; i < effective.n; i++)
			programs.fds[programs.n++] = bpf_prog_get_fd_by_id(effective.ids[i]);
	}
	if (!programs.n)
		fail("no program is attached to %s", bench.cgroups[place]);
	return programs;
}

void programs_release(const struct programs *programs)
{
	for (unsigned i = 0; i < programs->n; i++)
		close(programs->fds[i]);
}

struct count programs_count(const struct programs *programs)
{
	struct count count = {};

	for (unsigned i = 0; i < programs->n; i++) {
		struct bpf_prog_info info = {};
		uint32_t size = sizeof(info);

		if (bpf_obj_get_info_by_fd(programs->fds[i], &info, &size))
			fail("cannot query a program: %m");
		count.ns += info.run_time_ns;
		count.runs += info.run_cnt;
	}
	return count;
}

struct count programs_measure(const struct programs *programs, const struct worker *worker, const struct order *order)
{
	struct count before = programs_count(programs), after;

	worker_do(worker, order);
	after = programs_count(programs);
	return (struct count){ (after.ns - before.ns) / order->count, (after.runs - before.runs) / order->count };
}
