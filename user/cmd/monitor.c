// SPDX-License-Identifier: GPL-2.0-or-later
/* monitor: decisions as they are made, a line each. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/names.h"
#include "cmd/out.h"
#include "host/mounts.h"
#include "host/names.h"
#include "kernel/events.h"
#include "kernel/probe.h"
#include "pure/decompile.h"
#include "pure/moment.h"

/* One run of the command. */
struct watch {
	const struct bc_instance *instance;
	struct bc_policy policy; /* of that generation, for the rules' text and place */
	uint64_t generation;
	char *root;  /* where cgroup2 is mounted */
	int root_fd; /* of that */
	int64_t start;
	uint64_t count; /* events still to be printed; 0: no end */
	bool json;
};

static const char *kind_name(const struct bc_event *event)
{
	static const char *const verdicts[] = {
		[BC_DENY] = "deny", [BC_ALLOW] = "allow", [BC_REWRITE] = "rewrite", [BC_GRANT] = "grant"
	};

	if (event->kind == BC_EVENT_AUDIT)
		return "audit";
	return event->verdict < ARRAY_SIZE(verdicts) && verdicts[event->verdict] ? verdicts[event->verdict] : "none";
}

static const char *proto_name(const struct bc_event *event)
{
	return event->proto == BC_TCP ? "tcp" : event->proto == BC_UDP ? "udp" : "?";
}

/* The deciding rule, if the policy that it is from is still in force. */
static const struct bc_rule *find_rule(struct watch *watch, const struct bc_event *event)
{
	_cleanup_(bc_cells_done) struct bc_cells image = {};

	if (watch->generation != event->generation && !bc_instance_image(watch->instance, &image, NULL)) {
		bc_policy_done(&watch->policy);
		watch->generation = 0;
		if (!bc_decompile(&image, &watch->policy, NULL)) {
			watch->generation = image.cells[0].header.generation;
			add_names(&watch->policy);
		}
	}
	return watch->generation == event->generation && event->rule < watch->policy.n ?
		       &watch->policy.rules[event->rule] :
		       NULL;
}

/* 127.0.0.1:443, [::1]:443; an IPv4 address of an IPv6 socket in its mapped form. */
static void format_address(struct bc_text *text, const uint32_t addr[4], unsigned port, unsigned family)
{
	bool v4 = !addr[0] && !addr[1] && addr[2] == 0xffff, plain = v4 && family == 4;

	bc_text_addf(text, "%s%s", plain ? "" : "[", v4 && !plain ? "::ffff:" : "");
	bc_format_addr(text, addr, v4, 128);
	bc_text_addf(text, "%s:%u", plain ? "" : "]", port);
}

static void print_text(struct watch *watch, const struct bc_event *event, const char *cgroup)
{
	const struct bc_rule *rule = find_rule(watch, event);
	_cleanup_free_ char *user = bc_user_name(event->uid);
	_cleanup_(bc_text_done) struct bc_text line = {};
	time_t seconds = event->time / BC_SECOND;
	char clock[32] = "", comm[sizeof(event->comm) + 1] = "";
	struct tm tm;

	memcpy(comm, event->comm, sizeof(event->comm));
	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	bc_text_addf(&line, "%s.%03u %-7s ", clock, (unsigned)(event->time / 1000000 % 1000), kind_name(event));
	format_address(&line, event->addr, event->port, event->family);
	if (event->verdict == BC_REWRITE) {
		bc_text_addf(&line, " -> ");
		format_address(&line, event->to, event->to_port, event->family);
	}
	bc_text_addf(&line, "/%s%s by %s", proto_name(event), event->flags & BC_EVENT_CHOSEN ? " (chosen)" : "", comm);
	bc_text_addf(&line, "[%u] of ", event->pid);
	if (user)
		bc_text_addf(&line, "%s", user);
	else
		bc_text_addf(&line, "uid %u", event->uid);
	bc_text_addf(&line, " in %s: ", cgroup ?: "a cgroup that is gone");
	if (rule)
		bc_text_addf(&line, "%s:%u", bc_policy_source_of(&watch->policy, rule), rule->line);
	else
		bc_text_addf(&line, "rule %08x", event->id);
	if (line.failed)
		return;
	out_text(line.data);
	printf("\n");
}

static void set_address(struct json_object *object, const char *name, const uint32_t addr[4])
{
	_cleanup_(bc_text_done) struct bc_text text = {};

	bc_format_addr(&text, addr, !addr[0] && !addr[1] && addr[2] == 0xffff, 128);
	out_set_string(object, name, text.data);
}

static void print_json(struct watch *watch, const struct bc_event *event, const char *cgroup)
{
	const struct bc_rule *rule = find_rule(watch, event);
	struct json_object *object = json_object_new_object();
	_cleanup_(bc_text_done) struct bc_text time = {};
	_cleanup_free_ char *user = bc_user_name(event->uid);
	char id[9], comm[sizeof(event->comm) + 1] = "";

	memcpy(comm, event->comm, sizeof(event->comm));
	snprintf(id, sizeof(id), "%08x", event->id);
	bc_format_moment(&time, event->time);
	out_set_string(object, "time", time.data);
	out_set_string(object, "kind", kind_name(event));
	out_set_string(object, "errno",
		       event->kind == BC_EVENT_DENY || event->kind == BC_EVENT_AUDIT ? strerrorname_np(event->err) :
										       NULL);
	set_address(object, "addr", event->addr);
	out_set_number(object, "port", event->port);
	set_address(object, "to_addr", event->to);
	out_set_number(object, "to_port", event->to_port);
	out_set_bool(object, "chosen", event->flags & BC_EVENT_CHOSEN);
	out_set_string(object, "proto", proto_name(event));
	out_set_number(object, "family", event->family);
	out_set_number(object, "pid", event->pid);
	out_set_number(object, "tid", event->tid);
	out_set_string(object, "comm", comm);
	out_set_number(object, "uid", event->uid);
	out_set_string(object, "user", user);
	out_set_number(object, "ruid", event->ruid);
	out_set_number(object, "gid", event->gid);
	out_set_number(object, "cgroup_id", event->cgroup);
	out_set_string(object, "cgroup", cgroup);
	out_set_number(object, "netns", event->netns);
	out_set_number(object, "generation", event->generation);
	out_set_string(object, "id", id);
	json_object_object_add(object, "rule", rule ? out_rule(&watch->policy, rule) : NULL);
	out_document(object);
}

