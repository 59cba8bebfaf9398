// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * watcher SERVER-URL|--kubeconfig FILE|--in-cluster DIR RESOURCE-PATH... [options]: the agent's reflectors by
 * themselves; what they tell their owner, a line each, on standard output, until SIGTERM. For the tests of its faults.
 *
 * --in-cluster DIR is the pod's way: DIR has token and ca.crt, the environment KUBERNETES_SERVICE_HOST and _PORT.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include "agent/api/config.h"
#include "agent/api/http.h"
#include "agent/api/reflector.h"
#include "base/util.h"
#include "lines.h"

enum option_id {
	KUBECONFIG = 256,
	CONTEXT,
	IN_CLUSTER,
	CA,
	TOKEN_FILE,
	FIELDS,
	KEEP,
	PAGE,
	MOST,
	BACKOFF,
	BACKOFF_MOST,
	BACKOFF_RESET,
	RETRY_MOST,
	WATCH_LEAST,
	WATCH_MOST,
	GRACE,
	SILENCE,
	SEED,
	STATS,
};

static const struct option options[] = {
	{ "kubeconfig", required_argument, NULL, KUBECONFIG },
	{ "context", required_argument, NULL, CONTEXT },
	{ "in-cluster", required_argument, NULL, IN_CLUSTER },
	{ "ca", required_argument, NULL, CA },
	{ "token-file", required_argument, NULL, TOKEN_FILE },
	{ "fields", required_argument, NULL, FIELDS },
	{ "keep", required_argument, NULL, KEEP },
	{ "page", required_argument, NULL, PAGE },
	{ "most", required_argument, NULL, MOST },
	{ "backoff-ms", required_argument, NULL, BACKOFF },
	{ "backoff-most-ms", required_argument, NULL, BACKOFF_MOST },
	{ "backoff-reset-ms", required_argument, NULL, BACKOFF_RESET },
	{ "retry-most-ms", required_argument, NULL, RETRY_MOST },
	{ "watch-least-s", required_argument, NULL, WATCH_LEAST },
	{ "watch-most-s", required_argument, NULL, WATCH_MOST },
	{ "grace-ms", required_argument, NULL, GRACE },
	{ "idle-ms", required_argument, NULL, SILENCE },
	{ "seed", required_argument, NULL, SEED },
	{ "stats", no_argument, NULL, STATS },
	{},
};

static const char usage[] =
	"usage: watcher URL|--kubeconfig FILE [--context NAME]|--in-cluster DIR RESOURCE-PATH... [options]\n"
	"  --ca FILE, --token-file FILE  with a URL\n"
	"  --fields SELECTOR             such as spec.nodeName=n1\n"
	"  --keep PATH, again and again   what is wanted of an object, such as metadata.labels; all by default\n"
	"  --page N                      objects of a list's page\n"
	"  --most N                      bytes of an object's JSON\n"
	"  --backoff-ms N, --backoff-most-ms N, --backoff-reset-ms N, --retry-most-ms N\n"
	"  --watch-least-s N, --watch-most-s N  how long a watch is asked for\n"
	"  --grace-ms N                  how much longer it may last\n"
	"  --idle-ms N                   how long any other reply may be silent\n"
	"  --seed N\n"
	"  --stats                       print the counts then, and at each SYNCED\n"
	"lines, behind the resource's name: LIST-BEGIN, SET [NS/]NAME VERSION, GONE [NS/]NAME, UNREADABLE [NS/]NAME: "
	"WHY,\n"
	"  LIST-END, SYNCED, NOTE info|warning|debug: TEXT, STATS NAME=N...; what could be mistaken in a name is "
	"\\xHH\n";

#define RESOURCES 8
#define KEPT 8

