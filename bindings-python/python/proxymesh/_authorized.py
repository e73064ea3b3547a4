"""Authorises an IP for as long as it is needed: `client.ips.authorized()`.

Blocks of the same user on the same machine share an IP, even with different credentials. The first block adds it and
the last one removes it. An IP that was already authorised stays. Each block holds a shared lock on a file, one file per
set of credentials. The system releases it however a process ends. If we added the IP, the file holds its label. The
label is written before the IP is added, so that the next block recognises and takes over what a killed process left
behind. If the IP has a different label by then, it belongs to someone else.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import ipaddress
import logging
import os
import socket
import stat
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._driven import driven
from ._errors import BadRequestError, ConfigError, ConnectionError, ProxyMeshError

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._proxymesh import AsyncClient, Client

if sys.platform != "win32":
    import fcntl

__all__ = ["AsyncAuthorizedIp", "AuthorizedIp"]

logger = logging.getLogger("proxymesh")

POLL = 0.05
"""Seconds between two checks of whether another process is done. For event loops, which must not block."""
TIMEOUT = 10.0


class _AuthorizedIp:
    """What `AuthorizedIp` and `AsyncAuthorizedIp` share."""

    def __init__(
        self, client: Client | AsyncClient, ip: str | None, label: str | None, username: str | None, lookup: str
    ) -> None:
        self._client, self._ip, self._label, self._username, self._lookup = client, ip, label, username, lookup
        self._users: IO[bytes] | None = None

    async def _call(self, method: str, *arguments: str, **options: str | None) -> Any:
        raise NotImplementedError

    async def _found(self) -> str:
        raise NotImplementedError

    async def _pause(self) -> None:
        """Waits for another process. Returns at once if `_locked` may block."""
        raise NotImplementedError

    blocks: bool

    async def _enter(self) -> str:
        if self._users is not None:
            raise RuntimeError("this context has already been entered; create another one with ips.authorized()")
        ip = str(ipaddress.ip_address(self._ip)) if self._ip else await self._found()
        label = self._label if self._label is not None else f"proxymesh on {socket.gethostname()}"[:255]
        try:
            path = _folder() / self._key(ip)
            with _Guard(path) as guard:
                await self._locked(guard)
                self._users = users = path.open("a+b")
                self._process = os.getpid()
                _lock(users, "LOCK_SH")
                there = await self._labels()
                ours = _read(users)
                if ip not in there:
                    _write(users, label)
                    try:
                        await self._call("add", ip, label=label, username=self._username)
                    except BadRequestError:
                        _write(users, None)
                        # If the IP is listed now, someone else added it first and owns it. If not, the error is raised.
                        if ip not in await self._labels():
                            raise
                elif ours is not None and ours != there[ip]:
                    # The IP that a killed process left is gone; this one belongs to someone else.
                    _write(users, None)
                elif ours is None and there[ip] in _labels_of(path):
                    # A block with different credentials for the account added the IP. This block needs it, too.
                    _write(users, there[ip])
        except OSError as error:
            await self._leave(ip, quietly=True)
            if isinstance(error, ProxyMeshError):
                raise
            raise _no_record(error) from error
        except BaseException:
            await self._leave(ip, quietly=True)
            raise
        self._ip = ip
        return ip

    async def _leave(self, ip: str, *, quietly: bool) -> None:
        users, self._users = self._users, None
        if users is None:
            return
        if self._process != os.getpid():
            # The block was entered before a fork. It has not ended in the parent, which owns the lock.
            users.close()
            return
        path = Path(users.name)
        try:
            with _Guard(path) as guard:
                await self._locked(guard)
                _lock(users, "LOCK_UN")
                if not _lock(users, "LOCK_EX"):
                    return  # Others still need it. The last of them removes it.
                label = _read(users)
                if label is not None and label not in _labels_of(path, held=True):
                    there = await self._labels()
                    if there.get(ip) == label:
                        try:
                            await self._call("delete", ip, username=self._username)
                        except BadRequestError:
                            if ip in await self._labels():
                                raise
                users.close()
                path.unlink()
        except Exception as error:
            logger.warning("the IP %s stays authorised until the next ips.authorized(): %s", ip, error)
            if not quietly:
                if isinstance(error, OSError) and not isinstance(error, ProxyMeshError):
                    raise _no_record(error) from error
                raise
        finally:
            users.close()

    async def _labels(self) -> dict[str, str]:
        return {known.ip: known.label for known in await self._call("labels", username=self._username)}

    async def _locked(self, guard: _Guard) -> None:
        while not guard.lock(wait=self.blocks):
            await self._pause()

    def _key(self, ip: str) -> str:
        from ._proxymesh import Proxy

        shown = Proxy("proxymesh.com").using(client=self._client)
        basic = shown._username_and_password()
        # A username is not secret. A token is long and random, so its digest reveals nothing.
        account = basic[0] if basic else shown.headers()["Proxy-Authorization"]
        # The key starts with the IP, so that blocks with different credentials find each other. It ends with the owner.
        group, own = (self._client.base_url, ip), (account, self._username or "")
        return "-".join(hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32] for parts in (group, own))


class AuthorizedIp(_AuthorizedIp):
    """Authorises an IP for the duration of a `with` block. `client.ips.authorized()` creates it."""

    _client: Client
    blocks = True

    def __enter__(self) -> str:
        return driven(self._enter())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        driven(self._leave(self._ip or "", quietly=error is not None))

    async def _call(self, method: str, *arguments: str, **options: str | None) -> Any:
        return getattr(self._client.ips, method)(*arguments, **options)

    async def _found(self) -> str:
        return seen(self._client.base_url, self._lookup)

    async def _pause(self) -> None:
        pass


class AsyncAuthorizedIp(_AuthorizedIp):
    """Authorises an IP for the duration of an `async with` block. `ips.authorized()` of an `AsyncClient` creates it."""

    _client: AsyncClient
    blocks = False

    async def __aenter__(self) -> str:
        return await self._enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._leave(self._ip or "", quietly=error is not None)

    async def _call(self, method: str, *arguments: str, **options: str | None) -> Any:
        return await getattr(self._client.ips, method)(*arguments, **options)

    async def _found(self) -> str:
        try:
            return await asyncio.to_thread(seen, self._client.base_url, self._lookup)
        except RuntimeError as error:  # for example, no thread can be started
            raise _no_connection(f"could not determine this machine's address ({error}); pass it as ip=") from None

    async def _pause(self) -> None:
        await asyncio.sleep(POLL)


def seen(base_url: str, lookup: str) -> str:
    """Returns this machine's address as the service sees it.

    It looks at the local address of a connection to the service. If that address is public, or the service runs on this
    machine, the service sees the same address. Otherwise there is a router in between, and `lookup` is asked: a page
    that returns the requester's address. IPv4 is preferred.
    """
    url = urlsplit(base_url)
    try:
        import urllib.request

        with _connected(url.hostname or "", url.port or (443 if url.scheme == "https" else 80)) as connection:
            own, other = (
                ipaddress.ip_address(end[0].partition("%")[0])
                for end in (connection.getsockname(), connection.getpeername())
            )
        if own.is_global or other.is_loopback:
            return str(own)
        # A proxy would have a different address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(lookup, timeout=TIMEOUT) as response:
            return str(ipaddress.ip_address(response.read(64).decode("ascii").strip()))
    except (OSError, ValueError) as error:
        raise _no_connection(f"could not determine this machine's address ({error}); pass it as ip=") from None


def _connected(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failed: OSError | None = None
    for family, kind, protocol, _, address in sorted(found, key=lambda one: one[0] != socket.AF_INET):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(TIMEOUT)
            connection.connect(address)
        except OSError as error:
            connection.close()
            failed = error
        else:
            return connection
    raise failed or OSError(f"{host} has no address")


def _folder() -> Path:
    """The folder where the user's programs keep their state. If it is not writable, a folder for temporary files."""
    if sys.platform == "win32":
        state = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        state = "~/Library/Application Support"
    else:
        state = os.environ.get("XDG_STATE_HOME", "")
        # The XDG Base Directory Specification says to ignore a relative path.
        state = state if os.path.isabs(state) else "~/.local/state"
    try:
        return _private(Path(state).expanduser() / "proxymesh" / "ips")
    except (OSError, RuntimeError):
        return _private(Path(tempfile.gettempdir()) / f"proxymesh-{os.getuid() if hasattr(os, 'getuid') else 'ips'}")


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid"):
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise PermissionError(f"{folder} is not a folder that only this user can write to")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} is not writable")
    return folder


