/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reflector asks the API server for: a path with its query. Tokens and versions are opaque, and are escaped. */
#ifndef BINDCTL_AGENT_TARGET_H
#define BINDCTL_AGENT_TARGET_H

/* A page of a list. `page` 0: all at once; next_page NULL: the first. malloc'ed; NULL: no memory. */
char *target_list(const char *path, const char *field_selector, unsigned page, const char *next_page);

/* What happens after a version, for so many seconds. */
char *target_watch(const char *path, const char *field_selector, const char *version, unsigned seconds);

#endif
