// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics: how the instance stands, for Prometheus: its text format, as node_exporter's textfile collector reads it. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/app.h"
#include "cmd/drift.h"
#include "cmd/out.h"
#include "kernel/events.h"
#include "kernel/probe.h"
#include "kernel/status.h"

/* Before the first sample of a metric. */
static void print_head(const char *name, const char *type, const char *help)
{
	printf("# HELP bindctl_%s %s\n# TYPE bindctl_%s %s\n", name, help, name, type);
}

static void print_metric(const char *name, const char *type, const char *help, uint64_t value)
{
	print_head(name, type, help);
	printf("bindctl_%s %" PRIu64 "\n", name, value);
}

static void print_decisions(const uint64_t counters[BC_COUNTERS])
{
	print_head("decisions_total", "counter", "Binds of ports that a rule names, by the answer.");
	for (enum bc_verdict verdict = BC_DENY; verdict <= BC_GRANT; verdict++)
		for (int v6 = 0; v6 < 2; v6++)
			printf("bindctl_decisions_total{verdict=\"%s\",family=\"ipv%d\"} %" PRIu64 "\n",
			       out_verdict(verdict), v6 ? 6 : 4, counters[BC_COUNT_DECIDED + 6 * v6 + verdict]);
	print_head("kernel_refusals_total", "counter",
		   "Binds of low ports that no rule grants to callers without CAP_NET_BIND_SERVICE.");
	for (int v6 = 0; v6 < 2; v6++)
		printf("bindctl_kernel_refusals_total{family=\"ipv%d\"} %" PRIu64 "\n", v6 ? 6 : 4,
		       counters[BC_COUNT_REFUSED + v6]);
}

/* What cannot be told is left out: a gap in a graph, and not a line at zero. */
static void print_all(const struct bc_status *status, const struct bc_drift *drift, const uint64_t *counters)
{
	uint64_t attached = status->loaded;

	for (enum bc_hook hook = 0; hook < BC_HOOKS; hook++)
		attached &= !bc_hook_is_needed(hook, status->features) || status->links[hook].cgroup_id;
	print_metric("attached", "gauge", "Whether the programs are attached that the policy needs.", attached);
	print_metric("enforced", "gauge", "Whether the kernel runs them, and nothing keeps the policy from deciding.",
		     status->enforced);
	if (drift->known)
		print_metric("drift", "gauge", "Whether the policy files differ from the policy in force.",
			     drift->differ);
	if (status->generation) {
		print_metric("policy_generation", "gauge", "Number of the policy in force, one more at each change.",
			     status->generation);
		print_metric("rules", "gauge", "Rules in force.", status->rules);
		print_metric("policy_bytes", "gauge", "Size of the compiled policy in the kernel.", status->bytes);
	}
	print_metric("neighbours", "gauge", "Programs of others at the same hooks.", status->nneighbours);
	if (!counters)
		return;
	print_decisions(counters);
	print_metric("lost_events_total", "counter", "Events that a reader missed since the last bindctl load.",
		     counters[BC_COUNT_LOST]);
}

int run_metrics(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = { { "help", no_argument, NULL, 'h' }, {} };
	_cleanup_(bc_status_done) struct bc_status status = {};
	_cleanup_(bc_report_done) struct bc_report findings = {};
	uint64_t counters[BC_COUNTERS];
	struct bc_error error;
	struct bc_drift drift;
	bool counted = false;
	int code;

	while (next_option(command, argc, argv, table, &code) != -1)
		return code;
	if (optind < argc)
		return usage_error(command, "metrics: unexpected '%s'", argv[optind]);
	if (bc_probe_capabilities(&error) || bc_instance_status(&app->instance, &status, &findings, &error) ||
	    bc_instance_look_below(&app->instance, &status, &findings, &error))
		return failed(&error);
	drift = drift_find(app, &status, false);
	counted = status.loaded && !bc_counters_read(app->instance.pins, counters, NULL);
	print_all(&status, &drift, counted ? counters : NULL);
	return finish_output(EXIT_DONE);
}
