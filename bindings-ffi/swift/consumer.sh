#!/usr/bin/env bash
# Builds the Swift example, the README's Swift code, and a program that creates each error, as a separate package. The package is in
# a temporary folder, with the native library beside it. SwiftPM resolves the SDK from a repository and a version, as it would from
# GitHub, because it refuses unsafe flags in a package that is resolved by version. This repository is hidden.
#
#   consumer.sh LIBRARY_FOLDER SANDBOX_PROGRAM
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
library=$(realpath "$1") sandbox=$(realpath "$2")

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

# Creates a new repository with a copy of this one's files, and with the version as a tag.
mkdir "$work/sdk"
(cd "$root" && git ls-files -z | xargs -0 cp --parents -t "$work/sdk")
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
git=(git -C "$work/sdk" -c user.name=sdk -c user.email=sdk@localhost -c commit.gpgsign=false)
"${git[@]}" init --quiet && "${git[@]}" add --all && "${git[@]}" commit --quiet --message "$version" && "${git[@]}" tag "$version"

cp -r "$root/examples/swift" "$work/app"
mkdir "$work/app/Sources/Errors"
cp "$root/bindings-ffi/swift/consumer/Errors.swift" "$work/app/Sources/Errors"
cp -r "$library" "$work/library"
cp "$sandbox" "$work/sandbox"
# Each block of the README becomes its own function.
mkdir "$work/app/Sources/Readme"
awk '/^```swift$/ { inside = 1; print "func block" ++count "() async throws {"; next }
     /^```$/ && inside { inside = 0; print "}" }
     inside && !/^import / { print }
     BEGIN { print "import Foundation\nimport ProxyMesh" }' "$root/README.md" > "$work/app/Sources/Readme/Readme.swift"
grep -q "^func block" "$work/app/Sources/Readme/Readme.swift"
sdk='dependencies: [.product(name: "ProxyMesh", package: "proxymesh-sdk")]'
sed -i "s/^    targets: \[/&\n        .target(name: \"Readme\", $sdk), .executableTarget(name: \"Errors\", $sdk),/" "$work/app/Package.swift"

# Unsets PROXYMESH_…, so that the sandbox's account is used.
for name in $(compgen -e PROXYMESH_ || true); do unset "$name"; done
"$work/sandbox" --port 0 > "$work/listening" &
server=$!
until [ -s "$work/listening" ]; do kill -0 "$server"; sleep 0.1; done
PROXYMESH_SANDBOX=$(sed 's/^listening on //' "$work/listening")
export PROXYMESH_SANDBOX work hidden=$root

# shellcheck disable=SC2016 # to be expanded by the inner shell
"$root/bindings-ffi/swift/toolchain.sh" --with "$work" unshare --mount --propagation unchanged bash -euo pipefail -c '
    # Keeps the mounts private. In the chroot of toolchain.sh, they already are.
    mount --make-rprivate / 2> /dev/null || true
    mount -t tmpfs none "$hidden"
    [ -z "$(ls -A "$hidden")" ]
    cd "$work/app"
    export LIBRARY_PATH=$work/library
    swift package config set-mirror --original https://github.com/proxymesh/proxymesh-sdk --mirror "file://$work/sdk" > "$work/log"
    swift build -Xswiftc -warnings-as-errors > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    # Targets for tests of the SDK are not built.
    [ -d .build/debug/ProxyMesh.build ] && [ ! -e .build/debug/TestSupport.build ]
    swift run --skip-build Quickstart
    swift run --skip-build Errors

    echo "== the generated code cannot be seen"
    echo "import ProxyMesh
let hidden: Failure? = nil" > Sources/Quickstart/Hidden.swift
    if swift build > "$work/log" 2>&1; then
        echo "a consumer compiles against the generated module" >&2
        exit 1
    fi
    grep -q "cannot find type .Failure. in scope" "$work/log" || { cat "$work/log"; exit 1; }
'
