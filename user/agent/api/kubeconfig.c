// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>
#include "agent/api/base64.h"
#include "agent/api/token.h"
#include "agent/api/url.h"
#include "base/util.h"

#define FILE_MAX (1u << 20)

/* A kubeconfig while it is read. */
struct source {
	const char *path;
	yaml_document_t document;
	struct bc_error *reterr;
};

static int fail(const struct source *source, const yaml_node_t *node, const char *text)
{
	return bc_fail_at(source->reterr, -EINVAL, source->path, node ? (unsigned)node->start_mark.line + 1 : 0,
			  node ? (unsigned)node->start_mark.column + 1 : 0, "%s", text);
}

/* A member of a mapping; NULL: there is none. */
static yaml_node_t *member(struct source *source, const yaml_node_t *map, const char *name)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(&source->document, p->key);

		if (key && key->type == YAML_SCALAR_NODE && !strcmp((const char *)key->data.scalar.value, name))
			return yaml_document_get_node(&source->document, p->value);
	}
	return NULL;
}

/* A member's text; NULL: there is none, or it is empty, as kubectl takes it. */
static const char *text_member(struct source *source, const yaml_node_t *map, const char *name)
{
	const yaml_node_t *node = member(source, map, name);
	const char *text;

	if (!node || node->type != YAML_SCALAR_NODE)
		return NULL;
	text = (const char *)node->data.scalar.value;
	if (strlen(text) != node->data.scalar.length || !*text || !strcmp(text, "null") || !strcmp(text, "~"))
		return NULL;
	return text;
}

/* Of the list `list` the member `kind` of the element that is named so. */
static int find(struct source *source, const char *list, const char *kind, const char *name, const yaml_node_t **ret)
{
	const yaml_node_t *node = member(source, yaml_document_get_root_node(&source->document), list);
	char text[256];

	if (node && node->type == YAML_SEQUENCE_NODE) {
		for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
			const yaml_node_t *item = yaml_document_get_node(&source->document, *i);
			const char *found = text_member(source, item, "name");

			if (found && !strcmp(found, name)) {
				*ret = member(source, item, kind);
				return *ret ? 0 : fail(source, item, "the entry is empty");
			}
		}
	}
	snprintf(text, sizeof(text), "there is no '%s' in %s", name, list);
	return fail(source, node, text);
}

