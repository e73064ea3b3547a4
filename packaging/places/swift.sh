#!/usr/bin/env bash
# Uses the Swift package as a user does: a project elsewhere names its repository and a version, and no variable says where a library
# is. It runs the quickstart against the sandbox, and makes a call to a server with a private CA.
#
#   swift.sh ProxyMeshFFI.artifactbundle.zip URL FOLDER    on Linux
#   swift.sh ProxyMeshFFI.xcframework.zip URL FOLDER       on a Mac
#
#   URL   a server that serves FOLDER and otherwise answers like the API, with the private CA whose certificate is FOLDER/ca.pem
#
# On Linux, SwiftPM downloads the artifact bundle that the tagged manifest names. On a Mac, it would have to trust the server for that,
# so there the XCFramework is in the repository. Linux needs Swift 6.2. Without one on the PATH, toolchain.sh unpacks Debian sid's.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
archive=$(realpath "$1") url=$2 served=$3
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

# The repository, with the manifest in its tag.
mkdir "$work/sdk"
(cd "$root" && git ls-files -z | tar --null -cf - -T -) | tar -xf - -C "$work/sdk"
if [ "$(uname -s)" = Darwin ]; then
    mkdir -p "$work/sdk/target/xcframework"
    unzip -q "$archive" -d "$work/sdk/target/xcframework"
else
    cp "$archive" "$served"
    : > "$served/ProxyMeshFFI.xcframework.zip" # is not used on Linux
    "${PYTHON:-python3}" "$work/sdk/packaging/release.py" manifest "$served" "$url"
fi
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
git=(git -C "$work/sdk" -c user.name=sdk -c user.email=sdk@localhost -c commit.gpgsign=false)
"${git[@]}" init --quiet && "${git[@]}" add --all --force && "${git[@]}" commit --quiet --message "$version" && "${git[@]}" tag "$version"

# The user's project.
mkdir -p "$work/app/Sources/"{Quickstart,PrivateCA}
cp "$served/ca.pem" "$work"
cp "$root"/examples/swift/Sources/Quickstart/*.swift "$work/app/Sources/Quickstart"
cat > "$work/app/Sources/PrivateCA/main.swift" << END
import Foundation
import ProxyMesh

let url = URL(string: "$url")!
print(try await Client(username: "u", password: "p", baseURL: url, caFile: URL(fileURLWithPath: "$work/ca.pem")).ips.list())
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
    platforms: [.macOS(.v13)],
    dependencies: [.package(url: "file://$work/sdk", from: "$version")],
    targets: ["Quickstart", "PrivateCA"].map {
        .executableTarget(name: \$0, dependencies: [.product(name: "ProxyMesh", package: "sdk")])
    }
)
END

for name in $(compgen -e PROXYMESH_ || true) LIBRARY_PATH; do unset "$name"; done
cargo build --quiet --locked --manifest-path "$root/Cargo.toml" --package proxymesh-sandbox --target-dir "$root/target"
"$root/target/debug/proxymesh-sandbox" --port 0 > "$work/listening" &
server=$!
until [ -s "$work/listening" ]; do kill -0 "$server"; sleep 0.1; done
PROXYMESH_SANDBOX=$(sed 's/^listening on //' "$work/listening")
export PROXYMESH_SANDBOX work hidden=$root SWIFT_SUITE=${SWIFT_SUITE:-sid}

if [ "$(uname -s)" = Darwin ]; then
    cd "$work/app"
    swift build
    .build/debug/Quickstart
    .build/debug/PrivateCA
    exit
fi
# shellcheck disable=SC2016 # to be expanded by the inner shell
"$root/bindings-ffi/swift/toolchain.sh" --with "$work" --cd "$work" unshare --mount --propagation unchanged bash -euo pipefail -c '
    mount --make-rprivate / 2> /dev/null || true
    mount -t tmpfs none "$hidden"
    [ -z "$(ls -A "$hidden")" ]
    # SwiftPM must trust the server. The SDK gets its certificate in another way, so the programs do not see this.
    cat /etc/ssl/certs/ca-certificates.crt "$work/ca.pem" > "$work/trusted"
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
