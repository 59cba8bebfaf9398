// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "agent/agent.h"
#include "agent/clock.h"
#include "agent/leftover.h"
#include "host/privilege.h"
#include "kernel/probe.h"

#define WAIT_MAX 60000 /* ms */

/* From here on these two are read from a descriptor; the others that could end us do not. */
static int open_signals(int *ret_fd, struct bc_error *reterr)
{
	sigset_t set;

	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return bc_fail_errno(reterr, -errno, "cannot block signals");
	*ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*ret_fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot read signals");
	return 0;
}

static int open_cluster(const struct options *options, struct http **ret, struct bc_error *reterr)
{
	struct cluster cluster = {};
	int r;

	if (options->kubeconfig)
		r = config_kubeconfig(options->kubeconfig, options->context, &cluster, reterr);
	else
		r = config_in_cluster(getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT"),
				      CONFIG_ACCOUNT, &cluster, reterr);
	if (!r && curl_global_init(CURL_GLOBAL_DEFAULT))
		r = bc_fail(reterr, -ENOMEM, "libcurl cannot be initialised");
	if (!r)
		r = http_new(&cluster, ret, reterr);
	cluster_done(&cluster);
	return r;
}

/* Only what changing the policy takes is kept, and who only looks keeps no more. */
static int drop_privileges(const struct agent *agent, struct bc_error *reterr)
{
	const bool changes = !agent->options->dry_run;
	uint64_t keep = BC_CAPS_BPF;
	int r;

	if (bc_instance_takes_admin(&agent->enforcer.instance, changes))
		keep |= BC_CAP(CAP_SYS_ADMIN);
	r = bc_privilege_keep(keep, reterr);
	if (!r && changes)
		r = bc_probe_capabilities(reterr);
	return r;
}

static int open_agent(struct agent *agent, struct bc_error *reterr)
{
	static const unsigned drivers[] = {
		[OPTIONS_DRIVER_AUTO] = PODPATH_SYSTEMD | PODPATH_CGROUPFS,
		[OPTIONS_DRIVER_SYSTEMD] = PODPATH_SYSTEMD,
		[OPTIONS_DRIVER_CGROUPFS] = PODPATH_CGROUPFS,
	};
	const struct options *options = agent->options;
	struct enforcer_config config = {
		.instance = { .pins = options->pins ? options->pins : BC_PIN_DIR, .cgroup = options->cgroup },
		.store = options->config ? bc_store_at(options->config) : bc_store_system(),
		.file = options->file,
		.root = options->host_root,
	};
	int r;

	agent->intent = (struct intent_config){
		.node = options->node,
		.path = { .root = options->cgroup_root, .drivers = drivers[options->driver] },
	};
	r = podpath_check(&agent->intent.path, reterr);
	if (!r)
		r = open_signals(&agent->signals, reterr);
	config.instance.patience.stop_fd = agent->signals;
	if (!r)
		r = open_cluster(options, &agent->http, reterr);
	if (!r)
		r = enforcer_init(&agent->enforcer, &config, reterr);
	if (!r)
		r = drop_privileges(agent, reterr);
	if (!r && options->listen && !options->dry_run)
		r = serve_open(options->listen, agent_pages, agent, &agent->serve, reterr);
	if (!r && sources_init(&agent->sources, agent->http, options->node))
		r = bc_fail(reterr, -ENOMEM, "out of memory");
	return r;
}

static void close_agent(struct agent *agent)
{
	sources_done(&agent->sources);
	serve_free(agent->serve);
	enforcer_done(&agent->enforcer);
	http_free(agent->http);
	findings_done(&agent->findings);
	findings_done(&agent->complaints);
	findings_done(&agent->lost);
	astray_done(&agent->astray);
	bc_closep(&agent->signals);
	curl_global_cleanup();
}

/* Milliseconds until there is something to do, if nothing happens. */
static int until_next(const struct agent *agent)
{
	int64_t next = sources_next(&agent->sources), now = clock_ms();
	int served = agent->serve ? serve_timeout(agent->serve) : -1;

	if (agent->synced) {
		int64_t due = pace_due(&agent->pace), check = pace_check(&agent->pace);

		next = due < next ? due : next;
		next = check < next ? check : next;
	}
	if (served >= 0 && now + served < next)
		next = now + served;
	return next <= now ? 0 : next - now > WAIT_MAX ? WAIT_MAX : (int)(next - now);
}

