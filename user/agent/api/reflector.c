// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/ending.h"

#include <string.h>
#include "agent/api/target.h"
#include "base/util.h"

/* A reply that is no watch may take so many times the longest silence. */
#define SILENCES 5

static const struct http_sink sink = {
	.head = reflector_head,
	.data = reflector_data,
	.done = reflector_done,
};

static void set_default(int64_t *value, int64_t standard)
{
	if (!*value)
		*value = standard;
}

static void set_times(struct reflector_times *times)
{
	set_default(&times->backoff_first_ms, 800);
	set_default(&times->backoff_most_ms, 30000);
	set_default(&times->backoff_reset_ms, 120000);
	set_default(&times->retry_most_ms, 300000);
	set_default(&times->grace_ms, 30000);
	set_default(&times->silence_ms, 60000);
	if (!times->watch_least_s)
		times->watch_least_s = 290;
	if (!times->watch_most_s)
		times->watch_most_s = 580;
}

struct reflector *reflector_new(struct http *http, const struct reflector_config *config, int64_t (*now_ms)(void),
				uint32_t seed)
{
	struct reflector *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct reflector){ .config = *config, .http = http, .now_ms = now_ms, .phase = LISTING };
	set_times(&r->config.times);
	if (!r->config.page)
		r->config.page = 100;
	if (!r->config.most)
		r->config.most = 4u << 20;
	r->backoff = (struct backoff){ .first_ms = r->config.times.backoff_first_ms,
				       .most_ms = r->config.times.backoff_most_ms,
				       .seed = seed };
	r->due_ms = now_ms();
	return r;
}

void reflector_free(struct reflector *r)
{
	if (!r)
		return;
	http_cancel(r->request);
	reply_done(&r->reply);
	free(r->target);
	free(r->next_page);
	free(r);
}

static char *make_target(struct reflector *r)
{
	const struct reflector_config *config = &r->config;

	if (r->phase == LISTING)
		return target_list(config->path, config->field_selector, r->all_at_once ? 0 : config->page,
				   r->next_page);
	r->watch_s = (unsigned)backoff_between(&r->backoff, config->times.watch_least_s, config->times.watch_most_s);
	return target_watch(config->path, config->field_selector, r->version, r->watch_s);
}

static void ask(struct reflector *r)
{
	struct bc_error error = {};

	r->begun_ms = r->heard_ms = r->now_ms();
	r->target = make_target(r);
	if (!r->target || reply_begin(&r->reply, &r->config, &r->stats, r->phase == WATCHING)) {
		ending(r, HTTP_UNREACHABLE, "out of memory");
		return;
	}
	if (r->http && http_get(r->http, r->target, &sink, r, &r->request, &error))
		ending(r, HTTP_UNREACHABLE, error.text);
}

/* When the request under way is cut if nothing comes. */
static int64_t deadline(const struct reflector *r)
{
	int64_t silence = r->config.times.silence_ms;
	int64_t silent = r->heard_ms + silence, most = r->begun_ms + SILENCES * silence;

	if (r->phase == WATCHING && r->reply.status == 200)
		return r->begun_ms + r->watch_s * INT64_C(1000) + r->config.times.grace_ms;
	return silent < most ? silent : most;
}

void reflector_step(struct reflector *r, int64_t now_ms)
{
	if (r->target && now_ms >= deadline(r)) {
		http_cancel(r->request);
		r->stats.silent++;
		ending(r, HTTP_STOPPED, "it took too long");
	}
	if (!r->target && now_ms >= r->due_ms)
		ask(r);
}

int64_t reflector_next(const struct reflector *r)
{
	return r->target ? deadline(r) : r->due_ms;
}

bool reflector_synced(const struct reflector *r)
{
	return r->stats.lists > 0;
}

const struct reflector_stats *reflector_stats(const struct reflector *r)
{
	return &r->stats;
}

const char *reflector_target(const struct reflector *r)
{
	return r->target;
}

int reflector_head(void *reflector, unsigned status, int64_t retry_after_s)
{
	struct reflector *r = reflector;

	r->heard_ms = r->now_ms();
	r->reply.status = r->stats.status = status;
	r->reply.retry_after_s = retry_after_s;
	r->stats.replies[status / 100 < ARRAY_SIZE(r->stats.replies) ? status / 100 : 5]++;
	if (status != 200)
		return 0;
	r->stats.last_contact_ms = r->heard_ms;
	if (r->phase == WATCHING) {
		r->stats.watches++;
		if (*r->stats.failure)
			ending_note(r, REFLECT_INFO, "watching again");
		r->stats.failure[0] = '\0';
	} else if (!r->next_page) {
		r->listed = 0;
		r->config.on_list_begin(r->config.ctx);
	}
	return 0;
}

int reflector_data(void *reflector, const char *data, size_t len)
{
	struct reflector *r = reflector;
	int stopped;

	r->heard_ms = r->now_ms();
	stopped = reply_feed(&r->reply, data, len, r->heard_ms);
	if (r->phase == WATCHING && *r->reply.version && strcmp(r->reply.version, r->version)) {
		memcpy(r->version, r->reply.version, sizeof(r->version));
		r->faults = 0;
		backoff_reset(&r->backoff);
	}
	return stopped;
}

void reflector_done(void *reflector, enum http_result result, const char *sentence)
{
	ending(reflector, result, sentence);
}
