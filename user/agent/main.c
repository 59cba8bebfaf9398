// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/init.h"
#include "bindctl/abi.h"

static int run(int argc, char **argv)
{
	struct options options;
	struct bc_error error;
	int code;

	switch (options_parse(&options, argc, argv, getenv("NODE_NAME"), &error)) {
	case OPTIONS_RUN:
		code = agent_run(&options);
		break;
	case OPTIONS_HELP:
		options_help(stdout);
		code = options_finish_output();
		break;
	case OPTIONS_VERSION:
		printf("bindctl-agent %s (image schema %u)\n", BINDCTL_VERSION, BC_SCHEMA);
		code = options_finish_output();
		break;
	default:
		code = options_complain(&error);
	}
	options_done(&options);
	return code;
}

int main(int argc, char **argv)
{
	int fd;

	/* A closed 0, 1 or 2 would be taken by the next file opened, and what we say would land in it. */
	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
	umask(022);
	/* A file that would grow beyond a limit is an error like others, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	if (argc > 1 && !strcmp(argv[1], "init"))
		return init_run(argc - 1, argv + 1);
	return run(argc, argv);
}
