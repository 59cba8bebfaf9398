// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look.h"

void look_into(const char *dir, bool contents, struct bc_text *ret)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, NULL, alphasort);

	bc_text_add(ret, "", 0);
	for (int i = 0; i < n; i++) {
		char path[512], data[512] = "";
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		if (strcmp(entries[i]->d_name, ".") && strcmp(entries[i]->d_name, "..")) {
			fd = contents ? open(path, O_RDONLY | O_CLOEXEC) : -1;
			if (fd >= 0 && read(fd, data, sizeof(data) - 1) < 0)
				data[0] = '\0';
			if (fd >= 0)
				close(fd);
			bc_text_addf(ret, "%s: %s\n", entries[i]->d_name, data);
		}
		free(entries[i]);
	}
	free(entries);
}
