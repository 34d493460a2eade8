"""The servers that the tests start for themselves."""

import socket

import psycopg
import pymysql
import pytest
from sqlalchemy import make_url

from tests.servers import KINDS, NotAvailable, program, required, running, unavailable

DRIVERS = {
    "mariadb": lambda url: pymysql.connect(host=url.host, port=url.port, user=url.username),
    "mysql": lambda url: pymysql.connect(host=url.host, port=url.port, user=url.username),
    "postgresql": lambda url: psycopg.connect(
        host=url.host, port=url.port, user=url.username, dbname=url.database
    ),
}


PRODUCT = {"mariadb": "MariaDB", "mysql": "MySQL", "postgresql": "PostgreSQL"}


@pytest.mark.parametrize("name", KINDS)
def test_a_server_starts_answers_and_is_gone_at_the_end(name):
    try:
        with running(name) as server:
            url = make_url(server.url)
            assert version(name, url).startswith(PRODUCT[name])
    except NotAvailable as reason:
        unavailable(name, str(reason))
    assert not answers(url)


@pytest.mark.parametrize("name", KINDS)
def test_a_killed_server_starts_again_with_what_it_had(name):
    try:
        with running(name) as server:
            url = make_url(server.url)
            execute(name, url, "CREATE SCHEMA kept")
            server.kill()
            assert not answers(url)
            server.start()
            execute(name, url, "CREATE TABLE kept.t (a int)")
    except NotAvailable as reason:
        unavailable(name, str(reason))


def test_a_mariadb_leaves_the_temporary_tables_of_others_alone(tmp_path, monkeypatch):
    theirs = tmp_path / "#sql-temptable-1-2-3.MAI"
    theirs.touch()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    try:
        with running("mariadb") as server:
            assert version("mariadb", make_url(server.url)) == "MariaDB"
    except NotAvailable as reason:
        unavailable("mariadb", str(reason))
    assert theirs.exists()


def execute(name, url, sql):
    with DRIVERS[name](url) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        connection.commit()
        return cursor.fetchone() if cursor.description else None


def version(name, url):
    (text,) = execute(name, url, "SELECT VERSION()")
    if name == "mysql":
        return "MariaDB" if "MariaDB" in text else "MySQL"
    return "MariaDB" if "MariaDB" in text else text


def answers(url):
    try:
        socket.create_connection((url.host, url.port)).close()
        return True
    except ConnectionRefusedError:
        return False


def test_a_missing_program_says_how_to_get_it():
    with pytest.raises(NotAvailable, match="apt-get install some-package"):
        program(["no-such-program"], "some-package", [])


def test_a_required_backend_fails_instead_of_being_skipped(monkeypatch):
    monkeypatch.setenv("DJ_TEST_REQUIRE", "sqlite, mysql")
    with pytest.raises(pytest.fail.Exception, match="mysql is required by DJ_TEST_REQUIRE"):
        unavailable("mysql", "it is not there")
    with pytest.raises(pytest.skip.Exception, match="it is not there"):
        unavailable("postgresql", "it is not there")


def test_to_require_what_is_not_known_is_refused(monkeypatch):
    monkeypatch.setenv("DJ_TEST_REQUIRE", "sqlite,mysq")
    with pytest.raises(pytest.UsageError, match="DJ_TEST_REQUIRE names mysq; known are"):
        required()


def test_each_test_has_schema_names_of_its_own(db):
    assert db.schema_name("lab").startswith("lab_")
    assert db.schema_name("lab") != type(db)(db.server, db.url).schema_name("lab")
