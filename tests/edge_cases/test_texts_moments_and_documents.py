"""Statements 105 to 118: strings, dates, enums, UUIDs, JSON, bytes and blobs."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import djupyter as dj
from djupyter.errors import DefinitionError, InvalidValueError, MissingAttributeError


@pytest.fixture
def T(schema: dj.Schema) -> Any:
    @schema
    class T(dj.Manual):
        definition = """
        id : int32
        ---
        v = null : varchar(30)  # 🐭 and «ü»
        c = null : char(4)
        e = null : enum('low', 'High')
        d = null : date
        t = null : datetime
        t3 = null : datetime(3)
        t6 = null : datetime(6)
        u = null : uuid
        raw = null : bytes
        blob = null : <blob>
        """

    return T


@pytest.mark.statement(105)
@pytest.mark.parametrize(
    "text",
    [
        "é",
        "日本語",
        "🐭🧠",
        "a\u0301",
        "\u202e",
        "\t\n",
        "\\",
        "'\"`%s%%:x;",
        " both ends ",
        "",
        "NULL",
    ],
)
def test_any_text_comes_back_as_it_went_in(T: Any, text: str) -> None:
    T.insert1({"id": 1, "v": text, "blob": [text]})
    assert T.fetch1("v", "blob") == (text, [text])
    assert len(T & {"v": text}) == 1
    assert T.heading["v"].comment == "🐭 and «ü»"


@pytest.mark.statement(106)
def test_a_char_comes_back_without_trailing_blanks_and_a_long_one_is_refused(T: Any) -> None:
    """Also on PostgreSQL, which pads what it returns."""
    T.insert([{"id": 1, "c": "ab"}, {"id": 2, "c": "ab  "}, {"id": 3, "c": "abcd"}])
    assert T.to_arrays("c", order_by="id").tolist() == ["ab", "ab", "abcd"]
    assert sorted((T & {"c": "ab"}).to_arrays("id")) == [1, 2]
    assert sorted((T & "c = 'ab'").to_arrays("id")) == [1, 2]
    with pytest.raises(InvalidValueError, match="`c`"):
        T.insert1({"id": 4, "c": "abcde"})


@pytest.mark.statement(107)
def test_an_enum_takes_its_members_as_they_are_spelt(T: Any) -> None:
    """Another case is refused on every backend, not translated on one."""
    T.insert1({"id": 1, "e": "High"})
    assert T.fetch1("e") == "High"
    for wrong in ("high", "", "other", 1):
        with pytest.raises(InvalidValueError, match="one of 'low', 'High'"):
            T.insert1({"id": 2, "e": wrong})


@pytest.mark.statement(108)
def test_days_are_taken_in_every_form_and_wrong_ones_refused(T: Any) -> None:
    day = datetime.date(2024, 2, 29)
    forms = ["2024-02-29", day, np.datetime64("2024-02-29"), pd.Timestamp("2024-02-29")]
    T.insert([{"id": place, "d": form} for place, form in enumerate(forms)])
    assert T.to_arrays("d").tolist() == [day] * 4
    for wrong in ("0000-00-00", "2023-02-29", "2024-13-01", "today"):
        with pytest.raises(InvalidValueError, match="`d`"):
            T.insert1({"id": 9, "d": wrong})


@pytest.mark.statement(108)
def test_moments_are_taken_in_every_form(T: Any) -> None:
    moment = datetime.datetime(2024, 2, 29, 12, 30, 5, 250000)
    forms = [str(moment), moment, np.datetime64(moment), pd.Timestamp(moment), moment.isoformat()]
    T.insert([{"id": place, "t6": form} for place, form in enumerate(forms)])
    assert T.to_arrays("t6").tolist() == [moment] * 5
    assert len(T & {"t6": moment}) == len(T & f"t6 = '{moment}'") == 5


@pytest.mark.statement(109)
def test_a_datetime_keeps_the_digits_it_declares(T: Any) -> None:
    """The same on every backend: what does not fit is dropped or refused, never kept on one of them only."""
    moment = datetime.datetime(2024, 2, 29, 23, 59, 59, 123456)
    T.insert1({"id": 1, "t6": moment})
    assert T.fetch1("t6") == moment
    kept = datetime.datetime(2024, 2, 29, 23, 59, 59, 678000)
    T.insert1({"id": 2, "t": kept.replace(microsecond=0), "t3": kept})
    assert (T & "id = 2").fetch1("t", "t3") == (kept.replace(microsecond=0), kept)
    assert len(T & {"t3": kept}) == 1
    T.insert1({"id": 3, "t": moment, "t3": moment})
    cut = (moment.replace(microsecond=0), moment.replace(microsecond=123000))
    assert (T & "id = 3").fetch1("t", "t3") == cut
    assert (T & {"t": moment, "t3": moment}).fetch1("id") == 3


@pytest.mark.statement(110)
def test_a_uuid_is_inserted_fetched_and_found(T: Any) -> None:
    """On PostgreSQL too."""
    one = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
    T.insert([{"id": 1, "u": one}, {"id": 2, "u": str(one).upper()}, {"id": 3, "u": None}])
    assert T.to_arrays("u", order_by="id").tolist() == [one, one, None]
    assert len(T & {"u": one}) == len(T & {"u": one.hex}) == len(T & [{"u": one}]) == 2
    for wrong in ("not-a-uuid", 5, b"short"):
        with pytest.raises(InvalidValueError, match="UUID"):
            T.insert1({"id": 4, "u": wrong})


@pytest.fixture
def Car(schema: dj.Schema) -> Any:
    @schema
    class Car(dj.Manual):
        definition = "id : int32\n---\ncar = null : json"

    return Car


DOCUMENTS: list[Any] = [
    {"name": "Rev", "length": 20.5, "ok": True, "l": [{"s": 1}, "x"], "none": None, "deep": {"k": "é"}},
    {"name": "Other", "length": 7, "ok": False, "l": []},
    [1, "two", None],
    "text",
    5,
    2.5,
    True,
]  # fmt: skip


@pytest.mark.statement(111)
def test_documents_of_all_kinds_come_back(Car: Any) -> None:
    """A bare text too, which PostgreSQL could not give back."""
    Car.insert(list(enumerate(DOCUMENTS)))
    Car.insert1((99, None))
    found = Car.to_dicts(order_by="id")
    assert [row["car"] for row in found] == [*DOCUMENTS, None]
    assert [type(row["car"]) for row in found[:7]] == list(map(type, DOCUMENTS))
    assert (Car & {"car": None}).fetch1("id") == 99


@pytest.mark.statement(111)
@pytest.mark.parametrize("wrong", [float("inf"), {"x": float("nan")}, {1, 2}, {"f": object()}])
def test_what_is_no_document_is_refused(Car: Any, wrong: object) -> None:
    """NaN inside a document before the server sees it."""
    with pytest.raises(InvalidValueError, match="`car` : json"):
        Car.insert1((1, wrong))


@pytest.mark.statement(112, 113, 115)
@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ({"car.name": "Rev"}, [0]),
        ({"car.deep.k": "é"}, [0]),
        ({"car.l[0].s": 1}, [0]),
        ({"car.l[1]": "x"}, [0]),
        ({"car.length": 20.5}, [0]),
        ({"car.length:float": 20.5}, [0]),
        ({"car.length:decimal(4,1)": Decimal("20.5")}, [0]),
        ({"car.l[0].s:unsigned": 1}, [0]),
        ({"car.ok": True}, [0]),
        ({"car.ok": False}, [1]),
        ({"car.zzz": None}, [0, 1, 2, 3, 4, 5, 6]),
        ({"car.none": None}, [0, 1, 2, 3, 4, 5, 6]),
        ({"car[1]": "two"}, [2]),
        ({"car.l": [{"s": 1}, "x"]}, [0]),
        ({"car.l": []}, [1]),
        ({"car.deep": {"k": "é"}}, [0]),
        ("car.name = 'Rev'", [0]),
    ],
    ids=str,
)
def test_places_in_documents_are_compared_by_what_they_hold(
    Car: Any, condition: Any, ids: list[int]
) -> None:
    """Numbers, truth values and typed places on every backend, MariaDB included."""
    Car.insert(list(enumerate(DOCUMENTS)))
    assert sorted((Car & condition).to_arrays("id")) == ids


@pytest.mark.statement(113)
def test_the_word_true_is_no_truth_value(Car: Any) -> None:
    """On no backend, where the same dict used to find rows on one only."""
    Car.insert(list(enumerate(DOCUMENTS)))
    assert len(Car & {"car.ok": "true"}) == 0
    assert len(Car & {"car.length": "7"}) == 0


@pytest.mark.statement(114)
def test_places_in_documents_are_computed(Car: Any) -> None:
    Car.insert1((1, DOCUMENTS[0]))
    row = Car.proj(
        name="car.name", n="car.length:decimal(4,1)", f="car.length:float", k="car.deep.k"
    ).fetch1()
    assert row == {"id": 1, "name": "Rev", "n": Decimal("20.5"), "f": 20.5, "k": "é"}
    assert Car.proj(n="car.length").fetch1("n") == "20.5"
    assert Car.proj(n="car.zzz").fetch1("n") is None
    assert len(Car.proj(n="car.length:float") & "n > 10") == 1


@pytest.mark.statement(116)
def test_bytes_go_in_and_come_out_as_bytes(T: Any) -> None:
    """Never as a memoryview; text is refused."""
    for place, value in enumerate((b"", b"\0\xff'\\", bytearray(b"ab"), memoryview(b"cd"))):
        T.insert1({"id": place, "raw": value})
    found = T.to_arrays("raw", order_by="id").tolist()
    assert found == [b"", b"\0\xff'\\", b"ab", b"cd"]
    assert set(map(type, found)) == {bytes}
    with pytest.raises(InvalidValueError, match="`raw`"):
        T.insert1({"id": 9, "raw": "text"})


@pytest.mark.statement(117)
def test_a_blob_has_no_default_but_null(schema: dj.Schema) -> None:
    """On every backend, said when it is declared."""
    with pytest.raises(DefinitionError):

        @schema
        class Wrong(dj.Manual):
            definition = "id : int32\n---\ndata = 'x' : <blob>"

    @schema
    class Right(dj.Manual):
        definition = "id : int32\n---\ndata : <blob>"

    with pytest.raises(MissingAttributeError, match="`data`"):
        Right.insert1((1, None))


@pytest.mark.statement(118)
@pytest.mark.parametrize("type_", ["json", "<blob>", "bytes"])
def test_a_key_holds_no_document_and_no_blob(schema: dj.Schema, type_: str) -> None:
    """Refused with the line before anything is created, on every backend."""
    with pytest.raises(DefinitionError, match="line 1"):

        @schema
        class Wrong(dj.Manual):
            definition = f"data : {type_}\n---\nx : int32"

    assert schema.list_tables() == []
