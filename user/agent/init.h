/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `bindctl-agent init`: for an init container. It binds the ports that the workload will want, as the workload would,
 * and so makes a node whose policy does not let it fail early and in words.
 */
#ifndef BINDCTL_INIT_H
#define BINDCTL_INIT_H

/* argv[0] is "init". Returns an exit code. */
int init_run(int argc, char **argv);

#endif
