/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What authbind(1) permits, as policy. Its helper asks, for a bind of a port below 1024 by anybody but root, for the
 * files byport/PORT; byaddr/ADDR:PORT (IPv4), byaddr/ADDR,PORT and, for IPv6, that with the address written out. The
 * first that exists decides, for everybody: whoever may execute it, may bind. If there is none, the lines of byuid/UID
 * permit. From port 512 on the names begin with `!`.
 *
 * Rules of a user go before those of groups and of everybody, so a line of byuid/UID must not speak of what one of the
 * other files decides.
 */
#ifndef BINDCTL_AUTHBIND_H
#define BINDCTL_AUTHBIND_H

#include "base/error.h"
#include "pure/authaccess.h"
#include "pure/import.h"

enum bc_auth_place {
	BC_AUTH_TOP, /* the directory itself */
	BC_AUTH_BYPORT,
	BC_AUTH_BYADDR,
	BC_AUTH_BYUID,
	BC_AUTH_PLACES,
};

struct bc_auth_file {
	enum bc_auth_place place;
	char *name;
	struct bc_auth_access access;
	char *text; /* of a byuid file, NUL-terminated behind its `len` bytes; NULL: it cannot be read as one */
	size_t len;
};

/* The directory as it was read. Owns the files. Zero-initialised is empty. */
struct bc_auth {
	struct bc_auth_access places[BC_AUTH_PLACES];
	struct bc_auth_file *files; /* in the order of their names in each place */
	size_t n, room;
};

void bc_auth_done(struct bc_auth *auth);

/* `dir` is what the directory is called in notes. 0, or -errno with a sentence. */
int bc_import_authbind(const struct bc_auth *auth, const char *dir, struct bc_import *ret, struct bc_error *reterr);

#endif
