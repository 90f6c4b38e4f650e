# Thin: the build is meson's (meson.build), the packages are bootstrap's.
BUILD ?= build
MESON_OPTIONS ?=
TIME ?= 60
MINUTES ?= 60
DESTDIR ?=
export OUTLAST = $(CURDIR)/$(BUILD)/outlast

.PHONY: all demo test test-fast test-system run asan tsan fuzz soak bench format lint advise install docs clean

all:
	@./bootstrap build
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD) $(MESON_OPTIONS)
	@ninja -C $(BUILD)

demo: all
	@/usr/bin/python3 demo/run.py

test:
	@./bootstrap
	@$(MAKE) --no-print-directory all
	@/usr/bin/python3 tools/run_tests.py --build $(BUILD) unit system lint

test-fast: all
	@/usr/bin/python3 tools/run_tests.py --build $(BUILD) unit

test-system: all
	@/usr/bin/python3 tools/run_tests.py --build $(BUILD) system

run: all
	@$(BUILD)/outlast serve --config etc/outlast.conf

asan:
	@./bootstrap
	@$(MAKE) --no-print-directory all BUILD=build-asan MESON_OPTIONS="-Db_sanitize=address,undefined"
	@UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 PATIENCE=120 OUTLAST=$(CURDIR)/build-asan/outlast /usr/bin/python3 tools/run_tests.py --build build-asan unit system

tsan:
	@./bootstrap
	@$(MAKE) --no-print-directory all BUILD=build-tsan MESON_OPTIONS="-Db_sanitize=thread"
	@TSAN_OPTIONS=halt_on_error=1 PATIENCE=120 OUTLAST=$(CURDIR)/build-tsan/outlast /usr/bin/python3 tools/run_tests.py --build build-tsan system

fuzz:
	@./bootstrap
	@[ -f build-fuzz/build.ninja ] || CC=clang-14 meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined
	@ninja -C build-fuzz
	@/usr/bin/python3 tools/run_fuzz.py --build build-fuzz --seconds $(TIME)

# An hour of everything at once, and ten times the random traces of `make test`.
soak: all
	@./bootstrap
	@SOAK_TRACES=10000 /usr/bin/python3 -m pytest -q tests/system/test_traces.py
	@/usr/bin/python3 tests/soak/soak.py --minutes $(MINUTES)

bench: all
	@/usr/bin/python3 bench/run.py

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

lint: all
	@/usr/bin/python3 tools/run_tests.py --build $(BUILD) lint

advise: all
	@./bootstrap
	@[ -f build-advise/build.ninja ] || meson setup build-advise -Dwerror=false -Dc_args=-fanalyzer
	@ninja -C build-advise outlast
	@run-clang-tidy-14 -quiet -p $(BUILD) '/src/.*[.]c$$' 2>/dev/null || true

install: all
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild
	@install -D -m 644 etc/outlast.conf $(DESTDIR)/usr/local/share/doc/outlast/outlast.conf
	@for page in docs/man/*.1 docs/man/*.5; do \
		install -D -m 644 $$page $(DESTDIR)/usr/local/share/man/man$${page##*.}/$${page##*/}; done

docs: all
	@$(BUILD)/outlast config document > docs/config.md

clean:
	@rm -rf build build-asan build-tsan build-fuzz build-advise
