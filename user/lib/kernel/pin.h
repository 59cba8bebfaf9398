/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directory of pins under bpffs that keeps an instance alive without a process, and whose it is. */
#ifndef BINDCTL_PIN_H
#define BINDCTL_PIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define BC_PIN_DIR "/sys/fs/bpf/bindctl"
#define BC_PIN_MAX 4096 /* bytes of a pin's path, NUL included */

/* Names in the directory. */
#define BC_PIN_SCHEMA "schema"	     /* struct bc_schema: the first pin made and the last one removed */
#define BC_PIN_POLICY "policy"	     /* the outer map */
#define BC_PIN_GATE "gate"	     /* what stands before it */
#define BC_PIN_IMAGE "image"	     /* in the outer map: the policy in force */
#define BC_PIN_IMAGE_NEW "image-new" /* the one that is being put there */
#define BC_PIN_EVENTS "events"
#define BC_PIN_COUNTERS "counters"
#define BC_PIN_NOTES "notes" /* what one program leaves with a socket for another */
#define BC_PIN_STATE "state" /* what programs remember */
#define BC_PIN_SEEN "seen"   /* cgroups whose scope is known */

/* DIR/NAME into `path` of BC_PIN_MAX bytes; -ENAMETOOLONG. */
int bc_pin_path(char *path, const char *dir, const char *name, struct bc_error *reterr);

enum bc_pins {
	BC_PINS_ABSENT, /* no directory, or an empty one */
	BC_PINS_OURS,
};

/*
 * Whose pins these are: enum bc_pins, or -errno with a sentence, -EEXIST when they are somebody else's and -EPROTO
 * when of another schema. Changes nothing.
 */
int bc_pins_check(const char *dir, struct bc_error *reterr);

/* Makes the directory (0700) if it is missing. */
int bc_pins_make_directory(const char *dir, struct bc_error *reterr);

/* Marks the directory as ours, with programs that know no feature. */
int bc_pins_mark(const char *dir, struct bc_error *reterr);

/* What features (enum bc_feature) the programs of the directory know, and to note which. */
int bc_pins_features(const char *dir, uint32_t *ret_features, struct bc_error *reterr);
int bc_pins_set_features(const char *dir, uint32_t features, struct bc_error *reterr);

/*
 * Opens a pinned map of that type (enum bpf_map_type), and says its id if `ret_id` is not NULL; -ENOENT, or -EBADMSG
 * when it is something else.
 */
int bc_pin_open_map(const char *dir, const char *name, uint32_t type, int *ret_fd, uint32_t *ret_id,
		    struct bc_error *reterr);

/* Removes one pin; one that is not there is no error. */
int bc_pin_remove(const char *dir, const char *name, struct bc_error *reterr);

#endif
