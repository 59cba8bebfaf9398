// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inside.h"

static char dir[64]; /* of what a test needs besides the bed */

const char *in(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	return path;
}

int inside_make(void **state)
{
	static const char *const names[] = { "host", "node", "own", "run", "etc", "root", "root/etc" };

	(void)state;
	strcpy(dir, "/tmp/bindctl-agent.XXXXXX");
	if (!mkdtemp(dir) || chmod(dir, 0755))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdir(in(names[i]), 0755))
			return -1;
	pods_forget();
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int inside_remove(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int wrong(const char *what)
{
	printf("# inside: %s: %s\n", what, strerror(errno));
	return 1;
}

void run_inside(const struct inside *inside)
{
	int status, r;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		r = inside->run(inside);
		fflush(stdout);
		_exit(r);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}
