"""Stores for tests: `store` runs a test on a folder, in memory and on a real S3 API over HTTP.

A test that needs entries for the settings takes `store_entry`; one that needs S3 alone `s3_entry`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import djupyter as dj
from djupyter.settings.stores import store_spec
from djupyter.stores.store import Store

PROTOCOLS = ("file", "memory", "s3")
BUCKET = "lab"
# What the server takes, and what must not be seen anywhere.
ACCESS_KEY, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI-hunter2-EXAMPLEKEY"


class S3Server:
    """A server of the S3 API in this process, with a bucket that each test has a folder of."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"{host}:{port}"
        _filesystem(self.entry()).call_s3("create_bucket", Bucket=BUCKET)

    def entry(self, **changes: Any) -> dict[str, Any]:
        """Return the entry of a new store, which nothing has been put in yet."""
        return {
            "protocol": "s3",
            "endpoint": self.endpoint,
            "bucket": BUCKET,
            "location": f"tests/{uuid4().hex[:12]}",
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "secure": False,
        } | changes

    def fill(self, store: Store, paths: Iterable[str]) -> None:
        """Put many small objects, past HTTP, which takes 10 ms for each."""
        from moto.s3.models import s3_backends

        for path in paths:
            key = store.full_path(path).partition("/")[2]
            s3_backends["123456789012"]["aws"].put_object(BUCKET, key, b"x")

    def stop(self) -> None:
        """Stop the server."""
        self._server.stop()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A server of the S3 API that lives as long as the session."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def s3_entry(s3_server: S3Server) -> dict[str, Any]:
    """The entry of a new store on S3."""
    return s3_server.entry()


@pytest.fixture(params=PROTOCOLS)
def store_entry(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """The entry of a new store of each protocol in turn."""
    if request.param == "s3":
        entry: dict[str, Any] = request.getfixturevalue("s3_entry")
        return entry
    if request.param == "memory":
        return {"protocol": "memory", "location": f"tests/{uuid4().hex[:12]}"}
    folder = tmp_path / "store"
    folder.mkdir()
    return {"protocol": "file", "location": str(folder)}


@pytest.fixture
def store(store_entry: dict[str, Any]) -> Store:
    """A new store of each protocol in turn, named `raw`."""
    return new_store(store_entry)


def new_store(entry: dict[str, Any], name: str = "raw") -> Store:
    """Return a store by its entry."""
    return Store(name, store_spec({name: entry}, name))


def _filesystem(entry: dict[str, Any]) -> Any:
    return new_store(entry).fs


class Lab:
    """A schema on a database, whose connection has the store `raw`, which is the default one.

    Attributes
    ----------
    schema, connection
        Empty, new.
    store
        What lies in it, nothing at first.
    folder
        For files of the test on this machine.
    """

    def __init__(self, db: Any, entry: dict[str, Any], folder: Path) -> None:
        self.connection, self.folder = db.connection, folder
        self.connection.settings["stores"] = {"default": "raw", "raw": entry}
        self.connection.settings["download_path"] = str(folder / "downloads")
        self.schema = dj.Schema(db.schema_name("lab"), connection=self.connection)

    @property
    def store(self) -> Store:
        """The store `raw`."""
        return self.connection.stores.get("raw")

    def table(
        self, definition: str, name: str = "T", base: type = dj.Manual, **members: Any
    ) -> Any:
        """Declare a table; `k : int32` is its key unless the definition has one."""
        if "---" not in definition:
            definition = f"k : int32\n---\n{definition}"
        return self.schema(type(name, (base,), {"definition": definition, **members}))

    def objects(self, name: str = "raw") -> list[str]:
        """Return the paths of all that lies in a store, sorted."""
        return sorted(entry.path for entry in self.connection.stores.get(name).entries())

    def raw(self, table: Any, attribute: str) -> list[Any]:
        """Return the documents that the rows hold, in the order of the key."""
        schema, physical = self.connection.backend.locate(table().name)
        quote = self.connection.backend.quote
        full = ".".join(map(quote, filter(None, [schema, physical])))
        order = quote(table().primary_key[0])
        rows = self.connection.fetch(f"SELECT {quote(attribute)} FROM {full} ORDER BY {order}")
        return [value and json.loads(value) for (value,) in rows]

    def file(self, name: str, contents: bytes = b"hello") -> Path:
        """Make a file on this machine."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
        return path


@pytest.fixture
def lab(db: Any, store_entry: dict[str, Any], tmp_path: Path) -> Lab:
    """Each database with a store of each protocol."""
    return Lab(db, store_entry, tmp_path / "here")


@pytest.fixture
def small_lab(db: Any, tmp_path: Path) -> Lab:
    """Each database with a store in memory."""
    entry = {"protocol": "memory", "location": f"tests/{uuid4().hex[:12]}"}
    return Lab(db, entry, tmp_path / "here")
