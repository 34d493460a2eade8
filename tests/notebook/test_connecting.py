"""`%dj_connect`: a password is typed where nobody sees it, and is nowhere afterwards."""

from __future__ import annotations

import getpass
import json
import linecache
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from jupyter_client.manager import start_new_kernel

import djupyter as dj
from djupyter.errors import AccessError, DataJointError
from djupyter.notebook.connecting import masked
from tests.conftest import Database
from tests.notebook.conftest import Notebook


@pytest.fixture
def account(db: Database) -> Iterator[tuple[str, str]]:
    """A URL without its password, and the password."""
    if db.backend == "sqlite":
        pytest.skip("SQLite knows neither users nor passwords")
    secret, user = f"s3cret/{uuid4().hex}", f"u{uuid4().hex[:12]}"
    places = ["'%'", "localhost", "'127.0.0.1'"] if db.backend == "mysql" else []
    admin = dj.Connection(db.url)
    try:
        for place in places:
            admin.query(f"CREATE USER {user}@{place} IDENTIFIED BY '{secret}'")
            admin.query(f"GRANT ALL ON `{db.schema_name('secret')}`.* TO {user}@{place}")
        if not places:
            admin.query(f"CREATE ROLE {user} LOGIN PASSWORD '{secret}'")
            admin.query(f"GRANT CREATE ON DATABASE {admin.conn_info['database']} TO {user}")
        yield re.sub(r"://[^@]*@", f"://{user}@", db.url), secret
    finally:
        for place in places:
            admin.query(f"DROP USER {user}@{place}")
        if not places:
            admin.query(f"DROP OWNED BY {user}")
            admin.query(f"DROP ROLE {user}")
        admin.close()


