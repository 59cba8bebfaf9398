// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * watcher SERVER-URL|--kubeconfig FILE|--in-cluster DIR RESOURCE-PATH [options]: one reflector of the agent's by itself; what it
 * tells its owner, a line each, on standard output, until it is killed. For the tests of its faults.
 *
 * --in-cluster DIR is the pod's way: DIR has token and ca.crt, the environment KUBERNETES_SERVICE_HOST and _PORT.
 */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "agent/config.h"
#include "agent/http.h"
#include "agent/reflector.h"
#include "base/util.h"

enum option_id {
	KUBECONFIG = 256,
	CONTEXT,
	IN_CLUSTER,
	CA,
	TOKEN_FILE,
	FIELDS,
	PAGE,
	MOST,
	BACKOFF,
	BACKOFF_MOST,
	BACKOFF_RESET,
	RETRY_MOST,
	WATCH,
	GRACE,
	SILENCE,
	SEED,
	SECONDS,
	STATS,
};

static const struct option options[] = {
	{ "kubeconfig", required_argument, NULL, KUBECONFIG },
	{ "context", required_argument, NULL, CONTEXT },
	{ "in-cluster", required_argument, NULL, IN_CLUSTER },
	{ "ca", required_argument, NULL, CA },
	{ "token-file", required_argument, NULL, TOKEN_FILE },
	{ "fields", required_argument, NULL, FIELDS },
	{ "page", required_argument, NULL, PAGE },
	{ "most", required_argument, NULL, MOST },
	{ "backoff-ms", required_argument, NULL, BACKOFF },
	{ "backoff-most-ms", required_argument, NULL, BACKOFF_MOST },
	{ "backoff-reset-ms", required_argument, NULL, BACKOFF_RESET },
	{ "retry-most-ms", required_argument, NULL, RETRY_MOST },
	{ "watch-s", required_argument, NULL, WATCH },
	{ "grace-ms", required_argument, NULL, GRACE },
	{ "idle-ms", required_argument, NULL, SILENCE },
	{ "seed", required_argument, NULL, SEED },
	{ "seconds", required_argument, NULL, SECONDS },
	{ "stats", no_argument, NULL, STATS },
	{},
};

static const char usage[] =
	"usage: watcher URL|--kubeconfig FILE [--context NAME]|--in-cluster DIR RESOURCE-PATH [options]\n"
	"  --ca FILE, --token-file FILE  with a URL\n"
	"  --fields SELECTOR             such as spec.nodeName=n1\n"
	"  --page N                      objects of a list's page\n"
	"  --most N                      bytes of an object's JSON\n"
	"  --backoff-ms N, --backoff-most-ms N, --backoff-reset-ms N, --retry-most-ms N\n"
	"  --watch-s N                   how long a watch is asked for\n"
	"  --grace-ms N                  how much longer it may last\n"
	"  --idle-ms N                   how long any other reply may be silent\n"
	"  --seed N\n"
	"  --seconds N                   stop after so long\n"
	"  --stats                       print the counts then, and at each SYNCED\n"
	"lines: LIST-BEGIN, SET [NS/]NAME VERSION, GONE [NS/]NAME, UNREADABLE [NS/]NAME: WHY, LIST-END, SYNCED,\n"
	"  NOTE info|warning|debug: TEXT, STATS NAME=N...\n";

