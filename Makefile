# GNU make. Everything that is built lands in build/; the program is build/evmend.
#
#   make            set-up is not included: packages must be there (make setup)
#   make demo       set-up, build, the whole loop against the lab
#   make check      set-up, build, all tests
#   make asan       the tests again under AddressSanitizer and UndefinedBehaviorSanitizer
#   make lint       the house rules, clang-tidy, cppcheck
#
# ROOMS="os base event" builds only these rooms; BUILD=build/x builds elsewhere.

.DEFAULT_GOAL := all
SHELL := /bin/bash
BUILD ?= build
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
ROOMS ?= os base event source rules correlate cases tls host heal remedies store ship proc cli
PKGS := libxml-2.0 yaml-0.1 jansson openssl sqlite3 zlib liblzma

WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2
HARDEN := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
SAN ?=
OPT ?= -O2 -g
CFLAGS_ALL = -std=c11 -D_GNU_SOURCE -iquote agent $(WARN) $(HARDEN) $(OPT) $(SAN) $(shell pkg-config --cflags $(PKGS)) -MMD -MP $(DEFS) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now,-z,noexecstack $(SAN) $(LDFLAGS)
LIBS = $(shell pkg-config --libs $(PKGS))

# room sources: two levels deep at most (os/linux, remedies/exchange_backend)
SRC := $(sort $(foreach r,$(ROOMS),$(wildcard agent/$(r)/*.c agent/$(r)/*/*.c)))
SRC := $(filter-out agent/os/windows/%,$(SRC))
OBJ := $(SRC:%.c=$(BUILD)/obj/%.o)
LIB := $(BUILD)/libevmend.a
LAB_SRC := $(sort $(wildcard tests/lab/*.c))
LAB_OBJ := $(LAB_SRC:%.c=$(BUILD)/obj/%.o)
TESTLIB_SRC := $(sort $(wildcard tests/lib/*.c))
TESTLIB_OBJ := $(TESTLIB_SRC:%.c=$(BUILD)/obj/%.o)
UNIT_SRC := $(sort $(foreach r,$(ROOMS),$(wildcard tests/unit/$(r)/test_*.c)) $(foreach r,$(ROOMS),$(wildcard tests/fault/$(r)/test_*.c)))
UNIT := $(UNIT_SRC:tests/%.c=$(BUILD)/tests/%)

.PHONY: all setup demo check asan tsan lint units install clean tests-bin
all: $(BUILD)/evmend
tests-bin: all $(BUILD)/evmend-lab units
units: $(UNIT)

setup:
	@scripts/setup.sh

$(BUILD)/obj/%.o: %.c
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

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TESTLIB_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka -lpthread

clean:
	rm -rf build

-include $(OBJ:.o=.d) $(LAB_OBJ:.o=.d) $(TESTLIB_OBJ:.o=.d)
