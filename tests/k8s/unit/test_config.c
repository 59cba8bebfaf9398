// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "agent/api/base64.h"
#include "agent/api/config.h"
#include "agent/api/http.h"
#include "agent/api/token.h"
#include "agent/api/url.h"
#include "base/util.h"

/* A directory of its own for each test. */
static char directory[64];

static int make_directory(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/test_config.XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	static const char *const names[] = { "token", "ca.crt", "kubeconfig" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	return rmdir(directory);
}

/* The path, until the next call. */
static const char *put_bytes(const char *name, const char *data, size_t len)
{
	static char path[128];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(bc_write_all(fd, data, len), 0);
	return path;
}

static const char *put(const char *name, const char *text)
{
	return put_bytes(name, text, strlen(text));
}

static void assert_error(const struct bc_error *error, unsigned line, const char *part)
{
	if (!strstr(error->text, part) || error->line != line)
		fail_msg("line %u: %s", error->line, error->text);
}

static void in_cluster_gives_address_and_files(void **state)
{
	static const struct {
		const char *host, *port, *server;
	} cases[] = {
		{ "10.96.0.1", "443", "https://10.96.0.1:443" },
		{ "fd00:10:96::1", "443", "https://[fd00:10:96::1]:443" },
		{ "[fd00::1]", "6443", "https://[fd00::1]:6443" },
		{ "::1", "1", "https://[::1]:1" },
		{ "kubernetes.default.svc", "65535", "https://kubernetes.default.svc:65535" },
	};

	(void)state;
	put("token", "secret");
	put("ca.crt", "pem");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(cluster_done) struct cluster cluster = {};
		struct bc_error error = {};
		char path[128];

		if (config_in_cluster(cases[i].host, cases[i].port, directory, &cluster, &error))
			fail_msg("%s", error.text);
		assert_string_equal(cluster.server, cases[i].server);
		snprintf(path, sizeof(path), "%s/token", directory);
		assert_string_equal(cluster.token_file, path);
		snprintf(path, sizeof(path), "%s/ca.crt", directory);
		assert_string_equal(cluster.ca_file, path);
		assert_null(cluster.token);
	}
}

static void in_cluster_says_what_is_wrong(void **state)
{
	static const struct {
		const char *host, *port;
		int code;
		const char *part;
	} cases[] = {
		{ NULL, "443", -ENOENT, "not in a pod of a cluster" },
		{ "10.0.0.1", NULL, -ENOENT, "not in a pod of a cluster" },
		{ "", "443", -ENOENT, "not in a pod of a cluster" },
		{ "10.0.0.1", "0", -EINVAL, "KUBERNETES_SERVICE_PORT is '0', which is no port" },
		{ "10.0.0.1", "443/x", -EINVAL, "which is no port" },
		{ "10.0.0.1", "65536", -EINVAL, "which is no port" },
		{ "a/b", "443", -EINVAL, "KUBERNETES_SERVICE_HOST is 'a/b', which is no host" },
		{ "user@host", "443", -EINVAL, "which is no host" },
		{ "10.0.0.1:80", "443", -EINVAL, "which is no host" },
		{ "fe80::1%eth0", "443", -EINVAL, "which is no host" },
		{ "[::1", "443", -EINVAL, "which is no host" },
	};
	struct cluster cluster = {};
	struct bc_error error = {};

	(void)state;
	put("token", "secret");
	put("ca.crt", "pem");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(config_in_cluster(cases[i].host, cases[i].port, directory, &cluster, &error),
				 cases[i].code);
		assert_error(&error, 0, cases[i].part);
		assert_null(cluster.server);
	}
	assert_int_equal(unlink(put("ca.crt", "")), 0);
	assert_int_equal(config_in_cluster("10.0.0.1", "443", directory, &cluster, &error), -ENOENT);
	assert_error(&error, 0, "/ca.crt: No such file or directory");
	assert_int_equal(unlink(put("token", "")), 0);
	assert_int_equal(config_in_cluster("10.0.0.1", "443", directory, &cluster, &error), -ENOENT);
	assert_error(&error, 0, "/token: No such file or directory");
}

#define KUBECONFIG(of_cluster, of_user)                                                         \
	"apiVersion: v1\nkind: Config\ncurrent-context: here\n"                                 \
	"contexts:\n- name: here\n  context: {cluster: c, user: u}\n"                           \
	"- name: nobody\n  context: {cluster: c}\n- name: astray\n  context: {cluster: gone}\n" \
	"clusters:\n- name: c\n  cluster: {" of_cluster "}\n"                                   \
	"users:\n- name: other\n  user: {}\n- name: u\n  user: {" of_user "}\n"
#define SERVER "server: 'https://h:6443'"

