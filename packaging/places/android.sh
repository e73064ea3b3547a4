#!/usr/bin/env bash
# Uses the AAR as a user does: an app declares the coordinate, Gradle resolves it from the bundle for Maven Central, and packs an APK,
# shrunk by R8. Only a device could run it.
#
#   android.sh proxymesh-android-VERSION-bundle.zip …
#
# This needs Android's SDK (ANDROID_HOME) and Gradle 9 or later.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
bundle=$(realpath "$1")
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unzip -q "$bundle" -d "$work/bundle"
cp -R "$root/packaging/places/android" "$work/app"
cp "$root/bindings-ffi/kotlin/android/settings.gradle.kts" "$work/app" # where plugins and dependencies come from
gradle --no-daemon --quiet --project-dir "$work/app" -Pbundle="file://$work/bundle" -Psdk="$version" assembleRelease
# For each ABI, the APK has the library that the AAR has.
unzip -Z1 "$(find "$work/bundle" -name "*.aar")" "jni/*" | sed "s/^jni/lib/" | sort > "$work/wanted"
unzip -Z1 "$work"/app/build/outputs/apk/release/*.apk "lib/*" | grep proxymesh | sort | diff "$work/wanted" -
