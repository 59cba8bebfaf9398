/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person who reads a policy file may not see in a line of it, but bindctl does. */
#ifndef BINDCTL_UNSEEN_H
#define BINDCTL_UNSEEN_H

#include <stdbool.h>

#include "pure/parse.h"

/* Blanks in a row, a tab being eight, behind which a word is taken to be out of sight. */
#define BC_GAP_MAX 64

/* Whether the text holds characters that do not show as what they are, as far as it is UTF-8. */
bool bc_text_hides(const char *text, size_t len);

/*
 * Whether the line holds such characters (`hides`: its file does), or a word behind a wide gap: then *reterr is a
 * warning. In a comment only those count that change how others show.
 */
bool bc_line_misleads(const struct bc_place *place, const char *line, size_t len, bool hides, struct bc_error *reterr);

#endif
