"""Users who may not do everything: what they still can, and which privilege the error names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import djupyter as dj
from djupyter.errors import AccessError, IntegrityError
from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from tests.conftest import Database, Servers
from tests.servers import KINDS

PASSWORD = "s3cret-of-the-test"
MAKE = {
    "mysql": "CREATE USER '{user}'@'%%' IDENTIFIED BY '{password}'",
    "postgresql": "CREATE USER {user} PASSWORD '{password}'",
}
READ = {
    "mysql": ["GRANT SELECT ON `{schema}`.* TO '{user}'@'%%'"],
    "postgresql": [
        'GRANT USAGE ON SCHEMA "{schema}" TO {user}',
        'GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO {user}',
    ],
}
READ_ONE = {
    "mysql": ["GRANT SELECT ON `{schema}`.seen TO '{user}'@'%%'"],
    "postgresql": [
        'GRANT USAGE ON SCHEMA "{schema}" TO {user}',
        'GRANT SELECT ON "{schema}".seen TO {user}',
    ],
}
OWN = {
    "mysql": ["GRANT ALL ON `{schema}`.* TO '{user}'@'%%'"],
    "postgresql": [
        'ALTER TABLE "{schema}".subject OWNER TO {user}',
        'ALTER TABLE "{schema}".subject__pet OWNER TO {user}',
        'GRANT ALL ON SCHEMA "{schema}" TO {user}',
    ],
}
DISOWN = {"mysql": [], "postgresql": ["REASSIGN OWNED BY {user} TO CURRENT_USER"]}
REMOVE = {
    "mysql": ["DROP USER '{user}'@'%%'"],
    "postgresql": ["DROP OWNED BY {user}", "DROP USER {user}"],
}


@pytest.fixture(params=list(KINDS))
def database(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Database]:
    database = Database(request.param, servers.url(request.param))
    yield database
    database.close()


@pytest.fixture
def subject(database: Database) -> Any:
    class Subject(dj.Manual):
        definition = "subject_id : int32\n---\nname : varchar(20)"

        class Pet(dj.Part):
            definition = "-> master\npet : varchar(20)"

    table = dj.Schema(database.schema_name("rights"), connection=database.connection)(Subject)
    table.insert1((1, "ann"))
    return table


@pytest.fixture
def reader(database: Database, subject: Any) -> Iterator[Connection]:
    """A connection of a user who may only read the schema."""
    words = {"user": f"u_{database.mark}", "password": PASSWORD, "schema": subject().name.schema}
    admin = database.connection
    for statement in [MAKE[database.backend], *READ[database.backend]]:
        admin.query(statement.format(**words))
    url = sa.make_url(database.url).set(username=words["user"], password=PASSWORD)
    connection = Connection(
        url.render_as_string(hide_password=False), settings=Settings(safemode=False)
    )
    yield connection
    connection.close()
    for statement in REMOVE[database.backend]:
        admin.query(statement.format(**words))


def activated(reader: Connection, subject: Any, **options: Any) -> Any:
    class Subject(dj.Manual):
        definition = "subject_id : int32\n---\nname : varchar(20)"

    return dj.Schema(subject().name.schema, connection=reader, **options)(Subject)


def grant(database: Database, error: AccessError) -> None:
    """Let an administrator run what the error asks for."""
    for statement in str(error).partition("run: ")[2].strip(";").split("; "):
        database.connection.query(statement)


def test_a_user_who_may_only_read_activates_and_queries(reader: Connection, subject: Any) -> None:
    table = activated(reader, subject)
    assert table.fetch1("name") == "ann"
    assert len(table & "name LIKE 'a%'") == 1
    module = dj.VirtualModule("rights", subject().name.schema, connection=reader)
    assert module.Subject.to_dicts() == [{"subject_id": 1, "name": "ann"}]
    assert subject().name.schema in dj.list_schemas(reader)


def test_the_missing_privilege_is_named_with_the_statement_that_grants_it(
    reader: Connection, subject: Any, database: Database
) -> None:
    table = activated(reader, subject)
    attempts = {
        "INSERT": lambda: table.insert1((2, "bob")),
        "UPDATE": lambda: table.update1({"subject_id": 1, "name": "amy"}),
        "DELETE": lambda: table.delete_quick(),
    }
    for verb, attempt in attempts.items():
        with pytest.raises(AccessError) as caught:
            attempt()
        assert caught.value.args[0] == "Insufficient privileges."
        assert f"may not {verb} on" in str(caught.value)
        assert f"GRANT {verb} ON" in str(caught.value)
        assert PASSWORD not in str(caught.value)
    assert subject.to_dicts() == [{"subject_id": 1, "name": "ann"}]
    with pytest.raises(AccessError, match="DELETE"):
        table.delete()


def test_the_grant_that_the_error_asks_for_is_enough(
    reader: Connection, subject: Any, database: Database
) -> None:
    table = activated(reader, subject)
    with pytest.raises(AccessError) as caught:
        table.insert1((2, "bob"))
    grant(database, caught.value)
    table.insert1((2, "bob"))
    assert len(subject) == 2


PART_OF = {
    "mysql": "{verb} ON `{schema}`.`{table}` {to} '{user}'@'%'",
    "postgresql": '{verb} ON "{schema}"."{table}" {to} {user}',
}


def allow(database: Database, verb: str, table: str, schema: str) -> None:
    words = {"user": f"u_{database.mark}", "schema": schema, "verb": verb, "table": table}
    database.connection.query("GRANT " + PART_OF[database.backend].format(to="TO", **words))


@pytest.fixture
def halved(database: Database, subject: Any) -> Iterator[Any]:
    """The tables of a user who may read the masters, and knows of the parts."""
    user, schema, admin = f"u_{database.mark}", subject().name.schema, database.connection
    words = {"user": user, "password": PASSWORD, "schema": schema}
    admin.query(MAKE[database.backend].format(**words))
    if database.backend == "postgresql":
        admin.query(READ["postgresql"][0].format(**words))
    for table in ("subject", "subject__pet"):
        allow(database, "SELECT", table, schema)
    url = sa.make_url(database.url).set(username=user, password=PASSWORD)
    connection = Connection(
        url.render_as_string(hide_password=False), settings=Settings(safemode=False)
    )
    subjects = dj.VirtualModule("lab", schema, connection=connection).Subject
    revoke = PART_OF[database.backend].format(
        verb="SELECT", schema=schema, table="subject__pet", to="FROM", user=user
    )
    admin.query("REVOKE " + revoke)
    connection.close()
    yield subjects
    connection.close()
    for statement in REMOVE[database.backend]:
        admin.query(statement.format(**words))


def test_of_several_tables_the_one_that_may_not_be_read_is_named(
    halved: Any, database: Database
) -> None:
    pets = halved.Pet
    queries = {
        "join": lambda: len(halved * pets),
        "restriction": lambda: len(halved - pets),
        "aggregation": lambda: halved.aggr(pets, n="count(pet)").to_dicts(),
    }
    for query in queries.values():
        with pytest.raises(AccessError, match=r"may not SELECT on \S+subject__pet") as caught:
            query()
    grant(database, caught.value)
    for query in queries.values():
        query()


def test_what_replacing_and_skipping_need_is_named(
    reader: Connection, subject: Any, database: Database
) -> None:
    table = activated(reader, subject)
    allow(database, "INSERT", "subject", subject().name.schema)
    table.insert1((2, "bob"))
    with pytest.raises(AccessError, match=r"may not INSERT, UPDATE on \S+subject") as caught:
        table.insert1((2, "bert"), replace=True)
    grant(database, caught.value)
    table.insert1((2, "bert"), replace=True)
    table.insert1((2, "bob"), skip_duplicates=True)
    assert (subject & "subject_id = 2").fetch1("name") == "bert"


def test_what_a_reference_to_another_schema_needs_is_named(
    reader: Connection, subject: Any, database: Database
) -> None:
    own = dj.Schema(database.schema_name("own"), connection=database.connection).database
    words = {"user": f"u_{database.mark}", "schema": own}
    database.connection.query(OWN[database.backend][-1].format(**words))
    schema = dj.Schema(own, {"Subject": activated(reader, subject)}, connection=reader)

    class Session(dj.Manual):
        definition = "-> Subject\nsession : int32"

    if database.server != "mariadb":  # which lets everyone refer to what they may read
        with pytest.raises(AccessError, match=r"may not REFERENCES on \S+subject") as caught:
            schema(Session)
        grant(database, caught.value)
    schema(Session).insert1((1, 1))


def test_a_table_that_is_not_there_cannot_be_declared_and_the_others_stay_usable(
    reader: Connection, subject: Any
) -> None:
    class Session(dj.Manual):
        definition = "session : int32"

    schema = dj.Schema(subject().name.schema, connection=reader)
    told = r"Cannot declare table .*`session`.*Check that you have CREATE privilege.*GRANT .*CREATE"
    with pytest.raises(AccessError, match=told) as caught:
        schema(Session)
    assert caught.value.args[0] == "Insufficient privileges."
    assert activated(reader, subject, create_tables=False).fetch1("name") == "ann"


def test_a_schema_that_may_not_be_created_is_named(reader: Connection, database: Database) -> None:
    with pytest.raises(AccessError, match=r"CREATE SCHEMA.*GRANT CREATE ON"):
        dj.Schema(database.schema_name("new"), connection=reader)
    with pytest.raises(dj.DataJointError, match="does not exist"):
        dj.Schema(database.schema_name("new"), connection=reader, create_schema=False)


@pytest.fixture
def owner(database: Database, subject: Any, reader: Connection) -> Iterator[Any]:
    """The table of a user who may do all in its schema, but not see another, which refers to it."""

    class Hidden(dj.Manual):
        definition = "hidden : int32\n---\n-> Subject"

    context = {"Subject": subject}
    dj.Schema(database.schema_name("hidden"), context, connection=database.connection)(Hidden)
    subject.Pet.insert1((1, "rex"))
    Hidden.insert1((1, 1))
    words = {"user": f"u_{database.mark}", "schema": subject().name.schema}
    for statement in OWN[database.backend]:
        database.connection.query(statement.format(**words))
    yield dj.VirtualModule("lab", subject().name.schema, connection=reader).Subject
    for statement in DISOWN[database.backend]:
        database.connection.query(statement.format(**words))


def test_rows_that_an_unseen_table_needs_stay_and_nothing_else_goes(
    owner: Any, subject: Any
) -> None:
    with pytest.raises(IntegrityError, match=r"Nothing was deleted.*may not see"):
        owner.delete()
    assert (len(subject), len(subject.Pet)) == (1, 1)


def test_a_table_that_an_unseen_table_needs_stays_and_what_went_is_named(
    owner: Any, subject: Any, database: Database
) -> None:
    with pytest.raises(IntegrityError, match="may not see") as caught:
        owner.drop()
    database.connection.catalog.forget()
    left = dj.Schema(subject().name.schema, connection=database.connection).list_tables()
    assert "subject" in left
    # MariaDB drops one table after the other.
    assert ("subject__pet" in left) == ("Nothing was dropped" in str(caught.value))
    assert "subject__pet" in left or database.server == "mariadb"


def test_dropping_without_the_right_to_names_that_right(reader: Connection, subject: Any) -> None:
    with pytest.raises(AccessError, match="may not DROP on"):
        activated(reader, subject).drop()
    assert (len(subject), len(subject.Pet)) == (1, 0)


def test_activating_writes_nothing(reader: Connection, subject: Any) -> None:
    written: list[str] = []
    execute = reader.execute

    def noting(sql: str, params: Any = ()) -> int:
        written.append(sql)
        return execute(sql, params)

    reader.execute = noting  # type: ignore[method-assign]
    activated(reader, subject)
    assert written == []


def test_nothing_is_collected_by_a_user_from_whom_tables_are_hidden(
    database: Database, subject: Any, tmp_path: Path
) -> None:
    admin, schema_name = database.connection, subject().name.schema
    stores = {"default": "raw", "raw": {"protocol": "file", "location": str(tmp_path)}}
    admin.settings["stores"] = stores
    schema = dj.Schema(schema_name, connection=admin)
    definition = {"definition": "n : int32\n---\no : <object@raw>"}
    seen, hidden = (schema(type(name, (dj.Manual,), definition)) for name in ("Seen", "Hidden"))
    seen.insert1((1, b"abc"))
    hidden.insert1((1, b"abc"))
    words = {"user": f"u_{database.mark}", "password": PASSWORD, "schema": schema_name}
    for statement in [MAKE[database.backend], *READ_ONE[database.backend]]:
        admin.query(statement.format(**words))
    url = sa.make_url(database.url).set(username=words["user"], password=PASSWORD)
    try:
        with (
            Connection(
                url.render_as_string(hide_password=False), settings=Settings(stores=stores)
            ) as own,
            pytest.raises(dj.errors.CollectionRefused, match=rf"hidden|{schema_name}"),
        ):
            dj.gc.collect(dj.Schema(schema_name, connection=own), dry_run=False, grace_period=0)
    finally:
        for statement in REMOVE[database.backend]:
            admin.query(statement.format(**words))
    assert hidden.fetch1("o").read() == seen.fetch1("o").read() == b"abc"


READ_ONLY = {
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "postgresql": "SET default_transaction_read_only = on",
}


def test_a_server_that_takes_no_changes_is_no_question_of_privileges(
    database: Database, subject: Any
) -> None:
    database.connection.query(READ_ONLY[database.backend])
    assert subject.fetch1("name") == "ann"
    for write in (
        lambda: subject.insert1((2, "bob")),
        lambda: subject.insert([(2, "bob"), (3, "eve")]),
        lambda: subject.update1({"subject_id": 1, "name": "amy"}),
        subject.delete,
    ):
        with pytest.raises(AccessError, match="may only be read") as caught:
            write()
        assert "GRANT" not in str(caught.value)
    assert subject.to_dicts() == [{"subject_id": 1, "name": "ann"}]
    database.connection.close()
    subject.insert1((2, "bob"))
