#!/usr/bin/env bash
# Unpacks a CPython for Windows that runs under wine: windows.sh FOLDER
#
# It comes from Maven Central, which has it for JavaCPP. It is a whole CPython, but for python3.dll, which extension modules for the
# stable ABI need. So this makes that library.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$(realpath --canonicalize-missing "$1")
version=3.14.3-1.5.13
rm -rf "$folder.new"
mkdir -p "$folder.new"
mvn --quiet --batch-mode dependency:get -Dartifact=org.bytedeco:cpython:$version:jar:windows-x86_64 -Dtransitive=false \
    -Dmaven.repo.local="$PWD/target/maven"
cd "$folder.new"
unzip -q "$OLDPWD/target/maven/org/bytedeco/cpython/$version/cpython-$version-windows-x86_64.jar"
mv org/bytedeco/cpython/windows-x86_64/* .
rm -r org META-INF include
# wine 8 ends a program that uses it. Without it, Python asks Windows in the old way.
find . -name _wmi.pyd -delete

# It passes on each name to python314.dll, as Python's own does.
objdump -p python314.dll | sed -n '/Name Pointer/,/^$/s/^\t\[ *[0-9]*\] \(+base\[ *[0-9]*\] *[0-9a-f]* \)\?//p' >names
{
    echo EXPORTS
    sed 's/.*/  & = python314.&/' names
} >python3.def
echo 'int _DllMainCRTStartup(void *library, unsigned reason, void *reserved) { return 1; }' >start.c
python-zig cc -target x86_64-windows-gnu -O1 -shared -nostdlib -o python3.dll python3.def start.c
mv "$folder.new" "$folder"
