"""Write the tables of the page on settings anew from their model; what a setting means is kept as it stands there.

```
python docs/site/settings_page.py
```

A setting that is new gets a row to fill in, which the tests refuse as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from djupyter.settings.model import Settings
from djupyter.settings.sources import variable

PAGE = Path(__file__).parents[1] / "reference" / "settings.md"
TO_FILL_IN = "?"
_TABLES = re.compile(r"(?<=<!-- settings -->\n).*(?=<!-- end of settings -->)", re.DOTALL)
_ROW = re.compile(r"^\| `([\w.]+)` \|.*\| (.*) \|$", re.MULTILINE)
_WORDS = {str: "text", dict: "mapping", int: "int", float: "float", bool: "bool"}


def written(text: str) -> str:
    """Return the text of the page with its tables anew."""
    meanings = dict(_ROW.findall(text))
    return _TABLES.sub(lambda _: "\n".join(_tables(meanings)) + "\n", text)


def _tables(meanings: dict[str, str]) -> Iterator[str]:
    fields = Settings.model_fields
    groups = {name: field.annotation for name, field in fields.items() if _is_group(field)}
    for name, group in groups.items():
        assert group is not None
        yield from ("", f"## `{name}`", "", f"{group.__doc__}", "")
        rows = {f"{name}.{inner}": field for inner, field in group.model_fields.items()}
        yield from _table(rows, meanings)
    yield from ("", "## The others", "")
    yield from _table({k: field for k, field in fields.items() if k not in groups}, meanings)
    yield ""


def _table(fields: dict[str, FieldInfo], meanings: dict[str, str]) -> Iterator[str]:
    yield from ("| setting | type | default | variable | meaning |", "|---|---|---|---|---|")
    for key, field in fields.items():
        default = field.get_default(call_default_factory=True)
        meaning = meanings.get(key, TO_FILL_IN)
        kind = " or ".join(dict.fromkeys(_kinds(field.annotation)))
        yield f"| `{key}` | {kind} | {_shown(default)} | `{variable(key)}` | {meaning} |"


def _is_group(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _shown(default: object) -> str:
    if default is None:
        return ""
    return f'`"{default}"`' if isinstance(default, str) else f"`{default!r}`"


def _kinds(annotation: Any) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _kinds(arguments[0])
    elif origin is Literal:
        yield from (f'`"{value}"`' for value in arguments)
    elif annotation in _WORDS or origin in _WORDS:
        yield _WORDS[origin or annotation]
    elif "Callable" in repr(annotation) and not repr(annotation).startswith("typing."):
        yield "function"
    elif annotation is not type(None):
        for argument in arguments:
            yield from _kinds(argument)


def main() -> None:
    """Write the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
