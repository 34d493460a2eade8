"""`%dj_module`: a notebook's tables as a module that a fresh process imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from djupyter.errors import DataJointError
from tests.notebook.conftest import Notebook

ROOT = Path(__file__).parents[3]
# Prints what a module declares, parts included, as the database then has it.
LOOK = """
import importlib, json, sys
sys.path.insert(0, ".")
module = importlib.import_module(sys.argv[1])
import djupyter as dj
found = {}
def look(cls, name):
    found[name] = [cls.describe(), len(cls()) if list(getattr(cls, "contents", ())) else 0, hasattr(cls, "make")]
    for inner, part in vars(cls).items():
        if isinstance(part, type) and issubclass(part, dj.Part):
            look(part, f"{name}.{inner}")
for name, cls in vars(module).items():
    if isinstance(cls, type) and issubclass(cls, dj.Table) and not issubclass(cls, dj.Part):
        look(cls, name)
print(json.dumps(found))
"""


def imported(module: str, folder: Path) -> dict[str, Any]:
    """Import a module in a fresh process, on a database of its own; what it declares."""
    environment = {**os.environ, "DJ_DATABASE_URL": f"sqlite:///{folder / 'fresh.db'}"}
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", LOOK, module],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def declared(notebook: Notebook, *names: str) -> dict[str, str]:
    return {name: eval(name, notebook.shell.user_ns).describe() for name in names}


def described(found: dict[str, Any]) -> dict[str, str]:
    return {name: text for name, (text, *_) in found.items()}


@pytest.mark.parametrize(
    ("name", "schema", "last"),
    [
        ("00_quickstart", "imaging", None),
        ("01_define", "lab", "lab.drop("),
        ("02_query", "stocks", None),
        ("03_populate", "counting", None),
    ],
)
def test_the_tables_of_a_tutorial_are_declared_again_by_their_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, schema: str, last: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DJ_DATABASE_URL", f"sqlite:///{tmp_path / 'notebook.db'}")
    book = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", 4)
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    if last:
        cells = cells[: next(n for n, cell in enumerate(cells) if cell.source.startswith(last))]
    look = LOOK.split("for name, cls in vars(module)")[0].replace(
        "module = importlib.import_module(sys.argv[1])\n", ""
    )
    ask = (
        "import json\n"
        + look.split('sys.path.insert(0, ".")')[1]
        + "for _name, _cls in list(globals().items()):\n"
        "    if isinstance(_cls, type) and issubclass(_cls, dj.Table) and _cls._name is not None:\n"
        "        look(_cls, _name)\n"
        "print('FOUND' + json.dumps(found))"
    )
    book.cells = [
        *cells,
        nbformat.v4.new_code_cell(f"%dj_module {schema}"),
        nbformat.v4.new_code_cell(ask),
    ]
    NotebookClient(book, timeout=200, allow_errors=False, kernel_name="python3").execute()
    printed = "".join(each.get("text", "") for each in book.cells[-1].outputs)
    wanted = json.loads(printed.split("FOUND")[1])

    found = imported(schema, tmp_path)

    assert found == wanted
    formatted = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "format",
            "--check",
            "--line-length",
            "110",
            "--config",
            "format.quote-style='preserve'",
            f"{schema}.py",
        ],
        capture_output=True,
        text=True,
    )
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    linted = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--select",
            "F,I,E4,E7,E9",
            f"{schema}.py",
        ],
        capture_output=True,
        text=True,
    )
    assert linted.returncode == 0, linted.stdout


def test_helpers_constants_and_imports_of_cells_are_carried(lab: Notebook, tmp_path: Path) -> None:
    lab.run("import numpy as np\nfrom math import floor, ceil\nUNUSED = 1\nFACTOR = 2\nFACTOR += 1")
    lab.run("def doubled(x):\n    return nested(x) * FACTOR")
    lab.run("def nested(x):\n    return int(np.floor(x))")
    lab.run(
        "%%dj_table Stat : Computed\n-> Subject\n---\nvalue : int32\n\nimport json\n\n"
        "def make(self, key):\n    self.insert1({**key, 'value': doubled(key['subject_id'])})"
    )
    lab.run("%dj_module lab")
    text = Path("lab.py").read_text()
    assert "UNUSED" not in text
    assert "ceil" not in text
    assert "import json" not in text
    check = "import lab; lab.Subject.insert1((4, 'a')); lab.Stat.populate(); print(lab.Stat.fetch1('value'))"
    environment = {**os.environ, "DJ_DATABASE_URL": f"sqlite:///{tmp_path / 'fresh.db'}"}
    done = subprocess.run(
        [sys.executable, "-c", check], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "12", done.stderr


def test_parts_stand_in_their_masters_or_below_what_they_refer_to(
    lab: Notebook, tmp_path: Path
) -> None:
    lab.run("%%dj_table Subject.Note\nnote : int8")
    lab.run("%%dj_table Report : Manual\n-> Subject")
    lab.run("%%dj_table Subject.Last\n---\n-> Report")
    lab.run("%dj_module lab")
    text = Path("lab.py").read_text()
    assert "    class Note(dj.Part):" in text
    assert text.index("class Report") < text.index("class Last(dj.Part)")
    names = ("Subject", "Subject.Note", "Subject.Last", "Report")
    assert described(imported("lab", tmp_path)) == declared(lab, *names)


def test_a_make_of_its_own_cell_is_carried_with_its_strings(lab: Notebook, tmp_path: Path) -> None:
    lab.run("%%dj_table Stat : Computed\n-> Subject\n---\ntext : varchar(20)")
    lab.run("%%dj_make Stat\ntext = '''a\nb'''\nself.insert1({**key, 'text': text})")
    lab.run("%dj_module lab")
    check = "import lab; lab.Subject.insert1((4, 'a')); lab.Stat.populate(); print(repr(lab.Stat.fetch1('text')))"
    environment = {**os.environ, "DJ_DATABASE_URL": f"sqlite:///{tmp_path / 'fresh.db'}"}
    done = subprocess.run(
        [sys.executable, "-c", check], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == repr("a\nb"), done.stderr


def test_text_of_definitions_and_rows_is_not_changed(lab: Notebook, tmp_path: Path) -> None:
    lab.run(
        '%%dj_table Odd : Lookup\n# it\'s """odd""" \\n\nodd : varchar(40)   # back \\ slash\n===\n'
        '"it\'s ""x"""\nback\\slash\né ü\n'
    )
    lab.run("%dj_module lab")
    found = imported("lab", tmp_path)
    assert found["Odd"][:2] == [lab["Odd"].describe(), 3]


