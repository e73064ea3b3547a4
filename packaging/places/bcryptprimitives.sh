#!/usr/bin/env bash
# Builds bcryptprimitives.dll, which Rust's standard library needs and wine 8 lacks: bcryptprimitives.sh FILE
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/library.c" << 'END'
__declspec(dllimport) unsigned char SystemFunction036(void *data, unsigned length);
__declspec(dllexport) int ProcessPrng(void *data, unsigned long long length) { return SystemFunction036(data, length); }
int _DllMainCRTStartup(void *library, unsigned reason, void *reserved) { return 1; }
END
python-zig cc -target x86_64-windows-gnu -O1 -shared -nostdlib -o "$work/bcryptprimitives.dll" "$work/library.c" -ladvapi32
mv "$work/bcryptprimitives.dll" "$1"
