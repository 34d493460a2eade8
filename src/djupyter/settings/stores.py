"""One entry of `stores`, checked and completed.

The keys of an entry depend on its protocol; `_PROTOCOLS` is the whole difference between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, NamedTuple

from djupyter.errors import DataJointError, nearest


class _Protocol(NamedTuple):
    required: tuple[str, ...]
    optional: Mapping[str, object]


_COMMON: dict[str, object] = {
    "subfolding": None,
    "partition_pattern": None,
    "token_length": 8,
    "hash_prefix": "_hash",
    "schema_prefix": "_schema",
    "filepath_prefix": None,
}
_S3_OPTIONS: dict[str, object] = {"access_key": None, "secret_key": None, "secure": True}
_PROTOCOLS = {
    "file": _Protocol(("location",), {}),
    "s3": _Protocol(("endpoint", "bucket", "location"), _S3_OPTIONS),
    "gcs": _Protocol(("bucket", "location"), {"token": None, "project": None}),
    "azure": _Protocol(
        ("container", "location"),
        {"account_name": None, "account_key": None, "connection_string": None},
    ),
}
# datajoint's configurations may carry these; they have no effect there either.
_WITHOUT_EFFECT = {"stage", "proxy_server"}
_PREFIXES = ("hash_prefix", "schema_prefix", "filepath_prefix")
_DEFAULT_NAMES = ("default", "filepath_default")


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
    DataJointError
        The store is not configured, or its entry misses a key, has one too many or contradicts
        itself. Values are never shown: they may be secrets.

    Examples
    --------
    >>> stores = {"default": "raw", "raw": {"protocol": "file", "location": "data"}}
    >>> store_spec(stores)["hash_prefix"]
    '_hash'
    """
    name = name or _default_name(stores, "filepath_default" if use_filepath_default else "default")
    entry = stores.get(name) if name not in _DEFAULT_NAMES else None
    if not isinstance(entry, Mapping):
        known = [store for store in stores if store not in _DEFAULT_NAMES]
        raise DataJointError(
            f"Storage '{name}' is requested but not configured in stores.",
            nearest(name, known) or f"Configured: {', '.join(known) or 'none'}.",
        )
    where = f'config.stores["{name}"]'
    protocol = _protocol_name(entry, where)
    _check_keys(entry, _PROTOCOLS[protocol], where)
    spec = _COMMON | dict(_PROTOCOLS[protocol].optional) | dict(entry) | {"protocol": protocol}
    _check_prefixes(spec, where)
    _check_credentials(spec, where)
    spec["token_length"] = _clamped_token_length(spec["token_length"], where)
    return spec


def _default_name(stores: Mapping[str, Any], key: str) -> str:
    name = stores.get(key)
    if name is None:
        raise DataJointError(
            f"stores.{key} is not configured. Name a store there, or in the type: <blob@store>."
        )
    if not isinstance(name, str):
        raise DataJointError(f"stores.{key} must be a string, the name of a store.")
    return name


def _protocol_name(entry: Mapping[str, Any], where: str) -> str:
    if "protocol" not in entry:
        raise DataJointError(f"{where} is missing: protocol")
    protocol = str(entry["protocol"]).lower()
    if protocol not in _PROTOCOLS:
        raise DataJointError(
            f'Unknown protocol "{entry["protocol"]}" in {where}. Built-in: {", ".join(_PROTOCOLS)}.'
        )
    return protocol


def _check_keys(entry: Mapping[str, Any], protocol: _Protocol, where: str) -> None:
    missing = [key for key in protocol.required if entry.get(key) is None]
    if missing:
        raise DataJointError(f"{where} is missing: {', '.join(missing)}")
    known = {"protocol", *protocol.required, *protocol.optional, *_COMMON, *_WITHOUT_EFFECT}
    invalid = sorted(set(entry) - known)
    if invalid:
        raise DataJointError(
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
            raise DataJointError(
                f"{first} '{spec[first]}' and {second} '{spec[second]}' overlap in {where}: "
                "give each section of a store a folder of its own."
            )


def _check_credentials(spec: Mapping[str, Any], where: str) -> None:
    if spec["protocol"] == "s3" and bool(spec["access_key"]) != bool(spec["secret_key"]):
        raise DataJointError(
            f"Incomplete S3 credentials in {where}: give both access_key and secret_key, "
            "or neither to use those of the machine."
        )


def _clamped_token_length(length: object, where: str) -> int:
    if not isinstance(length, int):
        raise DataJointError(f"token_length must be a whole number in {where}.")
    return min(max(length, 4), 16)
