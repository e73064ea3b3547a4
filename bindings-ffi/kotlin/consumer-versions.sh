#!/usr/bin/env bash
# Tests user code with every Kotlin since 2.0. Each compiler builds the example and the exceptions program against the jars that
# `make kotlin` has installed. Both then run against a sandbox.
#
#   consumer-versions.sh LOCAL_MAVEN_REPOSITORY SANDBOX_PROGRAM [KOTLIN_VERSION…]
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
maven=$(realpath "$1") sandbox=$(realpath "$2")
shift 2
[ $# -gt 0 ] || set -- 2.0.21 2.1.21 2.2.21 2.3.21 2.4.21

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

for name in $(compgen -e PROXYMESH_ || true); do unset "$name"; done
for version in "$@"; do
    "$sandbox" --port 0 > "$work/listening" &
    server=$!
    until [ -s "$work/listening" ]; do kill -0 "$server"; sleep 0.1; done
    PROXYMESH_SANDBOX=$(sed 's/^listening on //' "$work/listening")
    export PROXYMESH_SANDBOX

    rm -rf "$work/consumer"
    cp -r "$root/examples/kotlin" "$work/consumer"
    cp "$root/bindings-ffi/kotlin/consumer/Exceptions.kt" "$work/consumer/src/main/kotlin"
    run() {
        (cd "$work/consumer" && mvn --batch-mode --no-transfer-progress --quiet -Dkotlin.compiler.daemon=false \
            -Dmaven.repo.local="$maven" -Dkotlin.version="$version" "$@")
    }
    run compile exec:exec > "$work/output" || { cat "$work/output"; exit 1; }
    grep -q "crawler-1" "$work/output"
    run exec:exec -Dmain=ExceptionsKt > "$work/output" || { cat "$work/output"; exit 1; }
    grep -Eq "made [0-9]+ exceptions" "$work/output"
    echo "Kotlin $version: compiled and run"
    kill "$server"
    rm "$work/listening"
done
