// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent/api/url.h"
#include "base/util.h"

void cluster_done(struct cluster *cluster)
{
	char *const all[] = { cluster->server,	   cluster->ca_file,  cluster->ca_data,
			      cluster->token_file, cluster->token,    cluster->cert_file,
			      cluster->cert_data,  cluster->key_file, cluster->key_data };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		free(all[i]);
	*cluster = (struct cluster){};
}

/* An IPv6 address gets brackets, unless it has them. */
static int make_server(const char *host, const char *port, char **ret, struct bc_error *reterr)
{
	struct in6_addr address;
	uint64_t number = 0;
	bool bare = inet_pton(AF_INET6, host, &address) == 1;

	if (bc_parse_number(port, strlen(port), 1, 65535, &number))
		return bc_fail(reterr, -EINVAL, "KUBERNETES_SERVICE_PORT is '%s', which is no port", port);
	if (asprintf(ret, bare ? "https://[%s]:%u" : "https://%s:%u", host, (unsigned)number) < 0) {
		*ret = NULL;
		return bc_fail(reterr, -ENOMEM, "out of memory");
	}
	if (!url_check(*ret, false))
		return bc_fail(reterr, -EINVAL, "KUBERNETES_SERVICE_HOST is '%s', which is no host", host);
	return 0;
}

/* The path of a file that must be readable. */
static int find_file(const char *directory, const char *name, char **ret, struct bc_error *reterr)
{
	if (asprintf(ret, "%s/%s", directory, name) < 0) {
		*ret = NULL;
		return bc_fail(reterr, -ENOMEM, "out of memory");
	}
	if (access(*ret, R_OK))
		return bc_fail_errno(reterr, -errno, "cannot read %s", *ret);
	return 0;
}

int config_in_cluster(const char *host, const char *port, const char *directory, struct cluster *ret,
		      struct bc_error *reterr)
{
	_cleanup_(cluster_done) struct cluster cluster = {};
	int r;

	if (!host || !*host || !port || !*port)
		return bc_fail(
			reterr, -ENOENT,
			"not in a pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; "
			"elsewhere name a --kubeconfig");
	r = make_server(host, port, &cluster.server, reterr);
	if (!r)
		r = find_file(directory, "token", &cluster.token_file, reterr);
	if (!r)
		r = find_file(directory, "ca.crt", &cluster.ca_file, reterr);
	if (r)
		return r;
	*ret = cluster;
	cluster = (struct cluster){};
	return 0;
}
