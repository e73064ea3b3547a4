"""The package needs only the standard library, because nothing else is installed with it."""

from __future__ import annotations

import subprocess
import sys

IMPORTS_EACH_MODULE = """
import importlib, pkgutil, sys

class OnlyTheStandardLibrary:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top != "proxymesh" and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(name, name=top)

sys.meta_path.insert(0, OnlyTheStandardLibrary())
import proxymesh

for module in pkgutil.walk_packages(proxymesh.__path__, "proxymesh."):
    if not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as missing:
            print(module.name, missing.name)
"""


def test_each_module_is_imported_without_other_packages() -> None:
    imported = subprocess.run(
        [sys.executable, "-c", IMPORTS_EACH_MODULE], capture_output=True, text=True, check=True, timeout=60
    )
    needs = dict(line.split() for line in imported.stdout.splitlines())
    # The modules for other people's libraries need only those libraries.
    assert needs == {
        "proxymesh._aiohttp": "aiohttp",
        "proxymesh._curl_cffi": "curl_cffi",
        "proxymesh._httpx": "httpx",
        "proxymesh._requests": "requests",
        "proxymesh._scrapy": "scrapy",
        "proxymesh._tunnel": "urllib3",
        "proxymesh.sandbox.pytest_plugin": "pytest",
        "proxymesh.scrapy": "scrapy",
    }
