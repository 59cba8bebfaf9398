// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "agent/filename.h"
#include "agent/options.h"
#include "agent/serve.h"
#include "base/option.h"
#include "kernel/pin.h"

void options_done(struct options *options)
{
	free(options->pins);
	free(options->config);
	*options = (struct options){};
}

/* Fits a terminal of 24 lines of 80 characters. */
void options_help(FILE *to)
{
	fputs("bindctl-agent - enforces a cluster's bind policies on one node\n"
	      "Usage: bindctl-agent --node NAME [OPTION...]\n"
	      "       bindctl-agent init PORT[/tcp|/udp]... [--timeout TIME] [--address IP]\n\n"
	      "  --node NAME           of this node; default: $NODE_NAME\n"
	      "  --kubeconfig FILE     says how to reach the cluster; default: as a pod of it\n"
	      "  --context NAME        of the kubeconfig; default: its current one\n"
	      "  --cgroup PATH         where to attach; default: the root of cgroup2\n"
	      "  --pin DIR             of the kernel's objects; default: " BC_PIN_DIR "\n"
	      "  --config DIR          the policy's, in the place of the system's three\n"
	      "  --file NAME           of the agent's policy; default: " FILENAME_DEFAULT "\n"
	      "  --host-root DIR       the host's / as a container has it, for names of users\n"
	      "  --cgroup-root PATH    the same option of the kubelet; default: /\n"
	      "  --cgroup-driver NAME  the kubelet's: systemd, cgroupfs; default: auto, both\n"
	      "  --listen ADDR:PORT    serves health and metrics; default: " OPTIONS_LISTEN "; or none\n"
	      "  --log-format FORMAT   text (default) or json\n"
	      "  --log-level LEVEL     debug, info (default), warning or error\n"
	      "  --dry-run             only print the node's policy and what it would change\n"
	      "  --help, --version\n\n"
	      "init, in a pod, waits until each PORT can be bound, and fails after TIME (60s).\n",
	      to);
}

int options_finish_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_DONE;
	fputs("bindctl-agent: cannot write to standard output\n", stderr);
	return EXIT_FAILED;
}

int options_complain(const struct bc_error *error)
{
	char shown[2048];

	fprintf(stderr, "bindctl-agent: %s\nbindctl-agent: see: bindctl-agent --help\n",
		bc_printable(shown, sizeof(shown), error->text));
	return EXIT_USAGE;
}

/* A name as Kubernetes gives nodes: a DNS subdomain. */
static bool is_node(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > 253 || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-")])
		return false;
	for (const char *label = name; label; label = strchr(label, '.')) {
		label += label != name;
		len = strcspn(label, ".");
		if (!len || *label == '-' || label[len - 1] == '-')
			return false;
	}
	return true;
}

/* The word's place in the list, or -EINVAL with a sentence that has them all. */
static int choose(const char *option, const char *word, const char *const *words, struct bc_error *reterr)
{
	_cleanup_(bc_text_done) struct bc_text all = {};

	for (int i = 0; words[i]; i++) {
		if (!strcmp(words[i], word))
			return i;
		bc_text_addf(&all, "%s%s", i ? ", " : "", words[i]);
	}
	return bc_fail(reterr, -EINVAL, "%s: unknown '%s' (%s)", option, word, all.failed ? "" : all.data);
}

/* The path from the root, malloc'ed: what is written into pins and images must not depend on where we were. */
static int absolute(const char *path, char **to, struct bc_error *reterr)
{
	_cleanup_free_ char *here = *path == '/' ? NULL : getcwd(NULL, 0);
	char *whole;

	if (asprintf(&whole, "%s%s%s", here ? here : "", here ? "/" : "", path) < 0)
		return bc_fail(reterr, -ENOMEM, "out of memory");
	free(*to);
	*to = whole;
	return 0;
}

static int check_file(const char *name, struct bc_error *reterr)
{
	struct bc_error error;

	return filename_check(name, &error) ? bc_fail(reterr, -EINVAL, "--file: %s", error.text) : 0;
}

static int check_root(const char *path, struct bc_error *reterr)
{
	if (*path != '/')
		return bc_fail(reterr, -EINVAL, "--cgroup-root: '%s' does not begin with '/'", path);
	for (const char *name = path; name; name = strchr(name, '/')) {
		name += strspn(name, "/");
		if (*name == '.' && (strcspn(name, "/") == 1 || (name[1] == '.' && strcspn(name, "/") == 2)))
			return bc_fail(reterr, -EINVAL, "--cgroup-root: '.' and '..' are no names in '%s'", path);
	}
	return 0;
}

