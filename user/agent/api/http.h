/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to the cluster's API server: several at once, in one thread, without waiting. TLS 1.2 or later, the server's
 * certificate always verified; HTTP/1.1; no proxy, no redirect followed. A connection that is not made within 10 seconds is
 * given up, and one whose peer is gone is noticed within a minute; how long a reply may be silent is the caller's matter.
 */
#ifndef BINDCTL_AGENT_HTTP_H
#define BINDCTL_AGENT_HTTP_H

#include <stddef.h>
#include <stdint.h>
#include <curl/curl.h>
#include "agent/api/config.h"

/* How a request ended. */
enum http_result {
	HTTP_COMPLETE = 1, /* the whole reply was there, whatever its status */
	HTTP_TRUNCATED,	   /* the connection ended within the reply */
	HTTP_UNREACHABLE,  /* no reply at all: no such name, refused, TLS, our own credentials, time-out */
	HTTP_STOPPED,	   /* head() or data() did not return 0 */
};

/* What becomes of a reply. All are called from http_step() alone. None may begin, cancel or free anything of http.h's. */
struct http_sink {
	/* The status line and the headers are there. retry_after_s: seconds, -1 if the server did not say. */
	int (*head)(void *ctx, unsigned status, int64_t retry_after_s);
	int (*data)(void *ctx, const char *data, size_t len);
	/* The last call; the request is freed after it. `sentence`: what went wrong, without a full stop; "" if nothing. */
	void (*done)(void *ctx, enum http_result result, const char *sentence);
};

struct http;
struct http_request;

/*
 * Copies what it needs of *cluster; -EINVAL: credentials would go over http. curl_global_init() is the caller's. Every
 * request must have ended before the freeing.
 */
int http_new(const struct cluster *cluster, struct http **ret, struct bc_error *reterr);
void http_free(struct http *http);

/* Where the server is, for messages; is valid as long as `http`. */
const char *http_server(const struct http *http);

static inline void http_freep(struct http **p)
{
	http_free(*p);
}

/*
 * GET of a path with its query, both escaped. On an error (no memory, no token) the sink is not called. *sink must live as
 * long as the request.
 */
int http_get(struct http *http, const char *target, const struct http_sink *sink, void *ctx, struct http_request **ret,
	     struct bc_error *reterr);

/* Ends a request without another call of its sink. NULL does nothing. */
void http_cancel(struct http_request *request);

/*
 * Waits until a connection, one of `extra` or the time-out has something to do; then http_step() does it. 0 or -errno;
 * a signal is no error.
 */
int http_wait(struct http *http, struct curl_waitfd *extra, unsigned n, int timeout_ms);
int http_step(struct http *http);

#endif
