/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small HTTP server for probes and Prometheus. It has no thread: the caller's loop polls a descriptor and steps it. */
#ifndef BINDCTL_SERVE_H
#define BINDCTL_SERVE_H

#include "base/error.h"
#include "base/util.h"

struct serve;

/* Writes a page's body and returns its HTTP status. */
typedef unsigned serve_fn(void *ctx, struct bc_text *body);

struct serve_page {
	const char *path;
	const char *type; /* of its content */
	serve_fn *make;
};

/*
 * Listens at ADDR:PORT, an IPv6 address in brackets; [::] is IPv4's wildcard, too, also where there is no IPv6. The
 * pages, up to one without a path, must last as long as the server. 0 or -errno with a sentence.
 */
int serve_open(const char *listen, const struct serve_page *pages, void *ctx, struct serve **ret,
	       struct bc_error *reterr);
void serve_free(struct serve *serve);

/* What to poll for being readable, how many milliseconds at most (-1: any), and what to call then. */
int serve_fd(const struct serve *serve);
int serve_timeout(const struct serve *serve);
void serve_step(struct serve *serve);

/* Where it listens, the port as chosen if port 0 was asked for. */
const char *serve_address(const struct serve *serve);

/* Takes ADDR:PORT apart: what getaddrinfo() reads, in buffers of those sizes. -EINVAL with a sentence. */
#define SERVE_HOST_MAX 64
#define SERVE_PORT_MAX 6
int serve_parse(const char *listen, char host[SERVE_HOST_MAX], char port[SERVE_PORT_MAX], struct bc_error *reterr);

#endif
