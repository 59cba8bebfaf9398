/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bindctl that is run from one system call to the next, and can be killed at any of them. */
#ifndef BINDCTL_TRACE_H
#define BINDCTL_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Where to stop: at every call; or, far quicker, at those alone that leave a difference behind when the process dies. Left
 * out are then calls that only read, that change the process itself (its memory, its privileges), or that make or close
 * objects which nobody else has.
 */
enum trace_calls {
	TRACE_ALL,
	TRACE_CHANGES
};

/* Where it stands still. */
struct trace_stop {
	enum trace_calls calls;
	bool ended;
	int code;   /* its exit code, or -1 when a signal ended it */
	bool entry; /* on its way into the call, which has done nothing yet; else on its way out */
	long nr;    /* of the call; also on the way out */
	uint64_t args[6];
};

/* Starts the program with the bed's options and the command; what it says goes to /dev/null. Not yet executed. */
pid_t trace_start(const char *program, const char *const *argv, enum trace_calls calls);

/* Lets it run to the next stop. `stop` is the last one on the way in, and the new one on the way out. */
void trace_next(pid_t pid, struct trace_stop *stop);

/*
 * Lets it run until main() is about to make one of its first calls: what the dynamic linker does is not of bindctl. The
 * calls are those of trace_start().
 */
void trace_to_main(pid_t pid, enum trace_calls calls, struct trace_stop *stop);

/* Kills it where it stands, and waits until it is gone: its files are closed and its locks free then. */
void trace_kill(pid_t pid);

#endif
