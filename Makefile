# SPDX-License-Identifier: GPL-2.0-or-later
# make                   build/bindctl, and build/bindctl-agent for nodes of Kubernetes
# make check             install what the tests need, analyse the sources, run unit, fuzz, CLI and kernel suites (as root)
# make check-vm          the kernel suites on Debian's kernels, in virtual machines; see tests/README.md
# make fuzz              look for inputs that break the library, FUZZ_SECONDS=60
# make bench             measure it (as root); see tests/README.md; make bench-systemd: beside systemd
# make install           DESTDIR=, PREFIX=; and make uninstall
# make deb               Debian packages, in build/deb
# make check-deb         what it does where it is installed (as root)
# make check-systemd     what a policy does for units, under real systemds (as root)
# make check-k8s         what the node agent does with a real API server (as root); see tests/README.md
# make clean
#
# Everything made goes to $(BUILD), so the sources may be read-only (make BUILD=/elsewhere).

VERSION := 0.1.0

BUILD  ?= build
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
KUBEDIR ?= $(PREFIX)/share/bindctl/kubernetes
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
# systemd looks below /usr/local, too.
UNITDIR   ?= $(PREFIX)/lib/systemd/system
PRESETDIR ?= $(PREFIX)/lib/systemd/system-preset

CC      ?= cc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool /usr/local/sbin/bpftool) bpftool)
INSTALL ?= install

CFLAGS  ?= -O2 -g
WERROR  ?= -Werror
# Nothing that is built tells where: the sources' directory is "." in it, in the type information of the programs, too.
HERE    := -ffile-prefix-map=$(CURDIR)=.
WARN    := -Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	-Wno-missing-field-initializers
# A hardened build: this program runs as root on other people's text.
HARDEN  := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CPPFLAGS_ALL = -D_GNU_SOURCE -DBINDCTL_VERSION='"$(VERSION)"' -Iuser/lib -Iuser -Iinclude -I$(BUILD)/gen $(CPPFLAGS)
CFLAGS_ALL   = -std=gnu11 $(WARN) $(HERE) $(CFLAGS)
LDFLAGS_ALL  = $(LDFLAGS) -pie -Wl,-z,relro,-z,now
LIBS := -lbpf -ljson-c -lsystemd -lmnl
AGENT_LIBS := -lcurl -lmicrohttpd -lyaml

# Kernel headers for the host, as seen from a compiler that targets BPF.
MULTIARCH  := $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_CFLAGS := -target bpf -mcpu=v3 -std=gnu11 -g -O2 -Wall -Wextra $(WERROR) $(HERE) -Iinclude -Ivmlinux -Ibpf \
	$(if $(MULTIARCH),-idirafter /usr/include/$(MULTIARCH))

LIB_SRC := $(wildcard user/lib/*/*.c)
CMD_SRC := $(wildcard user/cmd/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(BUILD)/%.o)
AGENT_SRC := $(wildcard user/agent/*.c user/agent/*/*.c)
AGENT_OBJ := $(AGENT_SRC:%.c=$(BUILD)/%.o)
BPF_OBJ := $(BUILD)/bpf/bindctl.bpf.o
SKEL    := $(BUILD)/gen/bindctl.skel.h

# One line a step; V=1 shows the commands.
V ?= 0
Q := $(if $(filter 0,$(V)),@,)
say = $(if $(filter 0,$(V)),@printf '  %-8s %s\n' $(1) $(2:$(BUILD)/%=%))

# A tool that is not there, by its name and not as the shell's "not found".
need = @command -v $(firstword $(1)) >/dev/null || \
	{ echo "$(firstword $(1)) is missing; run: scripts/setup --build" >&2; exit 1; }

.DELETE_ON_ERROR:
.PHONY: all install uninstall clean check check-deps

all: $(BUILD)/bindctl $(BUILD)/bindctl-agent

$(BUILD)/bindctl: $(CMD_OBJ) $(BUILD)/libbindctl.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(HARDEN) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/bindctl-agent: $(AGENT_OBJ) $(BUILD)/libbindctl.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(HARDEN) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) $(AGENT_LIBS)

$(BUILD)/libbindctl.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/user/%.o: user/%.c Makefile | $(SKEL)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(HARDEN) -MMD -MP -c -o $@ $<

$(BPF_OBJ): bpf/bindctl.bpf.c Makefile
	$(call say,BPF,$@)
	$(call need,$(CLANG))
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

