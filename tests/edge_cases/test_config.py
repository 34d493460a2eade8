"""Statements 209 to 215: settings. They are the same for every backend, so no database takes part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from djupyter.errors import InvalidSettingError, UnknownSettingError
from djupyter.settings import Settings, load_settings


@pytest.mark.statement(209)
def test_every_variable_beats_the_file(tmp_path: Path) -> None:
    """DJ_SAFEMODE and DJ_JOBS_* too, which used to lose."""
    (tmp_path / "datajoint.json").write_text(
        json.dumps({"safemode": True, "jobs": {"default_priority": 1}, "database.host": "file"})
    )
    variables = {"DJ_SAFEMODE": "0", "DJ_JOBS_DEFAULT_PRIORITY": "2", "DJ_HOST": "variable"}
    config = load_settings(tmp_path, variables)
    assert config.safemode is False
    assert config.jobs.default_priority == 2
    assert config.database.host == "variable"


@pytest.mark.statement(210)
def test_variables_without_our_prefix_change_nothing(tmp_path: Path) -> None:
    """Instead of LIMIT=1 of some other program shortening every preview."""
    variables = {"LIMIT": "1", "WIDTH": "1", "SHOW_TUPLE_COUNT": "0", "CHARSET": "latin1"}
    config = load_settings(tmp_path, variables)
    assert (config.display.limit, config.display.width) == (12, 14)
    assert (config.display.show_tuple_count, config.connection.charset) == (True, "")
    assert load_settings(tmp_path, {"DJ_DISPLAY_LIMIT": "1"}).display.limit == 1


@pytest.mark.statement(211)
def test_values_are_checked_when_they_are_set() -> None:
    """The level of the log may be in any case."""
    config = Settings()
    config["loglevel"] = "debug"
    assert config.loglevel == "DEBUG"
    config["jobs.default_priority"] = 255
    for key, value in (
        ("jobs.default_priority", 256),
        ("jobs.default_priority", -1),
        ("loglevel", "loud"),
    ):
        with pytest.raises(InvalidSettingError):
            config[key] = value
    with pytest.raises(UnknownSettingError, match="safemode"):
        config["safemod"] = True
    with pytest.raises(KeyError):
        config["nope"] = True


@pytest.mark.statement(212)
def test_override_restores_and_refuses_unknown_names() -> None:
    """A misspelt name is an error, not ignored."""
    config = Settings()
    with config.override(display__limit=2, safemode=False):
        assert (config.display.limit, config.safemode) == (2, False)
    assert (config.display.limit, config.safemode) == (12, True)
    with pytest.raises(UnknownSettingError, match="nope"), config.override(nope=1):
        pass


@pytest.mark.statement(213)
def test_deleting_restores_the_default_and_passwords_are_masked() -> None:
    config = Settings()
    config["safemode"] = False
    del config["safemode"]
    assert config["safemode"] is True
    config["database.password"] = "hunter2"
    assert config["database.password"] == "hunter2"
    assert "hunter2" not in repr(config) + str(config) + repr(config.database)


@pytest.mark.statement(214)
def test_a_template_is_written_once_with_a_private_folder(tmp_path: Path) -> None:
    path = Settings().save_template(tmp_path / "datajoint.json")
    names = {file.name for file in (tmp_path / ".secrets").iterdir()}
    assert names == {".gitignore", "database.user", "database.password"}
    before = path.read_text()
    with pytest.raises(FileExistsError):
        Settings().save_template(path)
    assert path.read_text() == before


@pytest.mark.statement(215)
@pytest.mark.parametrize("text", ["[1]", "5", "not json", '"x"'])
def test_stores_in_a_variable_must_be_an_object(tmp_path: Path, text: str) -> None:
    """Said when the settings are read, which is when they are first needed, not at import."""
    with pytest.raises(ValueError, match="DJ_STORES"):
        load_settings(tmp_path, {"DJ_STORES": text})
