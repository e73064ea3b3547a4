"""Before each request of schemathesis, these hooks prepare a sandbox in which the request can succeed.

Without them, the fourth wrong credential would ban this machine, and every further response would be a 401.
"""

from __future__ import annotations

from typing import Any

import requests
import schemathesis

# For each call that needs something to exist: the call that creates it, and the parameters that both have.
NEEDS = {
    "/api/ip/delete/": ("/api/ip/add/", ("ip", "username")),
    "/api/hostname/delete/": ("/api/hostname/add/", ("domain", "username")),
    "/api/token/activate/": ("/api/token/create/", ("username",)),
    "/api/token/deactivate/": ("/api/token/create/", ("username",)),
    "/api/token/delete/": ("/api/token/create/", ("username",)),
}
PARENT = ("parent", "parent-password")
session = requests.Session()


@schemathesis.hook
def filter_body(context: schemathesis.HookContext, body: Any) -> bool:
    """Drops bodies with an empty list or object. A form cannot hold one, so the request would be valid."""
    return not (isinstance(body, dict) and any(value in ([], {}) for value in body.values()))


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    base_url = str(case.operation.base_url)
    session.post(f"{base_url}/_sandbox/reset").raise_for_status()
    sent = case.query if case.method == "GET" else case.body
    if not isinstance(sent, dict):
        return

    def make(path: str, names: tuple[str, ...]) -> Any:
        """Creates what the request needs. If its parameters are invalid, this fails, and so will the request itself."""
        form = {name: sent[name] for name in names if isinstance(sent.get(name), str)}
        return session.post(base_url + path, data=form, auth=PARENT).json()

    if case.path != "/api/sub/create/" and "username" in sent:
        make("/api/sub/create/", ("username",))
    if case.path in NEEDS:
        made = make(*NEEDS[case.path])
        # The service chooses a token's number, so the request has to use that number.
        if "id" in made and isinstance(sent.get("id"), int) and 0 <= sent["id"] < 2**63:
            sent["id"] = made["id"]
    # A random text is hardly ever a proxy's name, so half of the requests get a real one.
    if isinstance(sent.get("proxy"), str) and len(sent["proxy"]) % 2:
        sent["proxy"] = "us-ca"
