#!/usr/bin/env bash
# Builds and runs the Kotlin and Java examples as separate projects in a temporary folder. They use the jars that `make kotlin` has
# installed, and their dependencies. This repository is hidden, so only the library in the jar can be found.
#
#   consumer.sh LOCAL_MAVEN_REPOSITORY SANDBOX_PROGRAM
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
maven=$(realpath "$1") sandbox=$(realpath "$2")

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

cp -al "$maven" "$work/maven" 2>/dev/null || cp -a "$maven" "$work/maven"
cp -r "$root/examples/kotlin" "$root/examples/java" "$work"
cp "$root/bindings-ffi/kotlin/consumer/"{Exceptions,Unloadable}.kt "$work/kotlin/src/main/kotlin"
cp "$root/bindings-ffi/kotlin/consumer/Exceptions.java" "$work/java/src/main/java"
cp -r "$root/bindings-ffi/kotlin/consumer/"{nullness,shaded} "$work"
mkdir -p "$work/shaded/src/main/java"
cp "$root/examples/java/src/main/java/Quickstart.java" "$work/shaded/src/main/java"
cp "$sandbox" "$work/sandbox"

# The jars contain the licences. The jar with the native library also contains those of its third-party code.
for name in proxymesh proxymesh-okhttp proxymesh-apache proxymesh-native proxymesh-testing; do
    jar tf "$work/maven/com/proxymesh/$name"/*/"$name"-[0-9]*[0-9].jar > "$work/contents"
    for license in LICENSE-MIT LICENSE-APACHE; do grep -qx "META-INF/com.proxymesh/$license" "$work/contents"; done
done
grep -qx META-INF/com.proxymesh/THIRD-PARTY-NOTICES "$work/contents"

# The README's blocks are compiled too, each as its own function.
readme() { # LANGUAGE FUNCTION
    awk -v start="^\`\`\`$1\$" -v head="$2" '
        $0 ~ start { inside = 1; count++; next }
        /^```$/ && inside { inside = 0; body = body "}\n" }
        inside && /^import / { imports = imports $0 "\n"; next }
        inside { if (count != begun) { begun = count; body = body sprintf(head, count) "\n" } body = body $0 "\n" }
        END { if (!count) exit 1; printf "%s%s", imports, body }' "$root/README.md"
}
readme kotlin 'suspend fun block%d() {' > "$work/kotlin/src/main/kotlin/Readme.kt"
{ readme java 'static void block%d() {' | sed '0,/^static/s//final class Readme {\n&/'; echo "}"; } > "$work/java/src/main/java/Readme.java"

# Unsets PROXYMESH_…, so that the sandbox's account is used.
for name in $(compgen -e PROXYMESH_ || true); do unset "$name"; done
"$work/sandbox" --port 0 > "$work/listening" &
server=$!
until [ -s "$work/listening" ]; do kill -0 "$server"; sleep 0.1; done
PROXYMESH_SANDBOX=$(sed 's/^listening on //' "$work/listening")
export PROXYMESH_SANDBOX work root XDG_CACHE_HOME="$work/cache"

# Everything else runs as root in a separate mount namespace. A user who is not root becomes root only there.
[ "$(id -u)" = 0 ] && apart=(unshare --mount) || apart=(unshare --mount --map-root-user)
"${apart[@]}" bash -euo pipefail -c '
    mount -t tmpfs none "$root"
    [ -z "$(ls -A "$root")" ]

    run() { # FOLDER [FLAG…]
        echo "== $*"
        cd "$work/$1"
        mvn --batch-mode --no-transfer-progress -Dkotlin.compiler.daemon=false --quiet -Dmaven.repo.local="$work/maven" \
            "${@:2}" compile exec:exec
    }
    run java
    echo "== tests against the sandbox in the jar"
    (cd "$work/java" && mvn --batch-mode --no-transfer-progress --quiet -Dmaven.repo.local="$work/maven" test)
    run java -Dmain=Exceptions
    run kotlin
    run kotlin -Dmain=ExceptionsKt

    build() { # FOLDER GOAL
        (cd "$work/$1" && mvn --batch-mode --no-transfer-progress -Dmaven.repo.local="$work/maven" "$2" > "$work/log" 2>&1)
    }
    echo "== NullAway finds each wrong line and no other"
    if build nullness compile; then
        echo "NullAway finds nothing" >&2
        exit 1
    fi
    wrong=$(grep -n "// wrong" "$work/nullness/Nullness.java" | cut -d: -f1)
    found=$(sed -n "s/^\[ERROR\] .*Nullness.java:\[\([0-9]*\),[0-9]*\] .*\[NullAway\].*/\1/p" "$work/log" | sort -nu)
    diff <(echo "$wrong") <(echo "$found") || { cat "$work/log"; exit 1; }

    echo "== one jar with everything"
    build shaded package || { cat "$work/log"; exit 1; }
    for kind in plain dependencies; do
        java -jar "$work/shaded/target/shaded-1-$kind.jar" > "$work/log" || { cat "$work/log"; exit 1; }
        grep -q crawler-1 "$work/log"
    done
    if java -jar "$work/shaded/target/shaded-1-sdk.jar" > "$work/log" 2>&1; then
        echo "the SDK works in another package" >&2
        exit 1
    fi
    grep -q "Do not relocate com.proxymesh" "$work/log" || { cat "$work/log"; exit 1; }

    echo "== a native library that cannot be loaded"
    # The library is unpacked into a folder that is mounted noexec, first without the fix and then with it.
    jars=$(find "$work/maven" \( -path "*/com/proxymesh/proxymesh/*" -o -path "*/com/proxymesh/proxymesh-native/*" \
        -o -path "*/kotlin-stdlib/2.1.21/*" -o -path "*/kotlinx-coroutines-core-jvm/1.10.2/*" \) \
        -name "*.jar" ! -name "*-sources.jar" ! -name "*-javadoc.jar" | tr "\n" ":")
    mkdir "$work/noexec" "$work/exec"
    mount -t tmpfs -o noexec none "$work/noexec"
    unloadable() { # CLASSPATH FIX [FLAG…]
        HOME="$work/noexec" java -Duser.home="$work/noexec" "${@:3}" -classpath "$work/kotlin/target/classes:$1" UnloadableKt "$2"
    }
    unset XDG_CACHE_HOME
    unloadable "$jars" "The folder is mounted noexec: set -Dproxymesh.library.folder" -Djava.io.tmpdir="$work/noexec"
    if unloadable "$jars" "" -Djava.io.tmpdir="$work/noexec" -Dproxymesh.library.folder="$work/exec" 2> "$work/log"; then
        echo "the fix does not work" >&2
        exit 1
    fi
    grep -q "it was loaded" "$work/log" || { cat "$work/log"; exit 1; }

    # In turn, the library in the jar is missing, is damaged, is for another machine, is another library, needs a later glibc, or
    # needs a library that is not installed. Last, there is no room to unpack it.
    others=$(tr ":" "\n" <<< "$jars" | grep -v /proxymesh-native/ | tr "\n" ":")
    mkdir "$work/unpacked" "$work/full"
    (cd "$work/unpacked" && jar xf "$work"/maven/com/proxymesh/proxymesh-native/*/proxymesh-native-[0-9]*[0-9].jar)
    library=$(echo "$work"/unpacked/META-INF/com.proxymesh/native/*/libproxymesh_ffi.so)
    mv "$library" "$work/library.so"
    replaced() { # FIX
        unloadable "$work/unpacked:$others" "$1" -Dproxymesh.library.folder="$work/exec"
    }
    replaced "and set -Dproxymesh.library to its file"
    : > "$library"; replaced "The file is damaged"
    cp "$work/library.so" "$library"
    printf "\026" | dd of="$library" bs=1 seek=18 conv=notrunc status=none; replaced "was built for another platform" # an IBM Z
    cp /lib/*-linux-gnu/libm.so.6 "$library"; replaced "Use the same version of proxymesh and proxymesh-native"
    sed "s/GLIBC_2\.\([0-9]\)/GLIBC_9.\1/" "$work/library.so" > "$library"; replaced "It needs glibc 2.17 or later"
    sed "s/libgcc_s\.so\.1/libgcc_s.so.9/" "$work/library.so" > "$library"; replaced "This system lacks libgcc_s.so.9"
    mount -t tmpfs -o size=400k none "$work/full"
    unloadable "$jars" "Set -Dproxymesh.library.folder to a writable folder with enough space" -Dproxymesh.library.folder="$work/full"

    echo "== the generated code cannot be seen"
    cd "$work/kotlin"
    echo "fun hidden() = com.proxymesh.internal.version()" > src/main/kotlin/Hidden.kt
    if mvn --batch-mode --no-transfer-progress -Dkotlin.compiler.daemon=false -Dmaven.repo.local="$work/maven" compile > "$work/log"; then
        echo "a consumer compiles against com.proxymesh.internal" >&2
        exit 1
    fi
    grep -q "Unresolved reference .internal" "$work/log" || { cat "$work/log"; exit 1; }
'
