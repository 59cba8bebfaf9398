/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pods as kubelet would have them, below the cgroup of the kernel suites' bed, and an enforcer of their policy. */
#ifndef BINDCTL_TESTS_PODS_H
#define BINDCTL_TESTS_PODS_H

#include "agent/enforce.h"
#include "bed.h"

/* Their cgroups, by the systemd and the cgroupfs driver; and one of a container in each. */
#define POD_A "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice"
#define POD_B "kubepods.slice/kubepods-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice"
#define POD_C "kubepods/besteffort/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e"
#define CONTAINER "/cri-containerd-7be5b1c5c2a1f1a1a54b1b0c3a3b2f6e.scope"

/* The agent's file with a rule that grants the port to the pod. Freed by nobody: there are few. */
const char *pod_grant(const char *pod, uint16_t port);

/* What nobody's bind in the pod's container comes to: errno, 0 for none. The container's cgroup must be there. */
int pod_bind(const char *pod, uint16_t port);

/* One enforcer for a test, of the bed's instance and one directory of policy; or of another store. */
void pods_open(struct enforcer *ret);
void pods_open_store(struct enforcer *ret, const struct bc_store *store);

#define PODS_ANY (-1)

/* enforce(), which must succeed with that result, and a report of that many findings; or PODS_ANY. */
void pods_enforce(struct enforcer *enforcer, const char *text, int wanted, int findings);

/* enforce_check(), which must succeed with `wanted`, and say `finding` if that is not NULL. */
void pods_check(struct enforcer *enforcer, enum enforce_result wanted, const char *finding);

/* enforce(), which must fail with `code`, in a sentence with `sentence` in it, and a report with `finding`, if not NULL. */
void pods_refuse(struct enforcer *enforcer, const char *text, int code, const char *sentence, const char *finding);

/* What a file says, malloc'ed; NULL when it is not there. */
char *read_path(const char *path);
void write_path(const char *path, const char *text);

/* Nothing in force, and no policy file. */
void pods_forget(void);

/* That status and apply, as the host's administrator has them, find nothing to say. */
void pods_agree(void);

#endif
