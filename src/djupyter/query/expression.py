"""Queries: compose with ``& - * +``, `proj`, `aggr`; fetch with the ``to_...`` methods.

Every operator returns a new query; nothing reaches the database before a fetch, `len`, `bool` or a repr.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Self

from djupyter.codecs.base import Context
from djupyter.errors import DataJointError
from djupyter.frontend import frontend
from djupyter.query import frames, legacy, show, statement
from djupyter.query.algebra import Algebra
from djupyter.query.fetch import Columns, Row, plan, record_array
from djupyter.query.node import Node
from djupyter.query.top import Top, limited
from djupyter.render.html import preview_html
from djupyter.render.preview import Preview
from djupyter.render.text import preview_text
from djupyter.sql.result import Result

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from djupyter.sql.connection import Connection

Order = str | Sequence[str] | None

# Rows of an iteration that are in memory at a time; values that pass through codecs may be large.
_ROWS, _HEAVY_ROWS = 10_000, 100


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
        node = self.node
        ((n,),) = self._fetch(node, statement.count(node, self.connection.backend))
        return int(n)

    def __bool__(self) -> bool:
        node = self.node
        return bool(self._fetch(node, statement.exists(node, self.connection.backend)))

    def __contains__(self, condition: object) -> bool:
        return bool(self & condition)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        node, connection = self.node, self.connection
        planned = plan(node, connection.backend)
        parameters = planned.statement.parameters(node.values, connection.backend.adapt)
        context = self._context()
        size = _HEAVY_ROWS if planned.codecs else _ROWS
        for rows in connection.stream(planned.statement.text, parameters, size):
            yield from planned.dicts(rows, context)

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
        node = self._cut(order_by, limit, offset)
        planned = plan(node, self.connection.backend)
        return planned.dicts(self._fetch(node, planned.statement), self._context(), squeeze=squeeze)

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

        Raises
        ------
        UnknownAttributeError
            A name is not an attribute of this query.
        """
        node = self._cut(order_by, limit, offset)
        key = node.heading.primary_key
        wanted = dict.fromkeys([*(key if include_key else ()), *attributes]) if attributes else None
        result = self._columns(node, wanted, squeeze)
        arrays = [result.array(name) for name in attributes] or [record_array(result)]
        found = (result.dicts(key), *arrays) if include_key else tuple(arrays)
        return found[0] if len(found) == 1 else found

    def to_pandas(
        self,
        order_by: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        squeeze: bool = False,
    ) -> pandas.DataFrame:
        """Return a DataFrame indexed by the primary key; arguments as in `to_dicts`."""
        return frames.frame(self._columns(self._cut(order_by, limit, offset), None, squeeze))

    def to_arrow(
        self,
        order_by: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        squeeze: bool = False,
    ) -> pyarrow.Table:
        """Return an Arrow table; needs the package pyarrow. Arguments as in `to_dicts`."""
        return frames.arrow(self._columns(self._cut(order_by, limit, offset), None, squeeze))

    def to_polars(
        self,
        order_by: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        squeeze: bool = False,
    ) -> polars.DataFrame:
        """Return a polars frame; needs the packages polars and pyarrow. Arguments as in `to_dicts`."""
        return frames.polars_frame(self._columns(self._cut(order_by, limit, offset), None, squeeze))

    def keys(
        self, order_by: Order = None, limit: int | None = None, offset: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the primary keys as a list of dicts; arguments as in `to_dicts`."""
        node = self._cut(order_by, limit, offset)
        planned = plan(node, self.connection.backend, node.heading.primary_key)
        return planned.dicts(self._fetch(node, planned.statement), self._context())

    def fetch1(self, *attributes: str, squeeze: bool = False) -> Any:
        """Return the only row: a dict, the value of one attribute, or a tuple of several; ``"KEY"`` gives the key.

        Raises
        ------
        DataJointError
            There is no row, or more than one.
        UnknownAttributeError
            A name is not an attribute of this query.
        """
        node = self.node
        wanted = self._wanted(attributes) if attributes else None
        planned = plan(node, self.connection.backend, wanted, 2)
        rows = self._fetch(node, planned.statement)
        if len(rows) != 1:
            raise self._not_one(len(rows), attributes)
        (row,) = planned.dicts(rows, self._context(), squeeze=squeeze)
        if not attributes:
            return row
        key = node.heading.primary_key
        values = [{k: row[k] for k in key} if n == "KEY" else row[n] for n in attributes]
        return values[0] if len(values) == 1 else tuple(values)

    def _wanted(self, attributes: Iterable[str]) -> Iterable[str]:
        """Return the names without `KEY`, each once."""
        key = self.primary_key
        return dict.fromkeys(n for name in attributes for n in (key if name == "KEY" else [name]))

    def _not_one(self, size: int, attributes: Sequence[str]) -> DataJointError:
        found = len(self) if size else "no"
        instead = f"to_arrays({', '.join(map(repr, attributes))})" if attributes else "to_dicts()"
        return DataJointError(
            f"fetch1 requires exactly one tuple in the input set; {found} tuples found. "
            f"Restrict the query to one row, for example by a primary key, or use {instead}."
        )

    def head(self, limit: int = 25, **fetch_kwargs: Any) -> list[dict[str, Any]]:
        """Return the first rows by primary key; further arguments as in `to_dicts`."""
        return self.to_dicts(order_by="KEY", limit=limit, **fetch_kwargs)

    def tail(self, limit: int = 25, **fetch_kwargs: Any) -> list[dict[str, Any]]:
        """Return the last rows by primary key, in ascending order; further arguments as in `to_dicts`."""
        return self.to_dicts(order_by="KEY desc", limit=limit, **fetch_kwargs)[::-1]

    def fetch(
        self,
        *attributes: str,
        offset: int | None = None,
        limit: int | None = None,
        order_by: Order = None,
        format: str | None = None,
        as_dict: bool = False,
        squeeze: bool = False,
    ) -> Any:
        """Return results as datajoint did before version 2, with a `DeprecationWarning`.

        Parameters
        ----------
        *attributes
            None: a structured array. Otherwise an array for each, ``"KEY"`` for a list of keys.
        offset, limit, order_by, squeeze
            As in `to_dicts`.
        format
            ``"frame"`` for a DataFrame, else ``"array"``.
        as_dict
            A list of dicts instead of arrays.
        """
        options = {"order_by": order_by, "limit": limit, "offset": offset, "squeeze": squeeze}
        return legacy.fetch(
            self,
            lambda names: self._columns(self._cut(order_by, limit, offset), names, squeeze),
            attributes,
            as_dict,
            format,
            **options,
        )

    def cursor(self, as_dict: bool = False) -> Result:
        """Return the rows as the database has them, nothing decoded.

        Parameters
        ----------
        as_dict
            Rows as dicts rather than tuples.
        """
        node = self.node
        rows = self._fetch(node, statement.rows(node, self.connection.backend))
        return Result.from_rows(rows, node.heading.names, as_dict=as_dict)

    def make_sql(self, fields: Iterable[str] | None = None) -> str:
        """Return the SELECT statement with placeholders for the values.

        Parameters
        ----------
        fields
            Names of attributes; None for all.
        """
        names = None if fields is None else [self.heading.need(name).name for name in fields]
        return statement.rows(self.node, self.connection.backend, names).text

    # -- on screen ----------------------------------------------------------------------------------

    def preview(self, limit: int | None = None) -> pandas.DataFrame:
        """Return the first rows as a DataFrame, large values summarised; what the repr shows.

        Parameters
        ----------
        limit
            How many rows; None for the setting `display.limit`.
        """
        rows = self._setting("display.limit") if limit is None else limit
        shown = show.preview(self, rows, count=False)
        import pandas

        names = [column.name for column in shown.columns]
        data = pandas.DataFrame(list(shown.rows), columns=names)
        return data.set_index(self.primary_key) if self.primary_key else data

    def browse(self) -> Any:
        """Return a live table of all rows, for a notebook: scroll, sort, filter, look at objects.

        It reads as many rows as are seen. What it shows is a query, whose Python text it tells. Where there are
        no widgets, and in a saved notebook, it shows what the query itself does.

        Raises
        ------
        DataJointError
            The packages that draw widgets are not installed, or the key has no order.
        """
        return frontend("browse")(self)

    def __repr__(self) -> str:
        # IPython swallows what a repr raises: what is wrong is shown in place of the rows.
        try:
            return preview_text(self._preview())
        except DataJointError as error:
            return f"{type(error).__name__}: {error}"

    def _repr_html_(self) -> str:
        try:
            return preview_html(self._preview())
        except DataJointError as error:
            return f"<pre>{escape(f'{type(error).__name__}: {error}')}</pre>"

    def _preview(self) -> Preview:
        return show.preview(
            self,
            self._setting("display.limit"),
            title=self._title(),
            count=self._setting("display.show_tuple_count"),
        )

    def _setting(self, name: str) -> Any:
        return self.connection.settings[name]

    def _title(self) -> str:
        """Return what the caption calls this query."""
        return ""

    # -- inside -------------------------------------------------------------------------------------

    def _cut(self, order_by: Order, limit: int | None, offset: int | None) -> Node:
        node = self.node
        if order_by is None and limit is None and not offset:
            return node
        return limited(node, Top(limit, order_by, offset or 0))

    def _columns(self, node: Node, names: Iterable[str] | None, squeeze: bool = False) -> Columns:
        planned = plan(node, self.connection.backend, names)
        return planned.columns(
            self._fetch(node, planned.statement), self._context(), squeeze=squeeze
        )

    def _context(self) -> Context:
        """Return what codecs may use to decode."""
        return {"config": self.connection.settings, "stores": self.connection.stores}

    def _fetch(self, node: Node, prepared: statement.Statement) -> list[Row]:
        parameters = prepared.parameters(node.values, self.connection.backend.adapt)
        return self.connection.fetch(prepared.text, parameters)
