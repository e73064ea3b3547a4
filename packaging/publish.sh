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
    for crate in proxymesh-sandbox proxymesh proxymesh-gateway proxymesh-cli; do
        if cargo info --quiet --registry crates-io "$crate@$version" >/dev/null 2>&1; then
            echo "$crate $version is published already"
        else
            # What was tested is packed again. No build script of a dependency runs, because it would see the token.
            cargo package --quiet --locked --no-verify --package "$crate"
            cmp "${CARGO_TARGET_DIR:-target}/package/$crate-$version.crate" "dist/$crate-$version.crate"
            cargo publish --locked --no-verify --package "$crate"
        fi
    done
}

# Publishes each bundle in dist/. If one was uploaded before and is not published yet, CENTRAL_DEPLOYMENT is its deployment.
maven() {
    local bundle artifact
    for bundle in dist/*-bundle.zip; do
        [ -f "$bundle" ] || { echo "dist/ has no bundle" >&2; exit 1; }
        artifact=$(basename "$bundle" "-$version-bundle.zip")
        if curl --silent --fail --head --output /dev/null \
            "${CENTRAL_REPOSITORY:-https://repo1.maven.org/maven2}/com/proxymesh/$artifact/$version/$artifact-$version.pom"; then
            echo "$artifact $version is published already"
        else
            upload "$bundle" "$artifact"
        fi
    done
}

upload() {
    local portal=${CENTRAL_URL:-https://central.sonatype.com}/api/v1/publisher name=$2-$version deployment='' state=unknown
    # The credentials are not on curl's command line, where other processes could see them.
    central() {
        curl --silent --show-error --fail-with-body --request POST "$@" --config - <<< \
            "header = \"Authorization: Bearer $(printf '%s:%s' "$CENTRAL_USERNAME" "$CENTRAL_PASSWORD" | base64 | tr -d '\n')\""
    }
    status() { python3 -c 'import json, sys; print(json.load(open("target/deployment.json"))[sys.argv[1]])' "$1"; }
    # It may be that of another bundle or of an earlier release.
    if [ -n "${CENTRAL_DEPLOYMENT:-}" ] && central "$portal/status?id=$CENTRAL_DEPLOYMENT" > target/deployment.json &&
        [ "$(status deploymentName)" = "$name" ]; then
        deployment=$CENTRAL_DEPLOYMENT
    else
        # If Central refuses the bundle, this prints the reason.
        deployment=$(central --form "bundle=@$1" "$portal/upload?name=$name&publishingType=AUTOMATIC") ||
            { echo "$deployment" >&2; exit 1; }
    fi
    echo "deployment $deployment"
    # Central checks the bundle, then publishes it. That takes minutes.
    for _ in {1..180}; do
        if central "$portal/status?id=$deployment" > target/deployment.json; then state=$(status deploymentState); fi
        case $state in
            PUBLISHED) echo "$state"; return ;;
            FAILED) cat target/deployment.json >&2; exit 1 ;;
        esac
        sleep "${CENTRAL_WAIT:-20}"
    done
    echo "Central has not published deployment $deployment in an hour: $state" >&2
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
    if git ls-remote --exit-code origin "refs/tags/$version" >/dev/null; then
        # The tag names the checksums of the archives of an earlier run.
        git fetch --quiet origin "refs/tags/$version:refs/tags/$version"
        for archive in "$assets"/ProxyMeshFFI.*.zip; do
            git show "$version:Package.swift" | grep --quiet "$(sha256sum < "$archive" | cut -d' ' -f1)" ||
                { echo "the tag $version names another $(basename "$archive"): publish that of the run that set it" >&2; exit 1; }
        done
    fi
    # Nobody sees a draft. The archives are there before the tag that names them.
    if gh release view "$version" >/dev/null 2>&1; then
        gh release upload "$version" $assets/* --clobber
    else
        gh release create "$version" $assets/* --draft --title "$version" --notes-file target/notes.md
    fi
    if ! git ls-remote --exit-code origin "refs/tags/$version" >/dev/null; then
        python3 packaging/release.py manifest dist
        git -c user.name=release -c user.email=release@users.noreply.github.com \
            commit --quiet --message "Package.swift of $version" Package.swift
        git tag "$version"
        git push --quiet origin "refs/tags/$version"
    fi
    gh release edit "$version" --draft=false
}

case ${1:-} in
    crates | maven | github) mkdir -p target; "$1" ;;
    *) sed -n 's/^#   /usage: /p' "$0" >&2; exit 2 ;;
esac
