# SPDX-License-Identifier: GPL-2.0-or-later
# make bench                 what bindctl costs, measured on this machine (as root); results go to $(BUILD)/bench
# make bench-systemd         the same of systemd's SocketBindAllow=, and of bindctl beside it, in a container (as root)
# make check-instructions    whether the compiler needs more instructions than it did
# Included by the top Makefile.

BENCH_DIR    := $(BUILD)/bench
BENCH_ROUNDS ?= 15
BENCH_ALONE  := worker compile
BENCH_OBJ    := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(BENCH_ALONE:%=tests/bench/%.c),$(wildcard tests/bench/*.c)))

$(BUILD)/tests/bench/%.o: tests/bench/%.c Makefile tests/bench.mk | $(SKEL)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -Itests/bench $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BENCH_DIR)/bench: $(BENCH_OBJ) $(BUILD)/libbindctl.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(LIBS)

$(BENCH_DIR)/worker: $(BUILD)/tests/bench/worker.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^

$(BENCH_DIR)/compile: $(BUILD)/tests/bench/compile.o $(BUILD)/tests/bench/texts.o $(BUILD)/libbindctl.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ -lsystemd

.PHONY: bench bench-deps bench-run bench-systemd bench-systemd-run check-instructions

bench-deps:
	@scripts/setup --build --bench

bench: bench-deps
	@$(MAKE) --no-print-directory bench-run check-instructions

bench-run: $(BUILD)/bindctl $(BENCH_DIR)/bench $(BENCH_DIR)/worker
	@$(BENCH_DIR)/bench --bindctl $(BUILD)/bindctl --worker $(BENCH_DIR)/worker --out $(BENCH_DIR) \
		--rounds $(BENCH_ROUNDS)
	@gnuplot -e "dir='$(BENCH_DIR)'" tests/bench/plot.gp
	@echo && ls $(BENCH_DIR)/results.*

bench-systemd: deb-deps
	@$(MAKE) --no-print-directory bench-systemd-run

bench-systemd-run: $(BUILD)/bindctl $(BENCH_DIR)/bench $(BENCH_DIR)/worker
	@tests/bench/systemd $^ $(BENCH_ROUNDS) >$(BENCH_DIR)/systemd.new
	@mv $(BENCH_DIR)/systemd.new $(BENCH_DIR)/systemd.md && cat $(BENCH_DIR)/systemd.md

check-instructions: $(BENCH_DIR)/compile
	@tests/bench/count $(BENCH_DIR)/compile

-include $(BENCH_OBJ:.o=.d) $(BENCH_ALONE:%=$(BUILD)/tests/bench/%.d)
