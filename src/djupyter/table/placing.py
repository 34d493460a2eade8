"""Which objects of a store belong to which schema, told from their paths. Pure: nothing here reads a store.

```
{hash_prefix}/{schema}/{fold}/{hash}                                            by content
{schema_prefix}/{attr=value}/…/{schema}/{table}/{attr=value}/…/{field}_{token}  by schema, a file or a folder
```
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Kind = Literal["hash", "schema"]

# Most paths: no part is empty or begins with a dot.
_NORMAL = re.compile(r"[^/.][^/]*(?:/[^/.][^/]*)*")
MANIFEST = ".manifest.json"
_HASH = re.compile(r"[a-z2-7]{26}")
_ASSIGNMENT = re.compile(r"\w+=")
# The object comes after the table and the values of the key. Possessive: all assignments there are.
_IN_TABLE = re.compile(
    r"(?:\w+=[^/]*/)*+(?P<schema>[^/]*)/[^/]*(?:/(?:\w+=[^/]*/)*+(?P<name>[^/]*))?"
)
_TOKEN = re.compile(r".*_[A-Za-z0-9_-]{4,16}(\..*)?")
# What a writer that was killed leaves behind, under the name before the last one.
_UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.part")


class Placed(NamedTuple):
    """Where a file of a store belongs.

    Attributes
    ----------
    schema
        Whose object it is, or a part of.
    kind
        In which section it lies.
    unit
        The object: the file itself, or the folder it lies in. A manifest belongs to its folder.
    """

    schema: str
    kind: Kind
    unit: str


@dataclass(frozen=True, slots=True)
class Sections:
    """The parts of a store in which objects of some schemas lie.

    Parameters
    ----------
    hash_prefix, schema_prefix
        Folders of the two sections; empty for the root of the store.
    schemas
        Whose objects are looked for.

    Examples
    --------
    >>> sections = Sections("_hash", "_schema", frozenset({"lab"}))
    >>> sections.place("_schema/day=1/lab/scan/n=1/movie_x1y2/0.0").unit
    '_schema/day=1/lab/scan/n=1/movie_x1y2'
    >>> sections.place("_hash/lab/lvauakv4jmvhnolrtwiraf6fsi").kind
    'hash'
    >>> sections.place("_schema/other/scan/n=1/movie_x1y2"), sections.place("raw/lab/a.dat")
    (None, None)
    """

    hash_prefix: str
    schema_prefix: str
    schemas: frozenset[str]

    @classmethod
    def of(cls, spec: Mapping[str, Any], schemas: Collection[str]) -> Sections:
        """Return the sections of a store by its entry."""
        hash_prefix, schema_prefix = (
            str(spec.get(key) or "").strip("/") for key in ("hash_prefix", "schema_prefix")
        )
        return cls(hash_prefix, schema_prefix, frozenset(schemas))

    def folders(self) -> list[str]:
        """Return the folders that hold all objects but partitioned ones, each once."""
        folders = [
            joined(prefix, schema)
            for prefix in (self.hash_prefix, self.schema_prefix)
            for schema in sorted(self.schemas)
        ]
        return list(dict.fromkeys(folders))

    def partition(self, name: str) -> str | None:
        """Return the folder of a name at the top of the schema section if partitioned objects lie there."""
        return joined(self.schema_prefix, name) if _ASSIGNMENT.match(name) else None

    def place(self, path: str) -> Placed | None:
        """Return where a file belongs; None for a file that is nobody's object, or of another schema."""
        inside = _below(path, self.hash_prefix)
        if inside is not None and (found := self._by_content(path, inside)):
            return found
        inside = _below(path, self.schema_prefix)
        return None if inside is None else self._by_schema(path, inside)

    def _by_content(self, path: str, inside: str) -> Placed | None:
        schema, slash, rest = inside.partition("/")
        if not slash or schema not in self.schemas:
            return None
        folds, _, name = rest.rpartition("/")
        is_hash = _HASH.fullmatch(name) is not None and name.startswith(folds.replace("/", ""))
        if is_hash or _UNFINISHED.fullmatch(name):
            return Placed(schema, "hash", path)
        return None

    def _by_schema(self, path: str, inside: str) -> Placed | None:
        found = _IN_TABLE.match(inside)
        if found is None or found["schema"] not in self.schemas:
            return None
        name = found["name"]
        is_object = name is not None and not _ASSIGNMENT.match(name)
        if not self.schema_prefix:  # the root of the store is for files of users too
            is_ours = is_object and _TOKEN.fullmatch(name)
            if not (is_ours or _UNFINISHED.fullmatch(inside.rpartition("/")[2])):
                return None
        below = len(inside) - found.end("name") if is_object else 0
        return Placed(found["schema"], "schema", path[: len(path) - below].removesuffix(MANIFEST))


def normal(path: str) -> str:
    """Return a path as listings give it; empty when it names no object.

    >>> normal("_schema//lab/./scan/x_1/"), normal("/"), normal("../x")
    ('_schema/lab/scan/x_1', '', '')
    """
    if _NORMAL.fullmatch(path):
        return path
    clean = posixpath.normpath(path).strip("/")
    return "" if clean in (".", "") or clean.split("/")[0] == ".." else clean


def key_of(path: str) -> bytes:
    """Return what sorts a folder before all that lies in it, and that before anything else.

    A manifest has the key of its folder.

    >>> key_of("a/b.manifest.json") == key_of("a/b") < key_of("a/b/c") < key_of("a/b.txt")
    True
    """
    plain = path.removesuffix(MANIFEST).replace("/", "\0")
    try:
        return plain.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, which a JSON document may hold but no path
        return plain.encode("utf-8", "surrogatepass")


def path_of(key: bytes) -> str:
    """Return the path of a key; of a manifest that of its folder."""
    return key.replace(b"\0", b"/").decode("utf-8", "surrogateescape")


def joined(*parts: str) -> str:
    """Return the path of some parts, of which empty ones do not count."""
    return "/".join(part for part in parts if part)


def _below(path: str, folder: str) -> str | None:
    if not folder:
        return path
    return path[len(folder) + 1 :] if path.startswith(f"{folder}/") else None
