/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recorded reply of an API server, taken apart: tests/k8s/exchanges. */
#ifndef BINDCTL_TESTS_EXCHANGE_H
#define BINDCTL_TESTS_EXCHANGE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/util.h"

struct exchange {
	unsigned status;
	int64_t retry_after_s;
	struct bc_text body;
	bool cut; /* the last chunk is missing */
};

static inline void exchange_done(struct exchange *exchange)
{
	bc_text_done(&exchange->body);
}

static inline void exchange_chunks(struct exchange *exchange, const char *p)
{
	for (;;) {
		unsigned size = 0;
		const char *data = strstr(p, "\r\n");

		exchange->cut = true;
		if (!data || sscanf(p, "%x", &size) != 1)
			return;
		exchange->cut = size;
		if (!size)
			return;
		bc_text_add(&exchange->body, data + 2, size);
		p = data + 2 + size + 2;
	}
}

/* Fails the test if there is no such file. Tests are run from the top directory. */
static inline void exchange_read(struct exchange *exchange, const char *name)
{
	char path[128];
	_cleanup_free_ char *data = NULL;
	_cleanup_close_ int fd = -1;
	const char *body, *retry_after;
	size_t len = 0;

	snprintf(path, sizeof(path), "tests/k8s/exchanges/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || bc_read_all(fd, 1 << 20, &data, &len) || sscanf(data, "HTTP/1.1 %u", &exchange->status) != 1)
		fail_msg("cannot read %s", path);
	body = strstr(data, "\r\n\r\n");
	assert_non_null(body);
	retry_after = strstr(data, "\r\nRetry-After: ");
	exchange->retry_after_s = retry_after && retry_after < body ? atoi(retry_after + 15) : -1;
	if (strstr(data, "Transfer-Encoding: chunked"))
		exchange_chunks(exchange, body + 4);
	else
		bc_text_add(&exchange->body, body + 4, len - (size_t)(body + 4 - data));
	assert_false(exchange->body.failed);
}

#endif
