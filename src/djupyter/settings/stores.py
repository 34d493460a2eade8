"""One entry of `stores`, checked and completed.

The keys of an entry depend on its protocol; `_PROTOCOLS` is the whole difference between the built-in ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, NamedTuple

from djupyter.errors import DataJointError, InvalidSettingError, nearest
from djupyter.settings.adapters import COMMON_KEYS, StorageAdapter, adapter_names, find_adapter
from djupyter.settings.masking import MaskedDict


class _Protocol(NamedTuple):
    required: tuple[str, ...]
    optional: Mapping[str, object]


# Timeouts, in seconds, and how often a request is tried again, are those of the libraries; None leaves theirs.
# datajoint refuses entries with these keys: leave them out of a file that it reads too.
_PROTOCOLS = {
    "file": _Protocol(("location",), {}),
    "s3": _Protocol(
        ("endpoint", "bucket", "location"),
        {"access_key": None, "secret_key": None, "secure": True}
        | {"connect_timeout": 10, "read_timeout": 60, "retries": 3},
    ),
    "gcs": _Protocol(
        ("bucket", "location"), {"token": None, "project": None, "read_timeout": None}
    ),
    "azure": _Protocol(
        ("container", "location"),
        {"account_name": None, "account_key": None, "connection_string": None}
        | {"connect_timeout": None, "read_timeout": None},
    ),
    "memory": _Protocol((), {"location": ""}),
}
# What fsspec calls them.
_ALIASES = {"local": "file", "s3a": "s3", "gs": "gcs", "az": "azure", "abfs": "azure"}
# datajoint's configurations may carry these; they have no effect there either.
_WITHOUT_EFFECT = {"stage", "proxy_server"}
_PREFIXES = ("hash_prefix", "schema_prefix", "filepath_prefix")
_DEFAULT_NAMES = ("default", "filepath_default")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def canonical_protocol(protocol: str) -> str:
    """Return our name of a protocol, which may be written as fsspec does.

    >>> canonical_protocol("GS")
    'gcs'
    """
    protocol = protocol.lower()
    return _ALIASES.get(protocol, protocol)


def store_names(stores: Mapping[str, Any]) -> list[str]:
    """Return the names of the stores in the setting `stores`."""
    return [name for name in stores if name not in _DEFAULT_NAMES]


def store_name(
    stores: Mapping[str, Any], name: str | None = None, *, use_filepath_default: bool = False
) -> str:
    """Return the name of a store: the one given, or that of the default store for None or an empty one.

    Raises
    ------
    InvalidSettingError
        There is no default store.
    """
    return name or _default_name(stores, "filepath_default" if use_filepath_default else "default")


def store_spec(
    stores: Mapping[str, Any], name: str | None = None, *, use_filepath_default: bool = False
) -> dict[str, Any]:
    """Return the complete specification of a store.

    Parameters
    ----------
    stores
        The setting `stores`: an entry for each store, beside the names `default` and
        `filepath_default`.
    name
        The store; None or empty for the default one.
    use_filepath_default
        Take `filepath_default` as the default.

    Raises
    ------
    InvalidSettingError
        The store is not configured, or its entry misses a key, has one too many or contradicts
        itself. Values are never shown: they may be secrets.

    Examples
    --------
    >>> stores = {"default": "raw", "raw": {"protocol": "file", "location": "data"}}
    >>> store_spec(stores)["hash_prefix"]
    '_hash'
    """
    name = store_name(stores, name, use_filepath_default=use_filepath_default)
    entry = stores.get(name) if name not in _DEFAULT_NAMES else None
    if not isinstance(entry, Mapping):
        known = store_names(stores)
        raise InvalidSettingError(
            f"Storage '{name}' is requested but not configured in stores.",
            nearest(name, known) or f"Configured: {', '.join(known) or 'none'}.",
        )
    where = f'config.stores["{name}"]'
    given = {key: value for key, value in entry.items() if value is not None}
    protocol, adapter = _protocol_of(given, where)
    keys = _PROTOCOLS[protocol] if adapter is None else _keys_of(adapter)
    _check_keys(given, keys, where)
    spec = MaskedDict(COMMON_KEYS | dict(keys.optional) | given | {"protocol": protocol})
    _check_prefixes(spec, where)
    _check_values(spec, where)
    spec["token_length"] = _clamped_token_length(spec["token_length"], where)
    if adapter is None:
        _check_connection(spec, where)
    else:
        _ask(adapter, spec, where)
    return spec


def _default_name(stores: Mapping[str, Any], key: str) -> str:
    name = stores.get(key)
    if name is None:
        codec = "filepath" if key == "filepath_default" else "blob"
        raise InvalidSettingError(
            f"stores.{key} is not configured. Name a store there, or in the type: <{codec}@store>."
        )
    if not isinstance(name, str):
        raise InvalidSettingError(f"stores.{key} must be a string, the name of a store.")
    return name


def _protocol_of(entry: Mapping[str, Any], where: str) -> tuple[str, StorageAdapter | None]:
    """Return the name of a protocol, and its adapter if it is not built in."""
    if "protocol" not in entry:
        raise InvalidSettingError(f"{where} is missing: protocol")
    protocol = canonical_protocol(str(entry["protocol"]))
    if protocol in _PROTOCOLS:
        return protocol, None
    adapter = find_adapter(protocol)
    if adapter is None:
        others = [name for name in adapter_names() if name not in _PROTOCOLS]
        raise InvalidSettingError(
            f'Unknown protocol "{entry["protocol"]}" in {where}. Built-in: {", ".join(_PROTOCOLS)}. '
            f"Installed or registered: {', '.join(others) or 'none'}; "
            "any other that fsspec knows takes a StorageAdapter of a few lines."
        )
    return protocol, adapter


def _keys_of(adapter: StorageAdapter) -> _Protocol:
    required = tuple(key for key in adapter.required_keys if key != "protocol")
    return _Protocol(required, dict.fromkeys(("location", *adapter.allowed_keys)))


def _ask(adapter: StorageAdapter, spec: Mapping[str, Any], where: str) -> None:
    try:
        adapter.validate_spec(spec)
    except DataJointError:
        raise
    except Exception as error:  # someone else's code; its message may show values
        raise InvalidSettingError(
            f"{where} is refused by the adapter {type(adapter).__name__} of its protocol: "
            f"{type(error).__name__}."
        ) from None


def _check_keys(entry: Mapping[str, Any], protocol: _Protocol, where: str) -> None:
    missing = [key for key in protocol.required if key not in entry]
    if missing:
        raise InvalidSettingError(f"{where} is missing: {', '.join(missing)}")
    known = {"protocol", *protocol.required, *protocol.optional, *COMMON_KEYS, *_WITHOUT_EFFECT}
    invalid = sorted(set(entry) - known)
    if invalid:
        raise InvalidSettingError(
            f"Invalid key(s) in {where}: {', '.join(invalid)}. {nearest(invalid[0], known)}".strip()
        )


def _check_prefixes(spec: Mapping[str, Any], where: str) -> None:
    """Refuse sections of a store that lie one inside the other."""
    folders = {
        key: tuple(part for part in str(spec[key]).split("/") if part)
        for key in _PREFIXES
        if spec[key]
    }
    for (first, one), (second, other) in combinations(folders.items(), 2):
        shorter = min(len(one), len(other))
        if shorter and one[:shorter] == other[:shorter]:
            raise InvalidSettingError(
                f"{first} '{spec[first]}' and {second} '{spec[second]}' overlap in {where}: "
                "give each section of a store a folder of its own."
            )


def _check_values(spec: Mapping[str, Any], where: str) -> None:
    """Refuse values that would lead out of the store, or nowhere."""
    for key in ("location", *_PREFIXES, "partition_pattern"):
        if spec.get(key) is not None and not isinstance(spec[key], str):
            raise InvalidSettingError(f"{key} must be a text in {where}.")
    for key in _PREFIXES:
        if spec[key] and {".", ".."} & set(spec[key].replace("\\", "/").split("/")):
            raise InvalidSettingError(
                f"{key} must be a folder in the store, without dots, in {where}."
            )
    lengths = spec["subfolding"]
    if lengths is not None and not (
        isinstance(lengths, (list, tuple)) and all(type(n) is int and n > 0 for n in lengths)
    ):
        raise InvalidSettingError(f"subfolding must be a list of whole numbers above 0 in {where}.")


def _check_connection(spec: MaskedDict, where: str) -> None:
    if spec["protocol"] == "s3" and bool(spec["access_key"]) != bool(spec["secret_key"]):
        raise InvalidSettingError(
            f"Incomplete S3 credentials in {where}: give both access_key and secret_key, "
            "or neither to use those of the machine."
        )
    if "secure" in spec:
        # A text when it comes from a secrets folder.
        secure = _BOOLEANS.get(str(spec["secure"]).lower())
        if secure is None:
            raise InvalidSettingError(f"secure must be true or false in {where}.")
        spec["secure"] = secure
    if "retries" in spec and (type(spec["retries"]) is not int or spec["retries"] < 0):
        raise InvalidSettingError(f"retries must be a whole number, 0 or more, in {where}.")
    for key in {"connect_timeout", "read_timeout"} & spec.keys():
        number = spec[key]
        if number is not None and (type(number) not in (int, float) or not number > 0):
            raise InvalidSettingError(f"{key} must be a number of seconds above 0 in {where}.")


def _clamped_token_length(length: object, where: str) -> int:
    if not isinstance(length, int) or isinstance(length, bool):
        raise InvalidSettingError(f"token_length must be a whole number in {where}.")
    return min(max(length, 4), 16)
