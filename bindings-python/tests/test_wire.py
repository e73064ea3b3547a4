"""Connections and paths. The conformance cases cover what each call sends."""

from __future__ import annotations

from proxymesh import Client

from .conftest import Connect, StartServer
from .support.credentials import TOKEN
from .support.server import Answer, answer


def test_calls_that_may_be_repeated_share_a_connection(start_server: StartServer, connect: Connect) -> None:
    server = start_server(lambda request: answer({"ips": []}) if request.method == "GET" else Answer(204))
    client = connect(server)
    for _ in range(10):
        client.ips.list()
        client.proxies.delete("us-ca")
    assert (server.count, server.connections) == (20, 1)


def test_a_base_url_may_have_a_path(start_server: StartServer) -> None:
    for slash in ("", "/"):
        server = start_server(answer({"ips": []}))
        with Client(token=TOKEN, base_url=f"{server.base_url}/behind/a proxy{slash}") as client:
            client.ips.list()
        assert server.only_request().target == "/behind/a%20proxy/api/ips/"
