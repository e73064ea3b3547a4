#!/usr/bin/env bash
# Uses the crates as a user does: builds and tests examples/rust with what is in the packed crates.
#
#   crates.sh proxymesh-VERSION.crate …     the other crates are next to it
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for crate in "$(dirname "$1")"/*.crate; do tar -xzf "$crate" -C "$work"; done
version=$(basename "${1#*proxymesh-}" .crate)
# The example says where its crates are until they are published.
cp -R "$root/examples/rust" "$work/app"
sed -i "s|../../core|../proxymesh-$version|; s|../../sandbox|../proxymesh-sandbox-$version|" "$work/app/Cargo.toml"
cd "$work/app"
cargo test --quiet --locked --target-dir "$root/target"
cargo metadata --locked --format-version 1 --filter-platform x86_64-unknown-linux-gnu > "$work/metadata"
! grep -q "$root/\(core\|sandbox\)/" "$work/metadata" || { echo "the example uses this repository" >&2; exit 1; }
