// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/event.h"
#include "cmd/names.h"
#include "host/mounts.h"
#include "host/names.h"
#include "pure/decompile.h"
#include "pure/moment.h"

static bool is_coloured(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb");
}

int event_view_open(struct event_view *view, const struct bc_instance *instance, struct bc_error *reterr)
{
	*view = (struct event_view){ .instance = instance, .root_fd = -1, .coloured = is_coloured() };
	return bc_instance_root(instance, &view->root, &view->root_fd, reterr);
}

static void forget_policy(struct event_view *view)
{
	bc_policy_done(&view->policy);
	json_object_put(view->shown);
	view->shown = NULL;
	view->shown_rule = NULL;
	view->moved_known = false;
	view->named = false;
	view->generation = 0;
}

void event_view_done(struct event_view *view)
{
	forget_policy(view);
	bc_closep(&view->root_fd);
	free(view->root);
	free(view->user);
	for (size_t i = 0; i < EVENT_CGROUPS; i++)
		free(view->cgroups[i].path);
}

/* The answer, or "audit" and "kernel". */
static const char *event_kind(const struct bc_event *event)
{
	if (event->kind == BC_EVENT_AUDIT)
		return "audit";
	if (event->kind == BC_EVENT_KERNEL)
		return "kernel";
	return out_verdict(event->verdict);
}

static const char *proto_name(const struct bc_event *event)
{
	return event->proto == BC_TCP ? "tcp" : event->proto == BC_UDP ? "udp" : "?";
}

/* Reads the policy in force, unless the one that is known is of that generation or a later one. */
static void read_policy(struct event_view *view, uint64_t generation)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	if (generation <= view->generation || bc_instance_image(view->instance, &image, NULL))
		return;
	forget_policy(view);
	if (bc_decompile(&image, &view->policy, NULL))
		forget_policy(view);
	else
		view->generation = image.cells[0].header.generation;
}

/* The rule of that ID: where events come by the thousand, the same is sought again and again. */
static const struct bc_rule *find_moved(struct event_view *view, uint32_t id)
{
	if (view->moved_known && view->moved_id == id)
		return view->moved;
	view->moved = NULL;
	for (size_t i = 0; i < view->policy.n && !view->moved; i++)
		if (bc_rule_id(bc_rule_digest(&view->policy, &view->policy.rules[i])) == id)
			view->moved = &view->policy.rules[i];
	view->moved_id = id;
	view->moved_known = true;
	return view->moved;
}

static const struct bc_rule *find_rule(struct event_view *view, const struct bc_event *event)
{
	if (event->rule == BC_RULE_NONE)
		return NULL;
	read_policy(view, event->generation);
	if (view->generation == event->generation && event->rule < view->policy.n)
		return &view->policy.rules[event->rule];
	return find_moved(view, event->id);
}

const struct bc_rule *event_rule(struct event_view *view, const struct bc_event *event)
{
	const struct bc_rule *rule = find_rule(view, event);

	/* Of many users that takes long. */
	if (rule && !view->named)
		add_names(&view->policy);
	view->named |= rule != NULL;
	return rule;
}

const struct bc_policy *event_policy(struct event_view *view)
{
	read_policy(view, 1);
	return &view->policy;
}

void event_place(struct bc_text *text, struct event_view *view, const struct bc_event *event)
{
	const struct bc_rule *rule = find_rule(view, event);

	if (rule)
		bc_text_addf(text, "%s:%u", bc_policy_source_of(&view->policy, rule), rule->line);
	else
		bc_text_addf(text, "rule %08x", event->id);
}

const char *event_user(struct event_view *view, const struct bc_event *event)
{
	if (!view->uid_known || view->uid != event->uid) {
		free(view->user);
		view->user = bc_user_name(event->uid);
		view->uid = event->uid;
		view->uid_known = true;
	}
	return view->user;
}

const char *event_cgroup(struct event_view *view, const struct bc_event *event)
{
	size_t len = strlen(view->root), at = event->cgroup % EVENT_CGROUPS;
	char *path;

	if (view->cgroups[at].path && view->cgroups[at].id == event->cgroup)
		return view->cgroups[at].path;
	path = bc_cgroup_path(view->root_fd, event->cgroup);
	if (path && !strncmp(path, view->root, len)) {
		char *below = strdup(path[len] ? path + len : "/");

		free(path);
		path = below;
	}
	free(view->cgroups[at].path);
	view->cgroups[at].path = path;
	view->cgroups[at].id = event->cgroup;
	return path;
}

/* Which rule it was, or that none was. */
static void format_rule(struct bc_text *text, struct event_view *view, const struct bc_event *event)
{
	bool some = event->rule != BC_RULE_NONE;

	if (some)
		event_place(text, view, event);
	else
		bc_text_addf(text, "no rule");
	if (event->kind == BC_EVENT_KERNEL)
		bc_text_addf(text, "%s, and the port needs CAP_NET_BIND_SERVICE", some ? " grants nothing" : "");
}

