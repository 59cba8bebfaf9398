/* SPDX-License-Identifier: GPL-2.0-or-later */
/* $STATIC_BIND, a static program that binds, started by whoever calls a test's bind. */
#ifndef BINDCTL_TEST_STATIC_H
#define BINDCTL_TEST_STATIC_H

#include <sys/socket.h>
#include <sys/types.h>

/* Opens it, for the user may not be able to reach the tree that it was built in. Fails the test if it cannot. */
int static_open(void);

/* The same of a copy below the bed with that name, owner and mode, which whoever asks for it may start: setuid, setgid. */
int static_copy(const char *name, uid_t uid, gid_t gid, mode_t mode);
void static_remove(const char *name);

/* Has the opened program bind the address's port; 0 or errno. */
int static_exec(int program, const struct sockaddr *addr);

#endif
