#!/usr/bin/env bash
# Builds the native library for Android's four ABIs into build/jniLibs, and copies the licences into build/licenses. CI does not
# run this. It needs Android's NDK (r27 or later) and Rust's standard library for the targets: rustup target add
# aarch64-linux-android …
#
#   ANDROID_NDK_HOME=/…/ndk/28.2.13676358 ./libraries.sh
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
: "${ANDROID_NDK_HOME:?the folder of the NDK}"
tools=$(echo "$ANDROID_NDK_HOME"/toolchains/llvm/prebuilt/*/bin)
# The same as minSdk in build.gradle.kts.
api=26

build() {
    local abi=$1 target=$2 compiler=$3
    local upper
    upper=$(echo "$target" | tr 'a-z-' 'A-Z_')
    # Devices with 16 KB pages cannot load a library whose segments are aligned to 4 KB. The flags are in the target's own variable,
    # because RUSTFLAGS would replace those of a configuration file.
    env \
        "CC_${target//-/_}=$tools/$compiler$api-clang" \
        "AR_${target//-/_}=$tools/llvm-ar" \
        "CARGO_TARGET_${upper}_LINKER=$tools/$compiler$api-clang" \
        "CARGO_TARGET_${upper}_RUSTFLAGS=-Clink-arg=-Wl,-z,max-page-size=16384" \
        cargo build --manifest-path "$root/Cargo.toml" --release --locked --package proxymesh-ffi --no-default-features \
        --target "$target"
    mkdir -p "$here/build/jniLibs/$abi"
    cp "$root/target/$target/release/libproxymesh_ffi.so" "$here/build/jniLibs/$abi/"
    check "$here/build/jniLibs/$abi/libproxymesh_ffi.so"
}

# Checks that every loaded segment is aligned to 16 KB.
check() {
    local alignment found=
    for alignment in $("$tools/llvm-readelf" --program-headers --wide "$1" | awk '$1 == "LOAD" { print $NF }'); do
        found=yes
        [ $((alignment)) -ge 16384 ] || { echo "$1 is aligned to $alignment, not to 16 KB" >&2; exit 1; }
    done
    [ -n "$found" ] || { echo "$1 has no segments" >&2; exit 1; }
}

licenses=$here/build/licenses/META-INF/com.proxymesh
mkdir -p "$licenses"
cp "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$root/bindings-ffi/THIRD-PARTY-NOTICES" "$licenses/"

unset RUSTFLAGS
build arm64-v8a aarch64-linux-android aarch64-linux-android
build armeabi-v7a armv7-linux-androideabi armv7a-linux-androideabi
build x86_64 x86_64-linux-android x86_64-linux-android
build x86 i686-linux-android i686-linux-android
