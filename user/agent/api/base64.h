/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BINDCTL_AGENT_BASE64_H
#define BINDCTL_AGENT_BASE64_H

/* A text without NUL bytes from its base64, blanks between it left aside; *ret is malloc'ed. 0, -EINVAL, -ENOMEM. */
int base64_decode(const char *text, char **ret);

#endif
