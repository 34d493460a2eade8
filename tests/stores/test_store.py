"""What a store does, on every protocol."""

from __future__ import annotations

import io
import pickle
import threading
import time

import pytest

from djupyter.errors import DataJointError, MissingExternalFile
from djupyter.stores.files import PART
from djupyter.stores.store import Store, Stores


def paths(store: Store, prefix: str = "") -> list[str]:
    return sorted(entry.path for entry in store.entries(prefix))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        bytearray(b"hello"),
        memoryview(b"hello")[1:3],
        [b"he", bytearray(b"l"), memoryview(b"lo")],
        [],
    ],
    ids=["empty", "bytes", "bytearray", "view", "pieces", "no pieces"],
)
def test_what_is_put_can_be_got(store: Store, data) -> None:
    whole = b"".join(data) if isinstance(data, list) else bytes(data)
    store.put("a/b c/d=1", data)
    assert store.get("a/b c/d=1") == whole
    entry = store.info("a/b c/d=1")
    assert entry is not None
    assert (entry.path, entry.size) == ("a/b c/d=1", len(whole))
    assert abs(entry.modified - time.time()) < 3600
    assert list(store.entries("a")) == [entry]


def test_an_object_may_be_put_over(store: Store) -> None:
    store.put("a", b"one")
    store.put("a", b"two")
    assert store.get("a") == b"two"
    assert paths(store) == ["a"]


def test_names_of_any_kind_survive(store: Store) -> None:
    names = ["é/ü ö", "a%2Fb", "x+y&z=?#[1]", "#kind", "~tmp", "日本", "a'b\"c", "trailing."]
    for name in names:
        store.put(f"names/{name}", name.encode())
    assert paths(store, "names") == sorted(f"names/{name}" for name in names)
    for name in names:
        assert store.get(f"names/{name}") == name.encode()
        assert store.info(f"names/{name}") is not None
    assert store.remove_many([f"names/{name}" for name in names]) == []
    assert paths(store) == []


def test_what_is_absent_is_said_to_be(store: Store, tmp_path) -> None:
    store.put("a/b", b"1")
    for path in ("x", "a/x", "a/b/x"):
        assert store.info(path) is None
        assert not store.exists(path)
        assert not store.is_folder(path)
        assert paths(store, path) == []
        with pytest.raises(
            MissingExternalFile, match=r"Missing external file .* in the store 'raw'"
        ):
            store.get(path)
        with pytest.raises(MissingExternalFile):
            store.get_file(path, tmp_path / "here")
        with pytest.raises(MissingExternalFile):
            store.open(path).read()
        store.remove(path)
        assert store.remove_many([path]) == []
    assert not list(tmp_path.glob("*here*"))
    assert paths(store) == ["a/b"]


def test_a_folder_is_no_object(store: Store) -> None:
    store.put("a/b/c", b"1")
    assert store.exists("a/b")
    assert store.is_folder("a/b")
    assert store.info("a/b") is None
    assert not store.is_folder("a/b/c")
    assert store.exists("a/") is not False
    with pytest.raises(DataJointError):
        store.get("a/b")


def test_a_listing_holds_a_folder_and_not_its_namesakes(store: Store) -> None:
    for path in ("a/1", "a/b/2", "ab/3", "a.b/4", "c"):
        store.put(path, b"x")
    assert paths(store, "a") == paths(store, "a/") == ["a/1", "a/b/2"]
    assert paths(store) == ["a.b/4", "a/1", "a/b/2", "ab/3", "c"]
    assert paths(store, "c") == []


def test_a_folder_is_removed_with_all_in_it(store: Store) -> None:
    for path in ("a/1", "a/b/2", "ab/3", "k/l/m/4"):
        store.put(path, b"x")
    store.remove("a")
    store.remove("k/l/m/4")
    assert paths(store) == ["ab/3"]
    assert not store.exists("a")
    assert not store.exists("k")


def test_many_are_removed_in_one_call(store: Store) -> None:
    for n in range(30):
        store.put(f"a/{n}", b"x")
    assert store.remove_many(f"a/{n}" for n in range(0, 40, 2)) == []
    assert paths(store) == sorted(f"a/{n}" for n in range(1, 30, 2))


