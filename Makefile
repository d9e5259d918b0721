# SPDX-License-Identifier: MIT
# libnoblockdns. Targets: all deps demo test (unit, e2e) bench asan tsan fuzz lint format install
# uninstall deb clean.
# V=1 shows the commands; O=DIR builds elsewhere; STATIC=0 links c-ares and OpenSSL as shared libraries.

O         ?= build
PREFIX    ?= /usr/local
BINDIR    ?= $(PREFIX)/bin
LIBDIR    ?= $(PREFIX)/lib
DATADIR   ?= $(PREFIX)/share
MANDIR    ?= $(DATADIR)/man
DESTDIR   ?=
STATIC    ?= 1
CC        ?= cc
SAN       ?=
V         ?= 0
comma     := ,
Q         := $(if $(filter 1,$(V)),,@)
say        = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

WARN      := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith \
	     -Wwrite-strings -Wundef -Wformat=2 -Wimplicit-fallthrough
MACHINE   := $(shell $(CC) -dumpmachine)
HARDEN    := -fstack-protector-strong -fstack-clash-protection \
	     $(if $(filter x86_64-% i386-% i686-%,$(MACHINE)),-fcf-protection=full) \
	     $(if $(filter aarch64-%,$(MACHINE)),-mbranch-protection=standard)
FORTIFY   := $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS    ?= -O2 -g
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden -pthread -MMD -MP -I. \
	     $(WARN) $(HARDEN) $(FORTIFY) $(CFLAGS) $(SAN)
# nodelete: dlclose() must not take the code away that the io thread runs.
SO_LDFLAGS := -shared -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodelete,-z,defs -Wl,--hash-style=gnu \
	     -Wl,--as-needed -Wl,--gc-sections -Wl,-O1
ifeq ($(SAN),)
# The shim is always loaded at program start, so its thread-local data may live in static TLS.
SHIM_CFLAGS := -ftls-model=initial-exec -fno-plt -ffunction-sections -fdata-sections
# At most 200 KB, since every sh and git loads it: optimised across files, and for size where a warm
# lookup or a descriptor call does not come by. The tests link the same objects without that.
SHIM_LTO := -flto=auto -flto-partition=one -ffat-lto-objects
SHIM_LTO := $(shell $(CC) $(SHIM_LTO) -E -x c - </dev/null >/dev/null 2>&1 && echo $(SHIM_LTO))
SHIM_SMALL := $(shell $(CC) -Oz -E -x c - </dev/null >/dev/null 2>&1 && echo -Oz || echo -Os)
SHIM_HOT := addrinfo cache cache_slot entry hook_getaddrinfo hook_gethostbyname hook_close hook_dup \
	    hostent lookup lookup_dns lookup_files lookup_search name order order_cache rcu resolve settings \
	    siblings_index siblings_lookup
# A thread that is cancelled is unwound through these, and needs their tables; the others' are in
# the debug file alone, which saves 20 KB. What a hit comes by is here too, to be inlined.
SHIM_UNWOUND := $(SHIM_HOT) ask ask_others connect_race exports fetch gai_% hook_connect hook_fcntl hook_gai_a \
	    hook_sendmsg hook_wait init lease netstate process racing
else
# The sanitizer runtime's symbols come from the program.
SO_LDFLAGS := $(subst $(comma)-z$(comma)defs,,$(SO_LDFLAGS))
endif
RESOLVER_CFLAGS := -ffunction-sections -fdata-sections

