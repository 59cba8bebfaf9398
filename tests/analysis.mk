# SPDX-License-Identifier: GPL-2.0-or-later
# make check-analysis    what gcc's analyser, clang-tidy and shellcheck find in the sources: nothing
# make check-valgrind    the CLI cases, each run of bindctl under valgrind (as root)
# make coverage          how many lines of user/lib the tests reach (as root)
# Included by the top Makefile. Each file has a stamp of its own in $(BUILD)/analysis, so only what changed is looked at
# again. The versions of Debian 12 decide.

ANALYSIS     := $(BUILD)/analysis
ANALYSED     := $(LIB_SRC) $(CMD_SRC) $(AGENT_SRC)
ANALYSIS_GCC ?= gcc
CLANG_TIDY   ?= clang-tidy
SHELLCHECK   ?= shellcheck
SCRIPTS      := $(filter-out scripts/debian scripts/check-sizes,$(wildcard scripts/*)) $(wildcard tests/run tests/*/run tests/old/*.way tests/k8s/ops tests/k8s/words.sh tests/cli/words.sh tests/cli/told.sh .ci/run) \
	tests/old/manual tests/bench/count tests/bench/systemd tests/bench/inside tests/coverage/report tests/deb/inside \
	tests/nspawn/boot tests/nspawn/rootfs tests/nspawn/inside.sh tests/nspawn/outside.sh tests/systemd/inside \
	tests/systemd/words.sh tests/systemd/old.sh tests/systemd/enter tests/k8s/apiserver tests/k8s/enter tests/k8s/churn user/completion/bindctl.bash scripts/debian/postinst \
	scripts/debian/prerm scripts/debian/postrm

# Of what gcc's analyser says, one is left out: gcc 12 does not follow an array that is filled in a loop and takes its
# elements for uninitialised. clang's analyser and valgrind look for that. Without optimisation, which would leave
# nothing of a _cleanup_ but stores that it cannot follow.
ANALYSER := -O0 -fanalyzer -Werror -Wno-analyzer-use-of-uninitialized-value

# Headers are looked at with each file that includes them.
$(ANALYSIS)/%.gcc: %.c Makefile tests/analysis.mk | $(SKEL)
	$(call say,ANALYSE,$@)
	@mkdir -p $(@D)
	$(Q)$(ANALYSIS_GCC) $(CPPFLAGS_ALL) -std=gnu11 $(WARN) $(ANALYSER) -MMD -MP -MF $@.d -MT "$@ $(@:.gcc=.tidy)" \
		-c -o $@ $<

# It counts on standard error the warnings that it does not show. A finding is on standard output.
$(ANALYSIS)/%.tidy: %.c $(ANALYSIS)/%.gcc Makefile tests/analysis.mk tests/analysis/model.h .clang-tidy
	$(call say,TIDY,$@)
	$(Q)$(CLANG_TIDY) --quiet $< -- $(CPPFLAGS_ALL) -std=gnu11 -Wall -Wextra \
		$(if $(filter %/error.c,$<),,-include tests/analysis/model.h) 2>$@.said || { cat $@.said >&2; exit 1; }
	$(Q)touch $@

$(ANALYSIS)/scripts: $(SCRIPTS)
	$(call say,SHELL,$@)
	@mkdir -p $(@D)
	$(Q)$(SHELLCHECK) $^
	$(Q)touch $@

.PHONY: check-analysis
check-analysis: $(ANALYSED:%.c=$(ANALYSIS)/%.gcc) $(ANALYSED:%.c=$(ANALYSIS)/%.tidy) $(ANALYSIS)/scripts
	@echo "check-analysis: $(words $(ANALYSED)) files and $(words $(SCRIPTS)) scripts, no finding"

-include $(ANALYSED:%.c=$(ANALYSIS)/%.gcc.d)

.PHONY: check-valgrind
check-valgrind: $(BUILD)/bindctl
	@$(TEST_ENV) tests/run tests/valgrind/run

# Built once more, with counters and without sanitizers; COVERAGE_WITHOUT are tests that only do the same again and again,
# those of the programs in the kernel, which have no counters, and test_exhausted, where bindctl cannot write its counts.
# What runs as another user, or is killed, cannot always either; that it says so on standard error would fail tests.
COVERAGE       := $(BUILD)/coverage
COVERAGE_LEAST := 90
COVERAGE_EXIT  := $(COVERAGE)/exit.o
COVERAGE_LINK  := --coverage -Wl,--wrap=_exit -Wl,$(COVERAGE_EXIT)
COVERAGE_MAKE  := BUILD=$(COVERAGE) CFLAGS="-O0 -g --coverage -fprofile-update=atomic" HARDEN=-fPIE \
	SAN="$(COVERAGE_LINK)" LDFLAGS="$(COVERAGE_LINK)" LIBS="$(LIBS) --coverage"
COVERAGE_WITHOUT := random kill faults gapless writers exhausted scopes namespaces groups reserve rewrite traps verifier \
	table uncovered attack_user attack_userns attack_socket attack_races attack_delegate attack_moves attack_container \
	attack_programs attack_root attack_neighbour attack_admin attack_pins
COVERAGE_TESTS := $(patsubst $(BUILD)/%,$(COVERAGE)/%,$(filter-out $(COVERAGE_WITHOUT:%=\%/test_%),$(UNIT)))
COVERAGE_KERNEL := $(patsubst $(BUILD)/%,$(COVERAGE)/%,$(filter-out $(COVERAGE_WITHOUT:%=\%/test_%),$(KERNEL)))

.PHONY: coverage
coverage:
	@mkdir -p $(COVERAGE)
	@$(CC) -std=gnu11 $(WARN) -O2 -c -o $(COVERAGE_EXIT) tests/coverage/exit.c
	@$(MAKE) --no-print-directory $(EVERY_CPU) $(COVERAGE_MAKE) $(COVERAGE)/bindctl $(COVERAGE)/bindctl-agent \
		$(COVERAGE_TESTS) $(COVERAGE_KERNEL) $(KERNEL_HELPERS:$(BUILD)/%=$(COVERAGE)/%)
	@find $(COVERAGE) -name '*.gcda' -delete
	@find $(COVERAGE) -name '*.gcno' | sed 's/gcno$$/gcda/' | xargs touch
	@find $(COVERAGE) \( -type d -exec chmod a+rwx {} + \) -o \( -name '*.gcda' -exec chmod a+rw {} + \)
	@GCOV_ERROR_FILE=/dev/null \
		$(subst $(abspath $(BUILD)),$(abspath $(COVERAGE)),$(TEST_ENV)) \
		tests/run $(COVERAGE_TESTS) tests/cli/run $(COVERAGE_KERNEL)
	@tests/coverage/report $(COVERAGE) $(COVERAGE_LEAST)
