#!/usr/bin/env bash
# Runs a command with Swift 6 on the PATH:
#
#   bindings-ffi/swift/toolchain.sh swift build
#   bindings-ffi/swift/toolchain.sh --with /tmp/elsewhere --cd /tmp/elsewhere swift run
#
# It uses the `swift` on the PATH if that is as new as Debian's. Otherwise it unpacks Debian's package into a folder under target/.
# It does so once, in less than a minute, with 580 MB to download and 1.4 GB on disk. The command then runs in a chroot of that
# folder. The chroot contains this repository and each folder given by --with, at the same paths. This needs Linux, mmdebstrap and root.
#
#   SWIFT_SUITE  the release of Debian: trixie by default, which has Swift 6.0. sid has Swift 6.2
#   SWIFT_ROOT   where the toolchain is unpacked; target/swift by default, target/swift-sid for sid
#   SWIFT_HOST=0 ignores the `swift` on the PATH
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
suite=${SWIFT_SUITE:-trixie}
case $suite in
    trixie) oldest=6.0 root=$repository/target/swift ;;
    *) oldest=6.2 root=$repository/target/swift-$suite ;;
esac
root=${SWIFT_ROOT:-$root}
libexec=usr/libexec/swift

folders=("$repository")
folder=$PWD
while [ $# -gt 0 ]; do
    case $1 in
        --with) folders+=("$2"); shift 2 ;;
        --cd) folder=$2; shift 2 ;;
        *) break ;;
    esac
done
[ $# -gt 0 ] || { echo "usage: toolchain.sh [--with FOLDER]... [--cd FOLDER] COMMAND..." >&2; exit 2; }

fits() {
    [ "${SWIFT_HOST:-1}" != 0 ] && command -v swift >/dev/null || return 1
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -1)
    [ "$(printf '%s\n' "$oldest" "$version" | sort -V | head -1)" = "$oldest" ]
}

unpack() {
    command -v mmdebstrap >/dev/null ||
        { echo "no Swift $oldest on the PATH, and no mmdebstrap to get one with: run make bootstrap, or see https://swift.org/install" >&2; exit 1; }
    echo "unpacking Debian's Swift into $root ..." >&2
    # Builds and tests do not need the debugger, editor support, documentation or static libraries, so these are left out. The
    # example needs the headers of libcurl.
    # No mirror is given, so mmdebstrap uses Debian's default. Only `main` is needed.
    local fresh=$root.part options=()
    # A mirror's copy of sid may be older than sid allows.
    [ "$suite" != sid ] || options+=(--aptopt='Acquire::Check-Valid-Until "false"')
    rm -rf "$fresh"
    mmdebstrap --quiet --mode=root --variant=minbase --components=main "${options[@]}" \
        --include=swiftlang,libc6-dev,g++,ca-certificates,git,unzip,libcurl4-openssl-dev \
        --aptopt='Apt::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt="path-exclude=/$libexec/lib/swift_static/*" \
        --dpkgopt="path-exclude=/$libexec/lib/swift/embedded/*" \
        --dpkgopt="path-exclude=/$libexec/lib/swift/FrameworkABIBaseline/*" \
        --dpkgopt="path-exclude=/$libexec/lib/liblldb*" \
        --dpkgopt="path-exclude=/$libexec/lib/libsourcekitdInProc*" \
        --dpkgopt="path-exclude=/$libexec/bin/*lldb*" \
        --dpkgopt="path-exclude=/$libexec/bin/repl_swift" \
        --dpkgopt="path-exclude=/$libexec/bin/clangd" \
        --dpkgopt="path-exclude=/$libexec/bin/sourcekit-lsp" \
        "$suite" "$fresh"
    rm -rf "$root"
    mv "$fresh" "$root" # so a toolchain that exists is complete
}

if fits; then
    cd "$folder"
    exec "$@"
fi
[ "$(uname -s)" = Linux ] || { echo "no Swift $oldest on the PATH: see https://swift.org/install" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "no Swift $oldest on the PATH: install it (https://swift.org/install), or run this as root to unpack Debian's" >&2; exit 1; }
mkdir -p "$(dirname "$root")"
# Parallel runs (make -j) must not unpack twice.
exec 9>"$root.lock"
flock 9
# An earlier version of this script left out docc and libcurl's headers.
{ [ -x "$root/$libexec/bin/docc" ] && compgen -G "$root/usr/include/*/curl/curl.h" >/dev/null; } || unpack
exec 9>&-

# The mounts are in a separate namespace, so nothing stays mounted if the command fails. Swift needs /proc to find its libraries.
# shellcheck disable=SC2016 # to be expanded by the inner shell
exec unshare --mount bash -euc '
    root=$1 folder=$2 count=$3
    shift 3
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    for one in "${@:1:count}"; do
        mkdir -p "$root$one"
        mount --rbind "$one" "$root$one"
    done
    shift "$count"
    exec chroot "$root" /bin/bash -c "cd \"\$1\" && shift && exec \"\$@\"" _ "$folder" "$@"
' _ "$root" "$folder" "${#folders[@]}" "${folders[@]}" "$@"
