// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/ending.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/util.h"

/* A watch that ended sooner than this gives no reason to begin the next one at once. */
#define SHORT_MS 1000
/* So many watches in a row that the server has a fault with, and it may be the version that it cannot take. */
#define FAULTS_MAX 3

void ending_note(struct reflector *r, enum reflector_level level, const char *format, ...)
{
	char text[512], line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->config.on_note(r->config.ctx, level, bc_printable(line, sizeof(line), text));
}

/*
 * Something is wrong, and the next request waits: by the backoff, and for at least so long. What has been said already is
 * not said again as loudly.
 */
__attribute__((format(printf, 3, 4))) static void fail(struct reflector *r, int64_t least_ms, const char *format, ...)
{
	int64_t wait = backoff_next(&r->backoff);
	char text[512], line[sizeof(r->stats.failure)];
	enum reflector_level level;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text[bc_utf8_cut(text, sizeof(line) - 1)] = '\0';
	bc_printable(line, sizeof(line), text);
	level = strcmp(line, r->stats.failure) ? REFLECT_WARNING : REFLECT_DEBUG;
	memcpy(r->stats.failure, line, sizeof(line));

	/* What the server asks for is the same for all nodes: each comes a little later, by chance. */
	if (least_ms > r->config.times.retry_most_ms)
		least_ms = r->config.times.retry_most_ms;
	if (wait < least_ms)
		wait = least_ms + backoff_between(&r->backoff, 0, r->backoff.first_ms);
	r->due_ms = r->now_ms() + wait;
	ending_note(r, level, "%s; trying again in %lld.%03lld s", line, (long long)wait / 1000,
		    (long long)wait % 1000);
}

/* All that is known is to be listed anew. Nothing is taken back before that list is complete. */
static void start_over(struct reflector *r)
{
	r->phase = LISTING;
	r->faults = 0;
	free(TAKE_PTR(r->next_page));
}

static const char *reason(const struct reply *reply)
{
	return *reply->message ? reply->message : "no reason given";
}

static int64_t server_wait(const struct reply *reply)
{
	if (reply->retry_after_s <= 0)
		return 0;
	return reply->retry_after_s < 86400 ? reply->retry_after_s * 1000 : 86400000;
}

/* The list's, or the watch's, place in time is no more. */
static void end_expired(struct reflector *r)
{
	bool paged = r->phase == LISTING && r->next_page;

	r->stats.expired++;
	start_over(r);
	if (paged && !r->all_at_once) {
		/* The pages took longer than the server remembers, and might do so again. */
		r->all_at_once = true;
		r->due_ms = r->now_ms();
		ending_note(r, REFLECT_INFO, "the list expired between two pages; listing anew, in one page");
		return;
	}
	fail(r, server_wait(&r->reply), "the API server has forgotten our version (410): %s", reason(&r->reply));
}

/* An answer other than 200. */
static void end_refused(struct reflector *r)
{
	struct reply *reply = &r->reply;
	unsigned status = reply->status;

	reply_read_complaint(reply);
	if (status == 410 || (status != 200 && reply->expired)) {
		end_expired(r);
		return;
	}
	/* A watch goes on later from where it was, unless that may be what is wrong. */
	if (status == 401 || status == 403 || status == 429 || status >= 500) {
		if (r->phase == WATCHING && status >= 500 && ++r->faults >= FAULTS_MAX)
			start_over(r);
	} else {
		start_over(r);
	}
	if (status == 401)
		fail(r, server_wait(reply), "the API server does not accept our credentials (401): %s", reason(reply));
	else if (status == 403)
		fail(r, server_wait(reply), "the API server forbids it (403): %s", reason(reply));
	else if (status == 404)
		fail(r, server_wait(reply), "the API server does not have %s (404): %s", r->config.path, reason(reply));
	else
		fail(r, server_wait(reply), "the API server answers %u: %s", status, reason(reply));
}

/* The feeding was stopped. */
static void end_stopped(struct reflector *r)
{
	struct reply *reply = &r->reply;

	if (reply->stop == REPLY_ERROR && reply->expired) {
		end_expired(r);
		return;
	}
	/* An overload passes; of any other fault we cannot know what we have missed. */
	if (reply->stop != REPLY_ERROR ||
	    !(reply->code == 429 || (reply->code >= 500 && reply->retry_after_s > 0 && ++r->faults < FAULTS_MAX)))
		start_over(r);
	if (reply->stop == REPLY_MEMORY)
		fail(r, 0, "out of memory");
	else if (reply->stop == REPLY_ERROR)
		fail(r, server_wait(reply), "the API server ended the watch with error %u: %s", reply->code,
		     reason(reply));
	else
		fail(r, 0, "the API server's reply makes no sense: %s", reason(reply));
}

static void end_page(struct reflector *r, enum http_result result, const char *sentence)
{
	struct reply *reply = &r->reply;

	if (!reply_whole(reply)) {
		r->stats.truncated += result != HTTP_STOPPED;
		fail(r, 0, "the list was cut short%s%s", *sentence ? ": " : "", sentence);
		return;
	}
	if (r->next_page && reply->next_page && !strcmp(r->next_page, reply->next_page)) {
		start_over(r);
		fail(r, 0, "the API server's list goes round in circles");
		return;
	}
	if (!r->next_page)
		memcpy(r->version, reply->version, sizeof(r->version)); /* the first page's: never too new */
	free(r->next_page);
	r->next_page = TAKE_PTR(reply->next_page);
	r->listed += reply->objects;
	r->due_ms = r->now_ms();
	if (r->next_page)
		return;

	r->phase = WATCHING;
	r->faults = 0;
	r->all_at_once = false;
	r->stats.lists++;
	r->stats.failure[0] = '\0';
	r->config.on_list_end(r->config.ctx);
	ending_note(r, REFLECT_INFO, "listed %zu objects", r->listed);
}

/* A watch that was well has ended: by its time-out, a restart of the server, a fault on the way; or was cut by us. */
static void end_watch(struct reflector *r, enum http_result result, const char *sentence)
{
	int64_t lasted = r->now_ms() - r->begun_ms;
	bool broke = result != HTTP_COMPLETE || !reply_whole(&r->reply);

	r->stats.truncated += broke && result != HTTP_STOPPED;
	r->faults = 0;
	r->due_ms = r->now_ms() + (lasted < SHORT_MS ? backoff_next(&r->backoff) : 0);
	ending_note(r, REFLECT_DEBUG, "the watch %s after %lld s%s%s", broke ? "broke off" : "ended",
		    (long long)lasted / 1000, *sentence ? ": " : "", sentence);
}

void ending(struct reflector *r, enum http_result result, const char *sentence)
{
	r->request = NULL;
	free(TAKE_PTR(r->target));
	if (r->phase == WATCHING && r->reply.status == 200 &&
	    r->now_ms() - r->begun_ms >= r->config.times.backoff_reset_ms)
		backoff_reset(&r->backoff);
	if (result == HTTP_UNREACHABLE || !r->reply.status) {
		r->stats.replies[0]++;
		r->stats.status = 0;
		fail(r, 0, "cannot reach the API server: %s", sentence);
	} else if (r->reply.status != 200) {
		end_refused(r);
	} else if (r->reply.stop) {
		end_stopped(r);
	} else if (r->phase == LISTING) {
		end_page(r, result, sentence);
	} else {
		end_watch(r, result, sentence);
	}
	reply_done(&r->reply);
}
