# What people call, and what CI calls. Every tool that a target needs is installed by itself, under target/.
#
#   make demo    the main job, end to end, against the sandbox
#   make demo-kotlin   the same in Kotlin and in Java
#   make demo-swift    the same in Swift
#   make test    everything, in every language
#   make test-kotlin-versions   consumers by every Kotlin since 2.0
#   make test-faults   every call in every language with every fault
#   make test-frozen   a frozen program, by PyInstaller
#   make fuzz    hostile bytes, with libFuzzer: SECONDS=60 for each target; needs a nightly toolchain
#   make test-packages   what is published: licences, contents, metadata; the source distribution, installed from nothing
#   make lint    formatting, lints, types, docs
#   make bench   the benchmark, in ten minutes: tests/bench/README.md (QUICK=1: in two; ONLY="proxymesh,requests")
#   make bench-languages   what the SDK costs in each language over Rust
#   make stubs   the type stub of the native module, from its own signatures
#   make openapi   the description of the API that the sandbox serves, from docs/openapi.yaml
#   make bindings   the Kotlin and Swift that call the native library, from its own signatures
#   make notices   the licences of what is in the wheel, and in the Kotlin and Swift packages
#   make sdist   the source distribution for Python, in target/sdist
#   make kotlin  the jars for Kotlin and Java, in target/kotlin and in the local Maven repository target/maven
#   make swift   the library that the Swift package links, in target/swift-library
#   make clean   removes all that was built or installed

.DEFAULT_GOAL := help
.PHONY: help fuzz demo demo-kotlin demo-swift test test-rust test-kotlin test-swift test-conformance test-faults test-openapi conformance-agents kotlin kotlin-library maven chromium swift test-curl test-kotlin-versions test-python test-pythons test-freethreaded test-soak test-types test-downstream test-adapters test-frozen test-hosts test-secrets test-packages test-sdist sdist notices lint-notices bench bench-check bench-languages bench-install lint lint-rust lint-python lint-bindings lint-swift stubs openapi bindings wheel clean
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# Servers of tests come and go on the same ports: what one process of them learns about credentials is not for the next.
export XDG_STATE_HOME := /dev/null

PYTHON ?= python3
TOOLS := target/tools
DEMO := target/demo
TESTS := target/tests
DOWNSTREAM := target/downstream
ADAPTERS := target/adapters/venv
HOSTS := target/hosts/venv
FREE := target/freethreaded
FREETHREADED ?= python3.14t
BENCH := target/bench
PACKAGING := target/packaging
OPENAPI := target/openapi/venv
FUZZ := target/fuzz
SECONDS ?= 60
PIP := pip install --quiet --disable-pip-version-check
FFI := bindings-ffi
FFI_LIBRARY := target/debug/libproxymesh_ffi.$(if $(filter Darwin,$(shell uname -s)),dylib,so)
# What of it is generated.
GENERATED := kotlin/native/src/main/kotlin/com/proxymesh/internal swift/Sources/ProxyMeshFFI swift/Sources/ProxyMeshInternal
KOTLIN := target/kotlin
SWIFT := target/swift-library
# As JNA calls this machine.
PLATFORM := $(shell uname -sm | sed 's/^Darwin arm64$$/darwin-aarch64/; s/^Darwin /darwin-/; s/^Linux /linux-/; s/x86_64/x86-64/')
MAVEN = cd $(FFI)/kotlin && mvn --batch-mode --no-transfer-progress -Dmaven.repo.local=$(CURDIR)/target/maven
PYTHON_SOURCES := tests/circles.py bindings-python examples tests/downstream tests/bench tests/soak tests/conformance tests/openapi tests/adapters tests/hosts tests/packaging core/fuzz

help:
	@sed -n 's/^#   //p' Makefile

