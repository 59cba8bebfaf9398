# SPDX-License-Identifier: GPL-2.0-or-later
# make deb    builds the Debian packages, in $(BUILD)/deb; needs scripts/setup --build --deb
# Included by the top Makefile. The rest of this directory is debian/ in a copy of the sources, but for the changelog: it
# is written here, so that the version stays in the top Makefile alone.

DEB         := $(BUILD)/deb
DEB_TREE    := $(DEB)/tree/bindctl
DEB_SOURCES := Makefile LICENSE bpf include user vmlinux

# The same sources make the same packages, whenever and wherever: their time is that of the last commit, or outside of git
# of the Makefile.
deb: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y Makefile)

# Nor do the variables that make was given for the sources' own build, all of which it exports, change them.
DEB_WITHOUT := MAKEFLAGS MAKELEVEL MFLAGS BUILD CFLAGS CPPFLAGS LDFLAGS

# Two packages, and not others with symbols.
deb: export DEB_BUILD_OPTIONS ?= noautodbgsym

.PHONY: deb
deb:
	$(call say,COPY,$(DEB_TREE))
	@rm -rf $(DEB)
	@mkdir -p $(DEB_TREE)
	@cp -R $(DEB_SOURCES) $(DEB_TREE)
	@cp -R scripts/debian $(DEB_TREE)/debian
	@rm $(DEB_TREE)/debian/package.mk
	@printf '%s\n\n  * %s\n\n -- %s  %s\n' 'bindctl ($(VERSION)) unstable; urgency=medium' 'Version $(VERSION).' \
		"$$(sed -n 's/^Maintainer: //p' scripts/debian/control)" \
		"$$(LC_ALL=C date -u -R -d @$$SOURCE_DATE_EPOCH)" >$(DEB_TREE)/debian/changelog
	$(call say,DEB,bindctl_$(VERSION))
	@cd $(DEB_TREE) && env $(DEB_WITHOUT:%=-u %) dpkg-buildpackage -b -uc -us >../log 2>&1 || \
		{ cat ../log >&2; exit 1; }
	@mv $(DEB)/tree/*.deb $(DEB)
	@rm -r $(DEB)/tree
	@ls $(DEB)/*.deb