# The object's name in the skeleton gives its structure's: struct bindctl_bpf.
$(SKEL): $(BPF_OBJ)
	$(call say,SKEL,$@)
	$(call need,$(BPFTOOL))
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name bindctl_bpf > $@

-include tests/tests.mk
-include tests/vm.mk
-include tests/deb.mk
-include tests/systemd.mk
-include tests/bench.mk
-include tests/k8s.mk
-include tests/cluster.mk
-include tests/analysis.mk
-include scripts/debian/package.mk

# What a cluster needs, its directories as they are.
KUBE := $(sort $(patsubst user/kubernetes/%,%,$(shell find user/kubernetes -type f)))

INSTALLED = $(SBINDIR)/bindctl $(MANDIR)/man8/bindctl.8 $(MANDIR)/man5/bindctl-policy.5 \
	$(MANDIR)/man7/bindctl-internals.7 $(MANDIR)/man7/bindctl-migration.7 $(COMPLETIONDIR)/bindctl \
	$(ZSHDIR)/_bindctl $(FISHDIR)/bindctl.fish $(UNITDIR)/bindctl.service $(PRESETDIR)/50-bindctl.preset \
	$(SBINDIR)/bindctl-agent $(MANDIR)/man8/bindctl-agent.8 $(COMPLETIONDIR)/bindctl-agent $(ZSHDIR)/_bindctl-agent \
	$(FISHDIR)/bindctl-agent.fish $(KUBE:%=$(KUBEDIR)/%)

install: all
	$(INSTALL) -D -m 0755 $(BUILD)/bindctl $(DESTDIR)$(SBINDIR)/bindctl
	$(INSTALL) -D -m 0644 user/man/bindctl.8 $(DESTDIR)$(MANDIR)/man8/bindctl.8
	$(INSTALL) -D -m 0644 user/man/bindctl-policy.5 $(DESTDIR)$(MANDIR)/man5/bindctl-policy.5
	$(INSTALL) -D -m 0644 user/man/bindctl-internals.7 $(DESTDIR)$(MANDIR)/man7/bindctl-internals.7
	$(INSTALL) -D -m 0644 user/man/bindctl-migration.7 $(DESTDIR)$(MANDIR)/man7/bindctl-migration.7
	for command in bindctl bindctl-agent; do \
		$(INSTALL) -D -m 0644 user/completion/bindctl.bash $(DESTDIR)$(COMPLETIONDIR)/$$command && \
		$(INSTALL) -D -m 0644 user/completion/bindctl.zsh $(DESTDIR)$(ZSHDIR)/_$$command && \
		$(INSTALL) -D -m 0644 user/completion/bindctl.fish $(DESTDIR)$(FISHDIR)/$$command.fish && \
		sed -i 's|/usr/share/bash-completion/completions|$(COMPLETIONDIR)|' \
			$(DESTDIR)$(ZSHDIR)/_$$command $(DESTDIR)$(FISHDIR)/$$command.fish || exit 1; \
	done
	$(INSTALL) -D -m 0644 user/systemd/bindctl.service $(DESTDIR)$(UNITDIR)/bindctl.service
	sed -i 's|/usr/sbin/bindctl|$(SBINDIR)/bindctl|' $(DESTDIR)$(UNITDIR)/bindctl.service
	$(INSTALL) -D -m 0644 user/systemd/bindctl.preset $(DESTDIR)$(PRESETDIR)/50-bindctl.preset
	$(INSTALL) -D -m 0755 $(BUILD)/bindctl-agent $(DESTDIR)$(SBINDIR)/bindctl-agent
	$(INSTALL) -D -m 0644 user/man/bindctl-agent.8 $(DESTDIR)$(MANDIR)/man8/bindctl-agent.8
	for file in $(KUBE); do \
		$(INSTALL) -D -m 0644 user/kubernetes/$$file $(DESTDIR)$(KUBEDIR)/$$file || exit 1; \
	done

# What else somebody put among the cluster's files, or beside them, stays.
uninstall:
	rm -f $(INSTALLED:%=$(DESTDIR)%)
	[ ! -d $(DESTDIR)$(KUBEDIR) ] || find $(DESTDIR)$(KUBEDIR) -depth -type d -empty -delete
	[ ! -d $(DESTDIR)$(PREFIX)/share/bindctl ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(PREFIX)/share/bindctl

clean:
	rm -rf $(BUILD)

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(AGENT_OBJ:.o=.d) $(BPF_OBJ:.o=.d)