static void kubeconfig_gives_all_it_has(void **state)
{
	_cleanup_(cluster_done) struct cluster a = {}, b = {}, c = {};
	struct bc_error error = {};
	char path[128];

	(void)state;
	if (config_kubeconfig(
		    put("kubeconfig", KUBECONFIG("server: 'https://[::1]:6443/x/', certificate-authority: ca.crt",
						 "token: a, tokenFile: /t, client-certificate: /c, client-key: k")),
		    NULL, &a, &error))
		fail_msg("%s", error.text);
	assert_string_equal(a.server, "https://[::1]:6443/x");
	snprintf(path, sizeof(path), "%s/ca.crt", directory);
	assert_string_equal(a.ca_file, path);
	assert_string_equal(a.token_file, "/t");
	assert_null(a.token); /* the file goes before it */
	assert_string_equal(a.cert_file, "/c");
	snprintf(path, sizeof(path), "%s/k", directory);
	assert_string_equal(a.key_file, path);

	if (config_kubeconfig(put("kubeconfig", KUBECONFIG(SERVER ", certificate-authority: /x, "
								  "certificate-authority-data: UEVN, "
								  "insecure-skip-tls-verify: false",
							   "token: abc, client-certificate-data: Q0E=, "
							   "client-key-data: S0VZ")),
			      "here", &b, &error))
		fail_msg("%s", error.text);
	assert_null(b.ca_file); /* the data goes before it */
	assert_string_equal(b.ca_data, "PEM");
	assert_string_equal(b.token, "abc");
	assert_string_equal(b.cert_data, "CA");
	assert_string_equal(b.key_data, "KEY");

	if (config_kubeconfig(put("kubeconfig", KUBECONFIG(SERVER, "exec: {command: x}")), "nobody", &c, &error))
		fail_msg("%s", error.text);
	assert_string_equal(c.server, "https://h:6443");
	assert_null(c.token);
}

