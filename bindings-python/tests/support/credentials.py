"""The credentials of all tests. They are canaries: `make test-secrets` looks for them in all output."""

from __future__ import annotations

import base64

USERNAME = "me+1@ex.com"
PASSWORD = "canary-password-7f3a91"
SUB_PASSWORD = "canary-sub-password-7f3a91"
TOKEN = "pm_canary7f3a91token"

# The header that RFC 7617 prescribes.
BASIC = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()

# Contains characters that must be encoded somewhere: a non-ASCII letter, a quote, form and header delimiters, a space.
ODD_PASSWORD = PASSWORD + ' pä:ss&w=o"rd 1'
# `me+1@ex.com:canary-password-7f3a91 pä:ss&w=o"rd 1` in UTF-8 and base64, as RFC 7617 prescribes.
ODD_BASIC = "Basic " + base64.b64encode(f"{USERNAME}:{ODD_PASSWORD}".encode()).decode()