demo: wheel $(DEMO)/bin/python
	@$(DEMO)/bin/$(PIP) --no-deps --force-reinstall target/wheels/*.whl
	@$(DEMO)/bin/python examples/quickstart.py

demo-kotlin: kotlin
	@cargo build --quiet --locked --package proxymesh-sandbox
	@$(FFI)/kotlin/consumer.sh target/maven target/debug/proxymesh-sandbox

demo-swift: swift
	@cargo build --quiet --locked --package proxymesh-sandbox
	@$(FFI)/swift/consumer.sh $(SWIFT) target/debug/proxymesh-sandbox

test: test-rust test-curl test-python test-pythons test-types test-downstream test-adapters test-hosts test-kotlin test-swift test-conformance test-openapi test-packages test-secrets

# With all output shown, so that test-secrets sees it.
test-rust: | $(TESTS)
	cargo test --workspace --exclude proxymesh-python --locked -- --nocapture 2>&1 | tee $(TESTS)/rust.log

# The README's curl block, against the program.
test-curl:
	cargo build --quiet --locked --workspace --exclude proxymesh-python --bins
	tests/sandbox_by_curl.sh target/debug/proxymesh-sandbox

test-python: wheel $(TESTS)/bin/pytest
	@$(TESTS)/bin/$(PIP) --no-deps --force-reinstall target/wheels/*.whl
	$(TESTS)/bin/python -m pytest -s 2>&1 | tee $(TESTS)/python.log

# The suite, by Maven, with the library that ships; then the examples, as a consumer's projects.
test-kotlin: kotlin-library | $(TESTS)
	cargo build --quiet --locked --package proxymesh-sandbox
	($(MAVEN) install) 2>&1 | tee $(TESTS)/kotlin.log
	$(FFI)/kotlin/consumer.sh target/maven target/debug/proxymesh-sandbox

# Not part of `make test`: it takes two and a half minutes, the first time with five compilers to fetch.
test-kotlin-versions: kotlin
	cargo build --quiet --locked --package proxymesh-sandbox
	$(FFI)/kotlin/consumer-versions.sh target/maven target/debug/proxymesh-sandbox

# The suite, in the language mode of Swift 6, with every warning an error; then the example, as a consumer's package.
test-swift: swift | $(TESTS)
	cargo build --quiet --locked --package proxymesh-sandbox
	$(FFI)/swift/toolchain.sh swift --version
	RUST_BACKTRACE=0 LIBRARY_PATH=$(CURDIR)/$(SWIFT) PROXYMESH_TEST_SANDBOX=$(CURDIR)/target/debug/proxymesh-sandbox $(FFI)/swift/toolchain.sh \
	    swift test --scratch-path target/swift-build -Xswiftc -warnings-as-errors 2>&1 | tee $(TESTS)/swift.log
	$(FFI)/swift/consumer.sh $(SWIFT) target/debug/proxymesh-sandbox

# The cases on all eight surfaces, and a slice of the fault matrix: tests/conformance/README.md.
test-conformance: conformance-agents
	$(TESTS)/bin/python tests/conformance/runner/run.py 2>&1 | tee $(TESTS)/conformance.log
	$(TESTS)/bin/python tests/conformance/runner/faults.py --slice 16 2>&1 | tee -a $(TESTS)/conformance.log

# All of the fault matrix, in minutes; the report is target/conformance/report.md.
test-faults: conformance-agents
	$(TESTS)/bin/python tests/conformance/runner/faults.py

conformance-agents: wheel $(TESTS)/bin/pytest kotlin-library swift
	@$(TESTS)/bin/$(PIP) --no-deps --force-reinstall target/wheels/*.whl
	cargo build --quiet --locked --package proxymesh-conformance
	$(MAVEN) --quiet test-compile dependency:build-classpath '-Dmdep.outputFile=$${project.build.directory}/classpath'
	LIBRARY_PATH=$(CURDIR)/$(SWIFT) $(FFI)/swift/toolchain.sh \
	    swift build --quiet --product ConformanceAgent --scratch-path target/swift-build -Xswiftc -warnings-as-errors

# The sandbox as docs/openapi.yaml describes it; core/tests/openapi.rs compares that with the core.
test-openapi: $(OPENAPI)/bin/schemathesis
	cargo build --quiet --locked --package proxymesh-sandbox
	tests/openapi/run.sh target/debug/proxymesh-sandbox $<

openapi: $(OPENAPI)/bin/schemathesis
	$(OPENAPI)/bin/python -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, indent=1); print()' \
	    < docs/openapi.yaml > sandbox/src/openapi.json

# What the property tests of `make test` try, for longer, and led by coverage. The corpus is kept.
fuzz: target/tools-cargo/bin/cargo-fuzz
	$(PYTHON) core/fuzz/seeds.py $(FUZZ)/corpus
	@for target in success refused input sandbox; do \
	    PATH=$(CURDIR)/target/tools-cargo/bin:$$PATH CARGO_TARGET_DIR=$(CURDIR)/$(FUZZ)/build cargo +nightly fuzz run --fuzz-dir core/fuzz $$target \
	        $(CURDIR)/$(FUZZ)/corpus/$$target -- -max_total_time=$(SECONDS) -max_len=4096 -print_final_stats=1 -verbosity=0 \
	        -artifact_prefix=$(CURDIR)/$(FUZZ)/found-$$target-; \
	done

# Every other CPython that is here, from the same wheel.
test-pythons: wheel $(TESTS)/bin/pytest
	$(TESTS)/bin/python bindings-python/pythons.py target/wheels/*.whl

# The suite on a free-threaded CPython, which needs a wheel of its own: make test-freethreaded FREETHREADED=/…/python3.14t. It
# is not part of `make test`, as few machines have one. With debug assertions, as it is races that are looked for.
test-freethreaded: $(TOOLS)/bin/maturin
	@command -v $(FREETHREADED) || { echo "no $(FREETHREADED) here: say FREETHREADED=…" >&2; exit 1; }
	@rm -rf $(FREE)/wheels
	@$(TOOLS)/bin/maturin build --locked --profile dev --quiet --interpreter $(FREETHREADED) --out $(FREE)/wheels
	$(FREETHREADED) -m venv --clear $(FREE)/venv
	$(FREE)/venv/bin/$(PIP) --only-binary=:all: -r bindings-python/requirements-test.txt || \
	    $(FREE)/venv/bin/$(PIP) $$(grep ^pytest bindings-python/requirements-test.txt) # without TLS: test_client.py
	@$(FREE)/venv/bin/$(PIP) --no-deps $(FREE)/wheels/*.whl
	PYTHON_GIL=0 $(FREE)/venv/bin/python -m pytest -q -n 4
	for _ in 1 2 3 4 5; do PYTHON_GIL=0 $(FREE)/venv/bin/python -m pytest -q bindings-python/tests/test_threads.py; done

# What takes minutes: a million calls in one process, and what `make test` shows of exits with calls under way, ten times over.
test-soak: wheel $(TESTS)/bin/pytest
	@$(TESTS)/bin/$(PIP) --no-deps --force-reinstall target/wheels/*.whl
	$(TESTS)/bin/python tests/soak/soak.py
	EXITS=200 $(TESTS)/bin/python -m pytest -s -q bindings-python/tests/test_exit.py

# What type checkers make of the installed wheel: that it is as its stub says, that what users write passes, that what they
# write by mistake does not, and that nothing public is without a type.
test-types: wheel $(TOOLS)/bin/maturin
	@$(TOOLS)/bin/$(PIP) --no-deps --force-reinstall target/wheels/*.whl
	$(TOOLS)/bin/stubtest proxymesh
	$(TOOLS)/bin/mypy --config-file= --strict --python-version=3.10 bindings-python/tests/typing_*.py
	PATH=$(TOOLS)/bin:$$PATH pyright
	PATH=$(TOOLS)/bin:$$PATH pyright --verifytypes proxymesh --ignoreexternal

# A project that knows the package as a wheel, away from this repository's sources.
test-downstream: wheel $(DOWNSTREAM)/bin/pytest
	@$(DOWNSTREAM)/bin/$(PIP) --no-deps --force-reinstall target/wheels/*.whl
	@rm -rf $(DOWNSTREAM)/project && cp -r tests/downstream $(DOWNSTREAM)/project
	cd $(DOWNSTREAM)/project && ../bin/python -m pytest

# What the methods of Proxy give, used by the libraries that they are for.
test-adapters: wheel chromium $(ADAPTERS)/bin/pytest
	@$(ADAPTERS)/bin/$(PIP) --no-deps --force-reinstall target/wheels/*.whl
	cd tests/adapters && $(CURDIR)/$(ADAPTERS)/bin/python -m pytest
	$(ADAPTERS)/bin/python bindings-python/pythons.py target/wheels/*.whl --adapters

# What is published, as the registries and their users will see it.
test-packages: wheel test-sdist $(PACKAGING)/bin/twine
	$(PACKAGING)/bin/twine check --strict target/wheels/*.whl target/sdist/*.tar.gz
	$(PACKAGING)/bin/check-wheel-contents target/wheels/*.whl
	$(PACKAGING)/bin/python tests/packaging/contents.py target/wheels/*.whl target/sdist/*.tar.gz
	cargo publish --quiet --dry-run --locked --allow-dirty --package proxymesh-sandbox
	cargo publish --quiet --dry-run --locked --allow-dirty --package proxymesh

# Compiles everything, in two minutes.
test-sdist: sdist
	PYTHON=$(PYTHON) tests/packaging/sdist.sh target/sdist/*.tar.gz

# A program in one file, by PyInstaller, that uses each adapter: two minutes.
test-frozen: wheel $(ADAPTERS)/bin/pytest
	@$(ADAPTERS)/bin/$(PIP) --no-deps --force-reinstall target/wheels/*.whl
	cd tests/adapters && FROZEN=1 $(CURDIR)/$(ADAPTERS)/bin/python -m pytest test_frozen.py

# The package in the programs that run other people's: gunicorn, Celery, uWSGI, gevent, eventlet.
test-hosts: wheel $(HOSTS)/bin/pytest
	@$(HOSTS)/bin/$(PIP) --no-deps --force-reinstall target/wheels/*.whl
	cd tests/hosts && $(CURDIR)/$(HOSTS)/bin/python -m pytest

# The tests of all languages use credentials that must appear in no output.
test-secrets:
	@found=0; grep -nFf tests/canaries.txt $(TESTS)/rust.log $(TESTS)/python.log $(TESTS)/kotlin.log $(TESTS)/swift.log $(TESTS)/conformance.log || found=$$?; \
	    case $$found in 0) echo "a secret was printed" >&2; exit 1;; 1) ;; *) exit $$found;; esac
	@echo "no secret in $$(cat $(TESTS)/*.log | wc -l) lines of output"

# Not part of the tests: timings depend on what else the machine does.
bench: bench-install
	@$(BENCH)/venv/bin/python tests/bench/bench.py $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")

# Whether every contestant still makes its calls.
bench-check: bench-install
	@$(BENCH)/venv/bin/python tests/bench/bench.py --check

# What the SDK costs in each language over Rust, beside the platforms' own clients.
bench-languages: bench-install kotlin swift
	@cd tests/bench/kotlin && mvn --batch-mode --no-transfer-progress --quiet -Dmaven.repo.local=$(CURDIR)/target/maven compile
	@LIBRARY_PATH=$(CURDIR)/$(SWIFT) $(FFI)/swift/toolchain.sh swift build --quiet --configuration release \
	    --package-path tests/bench/swift --scratch-path $(BENCH)/languages/swift-build
	@$(BENCH)/venv/bin/python tests/bench/languages.py

bench-install: wheel $(BENCH)/venv/installed $(BENCH)/venv-niquests/installed
	@cargo build --quiet --release --locked --package proxymesh-bench
	@$(BENCH)/venv/bin/$(PIP) --no-deps --force-reinstall target/wheels/*.whl

lint: lint-rust lint-python lint-bindings lint-swift lint-notices

lint-rust:
	cargo fmt --all --check
	cargo fmt --check --manifest-path core/fuzz/Cargo.toml
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	$(PYTHON) tests/circles.py core/src sandbox/src bindings-python/src

lint-python: $(TOOLS)/bin/ruff
	$(TOOLS)/bin/check-jsonschema --schemafile tests/conformance/runner/schema.json tests/conformance/*.json
	$(TOOLS)/bin/ruff format --check $(PYTHON_SOURCES)
	$(TOOLS)/bin/ruff check $(PYTHON_SOURCES)
	$(TOOLS)/bin/python bindings-python/stubs.py --check
	MYPYPATH=bindings-python/python:tests/adapters $(TOOLS)/bin/mypy bindings-python/python bindings-python/tests bindings-python/*.py tests/circles.py examples tests/downstream tests/bench tests/soak tests/conformance tests/openapi tests/adapters tests/packaging core/fuzz tests/hosts

lint-swift:
	$(FFI)/swift/toolchain.sh swift format lint --strict --configuration $(FFI)/swift/.swift-format --recursive \
	    $(FFI)/swift/Sources/ProxyMesh $(FFI)/swift/Tests examples/swift tests/bench/swift Package.swift

# The generated Kotlin and Swift are those of the sources.
lint-bindings:
	@$(call generate,target/bindings)
	@for folder in $(GENERATED); do diff -r $(FFI)/$$folder target/bindings/$$folder || \
	    { echo "$(FFI)/$$folder is out of date: run make bindings" >&2; exit 1; }; done

# Whether each crate that ships is named there, in its version. `make notices` itself takes a tool that takes minutes to build.
lint-notices:
	$(PYTHON) tests/packaging/notices.py --check

notices: target/tools-cargo/bin/cargo-about
	cargo fetch --locked --quiet
	$(PYTHON) tests/packaging/notices.py $<

bindings:
	@$(call generate,$(FFI))

# From the debug library, because that has the symbols in which the interface is described.
generate = cargo build --quiet --locked --package proxymesh-ffi && \
	rm -rf $(addprefix $1/,$(GENERATED)) && \
	cargo run --quiet --locked --package proxymesh-bindgen -- $(FFI_LIBRARY) $1

stubs: $(TOOLS)/bin/ruff
	$(TOOLS)/bin/python bindings-python/stubs.py

wheel: $(TOOLS)/bin/maturin
	@rm -rf target/wheels
	@$(TOOLS)/bin/maturin build --locked --release --quiet --compression-level 9 --interpreter $(TOOLS)/bin/python --out target/wheels

sdist: $(TOOLS)/bin/maturin
	@rm -rf target/sdist
	@$(TOOLS)/bin/maturin sdist --out target/sdist

kotlin: kotlin-library
	@$(MAVEN) --quiet install -DskipTests

kotlin-library: maven
	cargo build --quiet --release --locked --package proxymesh-ffi
	@mkdir -p $(KOTLIN)/libraries/$(PLATFORM)
	@cp target/release/$(notdir $(FFI_LIBRARY)) $(KOTLIN)/libraries/$(PLATFORM)

# Maven fetches all else, Kotlin included.
maven:
	@{ command -v mvn && command -v javac; } > /dev/null || { \
	    apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends maven default-jdk-headless; }

# The browser that Playwright and Selenium are tested with; a machine without apt needs its own.
chromium:
	@{ { command -v chromium || command -v chromium-browser || command -v google-chrome; } && command -v chromedriver; } > /dev/null || { \
	    apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends chromium chromium-driver; }

# The static library alone, so that a program has no library to look for when it starts.
swift:
	cargo build --quiet --release --locked --package proxymesh-ffi
	@mkdir -p $(SWIFT)
	@cp target/release/libproxymesh_ffi.a LICENSE-MIT LICENSE-APACHE $(FFI)/THIRD-PARTY-NOTICES $(SWIFT)

clean:
	rm -rf target

$(TOOLS)/bin/maturin $(TOOLS)/bin/ruff: bindings-python/requirements-dev.txt bindings-python/requirements-test.txt tests/adapters/requirements.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/$(PIP) -r $<
	@touch $(TOOLS)/bin/maturin $(TOOLS)/bin/ruff

$(TESTS)/bin/pytest: bindings-python/requirements-test.txt | $(TESTS)
	$(PYTHON) -m venv $(TESTS)
	$(TESTS)/bin/$(PIP) -r $<
	@touch $@

target/tools-cargo/bin/cargo-fuzz:
	cargo install --quiet --locked --root target/tools-cargo --version 0.13.2 cargo-fuzz

target/tools-cargo/bin/cargo-about:
	cargo install --quiet --locked --root target/tools-cargo --version 0.9.3 --features cli cargo-about

$(PACKAGING)/bin/twine: tests/packaging/requirements.txt
	$(PYTHON) -m venv $(PACKAGING)
	$(PACKAGING)/bin/$(PIP) -r $<
	@touch $@

$(OPENAPI)/bin/schemathesis: tests/openapi/requirements.txt
	$(PYTHON) -m venv $(OPENAPI)
	$(OPENAPI)/bin/$(PIP) -r $<
	@touch $@

$(DOWNSTREAM)/bin/pytest: bindings-python/requirements-test.txt
	$(PYTHON) -m venv $(DOWNSTREAM)
	$(DOWNSTREAM)/bin/$(PIP) "$$(grep ^pytest== $<)"
	@touch $@

$(ADAPTERS)/bin/pytest: tests/adapters/requirements.txt
	$(PYTHON) -m venv $(ADAPTERS)
	$(ADAPTERS)/bin/$(PIP) -r $<
	@touch $@

$(HOSTS)/bin/pytest: tests/hosts/requirements.txt
	$(PYTHON) -m venv $(HOSTS)
	$(HOSTS)/bin/$(PIP) -r $<
	@touch $@

$(DEMO)/bin/python:
	$(PYTHON) -m venv $(DEMO)

# The wheels are kept, because their sizes are compared, too.
$(BENCH)/venv/installed: tests/bench/requirements.txt
$(BENCH)/venv-niquests/installed: tests/bench/requirements-niquests.txt
$(BENCH)/%/installed:
	$(PYTHON) -m venv $(BENCH)/$*
	$(BENCH)/$*/bin/pip download --quiet --disable-pip-version-check --only-binary :all: --dest $(BENCH)/wheels -r $<
	$(BENCH)/$*/bin/$(PIP) --no-index --find-links $(BENCH)/wheels -r $<
	@touch $@

$(TESTS):
	@mkdir -p $@
