"""Which protocols there are, how others come in, and what is said when one cannot be had."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import fsspec
import pytest

import djupyter as dj
from djupyter.errors import DataJointError
from djupyter.settings import adapters
from djupyter.settings.stores import store_spec
from djupyter.stores.protocols import get_storage_adapter
from djupyter.stores.store import Store
from tests.object_stores import new_store

SEED = {
    "protocol": "s3",
    "endpoint": "s3.amazonaws.com",
    "bucket": "my-pipeline-data",
    "location": "raw",
}


@pytest.fixture(autouse=True)
def fresh_registry(monkeypatch) -> None:
    """Give each test the built-in protocols only."""
    monkeypatch.setattr(adapters, "_registered", {})
    offer(monkeypatch)


def offer(monkeypatch, **values: str) -> None:
    """Pretend that installed packages offer adapters; the value of each is `module:class`."""
    offers = {name: EntryPoint(name, value, adapters.GROUP) for name, value in values.items()}
    monkeypatch.setattr(adapters, "_offers", lambda: offers)


def shelf() -> type[dj.StorageAdapter]:
    """Define an adapter, as a cell of a notebook does."""

    class Shelf(dj.StorageAdapter):
        protocol = "shelf"
        required_keys = ("shelf",)
        allowed_keys = ("password",)

        def create_filesystem(self, spec):
            folder = fsspec.filesystem("dir", path=spec["location"], fs=fsspec.filesystem("file"))
            return folder

        def validate_spec(self, spec):
            if spec["shelf"] == "broken":
                raise ValueError(f"{spec['password']} does not open it")

        def full_path(self, spec, relpath):
            return "/".join(filter(None, [spec["shelf"], relpath]))

    return Shelf


# Built-in ones


@pytest.mark.parametrize(
    ("entry", "full", "url"),
    [
        (SEED, "my-pipeline-data/raw/a/b", "s3://my-pipeline-data/raw/a/b"),
        (SEED | {"location": ""}, "my-pipeline-data/a/b", "s3://my-pipeline-data/a/b"),
        (SEED | {"location": "/raw/"}, "my-pipeline-data/raw/a/b", "s3://my-pipeline-data/raw/a/b"),
        ({"protocol": "gcs", "bucket": "b", "location": "x"}, "b/x/a/b", "gs://b/x/a/b"),
        ({"protocol": "azure", "container": "c", "location": "x"}, "c/x/a/b", "az://c/x/a/b"),
        ({"protocol": "memory"}, "/a/b", "memory://a/b"),
        ({"protocol": "file", "location": "/data"}, "/data/a/b", "file:///data/a/b"),
        ({"protocol": "file", "location": "/"}, "/a/b", "file:///a/b"),
    ],
)
def test_full_paths_and_urls_are_datajoints(entry, full, url) -> None:
    store = new_store(entry)
    assert (store.full_path("a/b"), store.url("a/b")) == (full, url)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"cache_regions": True}),
        ({"endpoint": "minio:9000"}, {"endpoint_url": "https://minio:9000"}),
        ({"endpoint": "minio:9000", "secure": False}, {"endpoint_url": "http://minio:9000"}),
        ({"endpoint": "http://minio:9000/"}, {"endpoint_url": "http://minio:9000"}),
        ({"access_key": "k", "secret_key": "s"}, {"key": "k", "secret": "s"}),
    ],
)
def test_an_entry_for_s3_says_how_to_reach_it(changes, expected) -> None:
    spec = store_spec({"x": SEED | changes}, "x")
    options = get_storage_adapter("s3").options(spec)
    assert expected.items() <= options.items()
    assert ("endpoint_url" in options) != ("cache_regions" in options)


def test_patience_is_the_librarys(s3_entry) -> None:
    fs = new_store(s3_entry | {"connect_timeout": 3, "read_timeout": 7.5, "retries": 5}).fs
    config = fs.s3.meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 7.5)
    assert config.retries["total_max_attempts"] == 6


@pytest.mark.parametrize(
    ("protocol", "module", "extra"),
    [("gcs", "gcsfs", "gcs"), ("azure", "adlfs", "azure"), ("s3", "s3fs", "s3")],
)
def test_a_package_that_is_not_installed_is_named_with_its_extra(
    monkeypatch, protocol, module, extra
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for name in ("gcs", "abfs", "s3"):
        monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, name, raising=False)
    entry = {"protocol": protocol, "location": "x"}
    entry |= {"container": "c"} if protocol == "azure" else {"bucket": "b"}
    entry |= {"endpoint": "e"} if protocol == "s3" else {}
    store = new_store(entry)
    with pytest.raises(DataJointError, match=rf"need the package {module}.*djupyter\[{extra}\]"):
        store.get("a")


@pytest.mark.parametrize(
    ("alias", "protocol"),
    [
        ("FILE", "file"),
        ("local", "file"),
        ("gs", "gcs"),
        ("az", "azure"),
        ("abfs", "azure"),
        ("s3a", "s3"),
    ],
)
def test_a_protocol_may_be_called_as_fsspec_does(alias, protocol) -> None:
    assert get_storage_adapter(alias) is get_storage_adapter(protocol)


def test_an_unknown_protocol_is_explained() -> None:
    with pytest.raises(DataJointError, match=r"no adapter .*'memori'.*Did you mean `memory`"):
        get_storage_adapter("memori")


# Others


def test_a_subclass_brings_a_protocol(tmp_path) -> None:
    shelf()
    (tmp_path / "top").mkdir()
    store = new_store({"protocol": "shelf", "location": str(tmp_path), "shelf": "top"})
    assert dj.get_storage_adapter("shelf").protocol == "shelf"
    assert store.url("a/b") == "shelf://top/a/b"
    store.put("a/b", [b"1", b"2"])
    with store.open("a/c", "wb") as file:
        file.write(b"34")
    with pytest.raises(RuntimeError), store.open("a/d", "wb") as file:  # noqa: PT012
        file.write(b"5")
        raise RuntimeError
    assert {entry.path: store.get(entry.path) for entry in store.entries()} == {
        "a/b": b"12",
        "a/c": b"34",
    }
    assert (tmp_path / "top" / "a" / "b").read_bytes() == b"12"
    assert store.is_folder("a")
    assert store.info("a/c").size == 2
    store.put("a/*", b"x")
    store.remove("a/*")
    store.remove("none")
    assert store.remove_many(["a/c"]) == []
    assert [entry.path for entry in store.entries()] == ["a/b"]
    store.remove("a")
    assert not (tmp_path / "top" / "a").exists()


def test_a_cell_that_runs_again_replaces_its_adapter() -> None:
    assert shelf() is not shelf()


def test_two_adapters_cannot_have_one_protocol() -> None:
    shelf()
    with pytest.raises(DataJointError, match="'shelf' exists already"):
        type("Other", (dj.StorageAdapter,), {"protocol": "shelf"})


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({}, "is missing: shelf"),
        ({"shelf": "x", "bucket": "b"}, "Invalid key"),
        ({"shelf": "broken", "password": "hunter2"}, "refused by the adapter Shelf"),
    ],
)
def test_an_adapter_says_which_entries_it_takes(entry, problem) -> None:
    shelf()
    with pytest.raises(DataJointError, match=problem) as caught:
        store_spec({"x": {"protocol": "shelf"} | entry}, "x")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_installed_package_offers_a_protocol(monkeypatch) -> None:
    offer(monkeypatch, offered="tests.stores.plugin:Offered")
    store = new_store({"protocol": "offered"})
    store.put("a", b"1")
    assert store.get("a") == b"1"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (
            "no_such_module:Adapter",
            "cannot be loaded from the entry point broken = no_such_module:Adapter",
        ),
        ("tests.stores.plugin:NoAdapter", "lacks create_filesystem"),
        ("tests.stores.plugin:nothing", "lacks create_filesystem"),
        ("tests.stores.plugin:CannotBeMade", "cannot be made"),
    ],
)
def test_a_broken_package_names_itself_and_breaks_nothing_else(monkeypatch, value, problem) -> None:
    offer(monkeypatch, broken=value)
    with pytest.raises(DataJointError, match=problem):
        dj.get_storage_adapter("broken")
    with pytest.raises(DataJointError, match=problem):
        store_spec({"x": {"protocol": "broken"}}, "x")
    assert new_store({"protocol": "memory"}).fs is not None
    with pytest.raises(DataJointError, match=r"Unknown protocol .*Installed or registered: broken"):
        store_spec({"x": {"protocol": "ftp"}}, "x")


def test_an_adapter_that_fails_is_reported_without_secrets(monkeypatch) -> None:
    offer(monkeypatch, leaky="tests.stores.plugin:Leaky")
    store = Store("raw", store_spec({"raw": {"protocol": "leaky", "password": "hunter2/x"}}, "raw"))
    with pytest.raises(DataJointError, match=r"'raw' failed .*cannot log in with ") as caught:
        store.get("a")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