def test_large_objects_go_and_come_in_parts(store: Store, tmp_path) -> None:
    whole = bytes(range(256)) * (PART // 128) + b"the end"  # two parts and a bit
    pieces = [
        memoryview(whole)[start : start + 7_000_001] for start in range(0, len(whole), 7_000_001)
    ]
    store.put("a/pieces", pieces)
    store.put("a/whole", whole)
    (tmp_path / "local").write_bytes(whole)
    assert store.put_file("a/file", tmp_path / "local") == len(whole)
    with store.open("a/stream", "wb") as file:
        for piece in pieces:
            file.write(piece)
    for name in ("pieces", "whole", "file", "stream"):
        assert store.get(f"a/{name}") == whole, name
        store.get_file(f"a/{name}", tmp_path / "back" / name)
        assert (tmp_path / "back" / name).read_bytes() == whole, name
    assert [
        path.name for path in (tmp_path / "back").iterdir() if path.name.endswith(".part")
    ] == []


def test_a_file_appears_when_it_is_closed(store: Store) -> None:
    file = store.open("a/b", "wb")
    file.write(b"hel")
    assert not store.exists("a/b")
    file.write(b"lo")
    file.close()
    file.close()
    assert store.get("a/b") == b"hello"


@pytest.mark.parametrize("size", [0, 10, 2 * PART + 1])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_while_writing_leaves_nothing(store: Store, error, size) -> None:
    with pytest.raises(error), store.open("a/b", "wb") as file:  # noqa: PT012
        file.write(bytes(size))
        raise error
    assert paths(store) == []


def test_a_file_that_nobody_closed_never_appears(store: Store) -> None:
    file = store.open("a/b", "wb")
    file.write(b"hello")
    del file
    assert paths(store) == []


def test_text_is_written_and_read_as_utf_8(store: Store) -> None:
    with store.open("a", "w") as file:
        file.write("é\n")
    assert store.get("a") == "é\n".encode()
    with store.open("a", "r") as file:
        assert file.read() == "é\n"
    with pytest.raises(RuntimeError), store.open("b", "w") as file:  # noqa: PT012
        file.write("x")
        raise RuntimeError
    file = store.open("c", "w")
    file.write("x")
    del file
    assert paths(store) == ["a"]


@pytest.mark.parametrize("mode", ["ab", "r+b", "x", ""])
def test_other_ways_to_open_are_refused(store: Store, mode) -> None:
    with pytest.raises(DataJointError, match="opened as one of"):
        store.open("a", mode)


def test_an_object_is_read_in_the_middle(store: Store) -> None:
    store.put("a", b"0123456789")
    with store.open("a") as one, store.open("a") as other:
        one.seek(4)
        assert (one.read(2), other.read(2)) == (b"45", b"01")


def test_readers_and_writers_share_a_store(store: Store) -> None:
    failures = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                path = f"shared/{number}/{turn}"
                store.put(path, path.encode())
                assert store.get(path) == path.encode()
                store.remove(path)  # its folder goes, while others make theirs
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number % 4,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert paths(store) == []


def test_a_mapping_holds_the_files_of_a_folder(store: Store) -> None:
    mapping = store.mapping("a/z.zarr")
    mapping["c/0"] = b"chunk"
    assert store.get("a/z.zarr/c/0") == b"chunk"
    assert list(mapping) == ["c/0"]


def test_a_store_can_be_sent_to_another_process(store: Store) -> None:
    store.put("a", b"1")
    assert pickle.loads(pickle.dumps(store)).get("a") == b"1"


def test_a_missing_local_file_is_no_missing_object(store: Store, tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="local file"):
        store.put_file("a", tmp_path / "none")
    assert paths(store) == []


# Stores by name


def test_stores_follow_the_settings() -> None:
    setting = {"default": "raw", "filepath_default": "files", "raw": {"protocol": "memory"}}
    setting["files"] = {"protocol": "memory", "location": "files"}
    stores = Stores(lambda: setting)
    assert stores.names == ["raw", "files"]
    assert stores.get() is stores.get("") is stores.get("raw")
    assert (stores.get().name, stores.get(filepath=True).name) == ("raw", "files")
    before = stores.get()
    setting["raw"] = {"protocol": "memory", "location": "elsewhere"}
    assert stores.get() is not before
    assert stores.get().url("x") == "memory://elsewhere/x"
    with pytest.raises(
        DataJointError, match=r"'rwa' is requested but not configured.*Did you mean `raw`"
    ):
        stores.get("rwa")


def test_no_repr_shows_a_secret(s3_entry) -> None:
    stores = Stores(lambda: {"raw": s3_entry})
    store = stores.get("raw")
    shown = io.StringIO()
    print(store, repr(store), store.spec, repr(store.spec), stores, store.fs, file=shown)
    assert s3_entry["secret_key"] not in shown.getvalue()
    assert s3_entry["access_key"] not in shown.getvalue()
    assert store.spec["secret_key"] == s3_entry["secret_key"]
