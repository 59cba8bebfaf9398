/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes out of an object's JSON what nobody asked for, before it is read: of a pod's ten kilobytes, half a kilobyte
 * counts, and a tree of JSON takes many times its text.
 */
#ifndef BINDCTL_AGENT_PRUNE_H
#define BINDCTL_AGENT_PRUNE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The text with nothing left but the members that `keep` names by their paths ("metadata.labels", "spec"), each with all
 * that is in it, and those that the reflector needs: an object's name and version, and what a Status says. NULL behind the
 * last path. `event`: the object is the member "object" of the text. *ret is malloc'ed, with a NUL behind. 0, -ENOMEM, or
 * -EBADMSG: its brackets are not in order, so that only a reader of JSON can tell what is wrong. Looks no closer than that.
 */
int prune(const char *text, size_t len, bool event, const char *const *keep, char **ret, size_t *ret_len);

#endif
