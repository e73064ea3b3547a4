#!/usr/bin/env bash
# Uses the Swift package as a user on Linux does: a project elsewhere names its repository and a version, SwiftPM downloads the
# artifact bundle that the tagged manifest names, and no variable says where a library is. It then runs the quickstart against the
# sandbox, and makes a call to a server with a private CA.
#
#   swift-linux.sh ProxyMeshFFI.artifactbundle.zip SANDBOX_PROGRAM
#
# This needs Swift 6.2. Without one on the PATH, toolchain.sh unpacks Debian sid's into target/swift-6.2.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
bundle=$(realpath "$1") sandbox=$(realpath "$2")
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; exec 3>&- || true; rm -rf "$work"' EXIT

# The server of the release, which is the service with a private CA too.
mkdir "$work/served"
cp "$bundle" "$work/served"
mkfifo "$work/input"
"${PYTHON:-python3}" "$root/packaging/places/https_server.py" "$work/served" < "$work/input" > "$work/url" &
exec 3> "$work/input"
until [ -s "$work/url" ]; do sleep 0.1; done
url=$(cat "$work/url")

# The repository, with the release's manifest in its tag.
mkdir "$work/sdk"
(cd "$root" && git ls-files -z | xargs -0 cp --parents -t "$work/sdk")
: > "$work/served/ProxyMeshFFI.xcframework.zip" # is not used on Linux
"${PYTHON:-python3}" "$work/sdk/packaging/release.py" manifest "$work/served" "$url"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
git=(git -C "$work/sdk" -c user.name=sdk -c user.email=sdk@localhost -c commit.gpgsign=false)
"${git[@]}" init --quiet && "${git[@]}" add --all && "${git[@]}" commit --quiet --message "$version" && "${git[@]}" tag "$version"

# The user's project.
mkdir -p "$work/app/Sources/"{Quickstart,PrivateCA}
cp "$root"/examples/swift/Sources/Quickstart/*.swift "$work/app/Sources/Quickstart"
cat > "$work/app/Sources/PrivateCA/main.swift" << END
import Foundation
import ProxyMesh

let url = URL(string: "$url")!
print(try await Client(username: "u", password: "p", baseURL: url, caFile: URL(fileURLWithPath: "$work/served/ca.pem")).ips.list())
do {
    _ = try await Client(username: "u", password: "p", baseURL: url).ips.list()
    fatalError("an unknown CA is trusted")
} catch let error as ProxyMeshError {
    print(error)
}
END
cat > "$work/app/Package.swift" << END
// swift-tools-version:6.0
import PackageDescription

let package = Package(
    name: "app",
    dependencies: [.package(url: "file://$work/sdk", from: "$version")],
    targets: ["Quickstart", "PrivateCA"].map {
        .executableTarget(name: \$0, dependencies: [.product(name: "ProxyMesh", package: "sdk")])
    }
)
END

for name in $(compgen -e PROXYMESH_ || true) LIBRARY_PATH; do unset "$name"; done
"$sandbox" --port 0 > "$work/listening" &
server=$!
until [ -s "$work/listening" ]; do kill -0 "$server"; sleep 0.1; done
PROXYMESH_SANDBOX=$(sed 's/^listening on //' "$work/listening")
export PROXYMESH_SANDBOX work hidden=$root
export SWIFT_SUITE=${SWIFT_SUITE:-sid} SWIFT_ROOT=${SWIFT_ROOT:-$root/target/swift-6.2}

# shellcheck disable=SC2016 # to be expanded by the inner shell
"$root/bindings-ffi/swift/toolchain.sh" --with "$work" unshare --mount --propagation unchanged bash -euo pipefail -c '
    mount --make-rprivate / 2> /dev/null || true
    mount -t tmpfs none "$hidden"
    [ -z "$(ls -A "$hidden")" ]
    # SwiftPM must trust the server. The SDK gets its certificate in another way, so the programs do not see this.
    cat /etc/ssl/certs/ca-certificates.crt "$work/served/ca.pem" > "$work/trusted"
    mount --bind "$work/trusted" /etc/ssl/certs/ca-certificates.crt
    cd "$work/app"
    swift --version 2>&1 | head -1
    SECONDS=0
    swift build
    echo "built in $SECONDS s"
    umount /etc/ssl/certs/ca-certificates.crt
    .build/debug/Quickstart
    .build/debug/PrivateCA
'
