#!/usr/bin/env bash
# Unpacks Debian packages and what they depend on into a folder, which can be of another architecture. No script of a package is
# run. If the folder exists, this does nothing.
#
#   jvm-root.sh SUITE ARCHITECTURE FOLDER PACKAGE…
set -euo pipefail
suite=$1 architecture=$2 root=$(realpath --canonicalize-missing "$3")
shift 3
[ ! -d "$root" ] || exit 0

# apt has its own state here. It uses this machine's keys and mirror.
state=$root.apt fresh=$root.part
rm -rf "$fresh" "$state"
mkdir -p "$state"/{lists,archives}/partial "$state/none" "$fresh"/usr/{bin,sbin,lib,lib64}
for name in bin sbin lib lib64; do ln -s "usr/$name" "$fresh/$name"; done
touch "$state/status"
mirror=$(sed -n 's|^URIs: \(.*/debian/\?\)$|\1|p' /etc/apt/sources.list.d/debian.sources 2> /dev/null | head -1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg check-valid-until=no] ${mirror:-http://deb.debian.org/debian} $suite main" \
    > "$state/sources.list"
options=(
    -qq -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o APT::Install-Recommends=false
    -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state"
    -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts="$state/none" -o Dir::Etc::preferencesparts="$state/none"
)
apt-get "${options[@]}" update
apt-get "${options[@]}" --download-only --yes install "$@"
for package in "$state"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" |
        tar --extract --directory "$fresh" --keep-directory-symlink --exclude=./usr/share/{doc,man,locale}
done
rm -rf "$state"
mv "$fresh" "$root" # so a root that exists is complete
