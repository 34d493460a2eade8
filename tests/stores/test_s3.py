"""Stores on S3, over HTTP against a server of its API: parts, pages, credentials, servers in trouble."""

from __future__ import annotations

import socket
import threading
import tracemalloc
import urllib.request
from collections.abc import Iterator
from functools import partial
from uuid import uuid4

import pytest

from djupyter.errors import AccessError, BucketInaccessible, DataJointError, MissingExternalFile
from djupyter.stores.files import PART
from djupyter.stores.store import Store
from djupyter.stores.transfers import run_all
from tests.object_stores import BUCKET, SECRET_KEY, S3Server, new_store

IMPATIENT = {"connect_timeout": 0.5, "read_timeout": 0.5, "retries": 0}


@pytest.fixture
def s3(s3_entry) -> Store:
    """A new store on S3."""
    return new_store(s3_entry)


@pytest.fixture
def guarded(s3_server: S3Server) -> Iterator[dict[str, str]]:
    """The credentials of the one who may use the server, which lets nobody else in meanwhile."""
    import boto3

    client = partial(
        boto3.client,
        endpoint_url=f"http://{s3_server.endpoint}",
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    iam = client("iam")
    name = uuid4().hex
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    rule = '{"Version": "2012-10-17", "Statement": [{"Effect": "%s", "Action": "%s", "Resource": "*"}]}'
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=rule % ("Allow", "s3:*"))
    iam.put_user_policy(
        UserName=name, PolicyName="keep", PolicyDocument=rule % ("Deny", "s3:DeleteObject")
    )
    require_credentials(s3_server, "0")
    yield {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}
    require_credentials(s3_server, "inf")


def require_credentials(server: S3Server, after: str) -> None:
    """Have the server check who asks, after so many requests."""
    url = f"http://{server.endpoint}/moto-api/reset-auth"
    plain = {"Content-Type": "text/plain"}
    urllib.request.urlopen(urllib.request.Request(url, after.encode(), plain)).close()


def uploads(store: Store) -> list[str]:
    """Return the uploads in parts that are not finished."""
    page = store.fs.call_s3("list_multipart_uploads", Bucket=BUCKET)
    folder = store.full_path("").partition("/")[2]
    return [u["Key"] for u in page.get("Uploads", []) if u["Key"].startswith(folder)]


# Parts and pages


def test_a_large_object_is_made_of_parts(s3: Store) -> None:
    s3.put("a", bytes(2 * PART + 1))
    assert s3.fs.info(s3.full_path("a"))["ETag"].strip('"').endswith("-3")


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_upload_in_parts_that_fails_leaves_nothing(s3: Store, monkeypatch, error) -> None:
    call = s3.fs.call_s3

    def failing(method, *args, **kwargs):
        if kwargs.get("PartNumber") == 2:
            raise error
        return call(method, *args, **kwargs)

    monkeypatch.setattr(s3.fs, "call_s3", failing)
    with pytest.raises(error):
        s3.put("a", bytes(3 * PART))
    assert not s3.exists("a")
    assert uploads(s3) == []


def test_a_stream_that_is_broken_off_leaves_no_parts(s3: Store) -> None:
    with pytest.raises(RuntimeError), s3.open("a", "wb") as file:  # noqa: PT012
        file.write(bytes(PART))
        file.write(bytes(PART))
        raise RuntimeError
    assert uploads(s3) == []


def test_a_listing_of_many_pages_is_complete(s3_server: S3Server, s3: Store) -> None:
    s3_server.fill(s3, (f"many/{n:04}" for n in range(2100)))
    assert len({entry.path for entry in s3.entries("many")}) == 2100
    assert s3.remove_many(entry.path for entry in s3.entries("many")) == []
    assert not s3.is_folder("many")


def test_a_large_object_takes_little_memory_on_its_way(s3: Store, tmp_path) -> None:
    local = tmp_path / "large"
    with local.open("wb") as file:
        file.truncate(12 * PART)
    s3.put("warm", b"x")
    tracemalloc.start()
    s3.put_file("large", local)
    # The server lives in this process and keeps the object.
    ours = [
        trace
        for trace in tracemalloc.take_snapshot().statistics("filename")
        if "s3fs" in trace.traceback[0].filename
    ]
    tracemalloc.stop()
    assert sum(trace.size for trace in ours) < 5 * PART
    assert s3.info("large").size == 12 * PART


# Errors


