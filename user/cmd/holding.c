// SPDX-License-Identifier: GPL-2.0-or-later
#include <netinet/in.h>
#include <string.h>

#include "cmd/holding.h"
#include "cmd/out.h"
#include "host/clock.h"
#include "host/mounts.h"
#include "host/names.h"
#include "host/ports.h"
#include "kernel/probe.h"
#include "pure/decompile.h"

void judge_done(struct judge *judge)
{
	bc_cells_done(&judge->image);
	bc_policy_done(&judge->policy);
	free(judge->cgroup);
}

/* Where the programs run: for whom they do not, the policy has no answer. */
static char *find_reach(const struct app *app)
{
	_cleanup_free_ char *cgroup = NULL;
	struct bc_link link = {};

	if (bc_link_read(app->instance.pins, BC_HOOK_BIND4, &link, NULL))
		return NULL;
	cgroup = bc_cgroup_name(link.cgroup_id);
	return cgroup && cgroup[1] ? TAKE_PTR(cgroup) : NULL;
}

static bool reaches(const struct judge *judge, const struct bc_process *process)
{
	return !judge->cgroup || bc_path_within(process->cgroup, judge->cgroup);
}

int judge_in_force(const struct app *app, struct judge *ret, struct bc_error *reterr)
{
	_cleanup_(judge_done) struct judge judge = { .free_from = bc_unprivileged_start(), .now = bc_now() };
	int r = bc_probe_capabilities(reterr);

	if (!r)
		r = bc_instance_image(&app->instance, &judge.image, reterr);
	if (r)
		return r;
	judge.cgroup = find_reach(app);
	*ret = judge;
	judge = (struct judge){};
	return 0;
}

int judge_read_rules(struct judge *judge, struct bc_error *reterr)
{
	return bc_decompile(&judge->image, &judge->policy, reterr);
}

int judge_holder(const struct judge *judge, const struct bc_holder *holder, struct bc_hold *ret)
{
	const struct bc_process *process = holder->process;
	const struct bc_socket *socket = holder->socket;
	struct bc_held held = {
		.question = { .uid = process->uid,
			      .gid = process->gid,
			      .groups = process->groups,
			      .ngroups = process->ngroups,
			      .cgroup = process->cgroup,
			      .host_netns = process->host_netns,
			      .v4 = socket->v4,
			      .v6only = socket->v6only,
			      .proto = socket->proto,
			      .port = socket->port,
			      .now = judge->now },
		.v6 = socket->family == 6,
		.binds_low = process->binds_low,
		.free_from = judge->free_from,
	};

	memcpy(held.question.addr, socket->addr, sizeof(socket->addr));
	if (reaches(judge, process))
		return bc_hold_decide(&judge->image, &judge->policy, &held, ret);
	bc_hold_by_kernel(&held, ret);
	return 0;
}

const char *socket_proto_name(const struct bc_socket *socket)
{
	return socket->protocol == IPPROTO_TCP ? "tcp" : socket->protocol == IPPROTO_UDP ? "udp" : "udplite";
}

void format_socket(struct bc_text *text, const struct bc_socket *socket)
{
	out_address(text, socket->addr, socket->port, socket->family);
	bc_text_addf(text, "/%s", socket_proto_name(socket));
}

static void say_holder(const struct bc_holder *holder)
{
	_cleanup_free_ char *user = bc_user_name(holder->process->uid);
	_cleanup_(bc_text_done) struct bc_text text = {};

	format_socket(&text, holder->socket);
	bc_text_addf(&text, " is still held by ");
	if (holder->pid)
		bc_format_word(&text, holder->process->comm);
	if (holder->pid)
		bc_text_addf(&text, "[%d] of ", (int)holder->pid);
	else
		bc_text_addf(&text, "a process of ");
	if (user)
		bc_text_addf(&text, "%s", user);
	else
		bc_text_addf(&text, "uid %u", holder->process->uid);
	if (!text.failed)
		say("%s, whom the policy no longer lets bind it", text.data);
}

#define SAID_MAX 10 /* holders; a server may have a worker for each of many processors */

void say_still_held(const struct app *app, struct judge *before, const struct bc_wanted_ports *ports)
{
	_cleanup_(bc_holders_done) struct bc_holders holders = {};
	_cleanup_(judge_done) struct judge after = {};
	struct bc_error error;
	size_t n = 0;

	/* The change is made: what cannot be said about it is no failure. */
	if (bc_holders_read(ports, &holders, &error)) {
		say_error(&error);
		return;
	}
	if (!holders.n || judge_in_force(app, &after, NULL) || judge_read_rules(before, NULL) ||
	    judge_read_rules(&after, NULL))
		return;
	for (size_t i = 0; i < holders.n; i++) {
		struct bc_hold was, is;

		if (judge_holder(before, &holders.items[i], &was) || judge_holder(&after, &holders.items[i], &is) ||
		    !was.let || is.let)
			continue;
		if (n++ < SAID_MAX)
			say_holder(&holders.items[i]);
	}
	if (n > SAID_MAX)
		say("and %zu more; run: bindctl holders --denied", n - SAID_MAX);
}
