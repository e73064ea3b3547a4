#!/usr/bin/env bash
# Builds a CPython with zig, for a libc that this machine does not have. It has what pip and asyncio need, and no ssl.
#
#   cpython.sh VERSION TARGET FOLDER [PYTHON]
#
#   VERSION  3.13, or 3.14t for one without the GIL
#   TARGET   as zig writes it: x86_64-linux-gnu.2.17, x86_64-linux-musl
#   FOLDER   gets bin, lib and include
#   PYTHON   a CPython of the same version that runs here. It is needed if what is built does not run here.
#
# The source is that of Debian's package. CPYTHON_SOURCE names another one, a folder.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${1%t} target=$2 folder=$(realpath --canonicalize-missing "$3") python=${4:+$(realpath "$4")}
free_threaded=()
[ "$version" = "$1" ] || free_threaded=(--disable-gil)
suite=trixie
[ "$version" = 3.13 ] || suite=sid
sources=target/places/source-$version
if [ ! -d "$sources" ]; then
    packaging/places/debian.sh $suite source "$sources.new" "python$version" zlib
    mv "$sources.new" "$sources"
fi
cpython=$(realpath "${CPYTHON_SOURCE:-$(echo "$sources"/Python-*)}")
zlib=$(realpath "$sources"/zlib-*)
work=$folder.build
rm -rf "$work" "$folder.new"
mkdir -p "$work"/{zlib,python}

# Unless told otherwise, zig checks for undefined behaviour, refuses the time of the build, and links musl statically. A static
# program cannot load modules.
options="-target $target -fno-sanitize=undefined -Wno-date-time -dynamic"
for tool in cc c++; do
    printf '#!/bin/sh\nexec python-zig %s %s "$@"\n' $tool "$options" >"$work/$tool"
done
printf '#!/bin/sh\nexec python-zig ar "$@"\n' >"$work/ar"
chmod +x "$work"/{cc,c++,ar}
export CC=$work/cc CXX=$work/c++ AR=$work/ar RANLIB=true CFLAGS=-O1 MAKEFLAGS=--jobs=2

cd "$work/zlib"
"$CC" -O1 -fPIC -DHAVE_UNISTD_H -DHAVE_STDARG_H -c "$zlib"/*.c
"$AR" rc libz.a ./*.o
export ZLIB_CFLAGS=-I$zlib ZLIB_LIBS=$work/zlib/libz.a

cd "$work/python"
cross=()
if [ -n "$python" ]; then
    # `configure` cannot look at the system that this is for.
    export ac_cv_file__dev_ptmx=yes ac_cv_file__dev_ptc=no ac_cv_buggy_getaddrinfo=no
    cross=(--host="${target%%-*}-linux-${target##*-}" --build=x86_64-linux-gnu --with-build-python="$python")
fi
"$cpython/configure" --quiet --prefix="$folder.new" --disable-test-modules --with-ensurepip=no "${cross[@]}" "${free_threaded[@]}" \
    py_cv_module__{tkinter,curses,curses_panel,dbm,gdbm,sqlite3,ctypes,ssl,hashlib,uuid,lzma,bz2}=n/a py_cv_module_{readline,nis}=n/a
make --silent
make --silent install >/dev/null
mv "$folder.new" "$folder"
rm -rf "$work"
