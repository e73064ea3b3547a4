#!/usr/bin/env bash
# Builds the Swift examples, the README's Swift code, and two programs for tests, as a separate package. Runs the tests of the examples
# against the sandbox, with Swift Testing and with XCTest, and those of docs/swift.md. The package is in a temporary folder, with the
# native library beside it. SwiftPM resolves the SDK from a repository and a version, as it would from GitHub, because it refuses
# unsafe flags in a package that is resolved by version. This repository is hidden.
#
#   consumer.sh LIBRARY_FOLDER SANDBOX_PROGRAM
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
library=$(realpath "$1") sandbox=$(realpath "$2")

work=$(mktemp -d)
trap 'kill "${server:-}" "${site:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

# Creates a new repository with a copy of this one's files, and with the version as a tag.
mkdir "$work/sdk"
(cd "$root" && git ls-files -z | xargs -0 cp --parents -t "$work/sdk")
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
git=(git -C "$work/sdk" -c user.name=sdk -c user.email=sdk@localhost -c commit.gpgsign=false)
"${git[@]}" init --quiet && "${git[@]}" add --all && "${git[@]}" commit --quiet --message "$version" && "${git[@]}" tag "$version"

cp -r "$root/examples/swift" "$work/app"
for name in Errors Killed; do
    mkdir "$work/app/Sources/$name"
    cp "$root/bindings-ffi/swift/consumer/$name.swift" "$work/app/Sources/$name"
done
cp "$root/bindings-ffi/swift/consumer/GuideTests.swift" "$work/app/Tests/ScraperTests"
cp -r "$library" "$work/library"
cp "$sandbox" "$work/sandbox"
# Each block of the README becomes its own function.
mkdir "$work/app/Sources/Readme"
awk '/^```swift$/ { inside = 1; print "func block" ++count "() async throws {"; next }
     /^```$/ && inside { inside = 0; print "}" }
     inside && !/^import / { print }
     BEGIN { print "import Foundation\nimport ProxyMesh\nimport ProxyMeshTesting" }' "$root/README.md" > "$work/app/Sources/Readme/Readme.swift"
grep -q "^func block" "$work/app/Sources/Readme/Readme.swift"
target() { # KIND NAME PRODUCT…
    local kind=$1 name=$2
    shift 2
    echo "        .$kind(name: \"$name\", dependencies: [$(printf '.product(name: "%s", package: "proxymesh-sdk"), ' "$@")]),"
}
{
    target target Readme ProxyMesh ProxyMeshTesting
    target executableTarget Errors ProxyMesh
    target executableTarget Killed ProxyMeshTesting
} > "$work/targets"
sed -i "/^    targets: \[/r $work/targets" "$work/app/Package.swift"

# Unsets PROXYMESH_…, so that the sandbox's account is used.
for name in $(compgen -e PROXYMESH_ || true); do unset "$name"; done
"$work/sandbox" --port 0 > "$work/listening" &
server=$!
until [ -s "$work/listening" ]; do kill -0 "$server"; sleep 0.1; done
PROXYMESH_SANDBOX=$(sed 's/^listening on //' "$work/listening")
# The site for the tests of the guide, with a certificate of its own.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=site.test -addext subjectAltName=DNS:site.test \
    -keyout "$work/site.key" -out "$work/site.pem" 2> /dev/null
"${PYTHON:-python3}" "$root/bindings-ffi/swift/consumer/site.py" "$work/site.pem" "$work/site.key" > "$work/pages" &
site=$!
until [ -s "$work/pages" ]; do kill -0 "$site"; sleep 0.1; done
SITE=$(cat "$work/pages")
export PROXYMESH_SANDBOX SITE work hidden=$root

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

    echo "== a sandbox whose program is killed"
    url=$(swift run --skip-build Killed) || [ "$url" ]
    port=${url##*:} tries=0
    while (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do
        [ $((++tries)) -lt 100 ] || { echo "the sandbox at $url still runs" >&2; exit 1; }
        sleep 0.1
    done
    echo "the sandbox at $url has ended too"

    echo "== tests against the sandbox"
    cat /etc/ssl/certs/ca-certificates.crt "$work/site.pem" > "$work/trusted"
    mount --bind "$work/trusted" /etc/ssl/certs/ca-certificates.crt
    swift test -Xswiftc -warnings-as-errors > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    grep -E "Test (Case|run|Suite .Selected)|Executed|Suite" "$work/log"

    echo "== the generated code cannot be seen"
    echo "import ProxyMesh
let hidden: Failure? = nil" > Sources/Quickstart/Hidden.swift
    if swift build > "$work/log" 2>&1; then
        echo "a consumer compiles against the generated module" >&2
        exit 1
    fi
    grep -q "cannot find type .Failure. in scope" "$work/log" || { cat "$work/log"; exit 1; }
'
