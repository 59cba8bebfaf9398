// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/util.h"
#include "host/sweep.h"

static void sweep(const char *dir, const char *runtime_file, bool locked)
{
	const char *const names[] = { BC_FILE_PERSISTENT, BC_FILE_RUNTIME, runtime_file };
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char aside[NAME_MAX + 8];

	/* A writer who holds the lock needs what is there. */
	if (fd < 0 || (!locked && flock(fd, LOCK_EX | LOCK_NB)))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names) && names[i]; i++) {
		snprintf(aside, sizeof(aside), BC_FILE_ASIDE, names[i]);
		unlinkat(fd, aside, 0);
	}
}

void bc_store_sweep(const struct bc_store *store, const char *locked)
{
	sweep(store->persistent, store->runtime_file, locked && !strcmp(locked, store->persistent));
	if (strcmp(store->runtime, store->persistent))
		sweep(store->runtime, store->runtime_file, locked && !strcmp(locked, store->runtime));
}
