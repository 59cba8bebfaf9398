/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cuts JSON text, as it arrives, into the objects that matter, one at a time, so that a list of a cluster's pods is never
 * in memory as a whole. Looks at brackets and strings alone: whether a piece is good JSON is for its reader to say.
 *
 * SPLIT_STREAM: each top-level value, which must be an object: a watch.
 * SPLIT_LIST:   of one top-level object each element of the member "items", and the value of "metadata": a list.
 */
#ifndef BINDCTL_AGENT_SPLIT_H
#define BINDCTL_AGENT_SPLIT_H

#include <stddef.h>

enum split_mode {
	SPLIT_STREAM = 1,
	SPLIT_LIST,
};

enum split_part {
	SPLIT_OBJECT = 1, /* a value of the stream, an element of "items" */
	SPLIT_METADATA,	  /* the value of "metadata" */
	SPLIT_OVERSIZED,  /* the beginning of a piece that was larger than max; told when the piece has ended */
};

/* `text` has a NUL behind it and is the splitter's. Anything but 0 stops the feeding, which returns it. */
typedef int split_fn(void *ctx, enum split_part part, const char *text, size_t len);

struct split;

/* A piece larger than `max` bytes is not kept. NULL: no memory. */
struct split *split_new(enum split_mode mode, size_t max, split_fn *fn, void *ctx);
void split_free(struct split *split);

static inline void split_freep(struct split **p)
{
	split_free(*p);
}

/* 0; what fn returned if that was not 0; -EBADMSG: this is not such JSON; -ENOMEM. After an error nothing more may be fed. */
int split_feed(struct split *split, const char *data, size_t len);

/*
 * No more will come. 0: nothing is cut short, and a list had its "items" and "metadata"; -EBADMSG otherwise: in a list
 * something may be missing, of a stream the last value was dropped.
 */
int split_end(const struct split *split);

#endif
