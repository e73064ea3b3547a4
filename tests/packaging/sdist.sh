#!/usr/bin/env bash
# Installs the source distribution with pip, as users do on a platform without a wheel, and makes a call with it.
# It uses a clean venv in a temporary folder, so that nothing of this repository is in reach. Unlike a release, this build is
# not optimised, which saves minutes.
# Usage: tests/packaging/sdist.sh SDIST
set -euo pipefail
away=$(mktemp -d)
trap 'rm -rf "$away"' EXIT
cp "$1" "$away/"
cd "$away"
unset CARGO_TARGET_DIR PYTHONPATH VIRTUAL_ENV
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --no-binary proxymesh ./*.tar.gz
mkdir empty && cd empty
"$away/venv/bin/python" -I - <<'PROGRAM'
import proxymesh, proxymesh.sandbox

with proxymesh.sandbox.Sandbox() as sandbox, sandbox.client() as client:
    proxies = client.proxies.list()
    assert proxies and sandbox.requests()[0].status == 200
    print(f"{proxymesh.__version__}, from {proxymesh.__file__}: {len(proxies)} proxies")
print("1 passed, 0 failed")
PROGRAM
