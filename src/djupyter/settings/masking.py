"""What is shown of settings: everything but secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_SECRET = re.compile(r"password|passphrase|secret|credential|token$|_key$|connection_string", re.I)
# Greedy up to the last @: a password may hold any character, though it should be escaped.
_PASSWORDS_IN_URL = re.compile(r"(?<=://)(?P<user>[^:/@]*:).*(?=@)|(?P<option>password=)[^&']*")


def masked(name: str, value: object) -> str:
    """Return the repr of a value without what must not be seen.

    >>> masked("secret_key", "hunter2"), masked("location", "data")
    ("'***'", "'data'")
    """
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key!r}: {masked(str(key), item)}" for key, item in value.items())
        return f"{{{inner}}}"
    if value is not None and _SECRET.search(name):
        return "'***'"
    return (
        _PASSWORDS_IN_URL.sub(r"\g<user>\g<option>***", repr(value))
        if name == "url"
        else repr(value)
    )


def secrets_of(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield every text in a mapping that must not be seen, if it is long enough to be a secret.

    >>> list(secrets_of({"bucket": "lab", "secret_key": "hunter2"}))
    ['hunter2']
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from secrets_of(value)
        elif _SECRET.search(str(name)) and len(str(value)) > 3 and value is not None:
            yield str(value)


class MaskedDict(dict[str, Any]):
    """A dict that shows no secrets, also not those of dicts inside; read, it is plain.

    >>> entry = MaskedDict(bucket="lab", secret_key="hunter2")
    >>> entry
    {'bucket': 'lab', 'secret_key': '***'}
    >>> entry["secret_key"]
    'hunter2'
    """

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        for name, value in self.items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        is_plain = isinstance(value, dict) and not isinstance(value, MaskedDict)
        super().__setitem__(name, MaskedDict(value) if is_plain else value)

    def __repr__(self) -> str:
        return masked("", self)

    __str__ = __repr__