def test_a_class_in_a_cell_keeps_its_body_and_loses_the_decorator_of_its_schema(
    lab: Notebook, tmp_path: Path
) -> None:
    lab.run(
        "@lab\nclass Weighing(dj.Manual):\n    definition = '''\n    -> Subject\n    day : date\n    '''\n\n"
        "    def count(self):\n        return len(lab.list_tables())"
    )
    lab.run("%dj_module lab")
    text = Path("lab.py").read_text()
    assert "@lab" not in text
    assert "lab = schema" in text
    assert set(imported("lab", tmp_path)) == {"Subject", "Weighing"}


def test_tables_of_two_schemas_become_two_modules(lab: Notebook, tmp_path: Path) -> None:
    lab.run("%%dj_table ephys.Probe : Manual\nprobe : int8\n---\n-> Subject")
    error = lab.run("%dj_module ephys", fails=True).error
    assert "`%dj_module lab`" in str(error)
    lab.run("%dj_module lab")
    lab.run("%dj_module ephys")
    assert "from lab import Subject" in Path("ephys.py").read_text()
    assert described(imported("ephys", tmp_path)) == declared(lab, "Probe", "Subject")


def test_a_module_of_a_project_lies_in_its_package(
    lab: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "My-Lab"\n')
    output = lab.run("%dj_module lab")
    path = tmp_path / "src" / "my_lab" / "lab.py"
    assert path.is_file()
    assert (path.parent / "__init__.py").is_file()
    assert str(Path("src/my_lab/lab.py")) in output.text
    lab.run("%%dj_table ephys.Probe : Manual\nprobe : int8\n---\n-> Subject")
    lab.run("%dj_module ephys")
    assert "from .lab import Subject" in (path.parent / "ephys.py").read_text()


def test_a_file_that_says_something_else_is_kept(lab: Notebook) -> None:
    Path("lab.py").write_text("# by hand\n")
    error = lab.run("%dj_module lab", fails=True).error
    assert isinstance(error, DataJointError)
    assert "--overwrite" in str(error)
    assert Path("lab.py").read_text() == "# by hand\n"
    lab.run("%dj_module lab --overwrite")
    assert "unchanged" in lab.run("%dj_module lab").text


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("secret_of_another = object()\nglobals()['helper'] = secret_of_another", "needs `helper`"),
        ("helper = get_ipython()", "only runs in a notebook"),
    ],
)
def test_what_cannot_be_written_is_named(lab: Notebook, cell: str, told: str) -> None:
    lab.run(cell)
    lab.run(
        "%%dj_table Stat : Computed\n-> Subject\ndef make(self, key):\n    helper\n    self.insert1(key)"
    )
    error = lab.run("%dj_module lab", fails=True).error
    assert isinstance(error, DataJointError)
    assert told in str(error)
    assert not Path("lab.py").exists()


def test_a_schema_of_which_the_notebook_declares_nothing_is_refused(lab: Notebook) -> None:
    error = lab.run("%dj_module other", fails=True).error
    assert "declares no table of the schema `other`" in str(error)


def test_a_name_that_is_nowhere_is_told(lab: Notebook) -> None:
    lab.run(
        "%%dj_table Stat : Computed\n-> Subject\ndef make(self, key):\n    misspelt\n    self.insert1(key)"
    )
    assert "Stat uses `misspelt`" in lab.run("%dj_module lab").text


def test_a_codec_of_the_notebook_is_carried(lab: Notebook, tmp_path: Path) -> None:
    lab.run(
        "class GraphCodec(dj.Codec):\n    name = 'mygraph'\n"
        "    def get_dtype(self, is_store):\n        return 'json'\n"
        "    def encode(self, value, *, key=None, store_name=None):\n        return value\n"
        "    def decode(self, stored, *, key=None):\n        return stored\n"
    )
    lab.run("%%dj_table Graph : Manual\ngraph : int32\n---\nedges : <mygraph>")
    lab.run("%dj_module lab")
    assert described(imported("lab", tmp_path)) == declared(lab, "Subject", "Graph")