/* Whether the agent was told to stop. */
static bool is_told_to_stop(const struct agent *agent)
{
	struct signalfd_siginfo info;

	if (read(agent->signals, &info, sizeof(info)) != sizeof(info))
		return false;
	log_event(LEVEL_INFO, "stopped", "signal", info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM", NULL);
	return true;
}

/* The first time that all is known: only now may anything be changed. */
static void begin_if_synced(struct agent *agent)
{
	char numbers[STATE_KINDS][24];

	if (agent->synced || !sources_synced(&agent->sources))
		return;
	agent->synced = true;
	/* How long it took until then says nothing about how fast events are enforced. */
	agent->pace = PACE_NONE;
	pace_event(&agent->pace, clock_ms());
	for (enum state_kind kind = 0; kind < STATE_KINDS; kind++)
		log_number(numbers[kind], state_count(agent->sources.state, kind));
	log_event(LEVEL_INFO, "synced", "pods", numbers[STATE_POD], "namespaces", numbers[STATE_NAMESPACE],
		  "bindpolicies", numbers[STATE_BIND_POLICY], "clusterbindpolicies", numbers[STATE_CLUSTER_POLICY],
		  NULL);
}

/* A pod that came and went before the list is in no event. */
static void find_leftovers(struct agent *agent)
{
	if (!agent->synced || !agent->sources.pods_listed)
		return;
	agent->sources.pods_listed = false;
	if (leftover_find(agent->sources.state, &agent->intent.path, agent->enforcer.instance.cgroup) == STATE_CHANGED)
		agent->sources.changed = true;
}

/* One turn of the loop. 0 or -errno with a sentence: then nothing is left that could go on. */
static int turn(struct agent *agent, struct bc_error *reterr)
{
	struct curl_waitfd extra[2] = { { .fd = agent->signals, .events = CURL_WAIT_POLLIN } };
	int r;

	if (agent->serve)
		extra[1] = (struct curl_waitfd){ .fd = serve_fd(agent->serve), .events = CURL_WAIT_POLLIN };
	r = http_wait(agent->http, extra, agent->serve ? 2 : 1, until_next(agent));
	if (!r)
		r = http_step(agent->http);
	if (r)
		return bc_fail_errno(reterr, r, "cannot wait for what happens");
	sources_step(&agent->sources, clock_ms());
	begin_if_synced(agent);
	find_leftovers(agent);
	if (agent->sources.changed)
		pace_event(&agent->pace, clock_ms());
	agent->sources.changed = false;
	if (agent->serve)
		serve_step(agent->serve);
	return 0;
}

static void apply_what_is_due(struct agent *agent)
{
	const int64_t now = clock_ms();

	if (!agent->synced)
		return;
	if (now >= pace_due(&agent->pace))
		agent_apply(agent);
	else if (now < pace_check(&agent->pace))
		return;
	else if (agent_forget(agent))
		pace_event(&agent->pace, now);
	else
		agent_check(agent);
}

static int loop(struct agent *agent)
{
	struct bc_error error;

	while (!is_told_to_stop(agent)) {
		if (turn(agent, &error)) {
			log_error(LEVEL_ERROR, "failed", &error);
			return EXIT_FAILED;
		}
		if (agent->synced && agent->options->dry_run)
			return agent_print(agent);
		apply_what_is_due(agent);
	}
	/* Of a dry run nothing was printed. */
	return agent->options->dry_run ? EXIT_FAILED : EXIT_DONE;
}

int agent_run(const struct options *options)
{
	struct agent agent = { .options = options, .signals = -1, .pace = PACE_NONE };
	struct bc_error error;
	int code = EXIT_FAILED;

	log_setup(options->log_format, options->log_level);
	agent.metrics.started_ms = clock_unix_ms();
	if (open_agent(&agent, &error)) {
		log_error(LEVEL_ERROR, "start-failed", &error);
	} else {
		log_event(LEVEL_INFO, "started", "version", BINDCTL_VERSION, "node", options->node, "server",
			  http_server(agent.http), "listen", agent.serve ? serve_address(agent.serve) : NULL, NULL);
		code = loop(&agent);
	}
	close_agent(&agent);
	return code;
}
