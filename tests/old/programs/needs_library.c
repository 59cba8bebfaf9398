// SPDX-License-Identifier: GPL-2.0-or-later
/* needs_library PORT: binds 127.0.0.1:PORT (TCP) and says so, in a word that comes from a library. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

const char *library_word(void);

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0) {
		printf("%s: %s\n", library_word(), strerrorname_np(errno));
		return 1;
	}
	printf("%s: bound\n", library_word());
	return 0;
}
