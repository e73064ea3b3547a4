#!/usr/bin/env bash
# Unpacks Debian packages and what they depend on into a folder. It runs none of their scripts and changes nothing of the machine.
#
#   debian.sh SUITE ARCHITECTURE FOLDER PACKAGE…
#   debian.sh SUITE source FOLDER PACKAGE…          unpacks the upstream sources instead
#
# The mirror is the one that apt uses on this machine, or Debian's own. DEBIAN_MIRROR names another one.
set -euo pipefail
suite=$1 architecture=$2 made=$(realpath --canonicalize-missing "$3")
shift 3
# The folder appears when everything is in it, so a run that fails leaves none behind.
folder=$made.new
rm -rf "$folder" "$made.apt"

mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | sort --unique | grep --max-count=1 'debian/*$' || echo http://deb.debian.org/debian)}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
apt=$made.apt
mkdir -p "$apt"/{lists,archives}/partial "$folder"
touch "$apt/status"
for kind in deb deb-src; do echo "$kind [signed-by=$keys check-valid-until=no] $mirror $suite main"; done >"$apt/sources.list"
binary=$architecture
[ "$architecture" != source ] || binary=amd64
options=(-qq -o APT::Architecture="$binary" -o APT::Architectures="$binary" -o APT::Install-Recommends=false -o APT::Sandbox::User=root
    -o Dir::State::lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives"
    -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null)
apt-get "${options[@]}" update

if [ "$architecture" = source ]; then
    (cd "$apt/archives" && apt-get "${options[@]}" source --tar-only "$@")
    for archive in "$apt"/archives/*.orig.tar.*; do
        case $archive in *.asc) ;; *) tar --extract --file "$archive" --directory "$folder" ;; esac
    done
else
    apt-get "${options[@]}" --download-only --yes install "$@"
    # Since 2019, these folders are links in every Debian system, and a package does not say so.
    for name in bin lib sbin lib32 lib64; do
        mkdir -p "$folder/usr/$name"
        ln --symbolic --force --no-dereference "usr/$name" "$folder/$name"
    done
    for package in "$apt"/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar --extract --directory "$folder" --keep-directory-symlink \
            --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*'
    done
fi
rm -rf "$apt"
mv "$folder" "$made"
