// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

#include "agent/usage.h"
#include "base/util.h"

/* The second word of statm is what is resident, in pages. */
static int read_resident(uint64_t *ret)
{
	_cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	unsigned long long pages;
	char text[256];
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (sscanf(text, "%*u %llu", &pages) != 1)
		return -EBADMSG;
	*ret = pages * sysconf(_SC_PAGESIZE);
	return 0;
}

static int count_fds(uint64_t *ret)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!dir)
		return -errno;
	for (const struct dirent *entry; (entry = readdir(dir));)
		n += *entry->d_name != '.';
	closedir(dir);
	*ret = n - 1; /* but for the one that we look with */
	return 0;
}

int usage_read(struct usage *ret)
{
	struct usage usage = {};
	struct rusage spent;
	int r = read_resident(&usage.resident);

	if (!r)
		r = count_fds(&usage.fds);
	if (!r && getrusage(RUSAGE_SELF, &spent))
		r = -errno;
	if (r)
		return r;
	usage.cpu =
		spent.ru_utime.tv_sec + spent.ru_stime.tv_sec + (spent.ru_utime.tv_usec + spent.ru_stime.tv_usec) / 1e6;
	*ret = usage;
	return 0;
}
