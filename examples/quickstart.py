"""The main tasks, end to end: list the proxies, authorise an IP, manage a sub-account.

Without an account, it runs against the sandbox, which ships with the package and emulates the service.
With PROXYMESH_USERNAME and PROXYMESH_PASSWORD set, it talks to the real service and only reads.
"""

from __future__ import annotations

import os

import proxymesh
from proxymesh.sandbox import Sandbox


def look_around(client: proxymesh.Client, username: str, password: str) -> None:
    """Prints what the account has. It only reads."""
    print("\nThe proxies that this account may use, as URLs for any HTTP library:")
    for proxy in client.proxies.list():
        print(f"  {proxy.name:10} {proxy.url(username, password)}")

    print("\nIPs that may use them without a password:")
    entries = client.ips.labels()
    if not entries:
        print("  none yet")
    for entry in entries:
        print(f"  {entry.ip:15} {entry.label or '(no label)'}")

    countries = client.geo.world()
    most = sorted(countries, key=lambda code: countries[code], reverse=True)[:3]
    print(f"\nThe world proxy has exits in {len(countries)} countries. {', '.join(most)} have the most.")


def manage(client: proxymesh.Client) -> None:
    """Adds an IP and a sub-account, and deletes them again."""
    print("\nAuthorising 203.0.113.7, so that a machine there needs no password ...")
    ip = client.ips.add("203.0.113.7", label="the office")
    labels = {entry.ip: entry.label for entry in client.ips.labels()}
    print(f"  done: {ip} is {labels[ip]!r}")

    print("\nCreating the sub-account crawler-1, limited to 5 GB a month ...")
    account = client.sub_accounts.create("crawler-1", password="correct horse battery", monthly_limit=5)
    print(f"  done: {account!r}")

    account = client.sub_accounts.get("crawler-1")
    print(f"  it has used {account.monthly_bandwidth} of {account.monthly_bandwidth_limit} GB this month")

    account = client.sub_accounts.deactivate("crawler-1")
    print(f"  deactivated: active is now {account.active}")

    client.sub_accounts.delete("crawler-1")
    client.ips.delete(ip)
    print("  deleted the sub-account and the IP again")


def be_refused(client: proxymesh.Client) -> None:
    """Shows two errors. Each has a message to read and fields to act on."""
    print("\nBad input is refused before anything is sent:")
    try:
        client.ips.add("203.0.113.777")
    except proxymesh.ValidationError as error:
        print(f"  {type(error).__name__}: {error}\n  (field: {error.field!r})")

    print("\nIf the service refuses a call, the error says why:")
    try:
        client.sub_accounts.get("nobody")
    except proxymesh.NotFoundError as error:
        print(f"  {type(error).__name__}: {error}\n  (status: {error.status}, attempts: {error.attempts})")


def main() -> None:
    """Uses the real service if there are credentials for it, otherwise the sandbox."""
    username, password = os.environ.get("PROXYMESH_USERNAME"), os.environ.get("PROXYMESH_PASSWORD")
    if username and password:
        print(f"Reading from the real service as {username}.")
        with proxymesh.Client() as client:
            look_around(client, username, "YOUR-PASSWORD")
        return
    with Sandbox() as sandbox, sandbox.client() as client:
        print(f"No account is set up, so this talks to a sandbox at {sandbox.base_url}.")
        look_around(client, sandbox.username, sandbox.password)
        manage(client)
        be_refused(client)
    print("\nThat was all. Set PROXYMESH_USERNAME and PROXYMESH_PASSWORD to see your own account.")


if __name__ == "__main__":
    main()
