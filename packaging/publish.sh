#!/usr/bin/env bash
# Publishes what is in dist/. release.yml runs it. If it has failed halfway, it can be run again.
#
#   publish.sh crates   to crates.io. Needs CARGO_REGISTRY_TOKEN
#   publish.sh maven    to Maven Central. Needs CENTRAL_USERNAME and CENTRAL_PASSWORD, which are a token of Central's portal
#   publish.sh github   sets the tag that SwiftPM reads, and makes the release on GitHub. Needs gh and GH_TOKEN
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)

crates() {
    local crate
    for crate in proxymesh-sandbox proxymesh; do
        if cargo info --quiet --registry crates-io "$crate@$version" >/dev/null 2>&1; then
            echo "$crate $version is published already"
        else
            cargo publish --locked --package "$crate"
        fi
    done
}

maven() {
    local portal=${CENTRAL_URL:-https://central.sonatype.com}/api/v1/publisher deployment state bundles
    bundles=(dist/*-bundle.zip)
    [ ${#bundles[@]} = 1 ] && [ -f "${bundles[0]}" ] || { echo "dist/ has no bundle, or several" >&2; exit 1; }
    # The credentials are not on curl's command line, where other processes could see them.
    central() {
        curl --silent --show-error --fail-with-body --request POST "$@" --config - <<< \
            "header = \"Authorization: Bearer $(printf '%s:%s' "$CENTRAL_USERNAME" "$CENTRAL_PASSWORD" | base64 | tr -d '\n')\""
    }
    deployment=$(central --form "bundle=@${bundles[0]}" "$portal/upload?name=proxymesh-$version&publishingType=AUTOMATIC")
    echo "deployment $deployment"
    # Central checks the bundle, then publishes it. That takes minutes.
    for _ in {1..180}; do
        central "$portal/status?id=$deployment" > target/deployment.json
        state=$(python3 -c 'import json; print(json.load(open("target/deployment.json"))["deploymentState"])')
        case $state in
            PUBLISHED) echo "$state"; return ;;
            FAILED) cat target/deployment.json >&2; exit 1 ;;
        esac
        sleep "${CENTRAL_WAIT:-20}"
    done
    echo "Central has not published it in an hour: $state" >&2
    exit 1
}

github() {
    local assets=target/assets
    rm -rf $assets && mkdir -p $assets
    cp dist/*.zip dist/*.tar.xz $assets
    rm -f $assets/*-bundle.zip # Maven's
    (cd dist && tar -cJf ../$assets/symbols.tar.xz symbols && tar -cJf ../$assets/sboms.tar.xz sbom)
    (cd $assets && sha256sum -- * > SHA256SUMS)
    awk -v heading="## $version, " 'index($0, heading) == 1 { inside = 1; next } /^## / { inside = 0 } inside' CHANGELOG.md > target/notes.md

    gh auth setup-git
    if ! git ls-remote --exit-code origin "refs/tags/$version" >/dev/null; then
        python3 packaging/release.py manifest dist
        git -c user.name=release -c user.email=release@users.noreply.github.com \
            commit --quiet --message "Package.swift of $version" Package.swift
        git tag "$version"
        git push --quiet origin "refs/tags/$version"
    fi
    if gh release view "$version" >/dev/null 2>&1; then
        gh release upload "$version" $assets/* --clobber
    else
        gh release create "$version" $assets/* --verify-tag --title "$version" --notes-file target/notes.md
    fi
}

case ${1:-} in
    crates | maven | github) mkdir -p target; "$1" ;;
    *) sed -n 's/^#   /usage: /p' "$0" >&2; exit 2 ;;
esac
