# GNU make. Everything that is built lands in build/; the program is build/evmend.
#
#   make            build the program (packages must be there: make setup)
#   make setup      install the Debian packages that building and testing need
#   make demo       set-up, build, the whole loop against the lab; FAULT=unbind, FAULT=none and others choose what breaks
#   make check      set-up, build with gcc and clang, all tests; LAYERS="unit e2e" chooses
#   make faults     a fault at every place of every way to repair; `check` takes one place in four
#   make asan       the tests again under AddressSanitizer and UndefinedBehaviorSanitizer
#   make tsan       the lab's own tests under ThreadSanitizer (the lab, `scan`, `probe` and `diagnose --all` have threads; the agent's are its libraries', and one that ends producers of Kafka)
#   make valgrind   the unit tests under valgrind
#   make lint       the house rules, clang-tidy, cppcheck; as long as it takes, where `check` bounds clang's analysis of each function
#   make bench CORPUS=DIR BENCH=EVENTS.xml.xz   speed and memory beside what they must be
#   make fuzz       TIME=60 seconds of random input for each target of tests/fuzz, with libFuzzer; TARGET=rules: one of them
#   make fuzz-check each target again with a bug planted: fuzzing must find it within 60 s
#   make check-corpus CORPUS=DIR   SigmaHQ's rules and sample logs: what loads, the regression cases, this engine against the naive one
#   make poc        the sheet of a proof of concept: RATES="10000 30000" events a second for D=600 seconds each; CORPUS=DIR BENCH=EVENTS.xml.xz
#   make check-receivers   the sinks against real receivers, which are fetched when they can be had (docs/sinks.md)
#   make install    PREFIX=/usr/local, DESTDIR for packagers
#   make clean
#
# ROOMS="os base event" builds only these rooms; BUILD=build/x builds elsewhere.

.DEFAULT_GOAL := all
SHELL := /bin/bash
BUILD ?= build
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
ROOMS ?= os base event source rules correlate cases tls host heal remedies store ship proc cli
PKGS := libxml-2.0 yaml-0.1 jansson openssl sqlite3 zlib liblzma
# linked from the day on that the one file is there which uses it
PKGS += $(if $(wildcard agent/base/compress_zstd.c),libzstd)
PKGS += $(if $(wildcard agent/ship/http.c),libcurl)
PKGS += $(if $(wildcard agent/ship/sink_kafka.c),rdkafka)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2
HARDEN := -fstack-protector-strong -fPIE -fvisibility=hidden -D_FORTIFY_SOURCE=2
SAN ?=
OPT ?= -O2 -g
CFLAGS_ALL = -std=c11 -D_GNU_SOURCE -iquote agent $(WARN) $(HARDEN) $(OPT) $(SAN) $(PKG_CFLAGS) -MMD -MP $(DEFS) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now,-z,noexecstack $(SAN) $(LDFLAGS)
LIBS = $(PKG_LIBS) -lm

