#!/usr/bin/env bash
# Starts the sandbox, and runs schemathesis with the description that it serves.
# Usage: tests/openapi/run.sh SANDBOX SCHEMATHESIS
set -euo pipefail
sandbox=$(realpath "$1") schemathesis=$(realpath --no-symlinks "$2")
cd "$(dirname "$0")"

coproc SANDBOX { exec "$sandbox" --port 0; }
trap 'kill "$SANDBOX_PID"' EXIT
read -r _ _ url <&"${SANDBOX[0]}"
# schemathesis writes its cache and its reports to the current folder, so it runs in its environment under target/.
cd "$(dirname "$schemathesis")/.."
PYTHONPATH=$OLDPWD "$schemathesis" --config-file "$OLDPWD/schemathesis.toml" run "$url/_sandbox/openapi.json" --url "$url"
