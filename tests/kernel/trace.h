/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bindctl that is run from one system call to the next, and can be killed at any of them. */
#ifndef BINDCTL_TRACE_H
#define BINDCTL_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Where it stands still. */
struct trace_stop {
	bool ended;
	int code;   /* its exit code, or -1 when a signal ended it */
	bool entry; /* on its way into the call, which has done nothing yet; else on its way out */
	long nr;    /* of the call; also on the way out */
	uint64_t args[6];
};

/* Starts the program with the bed's options and the command; what it says goes to /dev/null. Not yet executed. */
pid_t trace_start(const char *program, const char *const *argv);

/* Lets it run to the next stop. `stop` is the last one on the way in, and the new one on the way out. */
void trace_next(pid_t pid, struct trace_stop *stop);

/* Lets it run until main() is about to make its first call: what the dynamic linker does is not of bindctl. */
void trace_to_main(pid_t pid, struct trace_stop *stop);

/* Kills it where it stands, and waits until it is gone: its files are closed and its locks free then. */
void trace_kill(pid_t pid);

#endif
