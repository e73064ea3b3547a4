"""Finds Chromium and its driver, and lists the flags with which the tests start it."""

from __future__ import annotations

import shutil

FLAGS = [
    "--no-sandbox",  # Chromium needs this when it runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # These stop Chromium's own requests, which would go through the proxy too.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The site's certificate comes from a CA that the tests create.
    "--ignore-certificate-errors",
]


def found(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError(f"there is no {names[0]} here: install Debian's packages chromium and chromium-driver")


def chromium() -> str:
    return found("chromium", "chromium-browser", "google-chrome")


def chromedriver() -> str:
    return found("chromedriver")
