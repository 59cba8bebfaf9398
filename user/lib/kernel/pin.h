/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directory of pins under bpffs that keeps an instance alive without a process, and whose it is. */
#ifndef BINDCTL_PIN_H
#define BINDCTL_PIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bindctl/abi.h"

#define BC_PIN_DIR "/sys/fs/bpf/bindctl"
#define BC_PIN_MAX 4096 /* bytes of a pin's path, NUL included */

/* Names in the directory. */
#define BC_PIN_SCHEMA "schema"	     /* struct bc_schema: the first pin made and the last one removed */
#define BC_PIN_POLICY "policy"	     /* the outer map */
#define BC_PIN_GATE "gate"	     /* what stands before it */
#define BC_PIN_IMAGE "image"	     /* in the outer map: the policy in force */
#define BC_PIN_IMAGE_NEW "new_image" /* the one that is being put there */
#define BC_PIN_RINGS "rings"	     /* of readers of events */
#define BC_PIN_READERS "readers"     /* what they want, and what they missed */
#define BC_PIN_REFUSALS "refusals"
#define BC_PIN_COUNTERS "counters"
#define BC_PIN_NOTES "notes" /* what one program leaves with a socket for another */
#define BC_PIN_STATE "state" /* what programs remember */
#define BC_PIN_SEEN "seen"   /* cgroups whose scope is known */

/* And a number: a directory that says by a lock that the reader of that number lives; see readers.h. */
#define BC_PIN_READER "reader"

/* Links of the hooks. */
#define BC_PIN_BIND4 "bind4"
#define BC_PIN_BIND6 "bind6"
#define BC_PIN_POST_BIND4 "post_bind4"
#define BC_PIN_POST_BIND6 "post_bind6"
#define BC_PIN_GETSOCKNAME4 "getsockname4"
#define BC_PIN_GETSOCKNAME6 "getsockname6"

/* DIR/NAME into `path` of BC_PIN_MAX bytes; -ENAMETOOLONG. */
int bc_pin_path(char *path, const char *dir, const char *name, struct bc_error *reterr);

/* The same for the directory of the reader's place of that number. */
int bc_pin_reader_path(char *path, const char *dir, uint32_t number, struct bc_error *reterr);

enum bc_pins {
	BC_PINS_ABSENT, /* no directory, or nothing in it but what a killed command was about to pin */
	BC_PINS_OURS,
	BC_PINS_OLDER, /* ours, of an older schema, or of one that cannot be told because its pin is lost */
};

/*
 * Whose pins these are: enum bc_pins, or -errno with a sentence, -EEXIST when they are somebody else's and -EPROTO
 * when of a newer schema, -EPERM when others than root could remove them. *ret_schema, if not NULL, is the schema, 0 when it is lost. Changes nothing.
 */
int bc_pins_check(const char *dir, uint32_t *ret_schema, struct bc_error *reterr);

/* The same for who wants to read what is in them: 0 when they are ours, or else a sentence; -ENOENT when absent. */
int bc_pins_require(const char *dir, struct bc_error *reterr);

/* How many things in the directory are not bindctl's; 0 when that cannot be told. */
size_t bc_pins_strangers(const char *dir);

/* Makes the directory (0700) if it is missing; -EPERM for one that others than root could change. */
int bc_pins_make_directory(const char *dir, struct bc_error *reterr);

/* Marks the directory as ours, of this build's schema, whatever it was; its programs know no feature. */
int bc_pins_mark(const char *dir, struct bc_error *reterr);

/*
 * Reads the mark, and says in it what features (enum bc_feature) the programs know, where they are attached, and which
 * ones they are. Of `mark` the magic and the schema are not looked at.
 */
int bc_pins_read(const char *dir, struct bc_schema *ret, struct bc_error *reterr);
int bc_pins_set(const char *dir, const struct bc_schema *mark, struct bc_error *reterr);

/* Pins what the descriptor is of, in one step in the place of what had the name. */
int bc_pin_put(const char *dir, const char *name, int fd, struct bc_error *reterr);

/* Opens a pin, whatever it is of. 0, or -errno with a sentence. */
int bc_pin_open(const char *dir, const char *name, int *ret_fd, struct bc_error *reterr);

/*
 * Opens a pinned map of that type (enum bpf_map_type) and of the size that its name stands for, and says its id if `ret_id` is not NULL; -ENOENT, or -EBADMSG
 * when it is something else.
 */
int bc_pin_open_map(const char *dir, const char *name, uint32_t type, int *ret_fd, uint32_t *ret_id,
		    struct bc_error *reterr);

/* -EBADMSG in words: what stands in the place of a pin. */
void bc_pin_replaced(const char *dir, const char *name, struct bc_error *reterr);

/* Removes one pin; one that is not there is no error. */
int bc_pin_remove(const char *dir, const char *name, struct bc_error *reterr);

/* Removes all that is not a link: the schema last, for what is left until then is known as ours by it. */
int bc_pins_remove_maps(const char *dir, struct bc_error *reterr);

#endif