struct watcher {
	struct reflector *reflector;
	bool stats;
	struct cluster cluster;
	struct reflector_config config;
	uint32_t seed;
	int64_t until_ms;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void print_stats(const struct reflector *reflector)
{
	const struct reflector_stats *s = reflector_stats(reflector);

#define N(name) (unsigned long long)s->name
	printf("STATS requests=%llu none=%llu 1xx=%llu 2xx=%llu 3xx=%llu 4xx=%llu 5xx=%llu lists=%llu watches=%llu "
	       "set=%llu gone=%llu bookmarks=%llu unreadable=%llu expired=%llu truncated=%llu silent=%llu "
	       "failures=%llu status=%u failure=%s\n",
	       N(requests), N(replies[0]), N(replies[1]), N(replies[2]), N(replies[3]), N(replies[4]), N(replies[5]),
	       N(lists), N(watches), N(set), N(gone), N(bookmarks), N(unreadable), N(expired), N(truncated), N(silent),
	       N(failures), s->status, s->failure);
#undef N
}

static const char *text_of(struct json_object *metadata, const char *name)
{
	struct json_object *found = NULL;

	return json_object_object_get_ex(metadata, name, &found) ? json_object_get_string(found) : "";
}

static void on_list_begin(void *ctx)
{
	(void)ctx;
	puts("LIST-BEGIN");
}

static int on_object(void *ctx, struct json_object *object, bool gone)
{
	struct json_object *metadata = NULL;
	const char *namespace;

	(void)ctx;
	json_object_object_get_ex(object, "metadata", &metadata);
	namespace = text_of(metadata, "namespace");
	printf("%s %s%s%s", gone ? "GONE" : "SET", namespace, *namespace ? "/" : "", text_of(metadata, "name"));
	if (!gone)
		printf(" %s", text_of(metadata, "resourceVersion"));
	putchar('\n');
	return 0;
}

static void on_unreadable(void *ctx, const char *namespace, const char *name, const char *why)
{
	(void)ctx;
	printf("UNREADABLE %s%s%s: %s\n", namespace, *namespace ? "/" : "", *name ? name : "?", why);
}

static void on_list_end(void *ctx)
{
	const struct watcher *watcher = ctx;

	puts("LIST-END");
	puts("SYNCED");
	if (watcher->stats)
		print_stats(watcher->reflector);
}

static void on_note(void *ctx, enum reflector_level level, const char *text)
{
	(void)ctx;
	printf("NOTE %s: %s\n", level == REFLECT_WARNING ? "warning" : level == REFLECT_INFO ? "info" : "debug", text);
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
	case WATCH:
		times->watch_least_s = times->watch_most_s = (unsigned)n;
		break;
	case GRACE:
		times->grace_ms = n;
		break;
	case SILENCE:
		times->silence_ms = n;
		break;
	case SECONDS:
		watcher->until_ms = now_ms() + n * 1000;
		break;
	default:
		watcher->seed = (uint32_t)n;
		break;
	}
}

/* The cluster's, and the resource's path. */
static void read_options(struct watcher *watcher, int argc, char **argv)
{
	const char *kubeconfig = NULL, *context = NULL, *in_cluster = NULL, *ca = NULL, *token_file = NULL;
	struct bc_error error = {};
	int id, r;

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
		else if (id == STATS)
			watcher->stats = true;
		else if (id == '?')
			exit(2);
		else
			set_number(watcher, id, number(optarg));
	}
	if (argc - optind != (kubeconfig || in_cluster ? 1 : 2)) {
		fputs(usage, stderr);
		exit(2);
	}
	if (kubeconfig)
		r = config_kubeconfig(kubeconfig, context, &watcher->cluster, &error);
	else if (in_cluster)
		r = config_in_cluster(getenv("KUBERNETES_SERVICE_HOST"), getenv("KUBERNETES_SERVICE_PORT"), in_cluster,
				      &watcher->cluster, &error);
	else
		r = config_server(argv[optind++], &watcher->cluster, &error);
	if (r) {
		fprintf(stderr, "watcher: %s%s%s\n", error.source, *error.source ? ": " : "", error.text);
		exit(1);
	}
	if (ca)
		watcher->cluster.ca_file = strdup(ca);
	if (token_file)
		watcher->cluster.token_file = strdup(token_file);
	watcher->config.path = argv[optind];
	watcher->config.resource = strrchr(argv[optind], '/') ? strrchr(argv[optind], '/') + 1 : argv[optind];
}

static void watch(struct watcher *watcher, struct http *http)
{
	for (;;) {
		int64_t now = now_ms(), next;

		reflector_step(watcher->reflector, now);
		next = reflector_next(watcher->reflector);
		if (watcher->until_ms && now >= watcher->until_ms)
			return;
		if (watcher->until_ms && next > watcher->until_ms)
			next = watcher->until_ms;
		if (http_wait(http, NULL, 0, next > now ? (int)(next - now) : 0) || http_step(http)) {
			fputs("watcher: libcurl fails\n", stderr);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	struct watcher watcher = {
		.seed = 1,
		.config = { .on_list_begin = on_list_begin,
			    .on_object = on_object,
			    .on_unreadable = on_unreadable,
			    .on_list_end = on_list_end,
			    .on_note = on_note },
	};
	struct bc_error error = {};
	struct http *http = NULL;

	watcher.config.ctx = &watcher;
	setvbuf(stdout, NULL, _IOLBF, 0);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	read_options(&watcher, argc, argv);
	if (http_new(&watcher.cluster, &http, &error)) {
		fprintf(stderr, "watcher: %s\n", error.text);
		return 1;
	}
	watcher.reflector = reflector_new(http, &watcher.config, now_ms, watcher.seed);
	if (!watcher.reflector)
		return 1;
	watch(&watcher, http);
	if (watcher.stats)
		print_stats(watcher.reflector);
	reflector_free(watcher.reflector);
	http_free(http);
	cluster_done(&watcher.cluster);
	curl_global_cleanup();
	return 0;
}
