/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps its owner told of all objects of one resource: lists them page by page, then watches from there, and so on after
 * every fault, for as long as it lives. It never gives up and never says that an object is gone unless the server did,
 * or a list that was complete: while the server is away the owner's last knowledge stays.
 *
 * Of an object nothing is kept. Memory is bounded: the text of one object, of at most 4 MiB, and the tree of the part of it
 * that is wanted; or 4 KiB of an error's text.
 *
 * The owner's loop:
 *
 *     http_wait(http, extra, n, the least reflector_next() of all, less now);
 *     http_step(http);
 *     for each reflector: reflector_step(r, now);
 */
#ifndef BINDCTL_AGENT_REFLECTOR_H
#define BINDCTL_AGENT_REFLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/api/http.h"

struct json_object;

enum reflector_level {
	REFLECT_DEBUG = 1, /* a watch has ended and begins anew */
	REFLECT_INFO,	   /* a list was complete; the server is back */
	REFLECT_WARNING,   /* something failed and will be tried again */
};

/* Milliseconds where the name does not say seconds; 0: the default, in brackets. */
struct reflector_times {
	int64_t backoff_first_ms; /* [800] */
	int64_t backoff_most_ms;  /* [30,000] */
	int64_t backoff_reset_ms; /* a watch that was well for so long takes back what came before [120,000] */
	int64_t retry_most_ms;	  /* a server's Retry-After counts for at most this [300,000] */
	unsigned watch_least_s;	  /* how long the server is asked to keep a watch: from this [290] */
	unsigned watch_most_s;	  /* to this, by chance [580] */
	int64_t grace_ms;	  /* a watch that lasts longer than it was asked to, by this, is cut [30,000] */
	int64_t silence_ms;	  /* any other reply, and a watch's first line, may be silent for so long [60,000] */
};

struct reflector_config {
	const char *path;	    /* "/api/v1/pods" */
	const char *field_selector; /* "spec.nodeName=n1", not escaped; NULL: all objects */
	unsigned page;		    /* objects that a list's request asks for; 0: 100 */
	size_t most;		    /* bytes of an object's JSON; 0: 4 MiB */
	/*
	 * What is wanted of an object: paths of members such as "metadata.labels", "spec.nodeName", or "spec" with all that
	 * is in it, NULL behind the last. Its name, namespace and resourceVersion are there in any case; all else is not.
	 * NULL: all of it. Without the rest, or by itself, it may have 512 KiB.
	 */
	const char *const *keep;
	struct reflector_times times;
	void *ctx;

	/* A list begins: what is not seen from here to on_list_end does not exist. It may begin anew before it has ended. */
	void (*on_list_begin)(void *ctx);
	/*
	 * An object as it is now, or (`gone`) as it was before it went. A list's have no kind and apiVersion. It is freed
	 * after the call. Anything but 0: it could not be taken for lack of memory; there will be another list.
	 */
	int (*on_object)(void *ctx, struct json_object *object, bool gone);
	/*
	 * An object is there, but is too large, nested too deeply, or not UTF-8. Names, and the uid, are empty where they
	 * could not be found ("" for the namespace of what has none, too); they are printable ASCII. It counts as seen by
	 * the list.
	 */
	void (*on_unreadable)(void *ctx, const char *namespace, const char *name, const char *uid, const char *why);
	/* The list is complete. */
	void (*on_list_end)(void *ctx);
	/* A line for the log, without the resource's name; text from the server in it is one line of printable UTF-8. */
	void (*on_note)(void *ctx, enum reflector_level level, const char *text);
};

/* Counts since the start; times by the owner's clock, 0: never. */
struct reflector_stats {
	uint64_t replies[6]; /* by status / 100; [0]: no reply */
	uint64_t lists;	     /* that were complete */
	uint64_t watches;    /* begun with status 200 */
	uint64_t set;	     /* on_object calls that were not `gone` */
	uint64_t gone;	     /* that were */
	uint64_t bookmarks;
	uint64_t expired;      /* 410, in either form */
	uint64_t truncated;    /* replies that broke off */
	uint64_t silent;       /* requests that were cut as nothing came */
	int64_t last_event_ms; /* an object, in a list or a watch */
	int64_t last_bookmark_ms;
	int64_t last_contact_ms; /* any byte of a reply with status 200 */
	unsigned status;	 /* of the last reply; 0: none */
	char failure[256];	 /* why it is not watching now, printable; empty: nothing is wrong */
};

struct reflector;

/*
 * Copies *config, not what the strings in it point to. `http` outlives it. NULL for http: requests are not sent, but the
 * owner carries them: reflector_target() and the three functions at the end. NULL: no memory.
 */
struct reflector *reflector_new(struct http *http, const struct reflector_config *config, int64_t (*now_ms)(void),
				uint32_t seed);

/* Also cancels its request. */
void reflector_free(struct reflector *reflector);

/* Does what is due: sends the next request, cuts one that is silent. */
void reflector_step(struct reflector *reflector, int64_t now_ms);

/* When it wants to be stepped, whatever else happens. May be in the past. */
int64_t reflector_next(const struct reflector *reflector);

/* A list has been complete at least once. */
bool reflector_synced(const struct reflector *reflector);

/* Is valid as long as the reflector. */
const struct reflector_stats *reflector_stats(const struct reflector *reflector);

/* The request that is under way, or NULL. */
const char *reflector_target(const struct reflector *reflector);

/* What becomes of its reply: http.h's sink. */
int reflector_head(void *reflector, unsigned status, int64_t retry_after_s);
int reflector_data(void *reflector, const char *data, size_t len);
void reflector_done(void *reflector, enum http_result result, const char *sentence);

#endif
