"""An emulation of the service, for testing code that uses proxymesh, and for trying it without an account.

Mocks of Python's HTTP libraries do not see the calls, because Rust makes them. So test against this sandbox. It is a
real server on this machine, with the state, the limits and the errors of the service. `python -m proxymesh.sandbox`
runs it as a program; `--help` describes its flags.
"""

from .._proxymesh import ProxiedRequest, RecordedRequest, Sandbox

__all__ = ["ProxiedRequest", "RecordedRequest", "Sandbox"]