SHIM_SRC     := $(sort $(wildcard shim/*.c))
TOOL_SRC     := $(sort $(wildcard shim/tool/*.c))
RESOLVER_SRC := $(sort $(wildcard resolver/*.c))
UNIT_SRC     := $(sort $(wildcard tests/unit/*.c))
E2E_SRC      := $(sort $(wildcard tests/e2e/*.c))
CLIENT_SRC   := $(sort $(wildcard tests/e2e/clients/*.c))
LAB_SRC      := $(sort $(wildcard tests/lab/*.c))
LAB_TOOL_SRC := $(sort $(wildcard tests/lab/tools/*.c))
BENCH_SRC    := $(sort $(wildcard tests/bench/*.c))

obj = $(patsubst %.c,$(O)/obj/%.o,$(1))
# Exported symbols and the constructor stay out of the unit tests: there they would interpose the
# test framework itself.
UNIT_SHIM_OBJ := $(call obj,$(filter-out shim/exports.c,$(SHIM_SRC)))
# The command has the shim inside for the same reason, and its own idea of where the libraries are.
TOOL_SHIM_OBJ := $(filter-out $(call obj,shim/self_path.c),$(UNIT_SHIM_OBJ))
# query listens in on the resolver by the linker's hand.
TOOL_WRAP     := -Wl,--wrap=resolver_load
UNIT_TOOL_OBJ := $(call obj,$(filter-out shim/tool/main.c shim/tool/self_path.c shim/tool/query_host.c \
		 shim/tool/query_lookup.c shim/tool/verb_query.c,$(TOOL_SRC)))

SHIM_SO     := $(O)/libnoblockdns.so
RESOLVER_SO := $(O)/libnoblockdns-resolver.so
TOOL        := $(O)/noblockdns

DEB         := $(O)/noblockdns_$(shell sed -n '1s/.*(\(.*\)).*/\1/p' scripts/debian/changelog).deb

# libresolv comes with libc, and its archive would bind what libc keeps to itself: the library would
# then fit one version of it.
ifeq ($(STATIC),1)
RESOLVER_LIBS := -Wl,-Bstatic -lcares -lssl -lcrypto -Wl,-Bdynamic -lresolv
else
ALL_CFLAGS    += -DRESOLVER_SHARED
RESOLVER_LIBS := -lcares -lssl -lcrypto -lresolv
endif

# Debug information goes into a file beside the library, where gdb and perf find it.
split_debug = $(if $(SAN),,$(Q)cd $(@D) && objcopy --only-keep-debug $(@F) $(@F).debug && \
	strip --strip-unneeded $(@F) && objcopy --add-gnu-debuglink=$(@F).debug $(@F))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: FORCE all deps demo test unit e2e bench asan tsan fuzz lint lint-objects format install install-files \
	uninstall deb clean libs tests tool

all: deps-build
	$(Q)$(MAKE) --no-print-directory libs
libs: $(SHIM_SO) $(RESOLVER_SO) $(TOOL)
tool: $(TOOL)

$(O)/obj/shim/%.o: ALL_CFLAGS += $(SHIM_CFLAGS) $(SHIM_LTO) \
	$(if $(SHIM_LTO),$(if $(filter $(SHIM_HOT),$(basename $(notdir $<))),,$(CFLAGS:-O2=$(SHIM_SMALL))))
$(O)/obj/resolver/%.o: ALL_CFLAGS += $(RESOLVER_CFLAGS)
$(O)/obj/shim/tool/%.o: ALL_CFLAGS += -DTOOL_MULTIARCH='"$(shell $(CC) -print-multiarch 2>/dev/null)"'

# Programs that the shim is tested in and measured with are ordinary ones, also in sanitizer builds.
$(O)/obj/tests/e2e/clients/%.o $(O)/obj/tests/bench/%.o: \
	ALL_CFLAGS := $(filter-out $(SAN),$(ALL_CFLAGS))

# Their threads are unwound when they are cancelled, as those of a C++ program are.
$(call obj,tests/e2e/clients/interrupt_client.c tests/e2e/clients/race_call.c): \
	ALL_CFLAGS += -fexceptions

# Objects of other flags are not mixed: the stamp changes with them.
FLAGS_NOW := $(CC) $(ALL_CFLAGS) $(SHIM_CFLAGS) $(SHIM_LTO) $(STATIC)
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' >$@

$(O)/obj/%.o: %.c Makefile $(O)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(O)/exports.map: shim/hooks.def Makefile
	@mkdir -p $(@D)
	$(Q)( echo '{ global:'; sed -nE 's/^HOOK(_LIST)?\(([a-z0-9_]*).*/  \2;/p' $<; echo 'local: *; };' ) >$@

ifneq ($(SHIM_LTO),)
SHIM_LINK_CFLAGS := -fPIC $(HARDEN) $(SHIM_CFLAGS) $(SHIM_LTO)
SHIM_COLD_OBJ    := $(call obj,$(filter-out $(SHIM_UNWOUND:%=shim/%.c),$(SHIM_SRC)))
SHIM_OBJ         := $(filter-out $(SHIM_COLD_OBJ),$(call obj,$(SHIM_SRC))) $(O)/shim-cold.o
$(O)/shim-cold.o: $(SHIM_COLD_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(SHIM_LINK_CFLAGS) -fno-asynchronous-unwind-tables -fno-unwind-tables \
		-r -nostdlib -flinker-output=nolto-rel -o $@ $^
else
SHIM_OBJ := $(call obj,$(SHIM_SRC))
endif

$(SHIM_SO): $(SHIM_OBJ) $(O)/exports.map
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) $(CFLAGS) $(SHIM_LINK_CFLAGS) $(SO_LDFLAGS) -Wl,-z,noseparate-code \
		-Wl,--version-script=$(O)/exports.map -Wl,-soname,$(@F) -o $@ $(filter %.o,$^)
	$(split_debug)

$(RESOLVER_SO): $(call obj,$(RESOLVER_SRC)) resolver/exports.map
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) $(CFLAGS) $(SO_LDFLAGS) -Wl,--version-script=resolver/exports.map \
		-Wl,--exclude-libs,ALL -Wl,--wrap=fopen,--wrap=gmtime_r -Wl,-soname,$(@F) -o $@ $(filter %.o,$^) $(RESOLVER_LIBS)
	$(split_debug)

$(TOOL): $(call obj,$(TOOL_SRC)) $(TOOL_SHIM_OBJ) | $(SHIM_SO) $(RESOLVER_SO)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) $(CFLAGS) -fno-lto -pthread -Wl,--gc-sections -Wl,-z,relro,-z,now $(TOOL_WRAP) -o $@ $(filter %.o,$^)
	$(split_debug)

