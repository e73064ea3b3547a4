"""Debian's Chromium, or another, as the tests start it."""

from __future__ import annotations

import shutil

FLAGS = [
    "--no-sandbox",  # as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # What it fetches by itself it would fetch through the proxy.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The site's certificate is of an authority made for the tests.
    "--ignore-certificate-errors",
]


def found(*names: str) -> str:
    """The path of a program that is there by one of these names."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError(f"there is no {names[0]} here: install Debian's packages chromium and chromium-driver")


def chromium() -> str:
    return found("chromium", "chromium-browser", "google-chrome")


def chromedriver() -> str:
    return found("chromedriver")
