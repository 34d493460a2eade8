"""`{name}` in SQL is a value, never text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.notebook.sql_cell import SqlError, parse_sql
from tests.conftest import Database
from tests.notebook.conftest import Notebook


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("SELECT {n}", "SELECT %(v0)s"),
        ("SELECT { n }, {n}", "SELECT %(v0)s, %(v1)s"),
        ("SELECT {{n}}", "SELECT {n}"),
        ("SELECT '{{1,2}}'::int[]", "SELECT '{1,2}'::int[]"),
        ("a IN {many}", "a IN (%(v0)s, %(v1)s)"),
        ("a IN ( {many} )", "a IN ( %(v0)s, %(v1)s )"),
        ("a IN ({many}, {n})", "a IN ((%(v0)s, %(v1)s), %(v2)s)"),
        ("a % 2 = 1 AND b LIKE '5%s'", "a %% 2 = 1 AND b LIKE '5%%s'"),
        (
            "-- {not} a value\nSELECT 1 /* {nor} this */",
            "-- {not} a value\nSELECT 1 /* {nor} this */",
        ),
        ("SELECT 'it''s', {n}", "SELECT 'it''s', %(v0)s"),
        ("SELECT $$ '$$, {n}", "SELECT $$ '$$, %(v0)s"),
        ("SELECT {row[name]}, {row[0]}, {n.real}", "SELECT %(v0)s, %(v1)s, %(v2)s"),
    ],
)
def test_values_become_placeholders(text: str, sql: str) -> None:
    names = {"n": 5, "many": [1, 2], "row": {"name": "x", "0": "y"}}
    assert parse_sql(text, names).sql == sql


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "SELECT 1,\n {nn}",
            "there is no `nn` in the notebook (line 3, column 2)\n    3 |  {nn}\n      |  ^^^^",
        ),
        ("SELECT {numbr}", "Did you mean `number`?"),
        ("SELECT '{number}'", "{number} stands inside quotes (line 2, column 9)"),
        ("SELECT {'a': 1}", "is not the name of a value (line 2, column 8)"),
        ("SELECT {number + 1}", "is not the name of a value"),
        ("SELECT {", "(line 2, column 8)"),
        ("SELECT }", "(line 2, column 8)"),
        ("SELECT {number.nothing}", "{number.nothing} has no value: AttributeError"),
        ("SELECT {table}", "{table} is no single value but dict"),
        ("a IN {none}", "{none} is empty"),
        ("a IN {nested}", "{nested} is no single value but list"),
    ],
)
def test_what_is_wrong_is_shown_where_it_stands(text: str, told: str) -> None:
    names = {"number": 1, "table": {}, "none": [], "nested": [[1]]}
    with pytest.raises(SqlError) as caught:
        parse_sql(text, names)
    assert told in str(caught.value)


@given(st.text(max_size=30).filter(lambda text: not set("'\"`$/-") & set(text)))
def test_text_with_doubled_braces_comes_back(text: str) -> None:
    written = text.replace("{", "{{").replace("}", "}}")
    assert parse_sql(written, {}).sql == text.replace("%", "%%")


@pytest.fixture
def rows(db: Database, notebook: Notebook) -> Notebook:
    """A table with three rows on each database; `t` is its name there."""
    schema = db.schema_name("raw")
    notebook.run(f"connection = dj.conn({db.url!r}, reset=True)")
    notebook.run(f"%dj_schema {schema}")
    notebook.run(
        "%%dj_table Mouse : Lookup\nmouse : int32\n---\nname : varchar(40)\n===\n1,Ada\n2,O'Hara\n3,100%\n"
    )
    table = notebook["Mouse"]().name
    quote = notebook["connection"].backend.quote
    notebook.shell.user_ns["t"] = (
        quote(f"{schema}.{table.table}")
        if db.backend == "sqlite"
        else f"{quote(schema)}.{quote(table.table)}"
    )
    return notebook


def sql(notebook: Notebook, text: str, options: str = "", *, fails: bool = False) -> object:
    output = notebook.run(
        f"%%dj_sql {options}\n{text.replace('TABLE', notebook['t'])}", fails=fails
    )
    return output.error if fails else output


def test_rows_come_as_a_frame(rows: Notebook) -> None:
    sql(rows, "SELECT mouse, name FROM TABLE ORDER BY mouse", "-o found")
    found = rows["found"]
    assert isinstance(found, pd.DataFrame)
    assert found["name"].tolist() == ["Ada", "O'Hara", "100%"]
    assert list(found.columns) == ["mouse", "name"]


def test_values_are_bound_on_every_database(rows: Notebook) -> None:
    rows.shell.user_ns |= {
        "hostile": "O'Hara",
        "injection": "x' OR '1'='1",
        "numbers": [1, np.int64(3)],
        "array": np.array([2, 3]),
        "column": pd.Series(["Ada"]),
    }
    for condition, expected in [
        ("name = {hostile}", [2]),
        ("name = {injection}", []),
        ("mouse IN {numbers}", [1, 3]),
        ("mouse NOT IN ({array})", [1]),
        ("name IN {column}", [1]),
        ("name LIKE '%0%'", [3]),
        ("mouse % 2 = 0", [2]),
        ("name = '{{}}' OR mouse = 1 -- {comment}", [1]),
    ]:
        sql(rows, f"SELECT mouse FROM TABLE WHERE {condition} ORDER BY mouse", "-o found")
        assert rows["found"]["mouse"].tolist() == expected, condition


def test_without_a_name_the_frame_is_the_result_of_the_cell(rows: Notebook) -> None:
    output = sql(rows, "SELECT count(*) AS n FROM TABLE")
    assert "3" in output.plain or "3" in output.text


def test_statements_that_write_tell_how_many_rows(rows: Notebook) -> None:
    assert "2 rows changed" in sql(rows, "UPDATE TABLE SET name = 'new' WHERE mouse > 1").text
    assert "1 row changed" in sql(rows, "DELETE FROM TABLE WHERE mouse = 1", "-o gone").text
    assert rows["gone"] == 1
    assert rows["Mouse"].to_arrays("name").tolist() == ["new", "new"]


def test_an_error_is_one_message(rows: Notebook) -> None:
    for text in (
        "SELECT *\nFORM TABLE",
        "SELECT nothing FROM TABLE",
        "COMMIT",
        "SELECT * FROM nowhere_x",
    ):
        output = rows.run(f"%%dj_sql\n{text.replace('TABLE', rows['t'])}", fails=True)
        assert output.text.count("Error:") == 1
        assert "src/djupyter" not in output.text
    wrong = sql(rows, "SELECT mouse,\n  nothing FROM TABLE", fails=True)
    assert "\n    3 |   nothing FROM" in str(wrong)
    assert "^^^^^^^" in str(wrong)


def test_a_name_that_is_none_is_refused(lab: Notebook) -> None:
    error = lab.run("%%dj_sql -o 1x\nSELECT 1", fails=True).error
    assert "not a name" in str(error)
