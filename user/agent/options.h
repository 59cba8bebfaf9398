/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line says. */
#ifndef BINDCTL_OPTIONS_H
#define BINDCTL_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "agent/log.h"
#include "base/error.h"

/* Exit codes, bindctl's. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

enum options_driver {
	OPTIONS_DRIVER_AUTO, /* kubelet's cgroups may be named in either way */
	OPTIONS_DRIVER_SYSTEMD,
	OPTIONS_DRIVER_CGROUPFS,
};

#define OPTIONS_LISTEN "[::]:9734"

/* Strings are the command line's or the environment's, but for those that are owned. NULL: not given, no default. */
struct options {
	const char *node;
	const char *kubeconfig, *context;
	const char *cgroup;
	char *pins, *config; /* absolute; owned */
	const char *file;
	const char *host_root, *cgroup_root;
	enum options_driver driver;
	const char *listen; /* NULL: nowhere */
	enum log_format log_format;
	enum log_level log_level;
	bool dry_run;
};

void options_done(struct options *options);

enum options_call {
	OPTIONS_RUN = 1,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

/*
 * Reads the command line into empty options; `node` is what the environment says, or NULL. enum options_call, or -errno
 * with a sentence about what is wrong with it.
 */
int options_parse(struct options *options, int argc, char **argv, const char *node, struct bc_error *reterr);

void options_help(FILE *to);

/* Whether all that was printed got out, as an exit code; says so if it did not. */
int options_finish_output(void);

/* Says on standard error what is wrong with the command line, and where to read more. Returns the exit code. */
int options_complain(const struct bc_error *error);

#endif