def test_wrong_credentials_are_said_to_be_wrong(s3_server: S3Server, guarded) -> None:
    good = new_store(s3_server.entry(**guarded))
    good.put("a", b"1")
    assert good.get("a") == b"1"
    for wrong in (
        {"access_key": "AKIANOBODY"},
        {"secret_key": "hunter2-hunter2-hunter2"},
    ):
        store = new_store(s3_server.entry(**guarded | wrong))
        for use in (
            lambda s: s.put("a", b"1"),
            lambda s: s.get("a"),
            lambda s: list(s.entries()),
            lambda s: s.info("a"),
            lambda s: s.exists("a"),
            lambda s: s.open("a").read(),
            lambda s: s.remove("a"),
        ):
            with pytest.raises(AccessError, match="The store 'raw' ") as caught:
                use(store)
            assert "hunter2" not in shown(caught.value)


def test_what_is_not_permitted_is_said_for_each_object(s3_server: S3Server, guarded) -> None:
    store = new_store(s3_server.entry(**guarded))
    store.put("a", b"1")
    failures = store.remove_many(["a", "b"])
    assert [path for path, _ in failures] == ["a", "b"]
    assert all("AccessDenied" in reason or "not authorized" in reason for _, reason in failures)
    with pytest.raises(AccessError):
        store.remove("a")
    assert store.get("a") == b"1"


def test_no_credentials_at_all_are_said_to_be_missing(s3_server: S3Server, monkeypatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", "/nowhere")
    store = new_store(s3_server.entry(access_key=None, secret_key=None))
    with pytest.raises(AccessError, match=r"'raw'.* does not accept the credentials"):
        store.get("a")


@pytest.mark.parametrize(
    "use",
    [
        lambda s: s.put("a", b"1"),
        lambda s: s.put("a", bytes(PART + 1)),
        lambda s: s.get("a"),
        lambda s: list(s.entries()),
        lambda s: s.is_folder("a"),
        lambda s: s.exists("a"),
        lambda s: s.open("a").read(),
        lambda s: s.remove("a"),
    ],
)
def test_a_bucket_that_is_not_there_is_no_missing_object(s3_server: S3Server, use) -> None:
    store = new_store(s3_server.entry(bucket="nobodys"))
    with pytest.raises(BucketInaccessible, match=r"'raw' has no bucket .*nobodys"):
        use(store)


@pytest.mark.parametrize("server", ["closed", "silent"])
def test_a_server_that_cannot_be_reached_is_given_up(s3_server: S3Server, server) -> None:
    """A test that waited for it would run into the limit of all tests."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        if server == "closed":
            listener.close()
        entry = s3_server.entry(endpoint=f"{host}:{port}", **IMPATIENT)
        store = new_store(entry)
        for use in (
            lambda: store.put("a", b"1"),
            lambda: store.put("a", bytes(PART + 1)),
            lambda: store.open("a", "wb").close(),
            lambda: store.get("a"),
            lambda: list(store.entries()),
            lambda: store.exists("a"),
            lambda: store.remove("a"),
        ):
            with pytest.raises(
                BucketInaccessible, match=f"'raw' cannot be reached .*{port}"
            ) as caught:
                use()
            assert SECRET_KEY not in shown(caught.value)


def test_a_body_that_breaks_off_is_an_error(s3_server: S3Server) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: x\r\n\r\nshort"
    with talking(answer) as port:
        store = new_store(s3_server.entry(endpoint=f"127.0.0.1:{port}", **IMPATIENT))
        with pytest.raises(DataJointError, match="'raw'"):
            store.get("a")


def test_an_answer_in_no_language_of_s3_is_an_error(s3_server: S3Server) -> None:
    with talking(b"HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\n<html") as port:
        store = new_store(s3_server.entry(endpoint=f"127.0.0.1:{port}", **IMPATIENT))
        with pytest.raises(DataJointError, match="'raw'"):
            list(store.entries())


def test_missing_objects_are_missing_when_many_ask(s3: Store) -> None:
    def ask(n: int) -> bool:
        try:
            s3.get(f"none/{n}")
        except MissingExternalFile:
            return True
        return False

    assert all(run_all([partial(ask, n) for n in range(40)], 16))


class talking:
    """A server that says the same to everybody."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *error: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self._answer)


def shown(error: BaseException | None) -> str:
    """Return all that a traceback would show of an error and of those behind it."""
    import traceback

    return "".join(traceback.format_exception(error)) if error else ""