struct watcher {
	struct resource resources[RESOURCES];
	size_t n;
	bool stats;
	const char *keep[KEPT + 1];
	size_t kept;
	struct cluster cluster;
	struct reflector_config config; /* of each, but for its path and name */
	uint32_t seed;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int64_t number(const char *text)
{
	uint64_t n = 0;

	if (bc_parse_number(text, strlen(text), 0, 1000000000, &n)) {
		fprintf(stderr, "watcher: '%s' is no number\n", text);
		exit(2);
	}
	return (int64_t)n;
}

/* An option that is a number. */
static void set_number(struct watcher *watcher, int id, int64_t n)
{
	struct reflector_times *times = &watcher->config.times;

	switch (id) {
	case PAGE:
		watcher->config.page = (unsigned)n;
		break;
	case MOST:
		watcher->config.most = (size_t)n;
		break;
	case BACKOFF:
		times->backoff_first_ms = n;
		break;
	case BACKOFF_MOST:
		times->backoff_most_ms = n;
		break;
	case BACKOFF_RESET:
		times->backoff_reset_ms = n;
		break;
	case RETRY_MOST:
		times->retry_most_ms = n;
		break;
	case WATCH_LEAST:
		times->watch_least_s = (unsigned)n;
		break;
	case WATCH_MOST:
		times->watch_most_s = (unsigned)n;
		break;
	case GRACE:
		times->grace_ms = n;
		break;
	case SILENCE:
		times->silence_ms = n;
		break;
	default:
		watcher->seed = (uint32_t)n;
		break;
	}
}

/* The cluster, and what is the same for all resources. Returns where the paths begin. */
static int read_options(struct watcher *watcher, int argc, char **argv)
{
	const char *kubeconfig = NULL, *context = NULL, *in_cluster = NULL, *ca = NULL, *token_file = NULL;
	struct bc_error error = {};
	int id, r = 0;

	while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (id == KUBECONFIG)
			kubeconfig = optarg;
		else if (id == CONTEXT)
			context = optarg;
		else if (id == IN_CLUSTER)
			in_cluster = optarg;
		else if (id == CA)
			ca = optarg;
		else if (id == TOKEN_FILE)
			token_file = optarg;
		else if (id == FIELDS)
			watcher->config.field_selector = optarg;
		else if (id == KEEP && watcher->kept < KEPT)
			watcher->keep[watcher->kept++] = optarg;
		else if (id == STATS)
			watcher->stats = true;
		else if (id == '?' || id == KEEP)
			exit(2);
		else
			set_number(watcher, id, number(optarg));
	}
	if (argc - optind < (kubeconfig || in_cluster ? 1 : 2)) {
		fputs(usage, stderr);
		exit(2);
	}
	if (kubeconfig)
		r = config_kubeconfig(kubeconfig, context, &watcher->cluster, &error);
	else if (in_cluster)
		r = config_in_cluster(getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT"), in_cluster,
				      &watcher->cluster, &error);
	else
		watcher->cluster.server = strdup(argv[optind++]);
	if (r) {
		fprintf(stderr, "watcher: %s%s%s\n", error.source, *error.source ? ": " : "", error.text);
		exit(1);
	}
	if (ca)
		watcher->cluster.ca_file = strdup(ca);
	if (token_file)
		watcher->cluster.token_file = strdup(token_file);
	return optind;
}

/* Each has a seed of its own. */
static int add_resource(struct watcher *watcher, struct http *http, const char *path)
{
	struct resource *resource = &watcher->resources[watcher->n];
	struct reflector_config config = watcher->config;

	if (watcher->n == RESOURCES)
		return -E2BIG;
	resource->name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	resource->stats = watcher->stats;
	config.path = path;
	if (watcher->kept)
		config.keep = watcher->keep;
	lines_set(resource, &config);
	resource->reflector = reflector_new(http, &config, now_ms, watcher->seed + (uint32_t)watcher->n);
	if (!resource->reflector)
		return -ENOMEM;
	watcher->n++;
	return 0;
}

/* Does what is due. Returns for how long nothing else will be. */
static int step(struct watcher *watcher)
{
	int64_t now = now_ms(), next = INT64_MAX;

	for (size_t i = 0; i < watcher->n; i++) {
		struct reflector *reflector = watcher->resources[i].reflector;

		reflector_step(reflector, now);
		if (reflector_next(reflector) < next)
			next = reflector_next(reflector);
	}
	return next <= now ? 0 : next - now < INT_MAX ? (int)(next - now) : INT_MAX;
}

/* Until SIGTERM. */
static int watch(struct watcher *watcher, struct http *http)
{
	struct curl_waitfd stop = { .events = CURL_WAIT_POLLIN };
	sigset_t set;
	int r = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	stop.fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (stop.fd < 0)
		return -errno;
	while (!r && !stop.revents) {
		r = http_wait(http, &stop, 1, step(watcher));
		if (!r)
			r = http_step(http);
	}
	close(stop.fd);
	return r;
}

int main(int argc, char **argv)
{
	struct watcher watcher = { .seed = 1 };
	struct bc_error error = {};
	struct http *http = NULL;
	int first, r;

	setvbuf(stdout, NULL, _IOLBF, 0);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	first = read_options(&watcher, argc, argv);
	r = http_new(&watcher.cluster, &http, &error);
	for (int i = first; !r && i < argc; i++)
		r = add_resource(&watcher, http, argv[i]);
	if (!r)
		r = watch(&watcher, http);
	if (r)
		fprintf(stderr, "watcher: %s\n", *error.text ? error.text : strerror(-r));
	for (size_t i = 0; i < watcher.n; i++) {
		if (watcher.stats)
			lines_stats(&watcher.resources[i]);
		reflector_free(watcher.resources[i].reflector);
	}
	http_free(http);
	cluster_done(&watcher.cluster);
	curl_global_cleanup();
	return r ? 1 : 0;
}