# room sources: two levels deep at most (os/linux, remedies/exchange_backend)
SRC := $(sort $(foreach r,$(ROOMS),$(wildcard agent/$(r)/*.c agent/$(r)/*/*.c)))
SRC := $(filter-out agent/os/windows/%,$(SRC))
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
# the PowerShell scripts are compiled in: what is printed for a server always fits the program
SCRIPTS := scripts/collect.ps1 scripts/host.ps1 scripts/powershell/repair.ps1 scripts/powershell/look.ps1 scripts/powershell/act.ps1
OBJ += $(if $(filter cli,$(ROOMS)),$(BUILD)/obj/gen/scripts.o)
LIB := $(BUILD)/libevmend.a
LAB_SRC := $(sort $(wildcard tests/lab/*.c))
LAB_OBJ := $(LAB_SRC:%.c=$(BUILD)/obj/%.o)
TESTLIB_SRC := $(sort $(wildcard tests/lib/*.c tests/naive/*.c))
TESTLIB_OBJ := $(TESTLIB_SRC:%.c=$(BUILD)/obj/%.o)
TESTLIB := $(BUILD)/libtest.a
UNIT_SRC := $(sort $(foreach r,$(ROOMS) lab,$(wildcard tests/unit/$(r)/test_*.c)) $(foreach r,$(ROOMS),$(wildcard tests/fault/$(r)/test_*.c)))
UNIT := $(UNIT_SRC:tests/%.c=$(BUILD)/tests/%)
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
REPLAY := $(if $(filter correlate,$(ROOMS)),$(FUZZ:%=$(BUILD)/tests/fuzz/fuzz_%))
CHECK_CORPUS := $(BUILD)/tests/corpus/check_corpus
BENCH_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %/bench_correlate.c,$(wildcard tests/bench/*.c)))
BENCH_PROGRAM := $(BUILD)/tests/bench/bench
# what scripts of e2e tests start
RECEIVERS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/receivers/*.c))
CANARY := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/canary/*.c))

.PHONY: all setup demo repair-time check faults check-corpus check-receivers poc bench fuzz fuzz-check asan tsan valgrind lint clang kill units tests-bin install clean
.DELETE_ON_ERROR:
.SECONDARY: $(UNIT_SRC:%.c=$(BUILD)/obj/%.o) $(FUZZ:%=$(BUILD)/obj/tests/fuzz/fuzz_%.o)

all: $(BUILD)/evmend
tests-bin: all $(BUILD)/evmend-lab units $(RECEIVERS) $(CANARY) $(CHECK_CORPUS)
units: $(UNIT) $(REPLAY)

setup:
	@scripts/setup.sh

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/gen/scripts.c: scripts/embed.sh $(SCRIPTS)
	@mkdir -p $(@D)
	@scripts/embed.sh $(SCRIPTS) >$@

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(LIB): $(OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/evmend: $(BUILD)/obj/agent/main.o $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# the lab is test code: it links rooms of the agent, and the agent links nothing of it
$(BUILD)/evmend-lab: $(LAB_OBJ) $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lpthread

$(LAB_OBJ) $(TESTLIB_OBJ) $(BUILD)/obj/tests/%.o: CFLAGS_ALL += -iquote tests

# an archive: a test takes the doubles it names, and the rooms that only other doubles need may be missing. The folders: a file that is
# gone makes a new archive too
$(TESTLIB): $(TESTLIB_OBJ) tests/lib tests/naive
	@rm -f $@
	@ar rcs $@ $(TESTLIB_OBJ)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TESTLIB) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka -lpthread -Wl,--as-needed -lpcre2-8

# a fuzz target three times: over its seeds alone, with libFuzzer, and with libFuzzer and a bug planted in the target
$(REPLAY): $(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/replay.o $(TESTLIB) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka -lpthread -Wl,--as-needed -lpcre2-8

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(TESTLIB) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(LIBS) -lcmocka -lpcre2-8

$(BUILD)/obj/planted/%.o: tests/fuzz/fuzz_%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -iquote tests -DEVMEND_PLANTED_BUG -c -o $@ $<

$(BUILD)/planted/%: $(BUILD)/obj/planted/%.o $(TESTLIB) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(LIBS) -lcmocka -lpcre2-8

$(CHECK_CORPUS): $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/corpus/*.c)) $(TESTLIB) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lpcre2-8 -lm

$(BENCH_PROGRAM): $(BENCH_OBJ) $(TESTLIB) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lpcre2-8 -lm

# Everything below calls make again: set-up may just have installed what pkg-config answers for.
JOBS := $(shell nproc 2>/dev/null || echo 2)
# quiet, and as parallel as the machine unless -j was given
AGAIN = $(MAKE) --no-print-directory -s $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
LAYERS ?= unit cases fault e2e lint
FAULT_EVERY ?= 4
FAULT ?= delete-certificate

demo: setup
	+@t0=$$(date +%s); $(AGAIN) all $(BUILD)/evmend-lab || exit $$?; t1=$$(date +%s); \
	EVMEND=$(BUILD)/evmend EVMEND_LAB=$(BUILD)/evmend-lab scripts/demo.sh $(FAULT); code=$$?; t2=$$(date +%s); \
	echo "build: $$((t1 - t0)) s, demo: $$((t2 - t1)) s"; exit $$code

# how long an administrator would have waited; RUNS=100
repair-time: all $(BUILD)/evmend-lab
	@EVMEND=$(BUILD)/evmend EVMEND_LAB=$(BUILD)/evmend-lab scripts/repair_time.sh $(RUNS)

# a program that ends itself at named points; the tests of crashes use it, nobody installs it. Only the files with such points differ.
KILL_SRC := $(shell grep -lE 'killpoint\.h|EVMEND_KILLPOINTS' $(SRC))
KILL_OBJ := $(KILL_SRC:%.c=$(BUILD)/obj/kill/%.o)
$(BUILD)/obj/kill/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -DEVMEND_KILLPOINTS -c -o $@ $<

$(BUILD)/evmend-kill: $(BUILD)/obj/agent/main.o $(KILL_OBJ) $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

kill: $(BUILD)/evmend-kill

# for its warnings, and that it links: nobody runs it
clang:
	+@$(AGAIN) BUILD=$(BUILD)/clang CC=clang-14 OPT="-O0 -g0" all $(BUILD)/clang/evmend-lab

check: setup
	+@t0=$$(date +%s); $(AGAIN) tests-bin kill && $(AGAIN) clang || exit $$?; \
	echo "built with gcc and clang in $$(($$(date +%s) - t0)) s"; \
	BUILD=$(BUILD) EVMEND_FAULT_EVERY=$(FAULT_EVERY) tests/run $(LAYERS)

# all of what `check` takes a part of: each place of each fault
faults: setup
	+@$(AGAIN) tests-bin
	@BUILD=$(BUILD) EVMEND_TEST_SLOW=4 tests/run fault

ASAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
asan: setup
	+@$(AGAIN) BUILD=build/asan SAN="$(ASAN)" OPT="-O1 -g" tests-bin
	+@$(AGAIN) BUILD=build/asan SAN="$(ASAN)" OPT="-O1 -g" kill
	@BUILD=build/asan ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 \
	EVMEND_TEST_SLOW=4 tests/run $(filter-out lint,$(LAYERS))

tsan: setup
	+@$(AGAIN) BUILD=build/tsan SAN="-fsanitize=thread" OPT="-O1 -g" tests-bin
	@BUILD=build/tsan EVMEND_TEST_SLOW=6 tests/run unit

valgrind: setup
	+@$(AGAIN) tests-bin
	@BUILD=$(BUILD) EVMEND_TEST_SLOW=20 EVMEND_TEST_WRAP="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,possible" tests/run unit

TIME ?= 60
TARGET ?= $(FUZZ)
FUZZ_BUILD := build/fuzz
FUZZ_MAKE = BUILD=$(FUZZ_BUILD) ROOMS="os base tls event source rules correlate cases" CC=clang-14 OPT="-O1 -g" SAN="$(ASAN) -fsanitize=fuzzer-no-link"
fuzz: setup
	+@scripts/fuzz.sh can || exit 0; $(AGAIN) $(FUZZ_MAKE) $(TARGET:%=$(FUZZ_BUILD)/fuzz/%) && \
	BUILD=$(FUZZ_BUILD) scripts/fuzz.sh run $(TIME) $(TARGET)

fuzz-check: setup
	+@scripts/fuzz.sh can || exit 0; $(AGAIN) $(FUZZ_MAKE) $(TARGET:%=$(FUZZ_BUILD)/planted/%) && \
	BUILD=$(FUZZ_BUILD) scripts/fuzz.sh planted $(TARGET)

check-corpus: $(CHECK_CORPUS)
	@$(CHECK_CORPUS) rules tests/corpus $(if $(CORPUS),'$(CORPUS)')

# speed and memory, each figure beside what it must be; not part of check. BENCH_CALLGRIND=1 counts instructions too, BENCH_JSON=1 writes
# JSON, ROUNDS=N measures N times (5), ONLY=PART measures a part (programs, lanes, hostile, groups, formats, sinks, kafka, syslog; the last four
# need neither CORPUS nor BENCH)
bench: $(BUILD)/evmend $(BENCH_PROGRAM) $(RECEIVERS)
	@$(if $(or $(and $(CORPUS),$(BENCH)),$(filter formats sinks kafka syslog,$(ONLY))),,echo "make bench CORPUS=FOLDER BENCH=EVENTS.xml.xz: a folder whose rules/ are SigmaHQ's, and events"; exit 3)
	@$(BENCH_PROGRAM) $(if $(BENCH_JSON),--json) $(if $(BENCH_CALLGRIND),--instructions) $(if $(ONLY),--only $(ONLY)) --rounds $(or $(ROUNDS),5) $(BUILD)/evmend rules \
	'$(CORPUS)/rules' '$(BENCH)'

# docs/poc.md says how to read it. KILL= kills nobody
D ?= 600
RATES ?= 10000 30000
KILL ?= watch,ship,heal
poc: $(BUILD)/evmend
	@code=0; for rate in $(RATES); do \
	python3 tests/poc/poc.py --evmend $(BUILD)/evmend --rate $$rate --seconds $(D) --kill '$(KILL)' $(if $(CORPUS),--rules '$(CORPUS)/rules') \
	$(if $(BENCH),--bench '$(BENCH)') || code=1; done; exit $$code

# one after the other: each takes what memory and processors there are
check-receivers: $(BUILD)/evmend $(RECEIVERS)
	@BUILD=$(BUILD) EVMEND_TEST_JOBS=1 tests/run receivers

lint: setup
	+@$(AGAIN) tests-bin
	@BUILD=$(BUILD) scripts/lint.sh --deep

install: all
	install -D -m 755 $(BUILD)/evmend $(DESTDIR)$(PREFIX)/bin/evmend
	install -D -m 644 docs/evmend.1 $(DESTDIR)$(PREFIX)/share/man/man1/evmend.1
	install -D -m 644 config.example.yaml $(DESTDIR)$(PREFIX)/share/doc/evmend/config.example.yaml
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/evmend/schema docs/schema/rule.schema.json docs/schema/config.schema.json docs/schema/rules_output.schema.json
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/evmend/scripts scripts/collect.ps1 scripts/host.ps1
	cd rules && find . -type f -name '*.yml' ! -path '*/tests/*' -exec install -D -m 644 {} $(abspath $(DESTDIR)$(PREFIX))/share/evmend/rules/{} \;

clean:
	rm -rf build

-include $(patsubst %.c,$(BUILD)/obj/%.d,$(wildcard tests/bench/*.c)) $(OBJ:.o=.d) $(KILL_OBJ:.o=.d) $(BUILD)/obj/agent/main.d $(LAB_OBJ:.o=.d) $(TESTLIB_OBJ:.o=.d) $(UNIT_SRC:%.c=$(BUILD)/obj/%.d) \
	$(foreach f,$(FUZZ),$(BUILD)/obj/tests/fuzz/fuzz_$(f).d $(BUILD)/obj/planted/$(f).d)
