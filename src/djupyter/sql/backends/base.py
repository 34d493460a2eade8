"""What a backend must say about itself: each difference of databases stands behind `Backend`.

A backend holds no connection. It is asked for an engine, for statements, for conversions, and for
the meaning of errors and catalogue rows; `Connection`, `ddl` and `reflect` do the work.
"""

from __future__ import annotations

from typing import Any, ClassVar

from djupyter.sql.backends.differences.altering import Altering
from djupyter.sql.backends.differences.cataloguing import Cataloguing
from djupyter.sql.backends.differences.connecting import Connecting
from djupyter.sql.backends.differences.failing import Failing
from djupyter.sql.backends.differences.timing import Timing
from djupyter.sql.backends.differences.transacting import Transacting


class Backend(Connecting, Transacting, Failing, Timing, Altering, Cataloguing):
    """The differences of one database.

    Each part stands in a file of `differences`: `Connecting`, `Transacting`, `Failing` and `Timing`; `Writing` for
    statements and values; `Defining` and `Altering` for tables; `Cataloguing` for schemas and what is kept
    of them.

    Attributes
    ----------
    name
        `sqlite`, `mysql` or `postgresql`.
    depends_on_server
        Whether only the server can say which backend of a family it needs.
    """

    name: ClassVar[str]
    depends_on_server: ClassVar[bool] = False

    @property
    def backend(self) -> str:
        """The name, as programs written for datajoint ask for it: `connection.adapter.backend`."""
        return self.name

    def of_server(self, raw: Any) -> Backend:
        """Return the backend for the server that a driver's connection leads to: only that tells its product."""
        return self
