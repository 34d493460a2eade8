"""Finding codecs by name."""

from importlib.metadata import EntryPoint

import pytest

from djupyter.codecs import registry
from djupyter.codecs.base import Codec
from djupyter.codecs.chain import chain_of, column_type_of
from djupyter.codecs.registry import get_codec, list_codecs
from djupyter.definition.model import TypeSpec
from djupyter.definition.types import parse_type
from djupyter.errors import DataJointError


class Tags(Codec, register=False):
    name = "tags"

    def get_dtype(self, is_store):
        return "json"

    def encode(self, value, *, key=None):
        return sorted(value)

    def decode(self, stored, *, key=None):
        return set(stored)


def defined(class_name="Tags", /, base=Tags, **members):
    """Define a codec as a cell does."""
    place = {"__module__": __name__, "__qualname__": class_name}
    return type(class_name, (base,), place | members)


@pytest.fixture(autouse=True)
def fresh_registry(monkeypatch):
    """Give each test the built-in codecs only."""
    monkeypatch.setattr(registry, "_codecs", {})
    offer(monkeypatch)


def offer(monkeypatch, **values):
    """Pretend that installed packages offer codecs; the value of each is `module:class`."""
    offers = {name: EntryPoint(name, value, "djupyter.codecs") for name, value in values.items()}
    monkeypatch.setattr(registry, "_offers", lambda: offers)


def codec_type(name, store=None):
    return parse_type(f"<{name}>" if store is None else f"<{name}@{store}>")


BUILT_IN = list_codecs()


def test_some_codecs_are_built_in():
    assert {"attach", "blob", "filepath", "hash", "npy", "object", "parquet", "zarr"} <= {*BUILT_IN}
    assert get_codec("<blob>") is get_codec("blob@raw")


def test_an_unknown_codec_is_explained_with_the_known_and_the_nearest():
    with pytest.raises(
        DataJointError,
        match=r"<blbo> is not available.*Known codecs: attach, blob.*Did you mean `blob`",
    ):
        get_codec("blbo")


def test_a_codec_is_known_once_it_is_defined():
    defined()
    assert get_codec("tags").decode(["a"]) == {"a"}
    assert list_codecs() == sorted([*BUILT_IN, "tags"])


def test_a_class_defined_again_replaces_itself():
    defined()
    again = defined()
    assert type(get_codec("tags")) is again


@pytest.mark.parametrize("name", ["tags", "blob"])
def test_another_class_cannot_take_the_name(name):
    defined()
    with pytest.raises(DataJointError, match=f"<{name}> exists already"):
        defined("Other", name=name)


def test_a_base_of_codecs_is_not_known():
    class Half(Codec):
        def get_dtype(self, is_store):
            return "json"

    class Base(Codec, register=False):
        name = "base"

    assert list_codecs() == BUILT_IN


@pytest.mark.parametrize("members", [{"name": "Tags"}, {"name": ""}, {"name": 5}])
def test_a_codec_needs_a_name_that_can_stand_in_a_definition(members):
    with pytest.raises(DataJointError, match="no usable name"):
        defined(**members)


def test_a_codec_that_cannot_be_made_is_refused():
    def needs(self, what):
        pass

    with pytest.raises(DataJointError, match="cannot be made"):
        defined(__init__=needs)


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
    assert list_codecs() == sorted([*BUILT_IN, "broken"])
    assert column_type_of(codec_type("broken")).text == "bytes"
    assert get_codec("blob")


def test_installed_packages_are_found_by_any_group_and_override_nothing_built_in(monkeypatch):
    monkeypatch.undo()
    groups = {
        "djupyter.codecs": [EntryPoint("tags", "ours:Tags", "djupyter.codecs")],
        "datajoint.codecs": [
            EntryPoint("tags", "theirs:Tags", "datajoint.codecs"),
            EntryPoint("spikes", "theirs:Spikes", "datajoint.codecs"),
            EntryPoint("blob", "theirs:Blob", "datajoint.codecs"),
        ],
        "datajoint.types": [EntryPoint("old", "theirs:Old", "datajoint.types")],
    }
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: groups[group])
    offers = registry._offers.__wrapped__()
    assert {name: offer.value for name, offer in offers.items()} == {
        "tags": "ours:Tags",
        "spikes": "theirs:Spikes",
        "old": "theirs:Old",
    }


def test_a_codec_that_is_not_there_has_a_column_all_the_same():
    assert column_type_of(codec_type("nobody")).text == "bytes"
    for store in ("", "raw"):
        assert column_type_of(codec_type("nobody", store)).text == "json"


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_codec_has_a_json_column_in_a_store(name):
    for store in ("", "raw"):
        assert column_type_of(codec_type(name, store)).text == "json"


@pytest.mark.parametrize("name", ["hash", "npy", "object", "filepath", "zarr", "parquet"])
def test_what_lies_in_stores_only_says_so(name):
    with pytest.raises(DataJointError, match=f"write `<{name}@store>`"):
        column_type_of(codec_type(name))


def test_the_codec_itself_decides_its_column_type():
    defined(get_dtype=lambda self, is_store: "json" if is_store else "varchar(10)")
    assert column_type_of(codec_type("tags")).text == "varchar(10)"
    assert column_type_of(codec_type("tags", "raw")).text == "json"


def test_a_column_type_that_is_no_type_is_refused():
    defined(get_dtype=lambda self, is_store: "text of any kind")
    with pytest.raises(DataJointError, match="<tags> wants a column of type 'text of any kind'"):
        column_type_of(codec_type("tags"))


def test_codecs_take_what_others_made_and_keep_the_store():
    seen = []

    def encode(self, value, *, context, store_name):
        seen.append((context["field"], store_name))
        return value.encode()

    defined("Inner", name="inner", encode=encode, decode=lambda self, stored: stored.decode())
    defined(get_dtype=lambda self, is_store: "<inner>", encode=lambda self, value: value.upper())
    chain = chain_of(codec_type("tags", "raw"))
    assert [codec.name for codec in chain.codecs] == ["tags", "inner"]
    assert chain.encode("a", {}, {"field": "x"}) == b"A"
    assert seen == [("x", "raw")]
    assert chain.decode(b"A", {}) == {"A"}


def test_codecs_that_never_end_in_a_column_are_refused():
    defined("Inner", name="inner", get_dtype=lambda self, is_store: "<tags>")
    defined(get_dtype=lambda self, is_store: "<inner>")
    with pytest.raises(DataJointError, match="never ends in a column: <tags> -> <inner> -> <tags>"):
        column_type_of(codec_type("tags"))


def test_other_types_are_their_own_column_type():
    declared = TypeSpec("int32", "core", "int32")
    assert column_type_of(declared) is declared
