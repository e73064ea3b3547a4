#!/usr/bin/env python3
"""Runs zig, except that Rust's LLD links the libraries for Linux. cargo-zigbuild takes it for the Python that has zig.

zig links first, with its old versions of glibc, and prints how. Then the same command runs once more, with Rust's LLD,
because zig passes on only the options that it knows:

* The newer LLD puts similar functions and data close together, which makes a wheel 3 % smaller.
* With glibc, the system's libgcc_s unwinds the stack, not zig's libunwind in the library. glibc itself uses libgcc_s to
  end a thread, and CPython before 3.14 ends the threads that are still in a call at exit. Two unwinders in one stack
  crash the process.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

SMALLER = ["--icf=all", "--bp-compression-sort=both"]
ZIG = ["-m", "ziglang", "cc"]


def main() -> int:
    zig = [sys.executable, *sys.argv[1:]]
    # For 32-bit ARM, LLD takes functions of glibc from zig's own libraries.
    if sys.argv[1:4] != ZIG or option("-target").startswith("arm"):
        return subprocess.run(zig).returncode
    linked = subprocess.run(zig, env=os.environ | {"ZIG_VERBOSE_LINK": "1"}, stderr=subprocess.PIPE, text=True)
    said = linked.stderr.splitlines(keepends=True)
    sys.stderr.writelines(line for line in said if not line.startswith("ld.lld "))
    if linked.returncode == 0:
        for line in said:
            # zig may have linked parts of glibc before.
            if line.startswith("ld.lld ") and " -shared " in line and f" -o {option('-o')} " in line:
                again(shlex.split(line)[1:])
    return linked.returncode


def option(name: str) -> str:
    """The word after the last option of this name, or nothing."""
    return next((word for before, word in reversed([*zip(sys.argv, sys.argv[1:], strict=False)]) if before == name), "")


def again(link: list[str]) -> None:
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], check=True, stdout=subprocess.PIPE, text=True)
    lld = next(Path(sysroot.stdout.strip(), "lib/rustlib").glob("*/bin/rust-lld"))
    # Options of zig's LLVM.
    link = [word for before, word in zip(["", *link], link, strict=False) if "-mllvm" not in (before, word)]
    with tempfile.TemporaryDirectory() as folder:
        if any(word.endswith("/libc.so.6") for word in link):
            stub = libgcc(Path(folder))
            link = [stub if word.endswith("/libunwind.a") else word for word in link]
        subprocess.run([lld, "-flavor", "gnu", *link, *SMALLER], check=True)


def libgcc(folder: Path) -> str:
    """Makes a library that stands for the system's libgcc_s. One symbol is enough for a library that needs it."""
    (folder / "stub.c").write_text("void _Unwind_Resume(void) {}\n")
    made = str(folder / "libgcc_s.so.1")
    options = ["-target", option("-target"), "-shared", "-nostdlib", "-Wl,-soname,libgcc_s.so.1"]
    subprocess.run([sys.executable, *ZIG, *options, "-o", made, str(folder / "stub.c")], check=True)
    return made


if __name__ == "__main__":
    sys.exit(main())
