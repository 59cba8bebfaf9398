# SPDX-License-Identifier: GPL-2.0-or-later
# make check-systemd    what a policy does for the units of a real systemd, in containers (as root)
# Included by the top Makefile, after deb.mk.

.PHONY: check-systemd systemd-run

check-systemd: deb-deps
	@$(MAKE) --no-print-directory systemd-run

systemd-run: deb
	@BINDCTL_DEB=$(abspath $(DEB))/bindctl_$(VERSION)_$$(dpkg --print-architecture).deb tests/run tests/systemd/run
