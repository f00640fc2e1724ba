"""CPU per request of a client over mutual TLS, keep-alive, 600-byte answers. Not a test.

    python tests/http11/bench.py [REQUESTS]

The server runs in a process of its own; each client takes turns in rounds, and the median counts. The figures
are only good for comparing clients on one machine at one time.
"""

import argparse
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h11
import httpx
import trio

from dersim import http11, pki, tls
from dersim.http11.transport import Transport

ACCEPT = (("accept", "application/sep+xml"),)
BODY = b"x" * 600


async def run_server(folder: Path) -> None:
    context = tls.server_context(
        folder / "cert_server.pem", folder / "key_server.pem", folder / "cert_root.pem"
    )
    listeners = await http11.bind("127.0.0.1", 0)
    print(http11.address(listeners)[1], flush=True)

    async def handler(request: http11.Request) -> http11.Response:
        return http11.Response(200, (("content-type", "application/sep+xml"),), BODY)

    await http11.serve(handler, listeners, tls=context)


async def own(port: int, context: tls.ClientContext, count: int) -> float:
    connection = http11.Endpoint("127.0.0.1", port, context).connection()
    await connection.request("GET", "/dcap", headers=ACCEPT)
    start_s = time.process_time()
    for _ in range(count):
        response = await connection.request("GET", "/dcap", headers=ACCEPT)
        assert response.body == BODY
    used_s = time.process_time() - start_s
    await connection.aclose()
    return used_s / count


async def raw_h11(port: int, context: tls.ClientContext, count: int) -> float:
    stream = await http11.Endpoint("127.0.0.1", port, context).open()
    wire = h11.Connection(h11.CLIENT)
    headers = [("host", "x"), *ACCEPT]

    async def ask() -> None:
        request = wire.send(h11.Request(method="GET", target="/dcap", headers=headers))
        await stream.send_all(request + wire.send(h11.EndOfMessage()))
        while type(event := wire.next_event()) is not h11.EndOfMessage:
            if event is h11.NEED_DATA:
                wire.receive_data(await stream.receive_some(65536))
        wire.start_next_cycle()

    await ask()
    start_s = time.process_time()
    for _ in range(count):
        await ask()
    used_s = time.process_time() - start_s
    await trio.aclose_forcefully(stream)
    return used_s / count


async def _httpx(client: httpx.AsyncClient, port: int, count: int) -> float:
    async with client:
        await client.get(f"https://127.0.0.1:{port}/dcap")
        start_s = time.process_time()
        for _ in range(count):
            response = await client.get(f"https://127.0.0.1:{port}/dcap", headers=dict(ACCEPT))
            assert response.content == BODY
        return (time.process_time() - start_s) / count


async def httpx_on_ours(port: int, context: tls.ClientContext, count: int) -> float:
    return await _httpx(httpx.AsyncClient(transport=Transport(tls=context)), port, count)


async def httpx_alone(port: int, context: ssl.SSLContext, count: int) -> float:
    limits = httpx.Limits(max_connections=1, keepalive_expiry=None)
    return await _httpx(httpx.AsyncClient(verify=context, limits=limits), port, count)


CLIENTS = {
    "own connection": own,
    "raw h11": raw_h11,
    "httpx on our transport": httpx_on_ours,
    "httpx alone": httpx_alone,
}


def measure(folder: Path, port: int, count: int, rounds: int = 5) -> dict[str, float]:
    """Median CPU seconds per request of each client, after one round to warm up."""
    context = tls.client_context(folder / "cert.pem", folder / "key.pem", folder / "cert_root.pem")
    results: dict[str, list[float]] = {name: [] for name in CLIENTS}
    for _ in range(rounds + 1):
        for name, client in CLIENTS.items():
            results[name].append(trio.run(client, port, context, count))
    return {name: statistics.median(values[1:]) for name, values in results.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", nargs="?", type=int, default=500)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        trio.run(run_server, options.serve)
    with tempfile.TemporaryDirectory() as name:
        folder = pki.create(Path(name) / "pki", 0)
        command = [sys.executable, __file__, "--serve", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            port = int(server.stdout.readline())
            for client, seconds in measure(folder, port, options.requests).items():
                print(f"{client:24}{seconds * 1e6:8.0f} us CPU per request")
            server.terminate()


if __name__ == "__main__":
    main()
