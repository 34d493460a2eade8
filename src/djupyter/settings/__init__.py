"""Typed settings: defaults < secrets < file < environment < what the program assigns.

```
model.py     Settings: all of them, by key or by attribute; load_settings
groups.py    the groups: names, types, defaults, and the check of an assignment
masking.py   what is shown of a value that may be a secret
sources.py   datajoint.json, pyproject.toml, secrets folders and DJ_ variables to plain values
stores.py    one entry of `stores` to a checked, complete specification
adapters.py  protocols of stores beyond the built-in ones: registered or offered by packages
entry_points.py  what other packages offer
```
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from djupyter.settings.model import Settings, load_settings

__all__ = ["Settings", "load_settings"]


def __getattr__(name: str) -> Any:
    # pydantic costs a tenth of a second; stores need only what an entry and an adapter are.
    if name in __all__:
        from djupyter.settings import model

        return getattr(model, name)
    raise AttributeError(f"module `djupyter.settings` has no attribute `{name}`")
