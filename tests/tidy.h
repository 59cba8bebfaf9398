/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the beds of tests and of the bench remove when they are done. */
#ifndef BINDCTL_TEST_TIDY_H
#define BINDCTL_TEST_TIDY_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* The cgroup and all below it; what was in them may take a moment to be gone. */
static inline void remove_cgroups(const char *path)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	DIR *open = opendir(path);
	struct dirent *entry;

	while (open && (entry = readdir(open))) {
		char *below;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
			break;
		remove_cgroups(below);
		free(below);
	}
	if (open)
		closedir(open);
	for (int i = 0; rmdir(path) && errno == EBUSY && i < 100; i++)
		nanosleep(&moment, NULL);
}

#endif
