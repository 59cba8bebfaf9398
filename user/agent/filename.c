// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "agent/filename.h"
#include "host/store.h"

/* Letters that need no quoting anywhere. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
/* There is room for what the file is called until it is whole. */
#define NAME_MAX_BYTES 200

int filename_check(const char *name, struct bc_error *reterr)
{
	size_t len = strlen(name);

	if (len <= strlen(".conf") || strcmp(name + len - strlen(".conf"), ".conf"))
		return bc_fail(reterr, -EINVAL, "'%s' is no name of a policy file: it does not end with .conf", name);
	if (*name == '.' || strspn(name, NAME_LETTERS) != len || len > NAME_MAX_BYTES)
		return bc_fail(reterr, -EINVAL,
			       "'%s' is no name of a policy file: it has at most %d letters, digits, '.', '_' and '-', "
			       "and does not begin with a dot",
			       name, NAME_MAX_BYTES);
	if (!strcmp(name, BC_FILE_PERSISTENT) || !strcmp(name, BC_FILE_RUNTIME))
		return bc_fail(reterr, -EINVAL, "%s is the file that bindctl's commands edit; take another name", name);
	return 0;
}
