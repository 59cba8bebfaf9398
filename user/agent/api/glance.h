/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose text this is, of an object that cannot be read as JSON: too large (then this is its beginning), not UTF-8, nested
 * without end. So that what is refused can be named, and an old version of it is not taken for the present one.
 */
#ifndef BINDCTL_AGENT_GLANCE_H
#define BINDCTL_AGENT_GLANCE_H

#include <stdbool.h>
#include <stddef.h>

#define GLANCE_NAME 254	   /* with the NUL; names of Kubernetes have at most 253 bytes */
#define GLANCE_VERSION 128 /* with the NUL */
#define GLANCE_UID 65	   /* with the NUL */

/* Strings are empty where there is none, or none that is printable ASCII without escapes and fits. */
struct glance {
	char type[16]; /* of a watch's event: "ADDED" */
	char namespace[GLANCE_NAME];
	char name[GLANCE_NAME];
	char version[GLANCE_VERSION]; /* metadata.resourceVersion */
	char uid[GLANCE_UID];
};

/* `event`: the object is the member "object" of the text, as in a watch; else it is the text. */
void glance(const char *text, size_t len, bool event, struct glance *ret);

#endif