static void kubeconfig_refuses_what_we_do_not_do(void **state)
{
	static const struct {
		const char *text, *context;
		unsigned line;
		const char *part;
	} cases[] = {
		{ KUBECONFIG(SERVER, "exec: {command: aws}"), NULL, 18, "exec plugins are not supported" },
		{ KUBECONFIG(SERVER, "auth-provider: {name: gcp}"), NULL, 18, "auth-provider is not supported" },
		{ KUBECONFIG(SERVER, "username: a, password: b"), NULL, 18, "passwords are not supported" },
		{ KUBECONFIG(SERVER, "as: admin"), NULL, 18, "impersonation is not supported" },
		{ KUBECONFIG(SERVER, "as-groups: [a]"), NULL, 18, "impersonation is not supported" },
		{ KUBECONFIG(SERVER, "client-key: a"), NULL, 18, "client-certificate and client-key go together" },
		{ KUBECONFIG(SERVER, "client-key-data: '*'"), NULL, 18, "client-key-data is not base64 of a text" },
		{ KUBECONFIG(SERVER, "token: 'a b'"), NULL, 18, "the token has a byte that no token has" },
		{ KUBECONFIG(SERVER ", insecure-skip-tls-verify: true", ""), NULL, 13,
		  "insecure-skip-tls-verify is not supported: give certificate-authority" },
		{ KUBECONFIG(SERVER ", proxy-url: 'http://p'", ""), NULL, 13, "proxy-url is not supported" },
		{ KUBECONFIG(SERVER ", tls-server-name: x", ""), NULL, 13, "tls-server-name is not supported" },
		{ KUBECONFIG("server: 'ftp://h'", ""), NULL, 13, "server is no address" },
		{ KUBECONFIG("server: [h]", ""), NULL, 13, "server is no address" },
		{ KUBECONFIG("x: y", ""), NULL, 0, "server is no address" },
		{ KUBECONFIG(SERVER, ""), "there", 5, "there is no 'there' in contexts" },
		{ KUBECONFIG(SERVER, ""), "astray", 12, "there is no 'gone' in clusters" },
		{ "contexts: []\n", NULL, 0, "there is no current-context" },
		{ "current-context: a\ncontexts:\n- name: a\n  context: {}\n", NULL, 4,
		  "the context names no cluster" },
		{ "current-context: a\ncontexts:\n- name: a\n", NULL, 3, "the entry is empty" },
		{ "current-context: a\ncontexts: {a: b}\n", NULL, 2, "there is no 'a' in contexts" },
		{ "current-context: a\n", NULL, 0, "there is no 'a' in contexts" },
		{ "", NULL, 0, "there is no current-context" },
		{ "- a\n", NULL, 0, "there is no current-context" },
		{ "a: [b\n", NULL, 2, "not YAML: " },
		{ "a: *b\n", NULL, 1, "not YAML: " },
		{ "\xff\n", NULL, 1, "not YAML: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cluster cluster = {};
		struct bc_error error = {};
		const char *path = put("kubeconfig", cases[i].text);

		assert_int_equal(config_kubeconfig(path, cases[i].context, &cluster, &error), -EINVAL);
		if (!strstr(error.text, cases[i].part) || error.line != cases[i].line)
			fail_msg("case %zu: line %u: %s", i, error.line, error.text);
		assert_null(cluster.server);
	}
}

static void kubeconfig_must_be_a_small_file(void **state)
{
	struct cluster cluster = {};
	struct bc_error error = {};
	_cleanup_free_ char *large = calloc(1, (1 << 20) + 2);

	(void)state;
	assert_int_equal(config_kubeconfig("/nowhere/config", NULL, &cluster, &error), -ENOENT);
	assert_error(&error, 0, "cannot open /nowhere/config: No such file");
	assert_int_equal(config_kubeconfig(directory, NULL, &cluster, &error), -EISDIR);
	assert_non_null(large);
	memset(large, '#', (1 << 20) + 1);
	assert_int_equal(config_kubeconfig(put("kubeconfig", large), NULL, &cluster, &error), -EFBIG);
}

static void url_is_checked(void **state)
{
	static const char *const good[] = { "https://h", "https://h.example:1/", "https://10.0.0.1:65535/a-b/c_d.~",
					    "https://[::1]", "https://[fd00::1]:443/k8s/clusters/c-1" };
	static const char *const bad[] = { "",
					   "https://",
					   "https://:443",
					   "https://h:",
					   "https://h:0",
					   "https://h:65536",
					   "https://u@h",
					   "https://h/?q",
					   "https://h/#f",
					   "https://h/a b",
					   "https://h\n",
					   "https://::1",
					   "https://[::1",
					   "https://[h]",
					   "https://[::1]x",
					   "HTTPS://h",
					   "https://h/%41",
					   "//h",
					   "h:443",
					   "https://h?q" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!url_check(good[i], false))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (url_check(bad[i], true))
			fail_msg("%s", bad[i]);
	assert_true(url_check("http://127.0.0.1:8001", true));
	assert_false(url_check("http://127.0.0.1:8001", false));
}

static void token_is_read_and_checked(void **state)
{
	_cleanup_free_ char *token = NULL, *nul = NULL, *many = calloc(1, 20000);
	struct bc_error error = {};

	(void)state;
	assert_int_equal(token_read(put("token", "a.b-c_d=\n \n"), &token, &error), 0);
	assert_string_equal(token, "a.b-c_d=");
	assert_int_equal(token_check(token, &error), 0);
	assert_int_equal(token_read(put_bytes("token", "a\0b", 3), &nul, &error), -EINVAL);
	assert_non_null(many);
	memset(many, 'a', 19999);
	assert_int_equal(token_read(put("token", many), &nul, &error), -EFBIG);
	assert_null(strstr(error.text, "aaaa"));
	assert_int_equal(token_check("", &error), -EINVAL);
	assert_int_equal(token_check("secret\r\nHost: evil", &error), -EINVAL);
	assert_null(strstr(error.text, "secret"));
	assert_int_equal(token_check("a\x7f", &error), -EINVAL);
	assert_int_equal(token_check("\xc3\xa9", &error), -EINVAL);
}

static void base64_is_strict(void **state)
{
	static const char *const bad[] = { "",	       "=",    "A",    "AB",   "QUI",  "QQ",	   "QQ=", "QQ===",
					   "QQ======", "Q=Q=", "QR==", "QUJ=", "AAAA", "QUI=QUI=", "QU-_" };
	static const struct {
		const char *from, *to;
	} good[] = { { "QQ==", "A" },
		     { "QUI=", "AB" },
		     { "QUJD", "ABC" },
		     { " Q U\nJD\r\nRA==\t", "ABCD" },
		     { "/+8+", "\xff\xef>" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *to = NULL;

		if (base64_decode(bad[i], &to) != -EINVAL)
			fail_msg("%s", bad[i]);
		assert_null(to);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_free_ char *to = NULL;

		assert_int_equal(base64_decode(good[i].from, &to), 0);
		assert_string_equal(to, good[i].to);
	}
}

static void credentials_are_not_sent_in_the_clear(void **state)
{
	_cleanup_(cluster_done) struct cluster cluster = {};
	_cleanup_(http_freep) struct http *http = NULL;
	struct bc_error error = {};

	(void)state;
	cluster.server = strdup("http://127.0.0.1:1");
	cluster.token = strdup("a");
	assert_int_equal(http_new(&cluster, &http, &error), -EINVAL);
	assert_error(&error, 0, "http://127.0.0.1:1: credentials are sent over https alone");
	free(TAKE_PTR(cluster.token));
	assert_int_equal(http_new(&cluster, &http, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_cluster_gives_address_and_files, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(in_cluster_says_what_is_wrong, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(kubeconfig_gives_all_it_has, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(kubeconfig_refuses_what_we_do_not_do, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(kubeconfig_must_be_a_small_file, make_directory, remove_directory),
		cmocka_unit_test(url_is_checked),
		cmocka_unit_test_setup_teardown(token_is_read_and_checked, make_directory, remove_directory),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(credentials_are_not_sent_in_the_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
