// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/http.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "agent/api/connection.h"
#include "agent/api/token.h"
#include "base/util.h"

struct http {
	CURLM *multi;
	struct cluster cluster;
};

struct http_request {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	const struct http_sink *sink;
	void *ctx;
	bool head;    /* was told */
	bool stopped; /* by the sink */
	char error[CURL_ERROR_SIZE];
};

static int copy_string(char **to, const char *from)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

static int copy_cluster(struct cluster *to, const struct cluster *from)
{
	if (copy_string(&to->server, from->server) || copy_string(&to->ca_file, from->ca_file) ||
	    copy_string(&to->ca_data, from->ca_data) || copy_string(&to->token_file, from->token_file) ||
	    copy_string(&to->token, from->token) || copy_string(&to->cert_file, from->cert_file) ||
	    copy_string(&to->cert_data, from->cert_data) || copy_string(&to->key_file, from->key_file) ||
	    copy_string(&to->key_data, from->key_data))
		return -ENOMEM;
	return 0;
}

int http_new(const struct cluster *cluster, struct http **ret, struct bc_error *reterr)
{
	_cleanup_(http_freep) struct http *http = calloc(1, sizeof(*http));

	if (!strncmp(cluster->server, "http:", 5) &&
	    (cluster->token || cluster->token_file || cluster->cert_file || cluster->cert_data))
		return bc_fail(reterr, -EINVAL, "%s: credentials are sent over https alone", cluster->server);
	if (!http || copy_cluster(&http->cluster, cluster))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	http->multi = curl_multi_init();
	if (!http->multi)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	*ret = TAKE_PTR(http);
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	if (http->multi)
		curl_multi_cleanup(http->multi);
	cluster_done(&http->cluster);
	free(http);
}

const char *http_server(const struct http *http)
{
	return http->cluster.server;
}

static void request_free(struct http_request *request)
{
	if (!request)
		return;
	if (request->easy)
		curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->headers);
	free(request);
}

static void request_freep(struct http_request **p)
{
	request_free(*p);
}

static int add_header(struct http_request *request, const char *line)
{
	struct curl_slist *headers = curl_slist_append(request->headers, line);

	if (!headers)
		return -ENOMEM;
	request->headers = headers;
	return 0;
}

static int add_token(struct http_request *request, struct bc_error *reterr)
{
	const struct cluster *cluster = &request->http->cluster;
	_cleanup_(bc_text_done) struct bc_text line = {};
	_cleanup_free_ char *read = NULL;
	const char *token = cluster->token;
	int r;

	if (cluster->token_file) {
		r = token_read(cluster->token_file, &read, reterr);
		if (r < 0)
			return r;
		token = read;
	}
	if (!token)
		return 0;
	r = token_check(token, reterr);
	if (r < 0)
		return r;
	bc_text_addf(&line, "Authorization: Bearer %s", token);
	if (line.failed || add_header(request, line.data))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	return 0;
}

/* The end of the headers, those of an interim reply and trailers left aside. */
static size_t see_header(char *line, size_t size, size_t n, void *ctx)
{
	struct http_request *request = ctx;
	curl_off_t retry_after = 0;
	long status = 0;

	n *= size;
	if (request->head || !((n == 2 && line[0] == '\r') || (n == 1 && line[0] == '\n')))
		return n;
	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200)
		return n;
	curl_easy_getinfo(request->easy, CURLINFO_RETRY_AFTER, &retry_after);
	request->head = true;
	if (request->sink->head(request->ctx, (unsigned)status, retry_after > 0 ? (int64_t)retry_after : -1)) {
		request->stopped = true;
		return 0;
	}
	return n;
}

static size_t see_data(char *data, size_t size, size_t n, void *ctx)
{
	struct http_request *request = ctx;

	n *= size;
	if (request->sink->data(request->ctx, data, n)) {
		request->stopped = true;
		return 0;
	}
	return n;
}

static int set_callbacks(struct http_request *request)
{
	CURL *easy = request->easy;
	int bad = 0;

	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "bindctl-agent/" BINDCTL_VERSION);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
	bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, see_header);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, see_data);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	return bad ? -EIO : 0;
}

int http_get(struct http *http, const char *target, const struct http_sink *sink, void *ctx, struct http_request **ret,
	     struct bc_error *reterr)
{
	_cleanup_(request_freep) struct http_request *request = calloc(1, sizeof(*request));
	int r;

	if (!request)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	*request = (struct http_request){ .http = http, .sink = sink, .ctx = ctx, .easy = curl_easy_init() };
	if (!request->easy || add_header(request, "Accept: application/json"))
		return bc_fail(reterr, -ENOMEM, "out of memory");
	r = add_token(request, reterr);
	if (r < 0)
		return r;
	if (connection_set(request->easy, &http->cluster, target) || set_callbacks(request))
		return bc_fail(reterr, -EIO, "libcurl cannot do what is asked of it");
	if (curl_multi_add_handle(http->multi, request->easy))
		return bc_fail(reterr, -ENOMEM, "libcurl does not take another request");
	*ret = TAKE_PTR(request);
	return 0;
}

void http_cancel(struct http_request *request)
{
	if (!request)
		return;
	curl_multi_remove_handle(request->http->multi, request->easy);
	request_free(request);
}

int http_wait(struct http *http, struct curl_waitfd *extra, unsigned n, int timeout_ms)
{
	CURLMcode code = curl_multi_poll(http->multi, extra, n, timeout_ms, NULL);

	return code == CURLM_OK ? 0 : code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}

/* libcurl's own words for why there is no connection tell the time it took, and so are others each time. */
static void explain(struct http_request *request, CURLcode code, char *text, size_t size)
{
	long number = 0;

	curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &number);
	if (code == CURLE_OPERATION_TIMEDOUT)
		snprintf(text, size, "no connection within %d seconds", CONNECTION_MS / 1000);
	else if (code == CURLE_COULDNT_CONNECT && number > 0)
		snprintf(text, size, "no connection: %s", strerror((int)number));
	else
		snprintf(text, size, "%s", *request->error ? request->error : curl_easy_strerror(code));
}

static void end_request(struct http *http, CURL *easy, CURLcode code)
{
	struct http_request *request = NULL;
	enum http_result result = HTTP_COMPLETE;
	char sentence[CURL_ERROR_SIZE] = "";

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&request);
	curl_multi_remove_handle(http->multi, easy);
	if (request->stopped) {
		result = HTTP_STOPPED;
	} else if (code != CURLE_OK) {
		result = request->head ? HTTP_TRUNCATED : HTTP_UNREACHABLE;
		explain(request, code, sentence, sizeof(sentence));
	}
	request->sink->done(request->ctx, result, sentence);
	request_free(request);
}

int http_step(struct http *http)
{
	int running = 0, left = 0;
	CURLMcode code = curl_multi_perform(http->multi, &running);
	CURLMsg *message;

	while ((message = curl_multi_info_read(http->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			end_request(http, message->easy_handle, message->data.result);
	return code == CURLM_OK ? 0 : code == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
}
