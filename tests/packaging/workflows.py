"""Checks that release.yml builds every artifact, each for the system of its runner, and that no build sees a secret."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import dist  # noqa: E402

RELEASE = (ROOT / ".github/workflows/release.yml").read_text()


def main() -> None:
    runners = dict(re.findall(r"- \{ name: (\S+), runner: (\S+) \}", RELEASE))
    # The jars have a job of their own.
    missing = set(dist.artifacts()) - {"maven"} ^ set(runners)
    assert not missing, f"only one of dist.py and release.yml has {sorted(missing)}"
    for name, runner in runners.items():
        system = re.search("macos|windows", name)
        wanted = system[0] if system else {"xcframework": "macos"}.get(name, "ubuntu")
        assert runner.startswith(wanted), f"{name} is built on {runner}"
    for step in re.split(r"\n      - ", RELEASE):
        if "${{ secrets." in step or "TOKEN: " in step:
            assert re.match(r"run: make (sign|publish)-\w+\n", step), f"a step that builds has a secret: {step}"
    print(f"release.yml builds {len(runners) + 1} artifacts")


if __name__ == "__main__":
    main()
