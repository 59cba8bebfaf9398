// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/clock.h"
#include "agent/init.h"
#include "agent/options.h"
#include "base/option.h"
#include "host/privilege.h"
#include "pure/moment.h"

#define PORTS_MAX 64
#define PAUSE_MS 250

struct wanted {
	uint16_t port;
	int type;  /* SOCK_STREAM or SOCK_DGRAM */
	int error; /* of the last try; 0: it may be bound */
};

struct init {
	struct wanted ports[2 * PORTS_MAX];
	size_t n;
	int64_t timeout_ms;
	int family;
	unsigned char address[16];
	bool any; /* no address was given: all of the host's */
};

static const char *protocol(const struct wanted *wanted)
{
	return wanted->type == SOCK_STREAM ? "tcp" : "udp";
}

static int take_port(struct init *init, const char *word, struct bc_error *reterr)
{
	const char *slash = strchr(word, '/');
	bool tcp = !slash || !strcmp(slash, "/tcp"), udp = !slash || !strcmp(slash, "/udp");
	uint64_t port;

	if ((!tcp && !udp) || bc_parse_number(word, slash ? (size_t)(slash - word) : strlen(word), 1, 65535, &port))
		return bc_fail(reterr, -EINVAL, "'%s' is no port from 1 to 65535, as in 443, 443/tcp or 53/udp", word);
	if (init->n + tcp + udp > ARRAY_SIZE(init->ports))
		return bc_fail(reterr, -EINVAL, "more than %d ports", PORTS_MAX);
	if (tcp)
		init->ports[init->n++] = (struct wanted){ .port = port, .type = SOCK_STREAM };
	if (udp)
		init->ports[init->n++] = (struct wanted){ .port = port, .type = SOCK_DGRAM };
	return 0;
}

static int take_address(struct init *init, const char *word, struct bc_error *reterr)
{
	init->any = false;
	init->family = strchr(word, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(init->family, word, init->address) != 1)
		return bc_fail(reterr, -EINVAL, "--address: '%s' is no IP address", word);
	return 0;
}

static int take_timeout(struct init *init, const char *word, struct bc_error *reterr)
{
	int64_t timeout;
	char text[256];

	if (bc_parse_duration(word, strlen(word), &timeout, text, sizeof(text)))
		return bc_fail(reterr, -EINVAL, "--timeout: %s", text);
	init->timeout_ms = timeout / (BC_SECOND / 1000);
	return 0;
}

/* enum options_call or -errno. Options may stand before, between and behind the ports. */
static int parse(struct init *init, int argc, char **argv, struct bc_error *reterr)
{
	static const struct option table[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "address", required_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int option, r = 0;

	*init = (struct init){ .timeout_ms = 60000, .family = AF_INET6, .any = true };
	optind = 0; /* glibc: start over, on other arguments */
	while (!r && (option = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
		if (option == 'h')
			return OPTIONS_HELP;
		if (option == 't')
			r = take_timeout(init, optarg, reterr);
		else if (option == 'a')
			r = take_address(init, optarg, reterr);
		else
			r = bc_option_refused(option, argv, reterr);
	}
	for (; !r && optind < argc; optind++)
		r = take_port(init, argv[optind], reterr);
	if (!r && !init->n)
		r = bc_fail(reterr, -EINVAL, "init: which ports?");
	return r ? r : OPTIONS_RUN;
}

/* 0: it may be bound; who else has it does not matter, for policy is asked before the kernel looks. */
static int try_at(const struct init *init, const struct wanted *wanted, int family)
{
	_cleanup_close_ int fd = socket(family, wanted->type | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(wanted->port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(wanted->port) };
	bool is_v6 = family == AF_INET6;
	const int on = 1;

	if (fd < 0)
		return errno;
	memcpy(&v6.sin6_addr, init->address, sizeof(v6.sin6_addr));
	memcpy(&v4.sin_addr, init->address, sizeof(v4.sin_addr));
	/* Not to disturb a server that is just about to come back. */
	if (wanted->type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, is_v6 ? sizeof(v6) : sizeof(v4)))
		return 0;
	return errno == EADDRINUSE ? 0 : errno;
}

/* The wildcard of IPv6 is decided as IPv4's, too; where there is no IPv6 that is left. */
static int try_port(const struct init *init, const struct wanted *wanted)
{
	int error = try_at(init, wanted, init->family);

	if (init->any && (error == EAFNOSUPPORT || error == EADDRNOTAVAIL))
		error = try_at(init, wanted, AF_INET);
	return error;
}

/* How many are refused. */
static size_t try_all(struct init *init)
{
	size_t refused = 0;

	for (size_t i = 0; i < init->n; i++) {
		init->ports[i].error = try_port(init, &init->ports[i]);
		refused += init->ports[i].error != 0;
	}
	return refused;
}

static void say_refused(const struct init *init, size_t refused)
{
	_cleanup_(bc_text_done) struct bc_text text = {};
	const struct wanted *first = NULL;

	for (size_t i = 0; i < init->n; i++) {
		const struct wanted *wanted = &init->ports[i];

		if (!wanted->error)
			continue;
		bc_text_addf(&text, "%s%u/%s", first ? ", " : "", wanted->port, protocol(wanted));
		first = first ? first : wanted;
	}
	if (text.failed || !first)
		return;
	fprintf(stderr,
		"bindctl-agent: %s %s refused on this node: no bindctl-agent enforces policy here, or no BindPolicy "
		"grants %s to this pod (%s)\n",
		text.data, refused == 1 ? "is" : "are", refused == 1 ? "it" : "them", strerror(first->error));
}

/* Tries at least once, and a last time when the time is over. */
static int wait_for_all(struct init *init)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * INT64_C(1000000) };
	const int64_t end = clock_ms() + init->timeout_ms;
	size_t refused;

	while ((refused = try_all(init)) && clock_ms() < end)
		nanosleep(&pause, NULL);
	if (!refused)
		return EXIT_DONE;
	say_refused(init, refused);
	return EXIT_FAILED;
}

static void quit(int signal)
{
	(void)signal;
	_exit(EXIT_FAILED);
}

int init_run(int argc, char **argv)
{
	struct bc_error error;
	struct init init;
	int r = parse(&init, argc, argv, &error);

	if (r == OPTIONS_HELP) {
		options_help(stdout);
		return options_finish_output();
	}
	if (r < 0)
		return options_complain(&error);
	/* The first process of a container is not ended by a signal that it does not handle. */
	signal(SIGTERM, quit);
	signal(SIGINT, quit);
	/* A root's init must not vouch for a workload without privileges: only policy counts. */
	if (bc_privilege_keep(0, &error)) {
		fprintf(stderr, "bindctl-agent: %s\n", error.text);
		return EXIT_FAILED;
	}
	return wait_for_all(&init);
}
