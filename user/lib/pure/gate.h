/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image needs of the gate before it: see struct bc_gate. */
#ifndef BINDCTL_GATE_H
#define BINDCTL_GATE_H

#include "pure/compile.h"

/* The features and ports of a sound image, and nothing more. */
void bc_gate_needs(const struct bc_cells *image, struct bc_gate *ret);

#endif
