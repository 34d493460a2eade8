"""Finding codecs by name."""

from importlib.metadata import EntryPoint

import pytest

from djupyter.codecs import registry
from djupyter.codecs.base import Codec
from djupyter.codecs.registry import column_type_of, get_codec, list_codecs, register
from djupyter.definition.model import TypeSpec
from djupyter.errors import DataJointError


class Tags(Codec):
    name = "tags"

    def column_type(self, *, in_store):
        return "json"

    def encode(self, value, address):
        return sorted(value)

    def decode(self, stored, address):
        return set(stored)


class WantsText(Tags):
    name = "wants_text"

    def column_type(self, *, in_store):
        return "varchar(10)"


@pytest.fixture(autouse=True)
def fresh_registry(monkeypatch):
    """Give each test the built-in codecs only."""
    monkeypatch.setattr(registry, "_codecs", {"blob": get_codec("blob")})
    offer(monkeypatch)


def offer(monkeypatch, **values):
    """Pretend that installed packages offer codecs; the value of each is `module:class`."""
    offers = {name: EntryPoint(name, value, "djupyter.codecs") for name, value in values.items()}
    monkeypatch.setattr(registry, "_offers", lambda: offers)


def codec_type(name, store=None):
    return TypeSpec(f"<{name}>", "codec", name, store=store)


def test_blob_is_built_in():
    assert list_codecs() == ["blob"]
    assert get_codec("<blob>") is get_codec("blob")


def test_an_unknown_codec_is_explained_with_the_known_and_the_nearest():
    with pytest.raises(
        DataJointError, match=r"<blbo> is not available.*Known codecs: blob\. Did you mean `blob`"
    ):
        get_codec("blbo")


def test_a_registered_codec_is_found():
    assert register(Tags) is Tags
    assert get_codec("tags").decode(["a"], None) == {"a"}
    assert list_codecs() == ["blob", "tags"]


def test_a_class_defined_again_replaces_itself():
    register(Tags)
    again = type("Tags", (Tags,), {"__module__": Tags.__module__, "__qualname__": "Tags"})
    register(again)
    assert type(get_codec("tags")) is again


def test_another_class_cannot_take_the_name():
    register(Tags)
    with pytest.raises(DataJointError, match="<tags> exists already"):
        register(type("Other", (Tags,), {}))


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (int, "Derive it from"),
        (type("Nameless", (Codec,), {}), "no usable name"),
        (type("Loud", (Tags,), {"name": "Tags"}), "no usable name"),
        (type("Half", (Codec,), {"name": "half"}), "cannot be made"),
    ],
)
def test_what_is_no_codec_is_refused(made, problem):
    with pytest.raises(DataJointError, match=problem):
        register(made)


def test_a_codec_of_an_installed_package_is_loaded_when_asked_for(monkeypatch):
    offer(monkeypatch, tags=f"{__name__}:Tags")
    assert "tags" in list_codecs()
    assert type(get_codec("tags")).__name__ == "Tags"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("no_such_module:Tags", "No module named"),
        (f"{__name__}:Missing", "no attribute"),
        (f"{__name__}:codec_type", "Not a codec"),
        (f"{__name__}:Tags", "named <tags> inside"),
    ],
)
def test_a_broken_package_names_itself_and_breaks_nothing_else(monkeypatch, value, problem):
    offer(monkeypatch, broken=value)
    with pytest.raises(DataJointError, match="broken") as caught:
        get_codec("broken")
    assert problem in str(caught.value)
    assert value in str(caught.value)
    assert list_codecs() == ["blob", "broken"]
    assert column_type_of(codec_type("broken")).text == "bytes"
    assert get_codec("blob")


def test_installed_packages_are_found_by_either_group(monkeypatch):
    monkeypatch.undo()
    groups = {
        "djupyter.codecs": [EntryPoint("tags", "ours:Tags", "djupyter.codecs")],
        "datajoint.codecs": [
            EntryPoint("tags", "theirs:Tags", "datajoint.codecs"),
            EntryPoint("zarr", "theirs:Zarr", "datajoint.codecs"),
        ],
    }
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: groups[group])
    offers = registry._offers.__wrapped__()
    assert {name: offer.value for name, offer in offers.items()} == {
        "tags": "ours:Tags",
        "zarr": "theirs:Zarr",
    }


@pytest.mark.parametrize("name", ["blob", "attach", "npy", "object", "filepath", "hash", "nobody"])
def test_every_codec_has_a_column_type_even_when_it_is_not_there(name):
    assert column_type_of(codec_type(name)) == TypeSpec("bytes", "core", "bytes")
    for store in ("", "raw"):
        assert column_type_of(codec_type(name, store)) == TypeSpec("json", "core", "json")


def test_the_codec_itself_decides_its_column_type():
    register(Tags)
    assert column_type_of(codec_type("tags")).text == "json"


def test_a_codec_may_only_use_bytes_or_json():
    register(WantsText)
    with pytest.raises(
        DataJointError, match=r"<wants_text> wants a column of type 'varchar\(10\)'"
    ):
        column_type_of(codec_type("wants_text"))


def test_other_types_are_their_own_column_type():
    declared = TypeSpec("int32", "core", "int32")
    assert column_type_of(declared) is declared
