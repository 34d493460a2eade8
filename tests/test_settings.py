"""Settings: where they come from, what they accept, what they show."""

import json
import stat
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.errors import DataJointError, InvalidSettingError, UnknownSettingError
from djupyter.settings import Settings, load_settings


@pytest.fixture
def project(tmp_path):
    """A repository with a folder of notebooks in it."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def write_json(folder, **settings):
    (folder / "datajoint.json").write_text(json.dumps(settings))


def write_secret(folder, name, text):
    (folder / ".secrets").mkdir(exist_ok=True)
    (folder / ".secrets" / name).write_text(text)


# Defaults


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("database.host", "localhost"),
        ("database.user", None),
        ("database.password", None),
        ("database.backend", None),
        ("database.url", None),
        ("database.path", "djupyter.db"),
        ("database.port", None),
        ("database.name", None),
        ("database.reconnect", True),
        ("database.use_tls", None),
        ("database.database_prefix", ""),
        ("database.create_tables", True),
        ("connection.charset", ""),
        ("display.limit", 12),
        ("display.width", 14),
        ("display.show_tuple_count", True),
        ("display.diagram_direction", "LR"),
        ("display.diagram_theme", "auto"),
        ("jobs.auto_refresh", True),
        ("jobs.keep_completed", False),
        ("jobs.stale_timeout", 3600),
        ("jobs.default_priority", 5),
        ("jobs.version_method", None),
        ("jobs.add_job_metadata", False),
        ("jobs.allow_new_pk_fields_in_computed_tables", False),
        ("provenance.capture", False),
        ("provenance.source", {}),
        ("stores", {}),
        ("objects.workers", 8),
        ("objects.grace_period", 3600),
        ("loglevel", "INFO"),
        ("safemode", True),
        ("query_cache", None),
        ("download_path", "."),
        ("ignore_config_file", False),
    ],
)
def test_every_setting_has_its_default(project, key, default):
    assert load_settings(project, {})[key] == default


# The environment


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("DJ_HOST", "db", "database.host", "db"),
        ("DJ_USER", "ann", "database.user", "ann"),
        ("DJ_PASS", "s3cret", "database.password", "s3cret"),
        ("DJ_BACKEND", "postgresql", "database.backend", "postgresql"),
        ("DJ_PORT", "3307", "database.port", 3307),
        ("DJ_DATABASE_NAME", "lab", "database.name", "lab"),
        ("DJ_DATABASE_URL", "sqlite:///lab.db", "database.url", "sqlite:///lab.db"),
        ("DJ_DATABASE_PATH", "lab.db", "database.path", "lab.db"),
        ("DJ_DATABASE_PREFIX", "ann_", "database.database_prefix", "ann_"),
        ("DJ_RECONNECT", "false", "database.reconnect", False),
        ("DJ_USE_TLS", "true", "database.use_tls", True),
        ("DJ_CREATE_TABLES", "0", "database.create_tables", False),
        ("DJ_CONNECTION_CHARSET", "utf8mb4", "connection.charset", "utf8mb4"),
        ("DJ_LOG_LEVEL", "debug", "loglevel", "DEBUG"),
        ("DJ_SAFEMODE", "no", "safemode", False),
        ("DJ_QUERY_CACHE", "cache", "query_cache", "cache"),
        ("DJ_DOWNLOAD_PATH", "files", "download_path", "files"),
        ("DJ_DISPLAY_LIMIT", "3", "display.limit", 3),
        ("DJ_DISPLAY_WIDTH", "30", "display.width", 30),
        ("DJ_DISPLAY_SHOW_TUPLE_COUNT", "0", "display.show_tuple_count", False),
        ("DJ_DIAGRAM_DIRECTION", "TB", "display.diagram_direction", "TB"),
        ("DJ_DIAGRAM_THEME", "dark", "display.diagram_theme", "dark"),
        ("DJ_JOBS_AUTO_REFRESH", "0", "jobs.auto_refresh", False),
        ("DJ_JOBS_KEEP_COMPLETED", "1", "jobs.keep_completed", True),
        ("DJ_JOBS_STALE_TIMEOUT", "60", "jobs.stale_timeout", 60),
        ("DJ_JOBS_DEFAULT_PRIORITY", "9", "jobs.default_priority", 9),
        ("DJ_JOBS_VERSION_METHOD", "git", "jobs.version_method", "git"),
        ("DJ_JOBS_ADD_JOB_METADATA", "1", "jobs.add_job_metadata", True),
        ("DJ_PROVENANCE_CAPTURE", "1", "provenance.capture", True),
        ("DJ_PROVENANCE_SOURCE", '{"code": "git"}', "provenance.source", {"code": "git"}),
        ("DJ_OBJECTS_WORKERS", "32", "objects.workers", 32),
        ("DJ_STORES", '{"default": "raw"}', "stores", {"default": "raw"}),
    ],
)
def test_a_variable_sets_its_setting(project, variable, text, key, value):
    assert load_settings(project, {variable: text})[key] == value


def test_every_variable_beats_the_file(project):
    write_json(project, safemode=True, jobs={"default_priority": 1}, database={"host": "file"})
    config = load_settings(
        project, {"DJ_SAFEMODE": "0", "DJ_JOBS_DEFAULT_PRIORITY": "2", "DJ_HOST": "env"}
    )
    assert (config.safemode, config.jobs.default_priority, config.database.host) == (
        False,
        2,
        "env",
    )


@pytest.mark.parametrize("name", ["LIMIT", "WIDTH", "SHOW_TUPLE_COUNT", "CHARSET"])
def test_a_variable_without_our_prefix_changes_nothing(project, name):
    assert dict(load_settings(project, {name: "1"})) == dict(load_settings(project, {}))


def test_an_empty_variable_counts_as_absent_but_a_password_may_be_empty(project):
    config = load_settings(project, {"DJ_HOST": "", "DJ_PORT": "", "DJ_PASS": ""})
    assert config.database.selected_backend == "sqlite"
    assert config.database.password == ""


@pytest.mark.parametrize("text", ["raw", "[1]", "{"])
def test_stores_in_a_variable_must_be_a_json_object(project, text):
    with pytest.raises(InvalidSettingError, match="DJ_STORES must be a JSON object"):
        load_settings(project, {"DJ_STORES": text})


def test_stores_in_a_variable_replace_those_of_the_file(project):
    write_json(project, stores={"raw": {"protocol": "file", "location": "raw"}})
    assert load_settings(project, {"DJ_STORES": '{"default": "x"}'}).stores == {"default": "x"}


def test_a_bad_variable_is_named(project):
    with pytest.raises(InvalidSettingError, match=r"`database.port`.*It is set by DJ_PORT"):
        load_settings(project, {"DJ_PORT": "many"})


# Files


def test_the_file_is_found_from_a_folder_below_it(project):
    write_json(project, display={"limit": 4})
    assert load_settings(project / "notebooks", {}).display.limit == 4


def test_the_search_stops_at_the_root_of_the_repository(project):
    inner = project / "notebooks" / "inner"
    (inner / ".hg").mkdir(parents=True)
    write_json(project, display={"limit": 4})
    assert load_settings(inner, {}).display.limit == 12


def test_keys_may_be_nested_or_dotted(project):
    write_json(
        project,
        **{
            "database.user": "ann",
            "jobs": {"stale_timeout": 5},
            "stores.raw.protocol": "file",
            "stores": {"default": "raw"},
        },
    )
    config = load_settings(project, {})
    assert (config.database.user, config.jobs.stale_timeout) == ("ann", 5)
    assert config.stores == {"default": "raw", "raw": {"protocol": "file"}}


def test_datajoint_json_beats_pyproject_and_their_stores_are_joined(project):
    (project / "pyproject.toml").write_text(
        "[tool.datajoint]\nsafemode = false\ndisplay.limit = 3\n"
        '[tool.datajoint.stores.raw]\nprotocol = "file"\n'
    )
    write_json(project, display={"limit": 4}, stores={"default": "raw"})
    config = load_settings(project, {})
    assert (config.safemode, config.display.limit) == (False, 4)
    assert config.stores == {"raw": {"protocol": "file"}, "default": "raw"}


def test_a_pyproject_without_our_table_does_not_end_the_search(project):
    (project / "pyproject.toml").write_text("[tool.datajoint]\nsafemode = false\n")
    (project / "notebooks" / "pyproject.toml").write_text("[project\n")
    assert load_settings(project / "notebooks", {}).safemode is False


def test_a_database_path_in_a_file_is_meant_from_that_file(project):
    write_json(project, database={"path": "lab.db"})
    config = load_settings(project / "notebooks", {})
    assert config.database.path == str(project / "lab.db")


def test_null_in_a_file_means_unset(project):
    write_json(project, database={"host": None, "port": None})
    assert load_settings(project, {}).database.selected_backend == "sqlite"


def test_unknown_keys_are_ignored_and_misspelt_ones_warned_of(project):
    write_json(project, safemoed=False, their_own={"thing": 1})
    with pytest.warns(UserWarning, match=r"`safemoed`.*Did you mean `safemode`") as seen:
        load_settings(project, {})
    assert len(seen) == 1


@pytest.mark.parametrize("text", ["{", "[1]", '"x"'])
def test_a_damaged_file_is_named(project, text):
    (project / "datajoint.json").write_text(text)
    with pytest.raises(DataJointError, match=r"datajoint\.json"):
        load_settings(project, {})


def test_a_bad_value_in_a_file_is_named_with_its_place(project):
    write_json(project, jobs={"default_priority": 256})
    with pytest.raises(InvalidSettingError, match=r"`jobs.default_priority`.*in .*datajoint\.json"):
        load_settings(project, {})


def test_the_config_file_and_secrets_can_be_ignored(project):
    write_json(project, safemode=False)
    write_secret(project, "database.user", "ann")
    config = load_settings(project, {"DJ_IGNORE_CONFIG_FILE": "1"})
    assert (config.safemode, config.database.user) == (True, None)


def test_load_reads_over_what_is_set(project):
    write_json(project, display={"limit": 4})
    write_secret(project, "database.user", "ann")
    config = Settings()
    config.display.limit, config.display.width = 1, 20
    config.load(project / "datajoint.json")
    assert (config.display.limit, config.display.width, config.database.user) == (4, 20, "ann")


# Secrets


def test_secrets_fill_only_what_nothing_else_sets(project):
    write_json(project, database={"user": "file"})
    write_secret(project, "database.user", "secret")
    write_secret(project, "database.password", " s3cret\n")
    write_secret(project, "notes", "other names are ignored")
    config = load_settings(project, {})
    assert (config.database.user, config.database.password) == ("file", "s3cret")


def test_secrets_complete_a_store(project):
    write_json(project, stores={"raw": {"protocol": "s3", "access_key": "file"}})
    write_secret(project, "stores.raw.access_key", "secret")
    write_secret(project, "stores.raw.secret_key", "secret")
    assert load_settings(project, {}).stores["raw"] == {
        "protocol": "s3",
        "access_key": "file",
        "secret_key": "secret",
    }


# The backend


@pytest.mark.parametrize(
    ("settings", "backend", "port"),
    [
        ({}, "sqlite", None),
        ({"DJ_DATABASE_PATH": "lab.db"}, "sqlite", None),
        ({"DJ_HOST": "localhost"}, "mysql", 3306),
        ({"DJ_BACKEND": "postgresql"}, "postgresql", 5432),
        ({"DJ_BACKEND": "postgresql", "DJ_HOST": "db", "DJ_PORT": "9"}, "postgresql", 9),
        ({"DJ_BACKEND": "sqlite", "DJ_HOST": "db"}, "sqlite", None),
        ({"DJ_DATABASE_URL": "mariadb+pymysql://db/lab"}, "mysql", 3306),
        ({"DJ_DATABASE_URL": "postgresql+psycopg://db", "DJ_HOST": "x"}, "postgresql", 5432),
        ({"DJ_DATABASE_URL": "sqlite://"}, "sqlite", None),
    ],
)
def test_the_backend_and_its_port_follow_from_what_is_set(project, settings, backend, port):
    database = load_settings(project, settings).database
    assert (database.selected_backend, database.port) == (backend, port)


def test_the_port_follows_the_backend_until_it_is_set():
    config = Settings()
    config.database.backend = "postgresql"
    assert config["database.port"] == 5432
    config["database.port"] = 7000
    config.database.backend = "mysql"
    assert config["database.port"] == 7000
    del config["database.port"]
    assert config["database.port"] == 3306
    del config["database.backend"]
    assert config["database.port"] is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [("mysql://db", "leave one of them out"), ("oracle://db", "must begin with"), ("x", "begin")],
)
def test_a_url_that_cannot_be_used_is_explained(url, problem):
    config = Settings()
    config.database.url, config.database.backend = url, "sqlite"
    with pytest.raises(DataJointError, match=problem):
        _ = config.database.selected_backend


# Reading and changing


def test_key_and_attribute_are_the_same_setting():
    config = Settings()
    config["database.host"] = "db"
    assert config.database.host == config["database.host"] == config.get("database.host") == "db"
    assert config.get("no.such", 7) == 7
    assert "database.host" in config
    assert "no.such" not in config


def test_a_setting_can_be_deleted_to_its_default():
    config = Settings()
    config.safemode = False
    config.stores["raw"] = {}
    del config["safemode"], config["stores"]
    assert (config.safemode, config.stores) == (True, {})


@pytest.mark.parametrize(
    "use",
    [
        lambda config: config["database.hots"],
        lambda config: config.__setitem__("database.hots", 1),
        lambda config: config.__delitem__("database.hots"),
        lambda config: config.database.hots,
        lambda config: setattr(config.database, "hots", 1),
        lambda config: config.override(database__hots=1).__enter__(),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest(use):
    with pytest.raises(UnknownSettingError, match=r"Did you mean `database\.host`") as caught:
        use(Settings())
    assert isinstance(caught.value, KeyError)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("jobs.default_priority", 256),
        ("jobs.default_priority", -1),
        ("display.limit", "many"),
        ("database.port", 0),
        ("database.backend", "oracle"),
        ("loglevel", "loud"),
        ("stores", []),
        ("safemode", None),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_changes_nothing(key, value):
    config = Settings()
    before = config[key]
    with pytest.raises(InvalidSettingError, match=key) as caught:
        config[key] = value
    assert isinstance(caught.value, ValueError)
    assert config[key] == before
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize("level", ["debug", "Debug", "DEBUG"])
def test_the_log_level_is_accepted_in_any_case(level):
    config = Settings()
    config.loglevel = level
    assert config.loglevel == "DEBUG"


def test_override_puts_everything_back_after_an_error():
    config = Settings()
    config.display.limit = 5
    with (
        pytest.raises(InvalidSettingError),
        config.override(display__limit=2, database__host="db", loglevel="loud"),
    ):
        pytest.fail("an override with a bad value must not begin")
    assert (config.display.limit, config.database.host) == (5, "localhost")
    assert config.database.selected_backend == "sqlite"


@given(st.integers(0, 1000), st.booleans(), st.sampled_from(["LR", "TB"]))
def test_override_leaves_no_trace(limit, safemode, direction):
    config = Settings()
    shown = repr(config)
    with config.override(
        display__limit=limit, safemode=safemode, display__diagram_direction=direction
    ):
        assert config.display.limit == limit
    assert repr(config) == shown
    assert dict(config) == dict(Settings())


# What is shown

SECRETS = {
    "DJ_PASS": "hunter2",
    "DJ_DATABASE_URL": "mysql://ann:hun@ter2:hunter2@db/lab?sslpassword=hunter2&x=1",
    "DJ_STORES": json.dumps(
        {"raw": {"secret_key": "hunter2", "account_key": "hunter2", "token": "hunter2"}}
    ),
}


@pytest.mark.parametrize("show", [repr, str, lambda config: repr(config.database)])
def test_no_secret_is_ever_shown(project, show):
    config = load_settings(project, SECRETS)
    assert "ter2" not in show(config)
    assert config.database.password == "hunter2"


def test_a_secret_is_not_shown_when_it_is_refused():
    with pytest.raises(InvalidSettingError) as caught:
        Settings().database.password = ["hunter2"]
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_repr_lists_only_what_is_set():
    config = Settings()
    config.display.limit = 3
    assert repr(config) == "Settings (the rest is default)\n  display.limit = 3"


# Templates


@pytest.mark.parametrize("minimal", [True, False])
def test_a_template_reads_back_as_the_defaults(tmp_path, minimal):
    path = Settings().save_template(tmp_path / "datajoint.json", minimal=minimal)
    with warnings.catch_warnings(action="error"):
        loaded = load_settings(tmp_path, {})
    expected = dict(Settings()) | {
        "database.backend": "sqlite",
        "database.path": str(tmp_path / "djupyter.db"),
    }
    assert dict(loaded) == expected
    assert "password" not in path.read_text()


def test_a_template_never_overwrites_a_file_or_a_secret(tmp_path):
    write_secret(tmp_path, "database.user", "ann")
    Settings().save_template(tmp_path / "datajoint.json")
    assert (tmp_path / ".secrets" / "database.user").read_text() == "ann"
    with pytest.raises(FileExistsError):
        Settings().save_template(tmp_path / "datajoint.json")


def test_the_secrets_folder_is_private_and_out_of_git(tmp_path):
    Settings().save_template(tmp_path / "datajoint.json")
    folder = tmp_path / ".secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"
    assert {path.name for path in folder.iterdir()} == {
        ".gitignore",
        "database.user",
        "database.password",
    }


# Stores


def test_the_stores_of_the_example_project_can_be_used(project):
    (project / "pyproject.toml").write_text(
        "[tool.datajoint]\n# Object storage configuration\n"
        '[tool.datajoint.stores.main]\nprotocol = "s3"\nendpoint = "s3.amazonaws.com"\n'
        'bucket = "my-pipeline-data"\nlocation = "raw"\n\n'
        '[tool.datajoint.stores.processed]\nprotocol = "s3"\nendpoint = "s3.amazonaws.com"\n'
        'bucket = "my-pipeline-data"\nlocation = "processed"\n'
    )
    write_json(project, **{"stores.default": "main"})
    write_secret(project, "stores.main.access_key", "AKIA\n")
    write_secret(project, "stores.main.secret_key", "hunter2\n")
    config = load_settings(project / "notebooks", {})
    main = config.get_store_spec()
    assert (main["bucket"], main["location"]) == ("my-pipeline-data", "raw")
    assert (main["access_key"], main["secret_key"]) == ("AKIA", "hunter2")
    assert config.get_store_spec("processed")["access_key"] is None


@pytest.mark.parametrize("where", ["datajoint.json", "pyproject.toml", "DJ_STORES", "secrets"])
def test_every_key_of_a_store_may_come_from_everywhere(project, where):
    entry = S3 | {
        "access_key": "a",
        "secret_key": "hunter2",
        "secure": False,
        "subfolding": [2, 3],
        "partition_pattern": "{subject}",
        "token_length": 10,
        "hash_prefix": "h",
        "schema_prefix": "s",
        "filepath_prefix": "f",
        "connect_timeout": 1.5,
        "read_timeout": 2,
        "retries": 0,
    }
    environment = {}
    if where == "datajoint.json":
        write_json(project, stores={"raw": entry})
    elif where == "pyproject.toml":
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in entry.items())
        (project / "pyproject.toml").write_text(f"[tool.datajoint.stores.raw]\n{lines}")
    elif where == "DJ_STORES":
        environment["DJ_STORES"] = json.dumps({"raw": entry})
    else:
        texts = {key: value for key, value in entry.items() if isinstance(value, str)}
        rest = {key: value for key, value in entry.items() if key not in texts and key != "secure"}
        write_json(project, stores={"raw": rest})
        for key, value in (texts | {"secure": "false"}).items():
            write_secret(project, f"stores.raw.{key}", value or " ")
        entry = entry | {"location": "x"}
        write_secret(project, "stores.raw.location", "x")
    spec = load_settings(project, environment).get_store_spec("raw")
    assert entry.items() <= spec.items()
    assert "hunter2" not in repr(spec)


@pytest.mark.parametrize(
    ("written", "read"),
    [("data", "{project}/data"), ("/data", "/data"), ("~/data", "~/data")],
)
def test_a_location_in_a_file_is_meant_from_that_file(project, written, read):
    write_json(project, stores={"raw": {"protocol": "file", "location": written}})
    config = load_settings(project / "notebooks", {})
    assert config.stores["raw"]["location"] == read.format(project=project)


def test_the_location_in_a_bucket_is_left_as_it_is(project):
    write_json(project, stores={"raw": S3 | {"location": "x/y"}, "scratch": {"protocol": "memory"}})
    assert load_settings(project, {}).stores["raw"]["location"] == "x/y"


def test_the_setting_shows_no_secrets_either(project):
    config = Settings()
    config.stores = {"raw": {"secret_key": "hunter2", "deep": {"password": "hunter2"}}}
    config.stores["more"] = {"connection_string": "hunter2"}
    for shown in (config.stores, config["stores"]["raw"], config.stores["more"], [config.stores]):
        assert "hunter2" not in f"{shown} {shown!r}"
    assert json.loads(json.dumps(config.stores))["raw"]["secret_key"] == "hunter2"


def test_null_in_an_entry_means_the_default():
    spec = config_with(raw=FILE | {"hash_prefix": None, "subfolding": None}).get_store_spec("raw")
    assert spec["hash_prefix"] == "_hash"


FILE = {"protocol": "file", "location": "data"}
S3 = {"protocol": "s3", "endpoint": "e", "bucket": "b", "location": ""}


def config_with(**stores):
    config = Settings()
    config.stores = stores
    return config


def test_a_store_is_completed_with_the_defaults():
    config = config_with(default="raw", raw=FILE)
    assert (
        config.get_store_spec()
        == config.get_store_spec("raw")
        == {
            "protocol": "file",
            "location": "data",
            "subfolding": None,
            "partition_pattern": None,
            "token_length": 8,
            "hash_prefix": "_hash",
            "schema_prefix": "_schema",
            "filepath_prefix": None,
        }
    )


@pytest.mark.parametrize(
    ("entry", "extra"),
    [
        (S3, {"access_key": None, "secret_key": None, "secure": True}),
        (
            {"protocol": "GCS", "bucket": "b", "location": "x"},
            {"protocol": "gcs", "token": None, "project": None},
        ),
        (
            {"protocol": "azure", "container": "c", "location": "x", "account_key": "k"},
            {"account_name": None, "account_key": "k", "connection_string": None},
        ),
        (S3 | {"stage": "/tmp", "proxy_server": "p"}, {"stage": "/tmp"}),
        (FILE | {"token_length": 99}, {"token_length": 16}),
        (FILE | {"token_length": 1}, {"token_length": 4}),
        (FILE | {"schema_prefix": ""}, {"schema_prefix": ""}),
        (FILE | {"hash_prefix": "ab", "schema_prefix": "abc"}, {"hash_prefix": "ab"}),
    ],
)
def test_each_protocol_has_its_own_keys(entry, extra):
    assert extra.items() <= config_with(raw=entry).get_store_spec("raw").items()


def test_the_filepath_default_is_a_default_of_its_own():
    config = config_with(default="raw", filepath_default="files", raw=FILE, files=S3)
    assert config.get_store_spec(use_filepath_default=True)["protocol"] == "s3"
    assert config.get_store_spec("raw", use_filepath_default=True)["protocol"] == "file"


@pytest.mark.parametrize(
    ("stores", "name", "problem"),
    [
        ({}, None, "stores.default is not configured"),
        ({"default": 3}, None, "stores.default must be a string"),
        ({"raw": FILE}, "x", "Storage 'x' is requested but not configured in stores"),
        ({"raw": FILE}, "rwa", "Did you mean `raw`"),
        ({"default": "raw"}, "default", "Storage 'default' is requested but not configured"),
        ({"x": {}}, "x", 'config.stores["x"] is missing: protocol'),
        ({"x": {"protocol": "file"}}, "x", 'config.stores["x"] is missing: location'),
        ({"x": FILE | {"bogus": 1}}, "x", 'Invalid key(s) in config.stores["x"]: bogus'),
        ({"x": FILE | {"bucket": "b"}}, "x", 'Invalid key(s) in config.stores["x"]: bucket'),
        (
            {"x": {"protocol": "ftp"}},
            "x",
            'Unknown protocol "ftp" in config.stores["x"]. Built-in: file, s3, gcs, azure, memory.',
        ),
        ({"x": FILE | {"hash_prefix": "a", "schema_prefix": "/a/b/"}}, "x", "overlap"),
        ({"x": FILE | {"filepath_prefix": "_hash"}}, "x", "overlap"),
        ({"x": S3 | {"access_key": "hunter2"}}, "x", "Incomplete S3 credentials"),
        ({"x": FILE | {"token_length": "8"}}, "x", "token_length must be a whole number"),
        (
            {"x": FILE | {"hash_prefix": "a/../.."}},
            "x",
            "hash_prefix must be a folder in the store",
        ),
        ({"x": FILE | {"schema_prefix": 3}}, "x", "schema_prefix must be a text"),
        ({"x": {"protocol": "file", "location": ["a"]}}, "x", "location must be a text"),
        ({"x": FILE | {"subfolding": [2, 0]}}, "x", "subfolding must be a list of whole numbers"),
        ({"x": FILE | {"subfolding": "2"}}, "x", "subfolding must be a list of whole numbers"),
        ({"x": S3 | {"secure": "perhaps"}}, "x", "secure must be true or false"),
        ({"x": S3 | {"retries": -1}}, "x", "retries must be a whole number, 0 or more"),
        ({"x": S3 | {"read_timeout": 0}}, "x", "read_timeout must be a number of seconds above 0"),
    ],
)
def test_a_store_that_cannot_be_used_is_explained(stores, name, problem):
    with pytest.raises(DataJointError) as caught:
        config_with(**stores).get_store_spec(name)
    assert problem in str(caught.value)
    assert "hunter2" not in str(caught.value)
