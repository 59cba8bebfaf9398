/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of authbind's byuid/UID files, read as authbind(1)'s helper reads it: what that takes, odd as it may look (a
 * sign, blanks between numbers, a port beyond 65535), is taken here, and nothing else.
 */
#ifndef BINDCTL_AUTHLINE_H
#define BINDCTL_AUTHLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address as one number, an IPv4 address in its mapped form. */
__extension__ typedef unsigned __int128 bc_auth_addr;

#define BC_AUTH_MAPPED ((bc_auth_addr)0xffff << 32) /* ::ffff:0.0.0.0 */

static inline bool bc_auth_is_mapped(bc_auth_addr addr)
{
	return addr >> 32 == BC_AUTH_MAPPED >> 32;
}

/* The helper reads that many bytes at once, and what is longer as several lines. */
#define BC_AUTH_LINE 298

/* It permits these addresses and ports, each from the first to the last. */
struct bc_auth_line {
	bc_auth_addr first, last;
	uint32_t first_port, last_port; /* may be beyond 65535 */
	bool v4;
};

/* From the 4 or 16 bytes that inet_pton(3) makes. */
bc_auth_addr bc_auth_number(const unsigned char *bytes, bool v4);

/*
 * Reads a line, with or without its newline. NULL, or why the line permits nothing, *ret_at then being where in it that
 * is seen, in bytes.
 */
const char *bc_auth_read_line(const char *line, struct bc_auth_line *ret, size_t *ret_at);

#endif
