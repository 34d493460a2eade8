"""The servers that the tests start for themselves."""

import socket

import psycopg
import pymysql
import pytest
from sqlalchemy import make_url

from tests.servers import KINDS, NotAvailable, program, running, unavailable

DRIVERS = {
    "mysql": lambda url: pymysql.connect(host=url.host, port=url.port, user=url.username),
    "postgresql": lambda url: psycopg.connect(
        host=url.host, port=url.port, user=url.username, dbname=url.database
    ),
}


@pytest.mark.parametrize("backend", KINDS)
def test_a_server_starts_answers_and_is_gone_at_the_end(backend):
    try:
        with running(backend) as text:
            url = make_url(text)
            with DRIVERS[backend](url) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                assert cursor.fetchone() == (1,)
    except NotAvailable as reason:
        unavailable(backend, str(reason))
    with pytest.raises(ConnectionRefusedError), socket.create_connection((url.host, url.port)):
        pass


def test_a_missing_program_says_how_to_get_it():
    with pytest.raises(NotAvailable, match="apt-get install some-package"):
        program(["no-such-program"], "some-package", [])


def test_a_required_backend_fails_instead_of_being_skipped(monkeypatch):
    monkeypatch.setenv("DJ_TEST_REQUIRE", "sqlite, mysql")
    with pytest.raises(pytest.fail.Exception, match="mysql is required by DJ_TEST_REQUIRE"):
        unavailable("mysql", "it is not there")
    with pytest.raises(pytest.skip.Exception, match="it is not there"):
        unavailable("postgresql", "it is not there")


def test_each_test_has_schema_names_of_its_own(db):
    assert db.schema_name("lab").startswith("lab_")
    assert db.schema_name("lab") != type(db)(db.backend, db.url).schema_name("lab")
