"""Queries: compose with ``& - * +``, `proj`, `aggr`; fetch with the ``to_...`` methods.

Every operator returns a new query; nothing reaches the database before a fetch, `len`, `bool` or a repr.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

from djupyter.errors import DataJointError
from djupyter.query import fetch, show, statement
from djupyter.query.algebra import Algebra
from djupyter.query.node import Node
from djupyter.query.top import Top, limited
from djupyter.render.html import preview_html
from djupyter.render.preview import Preview
from djupyter.render.text import preview_text

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from djupyter.sql.connection import Connection

Order = str | Sequence[str] | None


class Query(Algebra):
    """A relational expression: compose with ``& - * +``, `proj`, `aggr`; fetch with the ``to_...`` methods."""

    def __init__(self, connection: Connection, node: Node) -> None:
        self._connection, self._node = connection, node

    def _like(self, node: Node) -> Self:
        return type(self)(self.connection, node)

    def _derived(self, node: Node) -> Query:
        return Query(self.connection, node)

    # -- how many -----------------------------------------------------------------------------------

    def __len__(self) -> int:
        ((n,),) = self._fetch(statement.count(self.node, self.connection.backend))
        return int(n)

    def __bool__(self) -> bool:
        return bool(self._fetch(statement.exists(self.node, self.connection.backend)))

    def __contains__(self, condition: object) -> bool:
        return bool(self & condition)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = self.heading.names
        decode = fetch.decoders(self.heading, names, self.connection.backend)
        prepared = statement.rows(self.node, self.connection.backend)
        parameters = prepared.parameters(self.node.values, self.connection.backend.adapt)
        for rows in self.connection.stream(prepared.text, parameters):
            yield from fetch.dicts(names, rows, decode)

    # -- what ---------------------------------------------------------------------------------------

    def to_dicts(
        self,
        order_by: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        squeeze: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the rows as a list of dicts, NULL as None.

        Parameters
        ----------
        order_by
            Attributes, ``"KEY"``, each optionally with ``desc``.
        limit, offset
            How many rows, and how many to pass over.
        squeeze
            Remove axes of length one from arrays.
        """
        query = self._cut(order_by, limit, offset)
        names = query.heading.names
        return fetch.dicts(names, query._rows(None), query._decoders(names, squeeze))

    def to_arrays(
        self,
        *attributes: str,
        include_key: bool = False,
        order_by: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        squeeze: bool = False,
    ) -> Any:
        """Return NumPy arrays.

        Parameters
        ----------
        *attributes
            None: one structured array of everything. One: its array. Several: a tuple of arrays.
        include_key
            Put the list of keys (dicts) first.
        order_by, limit, offset, squeeze
            As in `to_dicts`.
        """
        query = self._cut(order_by, limit, offset)
        heading = query.heading
        for name in attributes:
            heading.need(name)
        if not attributes:
            names = heading.names
            columns = fetch.transpose(query._rows(None), query._decoders(names, squeeze))
            records = fetch.record_array(heading, columns)
            key = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
            primary = heading.primary_key
            return (
                ([{n: row[n] for n in primary} for row in key], records) if include_key else records
            )
        wanted = list(dict.fromkeys([*(heading.primary_key if include_key else ()), *attributes]))
        columns = fetch.transpose(query._rows(wanted), query._decoders(wanted, squeeze))
        by_name = dict(zip(wanted, columns, strict=True))
        arrays = tuple(fetch.array(heading[name], by_name[name]) for name in attributes)
        if include_key:
            values = zip(*(by_name[name] for name in heading.primary_key), strict=True)
            return ([dict(zip(heading.primary_key, row, strict=True)) for row in values], *arrays)
        return arrays[0] if len(arrays) == 1 else arrays

    def to_pandas(
        self,
        order_by: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        squeeze: bool = False,
    ) -> pandas.DataFrame:
        """Return a DataFrame indexed by the primary key; arguments as in `to_dicts`."""
        query = self._cut(order_by, limit, offset)
        return fetch.frame(query.heading, query._columns(squeeze))

    def to_arrow(
        self,
        order_by: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        squeeze: bool = False,
    ) -> pyarrow.Table:
        """Return an Arrow table; needs the package pyarrow."""
        query = self._cut(order_by, limit, offset)
        return fetch.arrow(query.heading, query._columns(squeeze))

    def to_polars(
        self,
        order_by: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        squeeze: bool = False,
    ) -> polars.DataFrame:
        """Return a polars frame; needs the packages polars and pyarrow."""
        query = self._cut(order_by, limit, offset)
        return fetch.polars_frame(query.heading, query._columns(squeeze))

    def keys(
        self, order_by: Order = None, limit: int | None = None, offset: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the primary keys as a list of dicts."""
        query = self._cut(order_by, limit, offset)
        names = query.primary_key
        return fetch.dicts(
            names,
            query._rows(names) if names else [() for _ in range(len(query))],
            query._decoders(names),
        )

    def fetch1(self, *attributes: str, squeeze: bool = False) -> Any:
        """Return the only row: a dict, the value of one attribute, or a tuple of several; ``"KEY"`` gives the key.

        Raises
        ------
        DataJointError
            There is no row, or more than one.
        """
        rows = self._cut(None, 2, None)._rows(None)
        if len(rows) != 1:
            found = "none" if not rows else f"{len(self)}"
            raise DataJointError(
                f"fetch1 requires exactly one tuple in the input set; there are {found}. "
                "Restrict the query by a primary key, or use to_dicts()."
            )
        names = self.heading.names
        (row,) = fetch.dicts(names, rows, self._decoders(names, squeeze))
        if not attributes:
            return row
        values = [
            {key: row[key] for key in self.primary_key}
            if name == "KEY"
            else row[self.heading.need(name).name]
            for name in attributes
        ]
        return values[0] if len(values) == 1 else tuple(values)

    def head(self, limit: int = 25, **fetch_kwargs: Any) -> list[dict[str, Any]]:
        """Return the first rows by primary key."""
        return self.to_dicts(order_by="KEY", limit=limit, **fetch_kwargs)

    def tail(self, limit: int = 25, **fetch_kwargs: Any) -> list[dict[str, Any]]:
        """Return the last rows by primary key, in ascending order."""
        return self.to_dicts(order_by="KEY desc", limit=limit, **fetch_kwargs)[::-1]

    def make_sql(self) -> str:
        """Return the SELECT statement with placeholders for the values."""
        return statement.rows(self.node, self.connection.backend).text

    # -- on screen ----------------------------------------------------------------------------------

    def preview(self, limit: int | None = None) -> pandas.DataFrame:
        """Return the first rows as a DataFrame, large values summarised; what the repr shows."""
        shown = show.preview(self, limit or self._display_limit(), count=False)
        import pandas

        names = [column.name for column in shown.columns]
        data = pandas.DataFrame(list(shown.rows), columns=names)
        return data.set_index(self.primary_key) if self.primary_key else data

    def __repr__(self) -> str:
        return preview_text(self._preview())

    def _repr_html_(self) -> str:
        return preview_html(self._preview())

    def _preview(self) -> Preview:
        settings = self.connection.settings
        return show.preview(
            self,
            self._display_limit(),
            title=self._title(),
            count=settings["display.show_tuple_count"],
        )

    def _display_limit(self) -> int:
        return int(self.connection.settings["display.limit"])

    def _title(self) -> str:
        """Return what the caption calls this query."""
        return ""

    # -- inside -------------------------------------------------------------------------------------

    def _cut(self, order_by: Order, limit: int | None, offset: int | None) -> Query:
        if order_by is None and limit is None and not offset:
            return self
        return Query(self.connection, limited(self.node, Top(limit, order_by, offset or 0)))

    def _rows(self, names: Sequence[str] | None) -> list[tuple[Any, ...]]:
        return self._fetch(statement.rows(self.node, self.connection.backend, names))

    def _columns(self, squeeze: bool) -> fetch.Columns:
        return fetch.transpose(self._rows(None), self._decoders(self.heading.names, squeeze))

    def _decoders(self, names: Sequence[str], squeeze: bool = False) -> list[fetch.Decode | None]:
        return fetch.decoders(self.heading, names, self.connection.backend, squeeze=squeeze)

    def _fetch(self, prepared: statement.Statement) -> list[tuple[Any, ...]]:
        parameters = prepared.parameters(self.node.values, self.connection.backend.adapt)
        return self.connection.fetch(prepared.text, parameters)
