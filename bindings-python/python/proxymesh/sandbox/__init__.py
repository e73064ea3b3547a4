"""The service, emulated: to test code that uses proxymesh, and to try it without an account.

Mocks of Python's HTTP libraries cannot see calls made from Rust, so test against this: it is a real server on this
machine, with the state, the limits and the errors of the service. `python -m proxymesh.sandbox --help` runs it as a
program of its own.
"""

from .._proxymesh import ProxiedRequest, RecordedRequest, Sandbox

__all__ = ["ProxiedRequest", "RecordedRequest", "Sandbox"]
