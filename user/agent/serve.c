// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/serve.h"

/*
 * Probes are few, and ask at once. Where there is no place left for another, whoever has been there longest goes: so many
 * who are slow, and there may be always more of them, keep nobody out.
 */
#define CONNECTIONS 64
#define CONNECTIONS_KEPT 48
#define CONNECTION_SECONDS 10

struct serve {
	struct MHD_Daemon *daemon;
	const struct serve_page *pages;
	void *ctx;
	int fd;		       /* epoll; the daemon's */
	int open[CONNECTIONS]; /* sockets, in the order in which they came */
	size_t nopen;
	char address[SERVE_HOST_MAX + SERVE_PORT_MAX + 3];
};

int serve_parse(const char *listen, char host[SERVE_HOST_MAX], char port[SERVE_PORT_MAX], struct bc_error *reterr)
{
	const char *colon = strrchr(listen, ':'), *end = colon;
	unsigned char address[16];
	bool bracket = *listen == '[';
	uint64_t number;

	if (!colon || bc_parse_number(colon + 1, strlen(colon + 1), 0, 65535, &number))
		return bc_fail(reterr, -EINVAL, "'%s' is no ADDR:PORT, as in 127.0.0.1:9734 or [::]:9734", listen);
	if (bracket) {
		listen++;
		end--;
	}
	if (end - listen >= SERVE_HOST_MAX || (bracket && *end != ']'))
		return bc_fail(reterr, -EINVAL, "no IPv6 address in brackets before ':%s'", colon + 1);
	snprintf(host, SERVE_HOST_MAX, "%.*s", (int)(end - listen), listen);
	snprintf(port, SERVE_PORT_MAX, "%u", (unsigned)number);
	if (inet_pton(bracket ? AF_INET6 : AF_INET, host, address) != 1)
		return bc_fail(reterr, -EINVAL, "'%s' is no %s address%s", host, bracket ? "IPv6" : "IPv4",
			       strchr(host, ':') && !bracket ? "; one of IPv6 goes in brackets" : "");
	return 0;
}

static int open_socket(const struct addrinfo *info, int *ret_fd)
{
	_cleanup_close_ int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1, off = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		return -errno;
	if (info->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
		return -errno;
	if (bind(fd, info->ai_addr, info->ai_addrlen) || listen(fd, CONNECTIONS))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int listen_at(const char *host, const char *port, int *ret_fd)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *info;
	int r;

	if (getaddrinfo(host, port, &hints, &info))
		return -EINVAL;
	r = open_socket(info, ret_fd);
	freeaddrinfo(info);
	return r;
}

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *type,
			       struct bc_text *body)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (result == MHD_YES)
		result = MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (result == MHD_YES && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		result = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (result == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static const struct serve_page *find_page(const struct serve *serve, const char *path)
{
	for (const struct serve_page *page = serve->pages; page->path; page++)
		if (!strcmp(page->path, path))
			return page;
	return NULL;
}

/* Called once when the request's head is there, and answered at once: nobody has a body to send to us. */
static enum MHD_Result answer(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **state)
{
	_cleanup_(bc_text_done) struct bc_text body = {};
	const struct serve *serve = ctx;
	const struct serve_page *page = find_page(serve, url);
	const char *type = page ? page->type : "text/plain; charset=utf-8";
	unsigned status;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	if (!page) {
		status = MHD_HTTP_NOT_FOUND;
		bc_text_addf(&body, "not found\n");
	} else if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
		bc_text_addf(&body, "only GET\n");
	} else {
		status = page->make(serve->ctx, &body);
	}
	if (body.failed)
		return MHD_NO;
	return respond(connection, status, type, &body);
}

static void forget(struct serve *serve, size_t i)
{
	serve->nopen--;
	memmove(&serve->open[i], &serve->open[i + 1], (serve->nopen - i) * sizeof(serve->open[0]));
}

/* A connection begins or ends. */
static void count(void *ctx, struct MHD_Connection *connection, void **state, enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct serve *serve = ctx;
	int fd = info ? info->connect_fd : -1;

	(void)state;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		if (serve->nopen >= CONNECTIONS_KEPT) {
			/* Then it is seen to have hung up. */
			shutdown(serve->open[0], SHUT_RDWR);
			forget(serve, 0);
		}
		serve->open[serve->nopen++] = fd;
		return;
	}
	for (size_t i = 0; i < serve->nopen; i++) {
		if (serve->open[i] == fd) {
			forget(serve, i);
			return;
		}
	}
}

/* libmicrohttpd owns the socket as soon as it is called. */
static int start(struct serve *serve, int fd, struct bc_error *reterr)
{
	const union MHD_DaemonInfo *info;
	/* Chosen by the kernel when 0 was asked for. */
	uint16_t port;

	serve->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, answer, serve, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS, MHD_OPTION_NOTIFY_CONNECTION, count, serve, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)CONNECTION_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_END);
	if (!serve->daemon) {
		close(fd);
		return bc_fail(reterr, -EIO, "cannot start the HTTP server");
	}
	info = MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return bc_fail(reterr, -EIO, "the HTTP server cannot be polled");
	serve->fd = info->epoll_fd;
	info = MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_BIND_PORT);
	port = info ? info->port : 0;
	snprintf(serve->address + strlen(serve->address), SERVE_PORT_MAX + 1, ":%u", port);
	return 0;
}

int serve_open(const char *listen, const struct serve_page *pages, void *ctx, struct serve **ret,
	       struct bc_error *reterr)
{
	char host[SERVE_HOST_MAX], port[SERVE_PORT_MAX];
	struct serve *serve;
	int fd = -1, r = serve_parse(listen, host, port, reterr);

	if (r)
		return r;
	r = listen_at(host, port, &fd);
	if (r == -EAFNOSUPPORT && !strcmp(host, "::")) {
		snprintf(host, sizeof(host), "0.0.0.0");
		r = listen_at(host, port, &fd);
	}
	if (r)
		return bc_fail_errno(reterr, r, "cannot listen at %s", listen);
	serve = calloc(1, sizeof(*serve));
	if (!serve) {
		close(fd);
		return bc_fail(reterr, -ENOMEM, "out of memory");
	}
	serve->pages = pages;
	serve->ctx = ctx;
	snprintf(serve->address, sizeof(serve->address), strchr(host, ':') ? "[%s]" : "%s", host);
	r = start(serve, fd, reterr);
	if (r) {
		serve_free(serve);
		return r;
	}
	*ret = serve;
	return 0;
}

void serve_free(struct serve *serve)
{
	if (serve && serve->daemon)
		MHD_stop_daemon(serve->daemon);
	free(serve);
}

int serve_fd(const struct serve *serve)
{
	return serve->fd;
}

int serve_timeout(const struct serve *serve)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	if (MHD_get_timeout(serve->daemon, &timeout) != MHD_YES)
		return -1;
	return timeout > 60000 ? 60000 : (int)timeout;
}

void serve_step(struct serve *serve)
{
	/* It fails for want of memory or descriptors; then it is tried again, the connections waiting meanwhile. */
	(void)MHD_run(serve->daemon);
}

const char *serve_address(const struct serve *serve)
{
	return serve->address;
}
