// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "agent/clock.h"
#include "agent/log.h"
#include "agent/intent/object.h"
#include "agent/sources.h"

static void note_change(struct source *source, int change)
{
	if (change == STATE_CHANGED)
		source->all->changed = true;
}

static void on_list_begin(void *ctx)
{
	const struct source *source = ctx;

	state_begin_list(source->all->state, source->kind);
}

static int on_object(void *ctx, struct json_object *object, bool gone)
{
	struct source *source = ctx;
	int r = gone ? state_remove(source->all->state, source->kind, object) :
		       state_set(source->all->state, source->kind, object);

	note_change(source, r);
	return r < 0 ? r : 0;
}

/* A finding will say it; for lack of memory to name the object, it is one of those without a name. */
static void on_unreadable(void *ctx, const char *namespace, const char *name, const char *uid, const char *why)
{
	struct source *source = ctx;
	int r = state_unreadable(source->all->state, source->kind, namespace, name, uid, why);

	note_change(source, r < 0 ? state_lost(source->all->state, source->kind) : r);
}

static void on_list_end(void *ctx)
{
	struct source *source = ctx;

	note_change(source, state_end_list(source->all->state, source->kind));
	if (source->kind == STATE_POD)
		source->all->pods_listed = true;
}

static void on_note(void *ctx, enum reflector_level level, const char *text)
{
	const struct source *source = ctx;
	const enum log_level as = level == REFLECT_WARNING ? LEVEL_WARNING :
				  level == REFLECT_INFO	   ? LEVEL_INFO :
							     LEVEL_DEBUG;

	log_repeating(as, "watch", "resource", source->name, "text", text, NULL);
}

/* So that a thousand agents that were started at once do not do everything at once. */
static uint32_t seed(void)
{
	uint32_t number;

	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		number = clock_unix_ms() ^ (uint32_t)getpid() << 16;
	return number;
}

#define ANNOTATION(name) ("metadata.annotations." name)

/* What the parsers of object.h read; the rest, most of a pod, need not even be taken apart. */
static const char *const keep_pod[] = { "metadata.uid",
					"metadata.labels",
					"metadata.ownerReferences",
					ANNOTATION(OBJECT_PORTS),
					ANNOTATION(OBJECT_MIRROR),
					"spec.nodeName",
					"spec.hostNetwork",
					"spec.hostUsers",
					"status.phase",
					"status.containerStatuses",
					"status.initContainerStatuses",
					"status.ephemeralContainerStatuses",
					"status.qosClass",
					NULL };
static const char *const keep_namespace[] = { "metadata.labels", NULL };
static const char *const keep_policy[] = { "spec", NULL };

static const struct {
	const char *name, *path;
	const char *const *keep;
} resources[STATE_KINDS] = {
	[STATE_POD] = { "pods", "/api/v1/pods", keep_pod },
	[STATE_NAMESPACE] = { "namespaces", "/api/v1/namespaces", keep_namespace },
	[STATE_BIND_POLICY] = { "bindpolicies", "/apis/bindctl.io/v1alpha1/bindpolicies", keep_policy },
	[STATE_CLUSTER_POLICY] = { "clusterbindpolicies", "/apis/bindctl.io/v1alpha1/clusterbindpolicies",
				   keep_policy },
};

int sources_init(struct sources *ret, struct http *http, const char *node)
{
	*ret = (struct sources){ .state = state_new() };
	if (!ret->state)
		return -ENOMEM;
	if (asprintf(&ret->selector, "spec.nodeName=%s", node) < 0) {
		ret->selector = NULL;
		return -ENOMEM;
	}
	for (enum state_kind kind = 0; kind < STATE_KINDS; kind++) {
		struct source *source = &ret->items[kind];
		const struct reflector_config config = {
			.path = resources[kind].path,
			.keep = resources[kind].keep,
			.field_selector = kind == STATE_POD ? ret->selector : NULL,
			.ctx = source,
			.on_list_begin = on_list_begin,
			.on_object = on_object,
			.on_unreadable = on_unreadable,
			.on_list_end = on_list_end,
			.on_note = on_note,
		};

		*source = (struct source){ .all = ret, .kind = kind, .name = resources[kind].name };
		source->reflector = reflector_new(http, &config, clock_ms, seed());
		if (!source->reflector)
			return -ENOMEM;
	}
	return 0;
}

void sources_done(struct sources *sources)
{
	for (enum state_kind kind = 0; kind < STATE_KINDS; kind++)
		reflector_free(sources->items[kind].reflector);
	state_free(sources->state);
	free(sources->selector);
	*sources = (struct sources){};
}

void sources_step(struct sources *sources, int64_t now)
{
	for (enum state_kind kind = 0; kind < STATE_KINDS; kind++)
		reflector_step(sources->items[kind].reflector, now);
}

int64_t sources_next(const struct sources *sources)
{
	int64_t next = INT64_MAX;

	for (enum state_kind kind = 0; kind < STATE_KINDS; kind++) {
		int64_t wanted = reflector_next(sources->items[kind].reflector);

		next = wanted < next ? wanted : next;
	}
	return next;
}

bool sources_synced(const struct sources *sources)
{
	for (enum state_kind kind = 0; kind < STATE_KINDS; kind++)
		if (!reflector_synced(sources->items[kind].reflector))
			return false;
	return true;
}

bool sources_watching(const struct sources *sources, enum state_kind kind)
{
	const struct reflector *reflector = sources->items[kind].reflector;

	return reflector_synced(reflector) && !*reflector_stats(reflector)->failure;
}

void sources_reasons(const struct sources *sources, struct bc_text *to)
{
	for (enum state_kind kind = 0; kind < STATE_KINDS; kind++) {
		const struct source *source = &sources->items[kind];
		const struct reflector_stats *stats = reflector_stats(source->reflector);

		if (reflector_synced(source->reflector))
			continue;
		bc_text_addf(to, "%s: not known yet", source->name);
		if (stats->status == 404 && kind >= STATE_BIND_POLICY)
			bc_text_addf(to, ": bindctl.io/v1alpha1 is not installed");
		else if (*stats->failure)
			bc_text_addf(to, ": %s", stats->failure);
		bc_text_addf(to, "\n");
	}
}

/* A time of the clock that waits, as one that others know. */
static int64_t unix_of(int64_t ms)
{
	return ms ? clock_unix_ms() - clock_ms() + ms : 0;
}

void sources_metrics(const struct sources *sources, struct metrics_resource to[METRICS_RESOURCES])
{
	for (enum state_kind kind = 0; kind < STATE_KINDS; kind++) {
		const struct source *source = &sources->items[kind];
		const struct reflector_stats *stats = reflector_stats(source->reflector);

		to[kind] = (struct metrics_resource){
			.name = source->name,
			.lists = stats->lists,
			.watches = stats->watches,
			.set = stats->set,
			.gone = stats->gone,
			.bookmarks = stats->bookmarks,
			.expired = stats->expired,
			.truncated = stats->truncated,
			.silent = stats->silent,
			.event_ms = unix_of(stats->last_event_ms),
			.bookmark_ms = unix_of(stats->last_bookmark_ms),
			.contact_ms = unix_of(stats->last_contact_ms),
			.objects = state_count(sources->state, kind),
			.synced = reflector_synced(source->reflector),
			.watching = sources_watching(sources, kind),
		};
		memcpy(to[kind].answers, stats->replies, sizeof(to[kind].answers));
	}
}

_Static_assert(METRICS_RESOURCES == STATE_KINDS, "one for each kind");
