/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in time and lengths of time, as the policy language writes them. Both are nanoseconds; a moment counts them
 * from the Unix epoch, in UTC, without leap seconds. What time it is now, the caller says.
 */
#ifndef BINDCTL_MOMENT_H
#define BINDCTL_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

#define BC_SECOND INT64_C(1000000000)

/* 2262-01-01T00:00:00Z: moments lie before it, and not before 1970. int64_t ends some hundred days later. */
#define BC_MOMENT_END (INT64_C(9214646400) * BC_SECOND)

/*
 * A moment: in RFC 3339 (`2026-11-24T10:00:00Z`, also with a fraction and an offset; second 60 is the next minute's
 * first), or `+` and a duration, which counts from `base`. 0, or -EINVAL with a sentence in `text` of `size` bytes.
 */
int bc_parse_moment(const char *s, size_t len, int64_t base, int64_t *ret, bool *ret_relative, char *text, size_t size);

/* A duration, `10m` or `1h30m`: units w d h m s in this order, each at most once; never zero. Fails in the same way. */
int bc_parse_duration(const char *s, size_t len, int64_t *ret, char *text, size_t size);

/* In RFC 3339 and UTC, as exact as it is: the fraction has no zeroes at its end, and is left out when it is zero. */
void bc_format_moment(struct bc_text *text, int64_t moment);

/* For people: whole seconds, rounded up, as its largest unit (of d h m s) and the next: `2d3h`, `9m58s`, `0s`. */
void bc_format_duration(struct bc_text *text, int64_t ns);

#endif
