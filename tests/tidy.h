/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the beds of tests and of the bench remove when they are done. */
#ifndef BINDCTL_TEST_TIDY_H
#define BINDCTL_TEST_TIDY_H

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "patience.h"

/* A directory with the files and empty directories in it. */
static inline void remove_files(const char *dir)
{
	DIR *open = opendir(dir);
	struct dirent *entry;

	while (open && (entry = readdir(open))) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlink(path))
			rmdir(path);
	}
	if (open)
		closedir(open);
	rmdir(dir);
}

/*
 * The cgroup and all below it, of which nothing lives any more: what was killed may take a moment to be gone. Whether all
 * went; where one stays, those above it are not waited for.
 */
static inline bool remove_cgroups(const char *path)
{
	DIR *open = opendir(path);
	struct dirent *entry;
	bool empty = true;

	while (open && (entry = readdir(open))) {
		char *below;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
			break;
		empty = remove_cgroups(below) && empty;
		free(below);
	}
	if (open)
		closedir(open);
	for (int i = 0; empty && rmdir(path); i++) {
		if (errno != EBUSY || i == PATIENCE)
			return errno == ENOENT;
		nap();
	}
	return empty;
}

#endif
