"""Where an object lies in its store: pure functions, whose results never lead out of it.

```
{hash_prefix}/{schema}/{fold}/{hash}                                          content-addressed
{schema_prefix}/{partition}/{schema}/{table}/{attr=value}/{field}_{token}{ext}   schema-addressed
```

The paths are those of datajoint 2.3.5, except for key values that could not be stored: see `object_path`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import string
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from numbers import Number
from typing import Any
from urllib.parse import quote

from djupyter.errors import DataJointError

Bytes = bytes | bytearray | memoryview

_TOKEN_CHARACTERS = string.ascii_letters + string.digits + "-_"
_UNSAFE = re.compile(r'[/\\:*?"<>|]')
# No file name may hold NUL; the lists of S3, which are XML, no other control character; nothing half a character.
_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# Nor what turns the direction of reading, which hides an ending; on Windows nor what means something there.
_NOT_IN_NAMES = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069"
    + (r':*?"<>|]' if os.name == "nt" else "]")
)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_HASH = re.compile(r"[a-z2-7]{26}")
_LONGEST_TEXT = 100  # characters of a key value
_LONGEST_NAME = 255  # bytes of a file name, on nearly every filesystem


def content_hash(parts: Bytes | Iterable[Bytes]) -> str:
    """Return the name of content by its MD5: 26 characters of `a-z2-7`.

    >>> content_hash(b"hello"), content_hash([b"hel", b"lo"])
    ('lvauakv4jmvhnolrtwiraf6fsi', 'lvauakv4jmvhnolrtwiraf6fsi')
    """
    digest = hashlib.md5(usedforsecurity=False)
    for part in [parts] if isinstance(parts, Bytes) else parts:
        digest.update(part)
    return base64.b32encode(digest.digest()).decode().rstrip("=").lower()


def hash_path(spec: Mapping[str, Any], schema: str, content: str) -> str:
    """Return where content of a hash lies.

    >>> hash_path({"hash_prefix": "hh", "subfolding": [2, 3]}, "fmt", "ntbkwkogoaeivvblrks3iudwiy")
    'hh/fmt/nt/bkw/ntbkwkogoaeivvblrks3iudwiy'
    """
    if not _HASH.fullmatch(content):
        raise DataJointError(f"{content!r} is no hash: 26 characters of a-z and 2-7 are expected.")
    folds, start = [], 0
    for length in spec.get("subfolding") or ():
        folds.append(content[start : start + length])
        start += length
    return _joined(
        [_prefix(spec, "hash_prefix"), _component(schema), *filter(None, folds), content]
    )


def object_path(
    spec: Mapping[str, Any],
    schema: str,
    table: str,
    key: Mapping[str, object],
    field: str,
    ext: str | None = None,
    token: str | None = None,
) -> str:
    """Return where the object of an attribute of a row may be written: a new place each time.

    Parameters
    ----------
    spec
        The entry of the store.
    schema, table, field
        By the names the database uses.
    key
        Primary-key values of the row in their order, as far as they are known.
    ext
        What the file name ends with; a leading dot is added when missing.
    token
        What makes the place new; random when None.

    Notes
    -----
    Key values that datajoint would write but no store could hold (control characters, half characters, names
    longer than 255 bytes), or that look like a way up (`..`), are percent-encoded or cut; readers take
    the path from the row, so this is no difference to them.

    Examples
    --------
    >>> object_path({"schema_prefix": "_schema"}, "lab", "__scan", {"subject": "a/b"}, "movie", "npy", "x1")
    '_schema/lab/__scan/subject=a%2Fb/movie_x1.npy'
    """
    parts = {name: _assignment(name, value) for name, value in key.items()}
    pattern = spec.get("partition_pattern") or ""
    partition = [name for name in re.findall(r"\{(\w+)\}", pattern) if name in parts]
    first = [parts.pop(name) for name in dict.fromkeys(partition)]
    place = [_prefix(spec, "schema_prefix"), *first, _component(schema), _component(table)]
    token = token or new_token(spec.get("token_length", 8))
    ending = "" if not ext else ext if ext.startswith(".") else f".{ext}"
    return _joined([*place, *parts.values(), _component(f"{field}_{token}{ending}")])


def new_token(length: int) -> str:
    """Return random characters for the name of an object."""
    return "".join(secrets.choice(_TOKEN_CHARACTERS) for _ in range(length))


def check_relative(path: str) -> str:
    r"""Return a path that stays in its store, without a slash at its end.

    Raises
    ------
    DataJointError
        It is absolute, goes up, or holds what no path may hold.

    Examples
    --------
    >>> check_relative("raw/a b.dat")
    'raw/a b.dat'
    >>> check_relative("raw/../../etc/passwd")
    Traceback (most recent call last):
    djupyter.errors.DataJointError: The path 'raw/../../etc/passwd' would lead out of its store: ...
    """
    if not isinstance(path, str):
        raise DataJointError(f"A path in a store is a text, not {type(path).__name__}.")
    # A backslash separates folders on Windows, where the next reader may be.
    pieces = path.replace("\\", "/").split("/")
    is_absolute = (len(path) > 0 and not pieces[0]) or re.match(r"[A-Za-z]:", path) is not None
    if is_absolute or ".." in pieces or "\0" in path or pieces[0] == "~":
        raise DataJointError(
            f"The path {path!r} would lead out of its store: "
            "name a file or folder relative to the store, without '..'."
        )
    return path.rstrip("/")


def safe_name(name: str) -> str:
    r"""Return a plain file name for one that comes from elsewhere: no folders, nothing a system refuses.

    >>> safe_name("../../.bashrc"), safe_name("C:\\temp\\a b.txt"), safe_name("..")
    ('.bashrc', 'a b.txt', 'attachment')
    """
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    # Windows drops blanks and dots at the end, so that 'a..' and 'a' would be one file.
    clean = _NOT_IN_NAMES.sub("_", last).strip().rstrip(". ")
    if not clean or _RESERVED.match(clean):
        clean = f"attachment_{clean}".rstrip("_")
    return _shortened(clean)


def _shortened(name: str) -> str:
    """Cut a file name in its middle to what filesystems take; its ending stays."""
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    ending = dot + ending if stem and len(ending.encode()) < 32 else ""
    room = _LONGEST_NAME - len(ending.encode())
    return (stem if ending else name).encode()[:room].decode(errors="ignore") + ending


def _prefix(spec: Mapping[str, Any], key: str) -> str:
    return str(spec.get(key) or "").strip("/")


def _joined(parts: Iterable[str]) -> str:
    return check_relative("/".join(part for part in parts if part))


def _component(name: str) -> str:
    """Return a name that is to be one folder or file, or refuse it."""
    if not name or name in (".", "..") or re.search(r"[/\\]", name) or _UNSTORABLE.search(name):
        raise DataJointError(f"{name!r} cannot be the name of a folder or file in a store.")
    return name


def _assignment(name: str, value: object) -> str:
    text = _text(value)
    part = f"{name}={text}"
    if len(part.encode(errors="surrogatepass")) > _LONGEST_NAME:
        room = _LONGEST_NAME - len(name.encode()) - 10
        part = f"{name}={text.encode()[:room].decode(errors='ignore')}_{_digest(str(value))}"
    return _component(part)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H-%M-%S")
    if isinstance(value, date) or hasattr(value, "isoformat"):
        return str(value.isoformat())
    text = str(value)
    if isinstance(value, Number):
        return text
    if text in (".", ".."):
        return text.replace(".", "%2E")
    is_long = len(text) > _LONGEST_TEXT
    if is_long or _UNSAFE.search(text) or _UNSTORABLE.search(text):
        text = f"{text[:50]}_{_digest(text)}" if is_long else text
        return quote(text, safe="", errors="surrogatepass")
    return text


def _digest(text: str) -> str:
    digest = hashlib.md5(text.encode(errors="surrogatepass"), usedforsecurity=False)
    return digest.hexdigest()[:8]