/* What is before the kind, the kind being what is coloured. */
static void print_time(const struct event_view *view, const struct bc_event *event)
{
	time_t seconds = event->time / BC_SECOND;
	char clock[64] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), view->dated ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &tm);
	printf("%s.%03u ", clock, (unsigned)(event->time / 1000000 % 1000));
}

static void print_kind(const struct event_view *view, const struct bc_event *event)
{
	bool refused = event->kind == BC_EVENT_DENY || event->kind == BC_EVENT_KERNEL;

	if (view->coloured)
		printf("\033[%dm%-7s\033[0m ",
		       refused			     ? 31 /* red */ :
		       event->kind == BC_EVENT_AUDIT ? 33 /* yellow */ :
						       32 /* green */,
		       event_kind(event));
	else
		printf("%-7s ", event_kind(event));
}

void event_print(struct event_view *view, const struct bc_event *event)
{
	_cleanup_(bc_text_done) struct bc_text line = {};
	const char *user = event_user(view, event), *cgroup = event_cgroup(view, event);
	char comm[sizeof(event->comm) + 1] = "";

	memcpy(comm, event->comm, sizeof(event->comm));
	out_address(&line, event->addr, event->port, event->family);
	if (event->verdict == BC_REWRITE) {
		bc_text_addf(&line, " -> ");
		out_address(&line, event->to, event->to_port, event->family);
	}
	bc_text_addf(&line, "/%s%s by ", proto_name(event), event->flags & BC_EVENT_CHOSEN ? " (chosen)" : "");
	/* A name that is not one word could pass for what stands behind it. */
	bc_format_word(&line, comm);
	bc_text_addf(&line, "[%u] of ", event->pid);
	if (user)
		bc_text_addf(&line, "%s", user);
	else
		bc_text_addf(&line, "uid %u", event->uid);
	bc_text_addf(&line, " in ");
	if (cgroup)
		bc_format_word(&line, cgroup);
	bc_text_addf(&line, "%s: ", cgroup ? "" : "a cgroup that is gone");
	format_rule(&line, view, event);
	if (line.failed)
		return;
	print_time(view, event);
	print_kind(view, event);
	out_text(line.data);
	printf("\n");
}

static void set_answer(struct json_object *object, const struct bc_event *event)
{
	bool failed = event->kind == BC_EVENT_DENY || event->kind == BC_EVENT_AUDIT || event->kind == BC_EVENT_KERNEL;

	out_set_moment(object, "time", event->time);
	out_set_string(object, "kind", event_kind(event));
	out_set_string(object, "errno", failed ? strerrorname_np(event->err) : NULL);
	out_set_address(object, "addr", event->addr);
	out_set_number(object, "port", event->port);
	out_set_address(object, "to_addr", event->to);
	out_set_number(object, "to_port", event->to_port);
	out_set_bool(object, "chosen", event->flags & BC_EVENT_CHOSEN);
	out_set_bool(object, "privileged", event->flags & BC_EVENT_PRIVILEGED);
	out_set_string(object, "proto", proto_name(event));
	out_set_number(object, "family", event->family);
}

/* Of many events in a row the rule is the same, and most of what there is to say. */
static struct json_object *rule_json(struct event_view *view, const struct bc_rule *rule)
{
	if (!rule)
		return NULL;
	if (view->shown_rule != rule) {
		json_object_put(view->shown);
		view->shown = out_rule(&view->policy, rule);
		view->shown_rule = rule;
	}
	return json_object_get(view->shown);
}

struct json_object *event_json(struct event_view *view, const struct bc_event *event)
{
	const struct bc_rule *rule = event_rule(view, event);
	struct json_object *object = json_object_new_object();
	char comm[sizeof(event->comm) + 1] = "";

	memcpy(comm, event->comm, sizeof(event->comm));
	set_answer(object, event);
	out_set_number(object, "pid", event->pid);
	out_set_number(object, "tid", event->tid);
	out_set_string(object, "comm", comm);
	out_set_number(object, "uid", event->uid);
	out_set_string(object, "user", event_user(view, event));
	out_set_number(object, "ruid", event->ruid);
	out_set_number(object, "gid", event->gid);
	out_set_number(object, "cgroup_id", event->cgroup);
	out_set_string(object, "cgroup", event_cgroup(view, event));
	out_set_number(object, "netns", event->netns);
	out_set_bool(object, "host_netns", event->flags & BC_EVENT_HOST);
	out_set_number(object, "generation", event->generation);
	if (event->rule == BC_RULE_NONE)
		out_set_string(object, "id", NULL);
	else
		out_set_id(object, "id", event->id);
	json_object_object_add(object, "rule", rule_json(view, rule));
	return object;
}