static int take_listen(struct options *options, const char *value, struct bc_error *reterr)
{
	char host[SERVE_HOST_MAX], port[SERVE_PORT_MAX];
	struct bc_error error;

	options->listen = strcmp(value, "none") != 0 ? value : NULL;
	if (options->listen && serve_parse(value, host, port, &error))
		return bc_fail(reterr, -EINVAL, "--listen: %s", error.text);
	return 0;
}

static int take_choice(struct options *options, int option, const char *value, struct bc_error *reterr)
{
	static const char *const drivers[] = { "auto", "systemd", "cgroupfs", NULL };
	int r = option == 'd' ? choose("--cgroup-driver", value, drivers, reterr) :
		option == 'F' ? choose("--log-format", value, log_formats, reterr) :
				choose("--log-level", value, log_levels, reterr);

	if (r < 0)
		return r;
	if (option == 'd')
		options->driver = r;
	else if (option == 'F')
		options->log_format = r;
	else
		options->log_level = r;
	return 0;
}

static int take(struct options *options, int option, const char *value, struct bc_error *reterr)
{
	switch (option) {
	case 'n':
		options->node = value;
		return 0;
	case 'k':
		options->kubeconfig = value;
		return 0;
	case 'x':
		options->context = value;
		return 0;
	case 'g':
		options->cgroup = value;
		return 0;
	case 'p':
		return absolute(value, &options->pins, reterr);
	case 'c':
		return absolute(value, &options->config, reterr);
	case 'H':
		options->host_root = value;
		return 0;
	case 'f':
		options->file = value;
		return check_file(value, reterr);
	case 'r':
		options->cgroup_root = value;
		return check_root(value, reterr);
	case 'l':
		return take_listen(options, value, reterr);
	default:
		return take_choice(options, option, value, reterr);
	}
}

static int check_all(const struct options *options, struct bc_error *reterr)
{
	if (!options->node || !*options->node)
		return bc_fail(reterr, -EINVAL, "which node is this? --node NAME, or NODE_NAME in the environment");
	if (!is_node(options->node))
		return bc_fail(reterr, -EINVAL, "'%s' cannot be a node's name", options->node);
	if (options->context && !options->kubeconfig)
		return bc_fail(reterr, -EINVAL, "--context is of a --kubeconfig, and there is none");
	return 0;
}

int options_parse(struct options *options, int argc, char **argv, const char *node, struct bc_error *reterr)
{
	static const struct option table[] = {
		{ "node", required_argument, NULL, 'n' },
		{ "kubeconfig", required_argument, NULL, 'k' },
		{ "context", required_argument, NULL, 'x' },
		{ "cgroup", required_argument, NULL, 'g' },
		{ "pin", required_argument, NULL, 'p' },
		{ "config", required_argument, NULL, 'c' },
		{ "host-root", required_argument, NULL, 'H' },
		{ "file", required_argument, NULL, 'f' },
		{ "cgroup-root", required_argument, NULL, 'r' },
		{ "cgroup-driver", required_argument, NULL, 'd' },
		{ "listen", required_argument, NULL, 'l' },
		{ "log-format", required_argument, NULL, 'F' },
		{ "log-level", required_argument, NULL, 'L' },
		{ "dry-run", no_argument, NULL, 'N' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{},
	};
	int option, index = 0, r;

	*options = (struct options){ .node = node,
				     .file = FILENAME_DEFAULT,
				     .cgroup_root = "/",
				     .listen = OPTIONS_LISTEN,
				     .log_level = LEVEL_INFO };
	while ((option = getopt_long(argc, argv, "+:h", table, &index)) != -1) {
		if (option == ':' || option == '?')
			return bc_option_refused(option, argv, reterr);
		if (option == 'h')
			return OPTIONS_HELP;
		if (option == 'V')
			return OPTIONS_VERSION;
		if (option == 'N')
			options->dry_run = true;
		else if (!*optarg)
			return bc_fail(reterr, -EINVAL, "option '--%s' wants a value, not an empty word",
				       table[index].name);
		else if ((r = take(options, option, optarg, reterr)))
			return r;
	}
	if (optind < argc)
		return bc_fail(reterr, -EINVAL, "unexpected '%s'", argv[optind]);
	r = check_all(options, reterr);
	return r ? r : OPTIONS_RUN;
}
