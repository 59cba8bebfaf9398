// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line: what counts when nothing is said, and what is refused in which words. */
#include <getopt.h>

#include "../../unit/unit.h"
#include "agent/options.h"
#include "agent/serve.h"

/* Words end with NULL. */
static int parse(struct options *options, const char *node, struct bc_error *error, const char *const *words)
{
	char *argv[16] = { "bindctl-agent" };
	int argc = 1;

	while (words[argc - 1]) {
		argv[argc] = (char *)words[argc - 1];
		argc++;
	}
	optind = 0;
	return options_parse(options, argc, argv, node, error);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void assert_refused(const char *node, const char *sentence, const char *const *words)
{
	struct options options;
	struct bc_error error = {};

	assert_int_equal(parse(&options, node, &error, words), -EINVAL);
	assert_string_equal(error.text, sentence);
	options_done(&options);
}

static void assert_taken(const char *const *words)
{
	struct options options;
	struct bc_error error = {};

	if (parse(&options, "n", &error, words) != OPTIONS_RUN)
		fail_msg("refused: %s: %s", words[0], error.text);
	options_done(&options);
}

static void defaults(void **state)
{
	const char *const none[] = { NULL };
	struct options options;
	struct bc_error error;

	(void)state;
	assert_int_equal(parse(&options, "node-1", &error, none), OPTIONS_RUN);
	assert_string_equal(options.node, "node-1");
	assert_string_equal(options.file, "60-kubernetes.conf");
	assert_string_equal(options.cgroup_root, "/");
	assert_string_equal(options.listen, "[::]:9734");
	assert_null(options.config);
	assert_null(options.pins);
	assert_null(options.cgroup);
	assert_null(options.kubeconfig);
	assert_int_equal(options.driver, OPTIONS_DRIVER_AUTO);
	assert_int_equal(options.log_format, LOG_FORMAT_TEXT);
	assert_int_equal(options.log_level, LEVEL_INFO);
	assert_false(options.dry_run);
	options_done(&options);
}

static void all_options_are_taken(void **state)
{
	struct options options;
	struct bc_error error;

	(void)state;
	assert_int_equal(parse(&options, "from-environment", &error,
			       WORDS("--node=n2.example", "--kubeconfig=k", "--context=c", "--cgroup=/g", "--pin=/p",
				     "--config=sub/dir", "--file=70-x.conf", "--host-root=/host",
				     "--cgroup-root=/kubelet/x", "--cgroup-driver=cgroupfs", "--listen=none",
				     "--log-format=json", "--log-level=debug", "--dry-run")),
			 OPTIONS_RUN);
	assert_string_equal(options.node, "n2.example");
	assert_string_equal(options.kubeconfig, "k");
	assert_string_equal(options.context, "c");
	assert_string_equal(options.cgroup, "/g");
	assert_string_equal(options.pins, "/p");
	assert_int_equal(*options.config, '/');
	assert_contains(options.config, "/sub/dir");
	assert_string_equal(options.file, "70-x.conf");
	assert_string_equal(options.host_root, "/host");
	assert_string_equal(options.cgroup_root, "/kubelet/x");
	assert_int_equal(options.driver, OPTIONS_DRIVER_CGROUPFS);
	assert_null(options.listen);
	assert_int_equal(options.log_format, LOG_FORMAT_JSON);
	assert_int_equal(options.log_level, LEVEL_DEBUG);
	assert_true(options.dry_run);
	options_done(&options);
}

static void help_and_version_need_nothing(void **state)
{
	struct options options;
	struct bc_error error;

	(void)state;
	assert_int_equal(parse(&options, NULL, &error, WORDS("--help")), OPTIONS_HELP);
	assert_int_equal(parse(&options, NULL, &error, WORDS("-h")), OPTIONS_HELP);
	assert_int_equal(parse(&options, NULL, &error, WORDS("--version")), OPTIONS_VERSION);
}

static void wrong_words_are_refused(void **state)
{
	const char *const none[] = { NULL };

	(void)state;
	assert_refused(NULL, "which node is this? --node NAME, or NODE_NAME in the environment", none);
	assert_refused("", "which node is this? --node NAME, or NODE_NAME in the environment", none);
	assert_refused("n", "unknown or ambiguous option '--nodes'", WORDS("--nodes"));
	assert_refused("n", "unknown or ambiguous option '--log'", WORDS("--log", "json"));
	assert_refused("n", "option '--dry-run' takes no value", WORDS("--dry-run=yes"));
	assert_refused("n", "unknown option '-x'", WORDS("--node=n", "-xh"));
	assert_refused("n", "unknown option '-x'", WORDS("-x"));
	assert_refused("n", "option '--node' wants a value", WORDS("--node"));
	assert_refused("n", "option '--pin' wants a value, not an empty word", WORDS("--pin="));
	assert_refused("n", "option '--node' wants a value, not an empty word", WORDS("--node", ""));
	assert_refused("n", "unexpected 'run'", WORDS("run"));
	assert_refused("n", "--context is of a --kubeconfig, and there is none", WORDS("--context=x"));
	assert_refused("n", "--cgroup-driver: unknown 'docker' (auto, systemd, cgroupfs)",
		       WORDS("--cgroup-driver=docker"));
	assert_refused("n", "--log-format: unknown 'xml' (text, json)", WORDS("--log-format=xml"));
	assert_refused("n", "--log-level: unknown 'all' (debug, info, warning, error)", WORDS("--log-level=all"));
}

static void names_are_checked(void **state)
{
	(void)state;
	assert_taken(WORDS("--node=a"));
	assert_taken(WORDS("--node=ip-10-0-0-1.eu-west-1.compute.internal"));
	assert_refused("n", "'Node' cannot be a node's name", WORDS("--node=Node"));
	assert_refused("n", "'a..b' cannot be a node's name", WORDS("--node=a..b"));
	assert_refused("n", "'.a' cannot be a node's name", WORDS("--node=.a"));
	assert_refused("n", "'a.' cannot be a node's name", WORDS("--node=a."));
	assert_refused("n", "'-a' cannot be a node's name", WORDS("--node=-a"));
	assert_refused("n", "'a.b-' cannot be a node's name", WORDS("--node=a.b-"));
	assert_refused("n", "'a,metadata.name!=x' cannot be a node's name", WORDS("--node=a,metadata.name!=x"));
	assert_refused("n", "'a b' cannot be a node's name", WORDS("--node=a b"));
	assert_taken(WORDS("--file=a.conf"));
	assert_refused(
		"n",
		"--file: '../x.conf' is no name of a policy file: it has at most 200 letters, digits, '.', '_' and "
		"'-', and does not begin with a dot",
		WORDS("--file=../x.conf"));
	assert_refused("n", "--file: 'x' is no name of a policy file: it does not end with .conf", WORDS("--file=x"));
	assert_refused("n", "--file: '.conf' is no name of a policy file: it does not end with .conf",
		       WORDS("--file=.conf"));
	assert_refused("n", "--file: 50-runtime.conf is the file that bindctl's commands edit; take another name",
		       WORDS("--file=50-runtime.conf"));
	assert_refused("n", "--cgroup-root: 'x' does not begin with '/'", WORDS("--cgroup-root=x"));
	assert_refused("n", "--cgroup-root: '.' and '..' are no names in '/a/../b'", WORDS("--cgroup-root=/a/../b"));
}

static void assert_listen(const char *word, const char *host, const char *port, const char *sentence)
{
	char got_host[SERVE_HOST_MAX] = "", got_port[SERVE_PORT_MAX] = "";
	struct bc_error error = {};

	assert_int_equal(serve_parse(word, got_host, got_port, &error), sentence ? -EINVAL : 0);
	if (sentence) {
		assert_string_equal(error.text, sentence);
		return;
	}
	assert_string_equal(got_host, host);
	assert_string_equal(got_port, port);
}

static void addresses_to_listen_at(void **state)
{
	(void)state;
	assert_listen("127.0.0.1:9734", "127.0.0.1", "9734", NULL);
	assert_listen("[::]:0", "::", "0", NULL);
	assert_listen("[fd00::1]:65535", "fd00::1", "65535", NULL);
	assert_listen("9734", NULL, NULL, "'9734' is no ADDR:PORT, as in 127.0.0.1:9734 or [::]:9734");
	assert_listen("0.0.0.0:x", NULL, NULL, "'0.0.0.0:x' is no ADDR:PORT, as in 127.0.0.1:9734 or [::]:9734");
	assert_listen("0.0.0.0:65536", NULL, NULL,
		      "'0.0.0.0:65536' is no ADDR:PORT, as in 127.0.0.1:9734 or [::]:9734");
	assert_listen("::1:80", NULL, NULL, "'::1' is no IPv4 address; one of IPv6 goes in brackets");
	assert_listen("[::1:80", NULL, NULL, "no IPv6 address in brackets before ':80'");
	assert_listen("[:80", NULL, NULL, "no IPv6 address in brackets before ':80'");
	assert_listen("localhost:80", NULL, NULL, "'localhost' is no IPv4 address");
	assert_listen(":80", NULL, NULL, "'' is no IPv4 address");
	assert_refused("n", "--listen: 'localhost' is no IPv4 address", WORDS("--listen=localhost:80"));
}

static void help_fits_a_screen(void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0, lines = 0;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	options_help(to);
	fclose(to);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		assert_true(strcspn(line, "\n") <= 80);
		lines++;
	}
	assert_true(lines <= 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(all_options_are_taken),
		cmocka_unit_test(help_and_version_need_nothing),
		cmocka_unit_test(wrong_words_are_refused),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(addresses_to_listen_at),
		cmocka_unit_test(help_fits_a_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
