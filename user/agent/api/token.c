// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/api/token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/util.h"

#define TOKEN_MAX (16u << 10)

int token_check(const char *token, struct bc_error *reterr)
{
	if (!*token)
		return bc_fail(reterr, -EINVAL, "the token is empty");
	for (const char *p = token; *p; p++)
		if (*p <= ' ' || *p > '~')
			return bc_fail(reterr, -EINVAL, "the token has a byte that no token has");
	return 0;
}

int token_read(const char *path, char **ret, struct bc_error *reterr)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *token = NULL;
	size_t len = 0;
	int r;

	if (fd < 0)
		return bc_fail_errno(reterr, -errno, "cannot open the token file %s", path);
	r = bc_read_all(fd, TOKEN_MAX, &token, &len);
	if (r < 0)
		return bc_fail_errno(reterr, r, "cannot read the token file %s", path);
	if (strlen(token) != len)
		return bc_fail(reterr, -EINVAL, "the token file %s has a NUL byte in it", path);
	while (len && strchr(" \t\r\n", token[len - 1]))
		token[--len] = '\0';
	*ret = TAKE_PTR(token);
	return 0;
}