def _no_connection(reason: str) -> ConnectionError:
    return ConnectionError(f"ips.authorized: {reason}", call="ips.authorized", reason=reason, attempts=1)


def _no_record(error: OSError) -> ConfigError | ConnectionError:
    """The error if the lock file cannot be used."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return _no_connection(f"no file descriptor is left for its lock file ({error})")
    reason = (
        f"ips.authorized needs a folder that only this user can write to ({error}): set XDG_STATE_HOME or TMPDIR to "
        "such a folder, or use ips.add and ips.delete"
    )
    return ConfigError(reason, reason=reason)


def _labels_of(path: Path, *, held: bool = False) -> set[str]:
    """The labels that blocks with other credentials use for the IP. With `held`, only those of running blocks."""
    labels: set[str] = set()
    for other in path.parent.glob(f"{path.name.partition('-')[0]}-*"):
        if other == path:
            continue
        with other.open("rb") as file:
            label = _read(file)
            if label is not None and not (held and _lock(file, "LOCK_EX")):
                labels.add(label)
    return labels


def _lock(file: IO[bytes], how: str, *, wait: bool = False) -> bool:
    """Locks the file. Returns False if others hold the lock."""
    if sys.platform == "win32":
        return True  # Processes do not share IPs on Windows.
    try:
        fcntl.flock(file, getattr(fcntl, how) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _read(file: IO[bytes]) -> str | None:
    """The label with which we added the IP. None if we did not add it."""
    file.seek(0)
    content = file.read()
    return content[1:].decode() if content else None


def _write(file: IO[bytes], label: str | None) -> None:
    file.truncate(0)
    file.write(b"" if label is None else b"+" + label.encode())
    file.flush()


class _Guard:
    """A lock that lets one process at a time enter or leave a block. Files are created and removed under this lock."""

    def __init__(self, path: Path) -> None:
        self.file = path.with_name("guard").open("ab")

    def lock(self, *, wait: bool) -> bool:
        return _lock(self.file, "LOCK_EX", wait=wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
