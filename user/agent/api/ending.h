/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of reflector.c: its state, and what follows from how a request ended: what is asked for next, and when. */
#ifndef BINDCTL_AGENT_ENDING_H
#define BINDCTL_AGENT_ENDING_H

#include "agent/api/backoff.h"
#include "agent/api/reflector.h"
#include "agent/api/reply.h"

enum phase {
	LISTING = 1,
	WATCHING,
};

struct reflector {
	struct reflector_config config;
	struct http *http;
	struct http_request *request;
	int64_t (*now_ms)(void);
	struct backoff backoff;
	struct reflector_stats stats;

	enum phase phase;
	int64_t due_ms;	   /* of the next request, while none is under way */
	char *next_page;   /* of the list; NULL: its first */
	bool all_at_once;  /* the list's pages have expired once: it is had in one */
	size_t listed;	   /* objects of the list so far */
	char version[128]; /* a list's, or what the watch goes on from */
	unsigned faults;   /* of watches, in a row */

	/* of the request under way */
	char *target;
	struct reply reply;
	int64_t begun_ms, heard_ms;
	unsigned watch_s;
};

/* A line for the owner's log. */
void ending_note(struct reflector *r, enum reflector_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The request under way is over: sets what comes next, and frees all that is the request's. */
void ending(struct reflector *r, enum http_result result, const char *sentence);

#endif
