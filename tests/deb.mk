# SPDX-License-Identifier: GPL-2.0-or-later
# make check-deb    the Debian package: built twice, installed, upgraded and removed in a container (as root)
# Included by the top Makefile.

.PHONY: check-deb deb-deps deb-run

deb-deps:
	@scripts/setup --build --deb

check-deb: deb-deps
	@$(MAKE) --no-print-directory deb-run

deb-run: $(OTHER)/other_bindctl
	@$(TEST_ENV) tests/run tests/deb/run
