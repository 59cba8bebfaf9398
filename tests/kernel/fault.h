/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bindctl of whose system calls one fails, without having done anything. */
#ifndef BINDCTL_FAULT_H
#define BINDCTL_FAULT_H

#include <stdint.h>

/* One run, and what came of it. */
struct fault {
	long n;	       /* which call is to fail, of those that can be made to, counted from the start of main() */
	int call;      /* its number; -1: the command ended before it came to that */
	uint64_t arg0; /* and its first argument */
	int error;     /* errno that it failed with */
	int exit;      /* of the command; as a shell has it if a signal ended it */
	char said[4096];
};

/* Runs $BINDCTL with the bed's options and the command, and has the call fail->n fail; what it says goes to fault->said. */
void fault_run(const char *const *argv, struct fault *fault);

#endif
