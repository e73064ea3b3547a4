"""Checks that what ships is not larger than its budget: sizes.py [WHEEL] [LIBRARY] [JAR].

`budgets.json` has the budgets in bytes, for Linux on x86-64. If you raise one, give the reason in the commit message.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

BUDGETS: dict[str, int] = json.loads((Path(__file__).parent / "budgets.json").read_text())


def sizes(path: Path) -> dict[str, int]:
    size = path.stat().st_size
    match path.suffix:
        case ".whl":
            with zipfile.ZipFile(path) as wheel:
                module = next(file for file in wheel.infolist() if file.filename.endswith(".so"))
            return {"wheel": size, "native module of the wheel": module.file_size}
        case ".jar":
            return {"proxymesh-native jar": size}
        case _:
            return {"library for Kotlin and Java": size}


def main() -> int:
    """Prints the sizes. The exit status is 1 if one is above its budget."""
    above = 0
    for path in sys.argv[1:]:
        for name, size in sizes(Path(path)).items():
            print(f"{name}: {size:,} of {BUDGETS[name]:,} bytes")
            above += size > BUDGETS[name]
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main())
