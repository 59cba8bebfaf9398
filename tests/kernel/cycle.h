/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short-lived cgroups: made, bound in by a process that was born there, and removed. */
#ifndef BINDCTL_CYCLE_H
#define BINDCTL_CYCLE_H

/* How many lives: 2000, or the bed's share of them. */
#define CYCLES bed_share(2000)

/* One such life at `path`, with nobody's bind of port 443: its errno, 0 for none, or negative for another failure. */
int cycle(const char *path);

/* How many of CYCLES ended with `wanted`. */
int cycles(const char *path, int wanted);

#endif
