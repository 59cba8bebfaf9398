// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

#include "agent/usage.h"
#include "base/util.h"

static int read_word(const char *path, char *to, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = fd < 0 ? -errno : bc_read_all(fd, 65536, &text, &len);

	if (r)
		return r;
	snprintf(to, size, "%s", text);
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
	struct rusage spent;
	unsigned long long pages;
	struct usage usage = {};
	char text[256];
	int r = read_word("/proc/self/statm", text, sizeof(text));

	if (!r && sscanf(text, "%*u %llu", &pages) != 1)
		r = -EBADMSG;
	if (!r)
		r = count_fds(&usage.fds);
	if (!r && getrusage(RUSAGE_SELF, &spent))
		r = -errno;
	if (r)
		return r;
	usage.resident = pages * sysconf(_SC_PAGESIZE);
	usage.cpu =
		spent.ru_utime.tv_sec + spent.ru_stime.tv_sec + (spent.ru_utime.tv_usec + spent.ru_stime.tv_usec) / 1e6;
	*ret = usage;
	return 0;
}
