"""Typed settings: defaults < secrets < file < environment < what the program assigns.

```
model.py    Settings: all of them, by key or by attribute; load_settings
groups.py   the groups: names, types, defaults, and the check of an assignment
sources.py  datajoint.json, pyproject.toml, secrets folders and DJ_ variables to plain values
stores.py   one entry of `stores` to a checked, complete specification
```
"""

from djupyter.settings.model import Settings, load_settings

__all__ = ["Settings", "load_settings"]
