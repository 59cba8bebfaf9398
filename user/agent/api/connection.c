// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include "base/util.h"

/* A peer that is gone is noticed after 30 s of silence and three probes. */
#define KEEP_IDLE_S 30L
#define KEEP_EVERY_S 5L
#define KEEP_PROBES 3

static int set_probes(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	static const int probes = KEEP_PROBES;

	(void)ctx;
	(void)purpose;
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes)); /* a socket without notices it later */
	return CURL_SOCKOPT_OK;
}

static CURLcode set_blob(CURL *easy, CURLoption option, const char *text)
{
	struct curl_blob blob = { .data = (void *)text, .len = strlen(text), .flags = CURL_BLOB_COPY };

	return curl_easy_setopt(easy, option, &blob);
}

/* Whom we trust, and who we are. Where an authority is given, those of the system do not count. */
static int set_tls(CURL *easy, const struct cluster *cluster)
{
	int bad = 0;

	bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	bad |= curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L); /* or a new ca.crt is seen a day later */
	if (cluster->ca_file || cluster->ca_data)
		bad |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (cluster->ca_file)
		bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, cluster->ca_file);
	if (cluster->ca_data) {
		bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		bad |= set_blob(easy, CURLOPT_CAINFO_BLOB, cluster->ca_data);
	}
	if (cluster->cert_file)
		bad |= curl_easy_setopt(easy, CURLOPT_SSLCERT, cluster->cert_file);
	if (cluster->cert_data)
		bad |= set_blob(easy, CURLOPT_SSLCERT_BLOB, cluster->cert_data);
	if (cluster->key_file)
		bad |= curl_easy_setopt(easy, CURLOPT_SSLKEY, cluster->key_file);
	if (cluster->key_data)
		bad |= set_blob(easy, CURLOPT_SSLKEY_BLOB, cluster->key_data);
	return bad ? -EIO : 0;
}

/* The environment has no say: no proxy, no other protocol. */
static int set_way(CURL *easy, const struct cluster *cluster, const char *target)
{
	_cleanup_(bc_text_done) struct bc_text url = {};
	int bad = 0;

	bc_text_addf(&url, "%s%s", cluster->server, target);
	if (url.failed)
		return -ENOMEM;
	bad |= curl_easy_setopt(easy, CURLOPT_URL, url.data);
	bad |= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, strncmp(url.data, "http:", 5) ? "https" : "http");
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	bad |= curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECTION_MS);
	bad |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEP_IDLE_S);
	bad |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEP_EVERY_S);
	bad |= curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_probes);
	return bad ? -EIO : 0;
}

int connection_set(CURL *easy, const struct cluster *cluster, const char *target)
{
	int r = set_way(easy, cluster, target);

	return r ? r : set_tls(easy, cluster);
}
