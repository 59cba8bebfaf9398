// SPDX-License-Identifier: GPL-2.0-or-later
/* Names that kubelet 1.20.2 gave: CgroupName.ToSystemd() and ToCgroupfs() of pods, by its --cgroup-root, QoS and uid. */
#ifndef BINDCTL_TESTS_KUBELET_NAMES_H
#define BINDCTL_TESTS_KUBELET_NAMES_H

#include "agent/intent/podpath.h"

static const struct {
	const char *root;
	enum pod_qos qos;
	const char *uid, *systemd, *cgroupfs;
} kubelet_names[] = {
	{ "/", POD_GUARANTEED, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/kubepods.slice/kubepods-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/kubepods/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/", POD_BURSTABLE, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/kubepods/burstable/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/", POD_BEST_EFFORT, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/kubepods/besteffort/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/", POD_GUARANTEED, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/kubepods.slice/kubepods-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/kubepods/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/", POD_BURSTABLE, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/kubepods/burstable/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/", POD_BEST_EFFORT, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/kubepods/besteffort/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/kubelet", POD_GUARANTEED, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/kubelet/kubepods/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/kubelet", POD_BURSTABLE, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
	  "kubelet-kubepods-burstable-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/kubelet/kubepods/burstable/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/kubelet", POD_BEST_EFFORT, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
	  "kubelet-kubepods-besteffort-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/kubelet/kubepods/besteffort/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/kubelet", POD_GUARANTEED, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/kubelet/kubepods/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/kubelet", POD_BURSTABLE, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
	  "kubelet-kubepods-burstable-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/kubelet/kubepods/burstable/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/kubelet", POD_BEST_EFFORT, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
	  "kubelet-kubepods-besteffort-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/kubelet/kubepods/besteffort/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/kubelet.slice", POD_GUARANTEED, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/kubelet.slice.slice/kubelet.slice-kubepods.slice/"
	  "kubelet.slice-kubepods-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/kubelet.slice/kubepods/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/kubelet.slice", POD_BURSTABLE, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/kubelet.slice.slice/kubelet.slice-kubepods.slice/kubelet.slice-kubepods-burstable.slice/"
	  "kubelet.slice-kubepods-burstable-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/kubelet.slice/kubepods/burstable/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/kubelet.slice", POD_BEST_EFFORT, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/kubelet.slice.slice/kubelet.slice-kubepods.slice/kubelet.slice-kubepods-besteffort.slice/"
	  "kubelet.slice-kubepods-besteffort-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/kubelet.slice/kubepods/besteffort/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/kubelet.slice", POD_GUARANTEED, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/kubelet.slice.slice/kubelet.slice-kubepods.slice/"
	  "kubelet.slice-kubepods-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/kubelet.slice/kubepods/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/kubelet.slice", POD_BURSTABLE, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/kubelet.slice.slice/kubelet.slice-kubepods.slice/kubelet.slice-kubepods-burstable.slice/"
	  "kubelet.slice-kubepods-burstable-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/kubelet.slice/kubepods/burstable/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/kubelet.slice", POD_BEST_EFFORT, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/kubelet.slice.slice/kubelet.slice-kubepods.slice/kubelet.slice-kubepods-besteffort.slice/"
	  "kubelet.slice-kubepods-besteffort-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/kubelet.slice/kubepods/besteffort/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/my-root", POD_GUARANTEED, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/my_root.slice/my_root-kubepods.slice/my_root-kubepods-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/my-root/kubepods/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/my-root", POD_BURSTABLE, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/my_root.slice/my_root-kubepods.slice/my_root-kubepods-burstable.slice/"
	  "my_root-kubepods-burstable-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/my-root/kubepods/burstable/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/my-root", POD_BEST_EFFORT, "3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e",
	  "/my_root.slice/my_root-kubepods.slice/my_root-kubepods-besteffort.slice/"
	  "my_root-kubepods-besteffort-pod3e7aa330_9c0e_4f9c_bc85_44d335b4ef3e.slice",
	  "/my-root/kubepods/besteffort/pod3e7aa330-9c0e-4f9c-bc85-44d335b4ef3e" },
	{ "/my-root", POD_GUARANTEED, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/my_root.slice/my_root-kubepods.slice/my_root-kubepods-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/my-root/kubepods/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/my-root", POD_BURSTABLE, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/my_root.slice/my_root-kubepods.slice/my_root-kubepods-burstable.slice/"
	  "my_root-kubepods-burstable-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/my-root/kubepods/burstable/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
	{ "/my-root", POD_BEST_EFFORT, "3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d",
	  "/my_root.slice/my_root-kubepods.slice/my_root-kubepods-besteffort.slice/"
	  "my_root-kubepods-besteffort-pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d.slice",
	  "/my-root/kubepods/besteffort/pod3c6b1a3d0d0f6d9c7b7f0c2a5f4e1b2d" },
};

#endif
