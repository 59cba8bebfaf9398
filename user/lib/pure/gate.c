// SPDX-License-Identifier: GPL-2.0-or-later
#include "pure/gate.h"

static void open_ports(struct bc_gate *gate, uint32_t first, uint32_t last)
{
	for (uint32_t port = first; port <= last; port++) {
		/* A whole word at a time where the range allows: `any` is written often. */
		if (port % 64 == 0 && last - port >= 63) {
			gate->ports[port / 64] = ~(uint64_t)0;
			port += 63;
		} else {
			gate->ports[port / 64] |= (uint64_t)1 << port % 64;
		}
	}
}

static void open_slot(struct bc_gate *gate, const struct bc_cells *image, const struct bc_slot *slot)
{
	const struct bc_segment *segments = image->cells[image->cells[0].header.segments].segments;

	if (!slot->key || slot->key % 4 == BC_CHILD)
		return;
	if (!(slot->ref & BC_REF_RUN)) {
		open_ports(gate, slot->ports & 0xffff, slot->ports >> 16);
		return;
	}
	segments += slot->ref & BC_REF_NUMBER;
	for (uint32_t i = 0; i < slot->ports; i++)
		open_ports(gate, segments[i].first, segments[i].last);
}

void bc_gate_needs(const struct bc_cells *image, struct bc_gate *ret)
{
	const struct bc_header *header = &image->cells[0].header;

	*ret = (struct bc_gate){ .features = header->features };
	for (uint32_t i = 0; i < header->buckets; i++)
		for (unsigned k = 0; k < BC_SLOTS; k++)
			open_slot(ret, image, &image->cells[BC_INDEX + i].slots[k]);
}
