"""A server of the S3 API that seems far away: moto's, behind a relay that holds each request back.

Run as `python -m benchmarks.remote SECONDS` in a process of its own; prints the port, ends with its standard input.
"""

from __future__ import annotations

import atexit
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

BUCKET = "lab"
_KEYS = {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "not-a-secret"}


@dataclass(frozen=True)
class Remote:
    """The server, as clients reach it."""

    port: int

    def entry(self) -> dict[str, Any]:
        """Return the entry of a new store."""
        return {
            "protocol": "s3",
            "endpoint": f"127.0.0.1:{self.port}",
            "bucket": BUCKET,
            "location": uuid4().hex[:12],
            "secure": False,
            **_KEYS,
        }

    def client(self, connections: int) -> Any:
        """Return a bare client, whose connections all threads share."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=_KEYS["access_key"],
            aws_secret_access_key=_KEYS["secret_key"],
            region_name="us-east-1",
            config=Config(max_pool_connections=connections),
        )


@cache
def running(latency: float) -> Remote:
    """Return a server that answers so many seconds late; it is started once and ends with this process."""
    from benchmarks.fresh import ROOT

    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.remote", str(latency)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    atexit.register(process.wait)
    atexit.register(process.stdin.close)
    remote = Remote(int(process.stdout.readline()))
    remote.client(1).create_bucket(Bucket=BUCKET)
    return remote


def main(latency: float) -> None:
    """Serve until standard input ends."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    there = server.get_host_and_port()
    threading.Thread(target=_accept, args=(listener, there, latency), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
    server.stop()


def _accept(listener: socket.socket, there: tuple[str, int], latency: float) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_relay, args=(client, there, latency), daemon=True).start()


def _relay(client: socket.socket, there: tuple[str, int], latency: float) -> None:
    """Pass on one connection, which the server closes after a request."""
    with client, socket.create_connection(there) as server:
        first = client.recv(1 << 16)
        time.sleep(latency)
        server.sendall(first)
        forth = threading.Thread(target=_copy, args=(client, server), daemon=True)
        forth.start()
        _copy(server, client)
        # Ends the other direction too.
        client.shutdown(socket.SHUT_RDWR)
        forth.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:  # closed meanwhile
        return


if __name__ == "__main__":
    main(float(sys.argv[1]))
