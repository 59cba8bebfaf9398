// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/ports.h"

#define PORT_RANGE "/proc/sys/net/ipv4/ip_local_port_range"
#define UNPRIVILEGED_START "/proc/sys/net/ipv4/ip_unprivileged_port_start"
#define RESERVED_PORTS "/proc/sys/net/ipv4/ip_local_reserved_ports"

/* A list of all 65,535 ports one by one is below this. */
#define LIST_MAX (1 << 20)

static char *read_sysctl(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t len;

	if (fd < 0 || bc_read_all(fd, LIST_MAX, &text, &len))
		return NULL;
	return text;
}

void bc_ephemeral_read(struct bc_ephemeral *ret)
{
	_cleanup_free_ char *range = read_sysctl(PORT_RANGE), *list = read_sysctl(RESERVED_PORTS);
	struct bc_ephemeral ephemeral = {};
	size_t room = 0;
	char *save = NULL;

	*ret = ephemeral;
	if (!range || sscanf(range, "%hu %hu", &ephemeral.range.first, &ephemeral.range.last) != 2)
		return;
	for (char *item = strtok_r(list ?: (char[]){ "" }, ",\n", &save); item; item = strtok_r(NULL, ",\n", &save)) {
		struct bc_range kept;
		int n = sscanf(item, "%hu-%hu", &kept.first, &kept.last);

		if (n < 1 || bc_grow(&ephemeral.kept, &room, ephemeral.nkept + 1))
			break;
		if (n == 1)
			kept.last = kept.first;
		ephemeral.kept[ephemeral.nkept++] = kept;
	}
	*ret = ephemeral;
}

void bc_ephemeral_done(struct bc_ephemeral *ephemeral)
{
	free(ephemeral->kept);
	*ephemeral = (struct bc_ephemeral){};
}

unsigned bc_unprivileged_start(void)
{
	_cleanup_free_ char *text = read_sysctl(UNPRIVILEGED_START);

	return text ? strtoul(text, NULL, 10) : 1024;
}
