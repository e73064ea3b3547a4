#!/usr/bin/env bash
# Installs the system packages that the build and the tests need. If nothing is missing, it does nothing. Otherwise it prints what
# is missing and installs it with apt, which needs root. Without apt or root, it fails. Nothing else in this repository installs a
# system package. rustup's targets and toolchains go to its own folder.
#
#   bootstrap.sh [kotlin] [swift] [tests] [instructions] [dist] [dist-tests]   installs what every build needs, and what the given parts also need
#
#   PYTHON   the interpreter that the build uses; python3 by default
set -euo pipefail
cd "$(dirname "$0")"

missing=() packages=() apt=1
lacks() { # WHAT [PACKAGE…]: the Debian packages that contain it
    missing+=("$1")
    packages+=("${@:2}")
    [ $# -gt 1 ] || apt=0
}
any() { # COMMAND…: succeeds if one of them is on the PATH
    for name in "$@"; do command -v "$name" >/dev/null && return; done
    return 1
}
python() { "${PYTHON:-python3}" -c "$1" 2>/dev/null; }
swift_6() { swift --version 2>/dev/null | grep -qE 'Swift version ([6-9]|[1-9][0-9])\.'; }

any cargo || lacks "Rust 1.89 or later, from https://rustup.rs"
[ "${OS:-}" = Windows_NT ] || any cc || lacks "a C compiler" gcc libc6-dev
python 'import sys; assert sys.version_info >= (3, 10)' || lacks "Python 3.10 or later" python3
python 'import ensurepip' || lacks "venv for Python" python3-venv
for part in "$@"; do
    case $part in
        kotlin)
            any mvn || lacks Maven maven
            any javac || lacks "a JDK, 17 or later" default-jdk-headless
            ;;
        swift)
            # With mmdebstrap, toolchain.sh unpacks a Swift under target/.
            [ -d "${SWIFT_ROOT:-target/swift}" ] || any mmdebstrap || swift_6 || lacks "Swift 6, from https://swift.org/install" mmdebstrap
            # What toolchain.sh unpacks has the headers of libcurl.
            ! swift_6 || echo "#include <curl/curl.h>" | cc -E - &>/dev/null || lacks "the headers of libcurl" libcurl4-openssl-dev
            any openssl || lacks OpenSSL openssl
            ;;
        tests)
            any curl || lacks curl curl
            any git || lacks git git
            python 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' || lacks "the headers of Python" python3-dev
            any chromium chromium-browser google-chrome || lacks Chromium chromium
            any zsh || lacks zsh zsh
            any fish || lacks fish fish
            any groff || lacks groff groff
            [ "$(uname -s)" != Linux ] || any dbus-run-session || lacks D-Bus dbus
            [ "$(uname -s)" != Linux ] || any gnome-keyring-daemon || lacks "a keyring" gnome-keyring
            any chromedriver || lacks ChromeDriver chromium-driver
            ;;
        instructions)
            any valgrind || lacks valgrind valgrind
            ;;
        dist)
            any rustup || lacks "rustup, from https://rustup.rs"
            any git || lacks git git
            any mvn || lacks Maven maven
            any javac || lacks "a JDK, 17 or later" default-jdk-headless
            any gpg || lacks GnuPG gnupg
            [ "$(uname -s)" != Linux ] || any advzip || lacks advzip advancecomp
            [ "$(uname -s)" != Linux ] || any x86_64-w64-mingw32-gcc || lacks MinGW-w64 gcc-mingw-w64-x86-64
            ;;
        dist-tests)
            # The places other than this machine's own. See packaging/places.
            if [ "$(uname -sm)" = "Linux x86_64" ]; then
                any bwrap || lacks bubblewrap bubblewrap
                any qemu-aarch64-static || lacks "qemu for programs" qemu-user-static
                any wine || lacks wine wine wine64
                any mvn || lacks Maven maven
                any objdump || lacks objdump binutils
                any unzip || lacks unzip unzip
                [ -d target/swift-sid ] || any mmdebstrap || lacks mmdebstrap mmdebstrap
                [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || lacks "the keys of Debian" debian-archive-keyring
            fi
            ;;
        *)
            echo "usage: bootstrap.sh [kotlin] [swift] [tests] [instructions] [dist] [dist-tests]" >&2
            exit 2
            ;;
    esac
done

[ ${#missing[@]} -gt 0 ] || exit 0
printf 'missing: %s\n' "${missing[@]}" >&2
if [ $apt = 0 ] || ! any apt-get || [ "$(id -u)" != 0 ]; then
    [ ${#packages[@]} = 0 ] || echo "on Debian, as root: apt-get install ${packages[*]}" >&2
    exit 1
fi
echo "installing: ${packages[*]}" >&2
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${packages[@]}"
