/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the cluster's API server is, how it proves who it is, and how we do. From the files that a pod is given, or from a
 * kubeconfig. Everything that would make the connection less sure, or needs another program, is refused with a sentence.
 */
#ifndef BINDCTL_AGENT_CONFIG_H
#define BINDCTL_AGENT_CONFIG_H

#include "base/error.h"

/* Owns its strings; zero-initialised is empty. Absent: NULL. Of a pair FILE and DATA at most one is there. */
struct cluster {
	char *server;	  /* "https://[fd00::1]:6443", maybe with a path; no slash behind */
	char *ca_file;	  /* re-read for each connection; without both: the system's authorities */
	char *ca_data;	  /* PEM */
	char *token_file; /* re-read for each request: tokens of pods last an hour */
	char *token;
	char *cert_file; /* the client's certificate and its key: both or neither */
	char *cert_data; /* PEM */
	char *key_file;
	char *key_data; /* PEM */
};

void cluster_done(struct cluster *cluster);

/* Where a pod finds its token and ca.crt. */
#define CONFIG_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

/*
 * `host` and `port` are the values of KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, or NULL; `directory` is
 * CONFIG_ACCOUNT but for tests. -ENOENT: not in a cluster; -EINVAL: what is there is no address; or what a file gave.
 */
int config_in_cluster(const char *host, const char *port, const char *directory, struct cluster *ret,
		      struct bc_error *reterr);

/* `context` NULL: the file's current-context. Paths in the file are relative to it. */
int config_kubeconfig(const char *path, const char *context, struct cluster *ret, struct bc_error *reterr);

#endif
