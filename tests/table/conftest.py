import pytest

import djupyter as dj
from tests.conftest import Database


@pytest.fixture
def schema(db: Database) -> dj.Schema:
    """An empty schema on each backend."""
    return dj.Schema(db.schema_name("lab"), connection=db.connection)
