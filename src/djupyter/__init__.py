"""Scientific data pipelines as a relational workflow, native to Jupyter.

Tables are steps of a workflow, foreign keys are its dependencies, the schema is an executable graph.

>>> import djupyter as dj
>>> schema = dj.Schema("doctest", connection=dj.Connection("sqlite://"))
>>> @schema
... class Subject(dj.Manual):
...     definition = '''
...     subject_id : int32
...     ---
...     species : varchar(40)
...     '''
>>> Subject.insert([(1, "mouse"), (2, "rat")])
>>> (Subject & 'species = "rat"').fetch1("subject_id")
2
"""

from __future__ import annotations

from typing import Any

from djupyter import errors
from djupyter.codecs.addressed import SchemaCodec
from djupyter.codecs.base import Codec
from djupyter.codecs.blob import MatCell, MatStruct
from djupyter.codecs.registry import get_codec, list_codecs
from djupyter.errors import DataJointError, ThreadSafetyError
from djupyter.populate.pipeline import (
    populate,
    populate_async,
)  # the function; the folder is reached by its files
from djupyter.populate.tiers import AutoPopulate, Computed, Imported
from djupyter.query.conditions import AndList, Not
from djupyter.query.top import Top
from djupyter.query.universal import U
from djupyter.session import Instance, conn, default, list_schemas
from djupyter.sql.connection import Connection
from djupyter.stores.protocols import StorageAdapter, get_storage_adapter
from djupyter.table.diagram import Diagram
from djupyter.table.schema import Schema
from djupyter.table.table import FreeTable, Table
from djupyter.table.tiers import Lookup, Manual, Part
from djupyter.table.validation import ValidationResult
from djupyter.table.virtual import VirtualModule, virtual_schema

# Other names of the tiers, by what their rows do.
Entry, Ingest, Compute = Manual, Imported, Computed

__version__ = "0.1.0"
__all__ = [
    "AndList",
    "AutoPopulate",
    "Codec",
    "Compute",
    "Computed",
    "Connection",
    "DataJointError",
    "Diagram",
    "Entry",
    "FreeTable",
    "Imported",
    "Ingest",
    "Instance",
    "Lookup",
    "Manual",
    "MatCell",
    "MatStruct",
    "Not",
    "NpyRef",
    "ObjectRef",
    "ParquetRef",
    "Part",
    "Schema",
    "SchemaCodec",
    "StorageAdapter",
    "Table",
    "ThreadSafetyError",
    "Top",
    "U",
    "ValidationResult",
    "VirtualModule",
    "config",
    "conn",
    "errors",
    "gc",
    "get_codec",
    "get_storage_adapter",
    "list_codecs",
    "list_schemas",
    "load_ipython_extension",
    "populate",
    "populate_async",
    "virtual_schema",
]


# Imported when they are asked for: most programs get such values from a query, and never name their classes.
_LATE = {
    "NpyRef": "djupyter.codecs.npy_ref",
    "ObjectRef": "djupyter.codecs.object_ref",
    "ParquetRef": "djupyter.codecs.parquet_ref",
}


def __getattr__(name: str) -> Any:
    # Settings are read from files when first needed, not at import.
    if name == "config":
        return default.settings
    if name == "gc":
        from importlib import import_module

        return import_module("djupyter.gc")
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module `djupyter` has no attribute `{name}`")


def load_ipython_extension(ipython: Any = None) -> None:
    """Register the magics with a running IPython; what `%load_ext djupyter` calls.

    Parameters
    ----------
    ipython
        The shell; the running one when None.
    """
    from djupyter.notebook.extension import load

    load(ipython)