def asks_for_passwords(url: str) -> bool:
    """Whether a server lets nobody in without a password; one for tests may trust everyone."""
    try:
        dj.Connection(url).connect()
    except AccessError:
        return True
    return False


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Type an answer at the hidden prompt; the prompts are noted."""

    def answer(text: str) -> list[str]:
        prompts: list[str] = []
        monkeypatch.setattr(getpass, "getpass", lambda prompt: prompts.append(prompt) or text)
        return prompts

    return answer


def test_a_missing_password_is_asked_for(
    account: tuple[str, str], notebook: Notebook, typed: Callable[[str], list[str]]
) -> None:
    url, secret = account
    prompts = typed(secret)
    output = notebook.run(f"%dj_connect {url}")
    assert secret not in output.text
    assert " ms)" in output.text
    if prompts:
        assert re.fullmatch(r"Password of u\w+ at [\w.]+: ", prompts[0])
        assert secret not in repr(dj.conn()) + str(dj.conn().url) + repr(dj.config)


def test_a_wrong_password_is_told_and_the_connection_so_far_stays(
    account: tuple[str, str], lab: Notebook, typed: Callable[[str], list[str]]
) -> None:
    url, _ = account
    if not asks_for_passwords(url):
        pytest.skip("this server lets everyone in")
    typed("wr0ng-word")
    output = lab.run(f"%dj_connect {url}", fails=True)
    assert isinstance(output.error, AccessError)
    shown = output.text + "".join(traceback.format_exception(output.error))
    assert "wr0ng-word" not in shown
    assert len(lab["Subject"]) == 0


def test_a_password_of_the_settings_is_not_asked_for(
    account: tuple[str, str], notebook: Notebook, typed: Callable[[str], list[str]]
) -> None:
    url, secret = account
    user, host = re.search(r"://(\w+)@([\w.]+)", url).groups()
    notebook.run(
        f"dj.config['database.user'] = {user!r}\ndj.config['database.host'] = {host!r}\n"
        f"dj.config['database.password'] = {secret!r}"
    )
    prompts = typed("wrong")
    notebook.run(f"%dj_connect {url}")
    assert prompts == []


@pytest.mark.parametrize("error", [EOFError, NotImplementedError, getpass.GetPassWarning])
def test_where_nobody_can_type_the_way_is_shown(
    account: tuple[str, str], notebook: Notebook, monkeypatch: pytest.MonkeyPatch, error: type
) -> None:
    url, _ = account
    if not asks_for_passwords(url):
        pytest.skip("this server lets everyone in")

    def refuse(_: str) -> str:
        raise error

    monkeypatch.setattr(getpass, "getpass", refuse)
    output = notebook.run(f"%dj_connect {url}", fails=True)
    assert isinstance(output.error, DataJointError)
    assert "DJ_DATABASE_URL" in str(output.error)
    assert output.text.count("Error:") == 1


@pytest.mark.parametrize(
    "line",
    [
        "mysql://ann:s3cret@nowhere/lab",
        "postgresql://ann:s3cret@nowhere:5432/lab",
        "mysql://ann:s3cr@et@nowhere",
        "postgresql://ann@nowhere?password=s3cret",
        "mysql://ann:s3cret@nowhere too many",
        "too mysql://ann:s3cret@nowhere",
        "'mysql://ann:s3cret@nowhere'",
        "--wrong mysql://ann:s3cret@nowhere",
    ],
)
def test_a_password_in_a_cell_is_refused_and_forgotten(notebook: Notebook, line: str) -> None:
    shell = notebook.shell
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        result = shell.run_cell(f"x = 1\n%dj_connect {line}", store_history=True)
    assert isinstance(result.error_in_exec, DataJointError)
    shell.run_cell("1 + 1", store_history=True)
    shell.history_manager.writeout_cache()
    kept = captured.stdout + captured.stderr + str(result.error_in_exec)
    kept += "".join(traceback.format_exception(result.error_in_exec)[-1:])
    kept += repr(
        {name: value for name, value in shell.user_ns.items() if isinstance(value, str | list)}
    )
    kept += repr(list(shell.history_manager.get_range(raw=True))) + repr(
        list(shell.history_manager.get_range(raw=False))
    )
    sources = {name: entry[2] for name, entry in linecache.cache.items() if len(entry) == 4}
    cells = [name for name in sources if shell.compile.format_code_name(name)]
    assert cells
    kept += repr([sources[name] for name in cells])
    kept += repr(shell.magics_manager.registry["DjMagics"].place.ran)
    assert "s3cr" not in kept
    assert "***" in repr(list(shell.history_manager.get_range(raw=True)))
    assert "`%dj_connect " in str(result.error_in_exec)


@pytest.mark.parametrize(
    "text",
    ["sqlite:///lab.db", "mysql://ann@db:3306/lab", "sqlite:///C:/lab@home.db", "postgresql://db"],
)
def test_what_holds_no_password_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_a_url_that_is_none_is_told_without_being_shown(notebook: Notebook) -> None:
    output = notebook.run("%dj_connect nonsense", fails=True)
    assert isinstance(output.error, DataJointError)
    assert "Error" in output.text


# -- a whole notebook, in a kernel -------------------------------------------------------------------

CELLS = [
    "%load_ext djupyter\nimport djupyter as dj, logging\nlogging.basicConfig(filename='all.log', level=10)",
    "%dj_connect URL",
    "%dj_connect",
    "%dj_schema SCHEMA",
    "%%dj_table Mouse : Manual\nmouse : int32",
    "%%dj_sql\nSELECT 1 AS one",
    "%%dj_sql\nSELEC 1",
    "dj.conn(), dj.config, SCHEMA, Mouse, dj.conn().conn_info",
    "print(vars(dj.conn()))",
    "import pickle, traceback\nMouse.insert1({'mouse': 'x'})",
    "%tb",
    "%xmode Verbose",
    "Mouse.insert1({'mouse': 'x'})",
    "%history",
    "get_ipython().history_manager.writeout_cache()",
]


def test_no_secret_is_left_anywhere(
    account: tuple[str, str],
    db: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A notebook is run with a password that is typed, and one that is written where it must not be."""
    url, secret = account
    written = f"wr1tten-{uuid4().hex}"
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("DJ_DATABASE_URL", raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    manager, client = start_new_kernel(cwd=str(folder))
    messages: list[Any] = []
    prompts: list[dict[str, Any]] = []

    def reply(message: Any) -> None:
        prompts.append(message["content"])
        client.input(secret)

    try:
        cells = [
            cell.replace("URL", url).replace("SCHEMA", db.schema_name("secret")) for cell in CELLS
        ]
        cells.insert(1, f"%dj_connect {url.replace('@', f':{written}@')}")
        for cell in cells:
            answer = client.execute_interactive(
                cell,
                timeout=60,
                allow_stdin=True,
                stdin_hook=reply,
                output_hook=messages.append,
            )
            messages.append(answer)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()

    if asks_for_passwords(url):
        assert [prompt["password"] for prompt in prompts] == [True]
    outputs = [m for m in messages if m["header"]["msg_type"] not in ("execute_input", "status")]
    shown = json.dumps([m["content"] for m in outputs], default=str)
    assert "one" in shown
    assert "A password must not stand in a cell" in shown
    for word in (secret, secret.replace("/", "%2F"), written):
        assert word not in shown
        for file in filter(Path.is_file, tmp_path.rglob("*")):
            assert word.encode() not in file.read_bytes(), file
    assert list(tmp_path.rglob("history.sqlite"))