/* The cgroup as rules and /proc/PID/cgroup name it, malloc'ed; NULL when it is gone. */
static char *find_cgroup(const struct watch *watch, uint64_t id)
{
	_cleanup_free_ char *path = bc_cgroup_path(watch->root_fd, id);
	size_t len = strlen(watch->root);

	if (!path || strncmp(path, watch->root, len))
		return TAKE_PTR(path);
	return strdup(path[len] ? path + len : "/");
}

static int print_event(void *ctx, const struct bc_event *event)
{
	struct watch *watch = ctx;
	_cleanup_free_ char *cgroup = NULL;

	/* The ring still holds what happened before anybody looked. */
	if ((int64_t)event->time < watch->start)
		return 0;
	cgroup = find_cgroup(watch, event->cgroup);
	if (watch->json)
		print_json(watch, event, cgroup);
	else
		print_text(watch, event, cgroup);
	if (fflush(stdout) || ferror(stdout))
		return -EPIPE;
	return watch->count && !--watch->count;
}

#define RATE 10000
#define LOOK_MS 1000 /* between two looks at whether there is still something to be seen */

/*
 * Until the count is reached (1), the time is over or a signal asks for the end (0); -EPIPE when nobody reads,
 * -ENOLINK when the programs that wrote the events were unloaded.
 */
static int follow(struct watch *watch, struct bc_events *events, int signal_fd, int64_t end)
{
	for (;;) {
		struct pollfd fds[] = { { bc_events_fd(events), POLLIN, 0 },
					{ signal_fd, POLLIN, 0 },
					{ STDOUT_FILENO, 0, 0 } };
		int64_t left = end ? (end - now()) / 1000000 + 1 : LOOK_MS;
		int r = bc_events_read(events, print_event, watch);

		if (r)
			return r;
		if (end && now() >= end)
			return 0;
		r = poll(fds, ARRAY_SIZE(fds), left < LOOK_MS ? left : LOOK_MS);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			return 0;
		if (fds[2].revents & POLLERR)
			return -EPIPE;
		if (!r && !bc_events_live(events))
			return -ENOLINK;
	}
}

static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_BLOCK, &signals, NULL) ? -1 : signalfd(-1, &signals, SFD_CLOEXEC);
}

static int monitor(struct watch *watch, int64_t duration)
{
	_cleanup_(bc_events_close) struct bc_events *events = NULL;
	_cleanup_close_ int root_fd = -1, signal_fd = -1;
	_cleanup_free_ char *root = NULL;
	const struct bc_wanted wanted = { .rate = RATE, .ring_bytes = BC_RING_BYTES };
	struct bc_losses losses;
	struct bc_error error;
	int r = bc_probe_capabilities(&error);

	if (!r)
		r = bc_find_cgroup2(&root, &error) ?: bc_open_cgroup(root, &root_fd, &error);
	if (!r)
		r = bc_events_open(watch->instance->pins, &wanted, &events, &error);
	if (r)
		return failed(&error);
	watch->root = root;
	watch->root_fd = root_fd;
	watch->start = now();
	signal_fd = open_signals();
	r = follow(watch, events, signal_fd, duration ? watch->start + duration : 0);
	bc_policy_done(&watch->policy);
	if (!bc_events_losses(events, &losses, &error) && losses.lost)
		say("%" PRIu64 " events were lost: they came faster than they were read", losses.lost);
	if (r == -EPIPE)
		return EXIT_DONE;
	if (r == -ENOLINK) {
		bc_fail(&error, r, "bindctl was unloaded: nothing is reported any more");
		return failed(&error);
	}
	if (r < 0) {
		bc_fail_errno(&error, r, "cannot read the events");
		return failed(&error);
	}
	return finish_output(EXIT_DONE);
}

int run_monitor(const struct app *app, const struct command *command, int argc, char **argv)
{
	const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "count", required_argument, NULL, 'c' },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct watch watch = { .instance = &app->instance };
	int64_t duration = 0;
	char text[256];
	int option, code;

	while ((option = next_option(command, argc, argv, table, &code)) != -1) {
		if (option == '?')
			return code;
		watch.json |= option == 'j';
		if (option == 'c' && bc_parse_number(optarg, strlen(optarg), 1, INT64_MAX, &watch.count))
			return usage_error(command, "monitor: --count: '%s' is not a number from 1 on", optarg);
		if (option == 't' && bc_parse_duration(optarg, strlen(optarg), &duration, text, sizeof(text)))
			return usage_error(command, "monitor: --timeout: %s", text);
	}
	if (optind < argc)
		return usage_error(command, "monitor: unexpected '%s'", argv[optind]);
	return monitor(&watch, duration);
}
