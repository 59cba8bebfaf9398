// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "kernel/force.h"
#include "kernel/pin.h"

void bc_force_done(struct bc_force *force)
{
	bc_closep(&force->policy_fd);
	bc_closep(&force->gate_fd);
	*force = BC_FORCE_NONE;
}

static int read_gate(const struct bc_force *force, struct bc_gate *ret, struct bc_error *reterr)
{
	const uint32_t only = 0;

	if (bpf_map_lookup_elem(force->gate_fd, &only, ret))
		return bc_fail_errno(reterr, -errno, "cannot read the BPF map of named ports");
	return 0;
}

static int write_gate(const struct bc_force *force, const struct bc_gate *gate, struct bc_error *reterr)
{
	const uint32_t only = 0;

	if (bpf_map_update_elem(force->gate_fd, &only, gate, BPF_ANY))
		return bc_fail_errno(reterr, -errno, "cannot write the BPF map of named ports");
	return 0;
}

int bc_gate_open(const struct bc_force *force, struct bc_error *reterr)
{
	struct bc_gate gate;

	memset(&gate, 0xff, sizeof(gate));
	gate.watch = 0;
	gate.tai_offset = 0;
	return write_gate(force, &gate, reterr);
}

uint32_t bc_gate_watched(const struct bc_force *force)
{
	struct bc_gate gate;

	return read_gate(force, &gate, NULL) ? 0 : gate.watch;
}

int bc_gate_watch(const struct bc_force *force, uint32_t set, uint32_t clear, const struct bc_gate *needs,
		  struct bc_error *reterr)
{
	struct bc_gate gate;
	uint32_t before;
	int r = read_gate(force, &gate, reterr);

	if (r)
		return r;
	before = gate.watch;
	gate.watch = (before | set) & ~clear;
	if (gate.watch == before)
		return 0;
	if (gate.watch >> BC_READERS)
		memset(gate.ports, 0xff, sizeof(gate.ports));
	else if (before >> BC_READERS)
		memcpy(gate.ports, needs->ports, sizeof(gate.ports));
	return write_gate(force, &gate, reterr);
}

bool bc_gate_lacks(const struct bc_force *force, const struct bc_gate *needs)
{
	struct bc_gate gate;

	if (read_gate(force, &gate, NULL) || needs->features & ~gate.features)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(gate.ports); i++)
		if (needs->ports[i] & ~gate.ports[i])
			return true;
	return false;
}

int bc_image_publish(const struct bc_force *force, int image_fd, const struct bc_gate *needs, struct bc_error *reterr)
{
	const uint32_t slot = 0;
	struct bc_gate both, after = *needs;
	int r = read_gate(force, &both, reterr);

	if (r)
		return r;
	/*
	 * As long as either image may be the one that decides, the gate lets through what either speaks of. While the
	 * kernel copies, a program may find any mixture of the old bytes and the new: none holds less than both do.
	 */
	for (size_t i = 0; i < ARRAY_SIZE(both.ports); i++)
		both.ports[i] |= needs->ports[i];
	both.features |= needs->features;
	both.tai_offset = needs->tai_offset;
	after.watch = both.watch;
	if (after.watch >> BC_READERS)
		memset(after.ports, 0xff, sizeof(after.ports));
	r = write_gate(force, &both, reterr);
	if (r)
		return r;
	if (bpf_map_update_elem(force->policy_fd, &slot, &image_fd, BPF_ANY))
		return bc_fail_errno(reterr, -errno, "cannot put the policy into force");
	/* That the gate stays too wide costs only time, and is no failure of the policy's. */
	write_gate(force, &after, NULL);
	return 0;
}

int bc_image_withdraw(int policy_fd, struct bc_error *reterr)
{
	const uint32_t slot = 0;

	if (bpf_map_delete_elem(policy_fd, &slot) && errno != ENOENT)
		return bc_fail_errno(reterr, -errno, "cannot withdraw the policy");
	return 0;
}

int bc_open_policy(const char *dir, int *ret_fd, struct bc_error *reterr)
{
	return bc_pin_open_map(dir, BC_PIN_POLICY, BPF_MAP_TYPE_ARRAY_OF_MAPS, ret_fd, NULL, reterr);
}

int bc_force_open(const char *dir, struct bc_force *ret_force, struct bc_error *reterr)
{
	_cleanup_(bc_force_done) struct bc_force force = BC_FORCE_NONE;
	int r = bc_open_policy(dir, &force.policy_fd, reterr);

	if (!r)
		r = bc_pin_open_map(dir, BC_PIN_GATE, BPF_MAP_TYPE_ARRAY, &force.gate_fd, NULL, reterr);
	if (r)
		return r;
	*ret_force = force;
	force = BC_FORCE_NONE;
	return 0;
}