# One Criterion program for all unit tests, one for all end-to-end tests.
$(O)/unit: $(call obj,$(UNIT_SRC)) $(UNIT_SHIM_OBJ) $(UNIT_TOOL_OBJ) $(call obj,$(RESOLVER_SRC)) $(call obj,$(LAB_SRC)) \
		| $(RESOLVER_SO)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) $(CFLAGS) -pthread -o $@ $^ -lcriterion -lcares -lssl -lcrypto -lresolv

$(O)/e2e: $(call obj,$(E2E_SRC)) $(call obj,$(LAB_SRC))
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) $(CFLAGS) -pthread -o $@ $^ -lcriterion -lssl -lcrypto -lresolv

$(O)/clients/%: $(O)/obj/tests/e2e/clients/%.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -pthread -o $@ $^ -lanl -lresolv -lseccomp

$(O)/lab/%: $(O)/obj/tests/lab/tools/%.o $(call obj,$(LAB_SRC))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) $(CFLAGS) -pthread -o $@ $^ -lssl -lcrypto -lresolv

$(O)/bench/%: $(O)/obj/tests/bench/%.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -pthread -o $@ $^ -lcares

# These drive the cache themselves.
$(O)/bench/flood $(O)/bench/list: $(O)/bench/%: $(O)/obj/tests/bench/%.o $(UNIT_SHIM_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -pthread -o $@ $^

CLIENTS   := $(patsubst tests/e2e/clients/%.c,$(O)/clients/%,$(CLIENT_SRC))
LAB_TOOLS := $(patsubst tests/lab/tools/%.c,$(O)/lab/%,$(LAB_TOOL_SRC))
BENCHES   := $(patsubst tests/bench/%.c,$(O)/bench/%,$(BENCH_SRC))

# deps-test and the like: the packages of one group.
deps:
	$(Q)scripts/deps.sh
deps-%: FORCE
	$(Q)scripts/deps.sh $*

# Compiles everything and links nothing.
lint-objects: $(call obj,$(SHIM_SRC) $(TOOL_SRC) $(RESOLVER_SRC) $(UNIT_SRC) $(E2E_SRC) $(CLIENT_SRC) $(LAB_SRC) \
	$(LAB_TOOL_SRC) $(BENCH_SRC))

# A sanitizer build cannot be packed.
tests: libs $(O)/unit $(O)/e2e $(CLIENTS) $(LAB_TOOLS) $(if $(SAN),,$(DEB))

unit: $(O)/unit
	$(Q)$(O)/unit --quiet

e2e: tests
	$(Q)NBD_BUILD=$(abspath $(O)) $(O)/e2e -j1

test: deps-test
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)O=$(O) scripts/test.sh