static int copy(struct source *source, const char *from, char **to)
{
	if (!from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : bc_fail(source->reterr, -ENOMEM, "out of memory");
}

/* A path, which is relative to the file's directory. */
static int copy_path(struct source *source, const char *from, char **to)
{
	const char *slash = strrchr(source->path, '/');

	if (!from || *from == '/' || !slash)
		return copy(source, from, to);
	if (asprintf(to, "%.*s/%s", (int)(slash - source->path), source->path, from) < 0) {
		*to = NULL;
		return bc_fail(source->reterr, -ENOMEM, "out of memory");
	}
	return 0;
}

/* NAME-data, in base64, goes before NAME, a path: as kubectl has it. */
static int copy_pem(struct source *source, const yaml_node_t *map, const char *name, char **file, char **data)
{
	char both[64], text[128];
	const char *encoded;
	int r;

	snprintf(both, sizeof(both), "%s-data", name);
	encoded = text_member(source, map, both);
	if (!encoded)
		return copy_path(source, text_member(source, map, name), file);
	r = base64_decode(encoded, data);
	if (r == -ENOMEM)
		return bc_fail(source->reterr, -ENOMEM, "out of memory");
	snprintf(text, sizeof(text), "%s is not base64 of a text", both);
	return r ? fail(source, member(source, map, both), text) : 0;
}

/* What we do not do, so that nobody believes we did. */
static int refuse(struct source *source, const yaml_node_t *map, const char *name, const char *why)
{
	const yaml_node_t *node = member(source, map, name);
	const char *text = text_member(source, map, name);

	if (!node || (node->type == YAML_SCALAR_NODE && (!text || !strcmp(text, "false"))))
		return 0;
	return fail(source, node, why);
}

static int read_cluster(struct source *source, const yaml_node_t *map, struct cluster *cluster)
{
	const char *server = text_member(source, map, "server");
	int r;

	if (!server || !url_check(server, true))
		return fail(source, member(source, map, "server"),
			    "server is no address such as https://HOST:PORT, with an IPv6 address in brackets");
	r = refuse(source, map, "insecure-skip-tls-verify",
		   "insecure-skip-tls-verify is not supported: give certificate-authority");
	if (!r)
		r = refuse(source, map, "proxy-url", "proxy-url is not supported");
	if (!r)
		r = refuse(source, map, "tls-server-name", "tls-server-name is not supported: name the host in server");
	if (!r)
		r = copy(source, server, &cluster->server);
	if (r)
		return r;
	for (size_t len = strlen(cluster->server); len && cluster->server[len - 1] == '/'; len--)
		cluster->server[len - 1] = '\0';
	return copy_pem(source, map, "certificate-authority", &cluster->ca_file, &cluster->ca_data);
}

static int read_user(struct source *source, const yaml_node_t *map, struct cluster *cluster)
{
	static const struct {
		const char *name, *why;
	} refused[] = {
		{ "exec", "exec plugins are not supported: use a token, a tokenFile or a client certificate" },
		{ "auth-provider", "auth-provider is not supported: use a token, a tokenFile or a client certificate" },
		{ "username", "passwords are not supported: use a token, a tokenFile or a client certificate" },
		{ "password", "passwords are not supported: use a token, a tokenFile or a client certificate" },
		{ "as", "impersonation is not supported" },
		{ "as-uid", "impersonation is not supported" },
		{ "as-groups", "impersonation is not supported" },
		{ "as-user-extra", "impersonation is not supported" },
	};
	const char *token = text_member(source, map, "token");
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(refused) && !r; i++)
		r = refuse(source, map, refused[i].name, refused[i].why);
	if (!r)
		r = copy_path(source, text_member(source, map, "tokenFile"), &cluster->token_file);
	if (!r && token && token_check(token, NULL))
		r = fail(source, member(source, map, "token"), "the token has a byte that no token has");
	if (!r && !cluster->token_file)
		r = copy(source, token, &cluster->token);
	if (!r)
		r = copy_pem(source, map, "client-certificate", &cluster->cert_file, &cluster->cert_data);
	if (!r)
		r = copy_pem(source, map, "client-key", &cluster->key_file, &cluster->key_data);
	if (!r && (cluster->cert_file || cluster->cert_data) != (cluster->key_file || cluster->key_data))
		r = fail(source, map, "client-certificate and client-key go together");
	return r;
}

static int read_context(struct source *source, const char *name, struct cluster *cluster)
{
	const yaml_node_t *root = yaml_document_get_root_node(&source->document);
	const yaml_node_t *context = NULL, *map = NULL;
	const char *of_cluster, *of_user;
	int r;

	if (!name)
		name = text_member(source, root, "current-context");
	if (!name)
		return fail(source, NULL, "there is no current-context: name one with --context");
	r = find(source, "contexts", "context", name, &context);
	if (r)
		return r;
	of_cluster = text_member(source, context, "cluster");
	of_user = text_member(source, context, "user");
	if (!of_cluster)
		return fail(source, context, "the context names no cluster");
	r = find(source, "clusters", "cluster", of_cluster, &map);
	if (!r)
		r = read_cluster(source, map, cluster);
	if (r || !of_user)
		return r;
	r = find(source, "users", "user", of_user, &map);
	return r ? r : read_user(source, map, cluster);
}

static int parse(struct source *source, const char *data, size_t len)
{
	yaml_parser_t parser;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return bc_fail(source->reterr, -ENOMEM, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)data, len);
	if (!yaml_parser_load(&parser, &source->document))
		r = bc_fail_at(source->reterr, parser.error == YAML_MEMORY_ERROR ? -ENOMEM : -EINVAL, source->path,
			       (unsigned)parser.problem_mark.line + 1, (unsigned)parser.problem_mark.column + 1,
			       "not YAML: %s", parser.problem ? parser.problem : "out of memory");
	yaml_parser_delete(&parser);
	return r;
}

int config_kubeconfig(const char *path, const char *context, struct cluster *ret, struct bc_error *reterr)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_(cluster_done) struct cluster cluster = {};
	struct source source = { .path = path, .reterr = reterr };
	_cleanup_free_ char *data = NULL;
	size_t len = 0;
	int r;

	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open %s", path);
	r = bc_read_all(fd, FILE_MAX, &data, &len);
	if (r < 0)
		return bc_fail_errno(reterr, r, "cannot read %s", path);
	r = parse(&source, data, len);
	if (r)
		return r;
	r = read_context(&source, context, &cluster);
	yaml_document_delete(&source.document);
	if (r)
		return r;
	*ret = cluster;
	cluster = (struct cluster){};
	return 0;
}
