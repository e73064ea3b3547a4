"""What schemathesis does before each of its requests: a sandbox in which the request can succeed.

Without that, the fourth refused credential would ban it, and all that follows would be answered 401.
"""

from __future__ import annotations

from typing import Any

import requests
import schemathesis

# The call that makes what another call needs, and the parameters that they share.
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
    """In a form an empty list is nothing at all, and nothing is not wrong."""
    return not (isinstance(body, dict) and any(value in ([], {}) for value in body.values()))


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    base_url = str(case.operation.base_url)
    session.post(f"{base_url}/_sandbox/reset").raise_for_status()
    sent = case.query if case.method == "GET" else case.body
    if not isinstance(sent, dict):
        return

    def make(path: str, names: tuple[str, ...]) -> Any:
        """Makes it, unless the request is invalid: then that is for the request to find out."""
        form = {name: sent[name] for name in names if isinstance(sent.get(name), str)}
        return session.post(base_url + path, data=form, auth=PARENT).json()

    if case.path != "/api/sub/create/" and "username" in sent:
        make("/api/sub/create/", ("username",))
    if case.path in NEEDS:
        made = make(*NEEDS[case.path])
        # Which number a token gets is not for the request to choose.
        if "id" in made and isinstance(sent.get("id"), int) and 0 <= sent["id"] < 2**63:
            sent["id"] = made["id"]
    # Hardly any text is a proxy's name.
    if isinstance(sent.get("proxy"), str) and len(sent["proxy"]) % 2:
        sent["proxy"] = "us-ca"