demo: deps-demo
	$(Q)$(MAKE) --no-print-directory libs $(LAB_TOOLS)
	$(Q)O=$(O) scripts/demo.sh

bench: deps-bench
	$(Q)$(MAKE) --no-print-directory libs $(BENCHES) $(LAB_TOOLS)
	$(Q)O=$(O) scripts/bench.sh

asan: deps-test
	$(Q)$(MAKE) --no-print-directory O=$(O)-asan CFLAGS='-O1 -g -fno-omit-frame-pointer' SAN='-fsanitize=address,undefined -fno-sanitize-recover=undefined' tests
	$(Q)O=$(O)-asan scripts/test.sh --asan

tsan: deps-test
	$(Q)$(MAKE) --no-print-directory O=$(O)-tsan CFLAGS='-O1 -g -fno-omit-frame-pointer' SAN='-fsanitize=thread' tests
	$(Q)O=$(O)-tsan scripts/test.sh --tsan

fuzz: deps-fuzz
	$(Q)O=$(O) scripts/fuzz.sh

lint: deps-lint
	$(Q)scripts/lint.sh

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

# Packages have a folder of their own for zsh (PACKAGED=1).
BASHDIR     := $(DATADIR)/bash-completion/completions
ZSHDIR      := $(DATADIR)/zsh/$(if $(PACKAGED),vendor-completions,site-functions)
MAN_PAGES   := shim/tool/noblockdns.1 shim/noblockdns.conf.5 shim/libnoblockdns.7
man_dir      = $(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))
INSTALLED   := $(BINDIR)/$(notdir $(TOOL)) $(LIBDIR)/$(notdir $(SHIM_SO)) $(LIBDIR)/$(notdir $(RESOLVER_SO)) \
	       $(BASHDIR)/noblockdns $(ZSHDIR)/_noblockdns \
	       $(foreach page,$(MAN_PAGES),$(call man_dir,$(page))/$(notdir $(page)))

install: libs
	$(Q)$(MAKE) --no-print-directory install-files

# What was built before, whatever its flags: no prerequisites. Each file is replaced by another
# inode, since running programs have the old one mapped.
install-files:
	$(Q)install -d $(sort $(addprefix $(DESTDIR),$(dir $(INSTALLED))))
	$(call say,INSTALL,$(DESTDIR)$(BINDIR))
	$(Q)install -m 0755 $(TOOL) $(DESTDIR)$(BINDIR)/
	$(call say,INSTALL,$(DESTDIR)$(LIBDIR))
	$(Q)install -m 0755 $(SHIM_SO) $(RESOLVER_SO) $(DESTDIR)$(LIBDIR)/
	$(call say,INSTALL,$(DESTDIR)$(DATADIR))
	$(Q)$(foreach page,$(MAN_PAGES),install -m 0644 $(page) $(DESTDIR)$(call man_dir,$(page))/ &&) true
	$(Q)$(TOOL) completion bash >$(DESTDIR)$(BASHDIR)/noblockdns
	$(Q)$(TOOL) completion zsh >$(DESTDIR)$(ZSHDIR)/_noblockdns

$(DEB): $(SHIM_SO) $(RESOLVER_SO) $(TOOL) $(MAN_PAGES) README.md LICENSE scripts/deb.sh \
		$(wildcard scripts/debian/*) Makefile
	$(call say,DEB,$@)
	$(Q)O=$(O) STATIC=$(STATIC) CC='$(CC)' scripts/deb.sh $@

deb: deps-deb
	$(Q)$(MAKE) --no-print-directory $(DEB)
	$(call say,LINTIAN,$(DEB))
	$(Q)lintian --allow-root --fail-on error,warning,info $(DEB)

uninstall:
	$(call say,RM,$(DESTDIR)$(PREFIX))
	$(Q)rm -f $(addprefix $(DESTDIR),$(INSTALLED))

clean:
	rm -rf $(O) $(O)-asan $(O)-tsan

.SECONDARY:
-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
