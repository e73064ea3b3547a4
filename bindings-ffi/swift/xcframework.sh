#!/usr/bin/env bash
# Builds the XCFramework that Package.swift names for Apple's platforms: target/xcframework/ProxyMeshFFI.xcframework. For a release,
# `make dist ONLY=xcframework` runs this and makes the zip. It needs a Mac with Xcode 16 or later, and Rust's standard library for
# the targets below (rustup target add …).
#
#   bindings-ffi/swift/xcframework.sh
#   swift test                                   # then works in the repository
#
# tvOS, watchOS and visionOS are tier 3 in Rust. They need a nightly compiler and -Zbuild-std; `slice` can then build them too.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/target/xcframework
name=ProxyMeshFFI
library=libproxymesh_ffi.a
[ "$(uname -s)" = Darwin ] || { echo "this needs a Mac: xcodebuild makes XCFrameworks, and nothing else does" >&2; exit 1; }

# The first versions that have Duration, as in Package.swift. C code in the dependencies is compiled for them too.
export IPHONEOS_DEPLOYMENT_TARGET=16.0 MACOSX_DEPLOYMENT_TARGET=13.0

rm -rf "$out"
# The headers need a folder with the module's name. All XCFrameworks of an app share one folder of headers, where two files named
# module.modulemap would clash.
mkdir -p "$out/headers/$name"
cp "$root/bindings-ffi/swift/Sources/$name/"{$name.h,module.modulemap} "$out/headers/$name/"

# Makes one library per platform, for all of its architectures.
slice() {
    local platform=$1 target built=()
    shift
    for target in "$@"; do
        cargo build --manifest-path "$root/Cargo.toml" --release --locked --package proxymesh-ffi --no-default-features \
            --target "$target"
        built+=("${CARGO_TARGET_DIR:-$root/target}/$target/release/$library")
    done
    mkdir -p "$out/$platform"
    lipo -create "${built[@]}" -output "$out/$platform/$library"
    # This keeps the symbols that a linker needs.
    strip -S -x "$out/$platform/$library"
    made+=(-library "$out/$platform/$library" -headers "$out/headers")
}

made=()
slice macos aarch64-apple-darwin x86_64-apple-darwin
slice ios aarch64-apple-ios
slice ios-simulator aarch64-apple-ios-sim x86_64-apple-ios

xcodebuild -create-xcframework "${made[@]}" -output "$out/$name.xcframework"
cp "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$root/bindings-ffi/THIRD-PARTY-NOTICES" "$out/$name.xcframework/"
