// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>

#include "cmd/app.h"
#include "cmd/drift.h"
#include "cmd/out.h"
#include "kernel/probe.h"
#include "kernel/status.h"

static const char *const turns[] = {
	[BC_RUNS_BEFORE] = "before",
	[BC_RUNS_AFTER] = "after",
	[BC_RUNS_BELOW] = "below",
	[BC_SILENCED] = "silenced",
};

static struct json_object *neighbours_of(const struct bc_status *status, enum bc_hook hook)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < status->nneighbours; i++) {
		const struct bc_neighbour *neighbour = &status->neighbours[i];
		struct json_object *object;

		if (neighbour->hook != hook)
			continue;
		object = json_object_new_object();
		out_set_number(object, "program", neighbour->id);
		out_set_string(object, "name", neighbour->name);
		out_set_string(object, "runs", turns[neighbour->turn]);
		out_set_string(object, "cgroup", neighbour->cgroup);
		json_object_array_add(array, object);
	}
	return array;
}

static void print_json(const struct bc_status *status, const struct bc_drift *drift, const struct bc_report *findings)
{
	struct json_object *members = json_object_new_object();

	out_set_bool(members, "enforced", status->enforced);
	out_set_bool(members, "loaded", status->loaded);
	out_set_string(members, "cgroup", status->cgroup);
	for (enum bc_hook hook = 0; hook < BC_HOOKS; hook++) {
		struct json_object *object = json_object_new_object();

		out_set_bool(object, "needed", status->loaded && bc_hook_is_needed(hook, status->features));
		out_set_bool(object, "attached", status->links[hook].cgroup_id != 0);
		out_set_number(object, "program", status->links[hook].prog_id);
		json_object_object_add(object, "neighbours", neighbours_of(status, hook));
		json_object_object_add(members, bc_hook_name(hook), object);
	}
	out_set_number(members, "generation", status->generation);
	out_set_hex(members, "digest", status->digest);
	out_set_number(members, "rules", status->rules);
	out_set_number(members, "bytes", status->bytes);
	out_set_number(members, "lost", status->lost);
	out_set_string(members, "drift", !drift->known ? "unknown" : drift->differ ? "yes" : "no");
	if (drift->known)
		out_set_hex(members, "files_digest", drift->digest);
	out_begin_array(members, "problems");
	for (size_t i = 0; i < findings->n; i++) {
		_cleanup_free_ char *whole = talk_completed(findings->items[i].text);

		out_element(out_string(whole ?: findings->items[i].text));
	}
	out_end_array();
}

static uint32_t count_neighbours(const struct bc_status *status, enum bc_hook hook, bool below)
{
	uint32_t n = 0;

	for (size_t i = 0; i < status->nneighbours; i++) {
		enum bc_turn turn = status->neighbours[i].turn;

		n += status->neighbours[i].hook == hook && turn != BC_SILENCED && (turn == BC_RUNS_BELOW) == below;
	}
	return n;
}

static void print_hook(const struct bc_status *status, enum bc_hook hook)
{
	uint32_t neighbours = count_neighbours(status, hook, false), below = count_neighbours(status, hook, true);

	printf("%-12s  %s", bc_hook_name(hook),
	       status->links[hook].cgroup_id		 ? "attached" :
	       bc_hook_is_needed(hook, status->features) ? "not attached" :
							   "not needed");
	if (neighbours)
		printf(", beside %u other program%s", neighbours, neighbours == 1 ? "" : "s");
	if (below)
		printf(", %u in cgroups below", below);
	printf("\n");
}

static void print_files(const struct bc_status *status, const struct bc_drift *drift)
{
	if (!drift->known)
		printf("files         cannot be read or compiled\n");
	else if (status->generation && drift->differ)
		printf("files         differ from the policy in force: digest %016" PRIx64 "; run: bindctl%s apply\n",
		       drift->digest, talk_globals());
	else if (status->generation)
		printf("files         the same\n");
}

static void print_text(const struct bc_status *status, const struct bc_drift *drift, const struct bc_report *findings)
{
	printf("enforced      %s\n", status->enforced ? "yes" : "no");
	if (status->cgroup) {
		printf("cgroup        ");
		out_text(status->cgroup);
		printf("\n");
	}
	for (enum bc_hook hook = 0; status->loaded && hook < BC_HOOKS; hook++)
		print_hook(status, hook);
	if (status->generation)
		printf("policy        generation %" PRIu64 ", digest %016" PRIx64 ", %u rule%s, %zu KiB\n",
		       status->generation, status->digest, status->rules, status->rules == 1 ? "" : "s",
		       status->bytes / 1024);
	print_files(status, drift);
	for (size_t i = 0; i < findings->n; i++) {
		_cleanup_free_ char *whole = talk_completed(findings->items[i].text);

		printf("problem       ");
		out_text(whole ?: findings->items[i].text);
		printf("\n");
	}
}

/* Leaves out what is said of neighbours. */
static void forget_neighbours(struct bc_report *findings)
{
	size_t kept = 0;

	for (size_t i = 0; i < findings->n; i++)
		if (findings->items[i].severity == BC_ERROR)
			findings->items[kept++] = findings->items[i];
	findings->n = kept;
}

int run_status(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "ignore-neighbours", no_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	_cleanup_(bc_status_done) struct bc_status status = {};
	_cleanup_(bc_report_done) struct bc_report findings = {};
	struct bc_error error;
	struct bc_drift drift;
	bool json = false, ignore = false;
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		json |= option == 'j';
		ignore |= option == 'i';
	}
	if (optind < argc)
		return usage_error(command, "status: unexpected '%s'", argv[optind]);
	if (bc_probe_capabilities(&error) || bc_instance_status(&app->instance, &status, &findings, &error) ||
	    bc_instance_look_below(&app->instance, &status, &findings, &error))
		return failed(&error);
	if (ignore)
		forget_neighbours(&findings);
	drift = drift_find(app, &status, true);
	if (json)
		print_json(&status, &drift, &findings);
	else
		print_text(&status, &drift, &findings);
	return finish_output(status.enforced && !findings.n && drift.known && !drift.differ ? EXIT_DONE : EXIT_ANSWER);
}
