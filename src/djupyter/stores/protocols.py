"""What turns an entry of `stores` into a filesystem: the built-in protocols, and where the others come from.

Timeouts and retries are those of the libraries, set from the entry.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from djupyter.errors import BucketInaccessible, DataJointError, MissingFolder, nearest
from djupyter.settings.adapters import StorageAdapter, adapter_names, find_adapter, joined
from djupyter.settings.stores import canonical_protocol

__all__ = ["StorageAdapter", "get_storage_adapter"]

_AWS = {"s3.amazonaws.com", "https://s3.amazonaws.com"}
_CONNECTIONS = 64  # at once; the libraries have 10, too few for many transfers


def get_storage_adapter(protocol: str) -> StorageAdapter:
    """Return what reaches the stores of a protocol.

    Parameters
    ----------
    protocol
        Built in (`file`, `s3`, `gcs`, `azure`, `memory`), registered by a subclass of `StorageAdapter`, or offered
        by an installed package.

    Raises
    ------
    DataJointError
        There is none, or the package that offers it is broken.

    Examples
    --------
    >>> get_storage_adapter("s3").full_path({"bucket": "lab", "location": "raw"}, "a.npy")
    'lab/raw/a.npy'
    """
    protocol = canonical_protocol(protocol)
    adapter = _BUILT_IN.get(protocol) or find_adapter(protocol)
    if adapter is None:
        known = [*_BUILT_IN, *adapter_names()]
        advice = nearest(protocol, known) or f"There are: {', '.join(known)}."
        raise DataJointError(f"There is no adapter for the storage protocol '{protocol}'. {advice}")
    return adapter


class _BuiltIn(StorageAdapter):
    """A protocol that fsspec knows; the keys of its entries are checked by the settings."""

    driver: ClassVar[str]  # its name in fsspec
    package: ClassVar[str] = ""
    extra: ClassVar[str] = ""
    scheme: ClassVar[str]
    root_key: ClassVar[str | None] = None

    def create_filesystem(self, spec: Mapping[str, Any]) -> Any:
        """Return the filesystem of fsspec."""
        import fsspec

        try:
            kind = fsspec.get_filesystem_class(self.driver)
        except ImportError as error:
            raise BucketInaccessible(
                f"Stores of the protocol {spec['protocol']} need the package {self.package}, "
                f"which cannot be imported ({error}). "
                f"Install it with: pip install 'djupyter[{self.extra}]'"
            ) from error
        return kind(**self.options(spec))

    def options(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the filesystem."""
        return {}

    def root(self, spec: Mapping[str, Any]) -> str | None:
        """Return what has to exist for the store to be there."""
        return str(spec[self.root_key]) if self.root_key else None

    def full_path(self, spec: Mapping[str, Any], relpath: str) -> str:
        """Return bucket or container, location and path."""
        return joined(self.root(spec), str(spec["location"]).strip("/"), relpath)

    def get_url(self, spec: Mapping[str, Any], path: str) -> str:
        """Return the URL of a path in the filesystem."""
        return f"{self.scheme}://{path}"


class _File(_BuiltIn):
    driver = scheme = "file"

    def create_filesystem(self, spec: Mapping[str, Any]) -> Any:
        folder = self.root(spec)
        if not os.path.isdir(folder):
            raise MissingFolder.of(folder)
        return super().create_filesystem(spec)

    def options(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        return {"auto_mkdir": True}

    def root(self, spec: Mapping[str, Any]) -> str:
        return os.path.abspath(os.path.expanduser(str(spec["location"])))

    def full_path(self, spec: Mapping[str, Any], relpath: str) -> str:
        return os.path.join(self.root(spec), *filter(None, relpath.split("/")))

    def get_url(self, spec: Mapping[str, Any], path: str) -> str:
        return Path(path).as_uri()


class _Memory(_BuiltIn):
    driver = scheme = "memory"

    def full_path(self, spec: Mapping[str, Any], relpath: str) -> str:
        return "/" + joined(str(spec["location"]).strip("/"), relpath)

    def get_url(self, spec: Mapping[str, Any], path: str) -> str:
        return f"memory:/{path}"


class _S3(_BuiltIn):
    driver = package = extra = scheme = "s3"
    package = "s3fs"
    root_key = "bucket"

    def create_filesystem(self, spec: Mapping[str, Any]) -> Any:
        fs = super().create_filesystem(spec)
        # botocore tries again what fails on the way; s3fs once more a body that breaks off.
        fs.retries = 1 + min(spec["retries"], 1)
        _without_expectation(fs.s3)
        return fs

    def options(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        config = {
            "connect_timeout": spec["connect_timeout"],
            "read_timeout": spec["read_timeout"],
            "retries": {"total_max_attempts": 1 + spec["retries"], "mode": "standard"},
            "max_pool_connections": _CONNECTIONS,
            "ignore_configured_endpoint_urls": True,
        }
        return {
            "key": spec["access_key"],
            "secret": spec["secret_key"],
            "use_listings_cache": False,
            **_endpoint(spec, config),
            "config_kwargs": config,
        }


def _without_expectation(client: Any) -> None:
    """Have uploads sent at once, rather than after the server's `100 Continue`.

    While aiohttp waits for that, no timeout runs: a server that accepts a connection and then says nothing
    would be waited for without end.
    """
    from botocore.handlers import add_expect_header

    client.meta.events.unregister("before-call.s3", add_expect_header)


def _endpoint(spec: Mapping[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    endpoint = str(spec["endpoint"]).rstrip("/")
    if endpoint in _AWS and spec["secure"]:
        # Amazon has an endpoint for each region: s3fs asks for that of the bucket.
        return {"cache_regions": True}
    # Other servers do not know the checksums that botocore sends of late, unless asked for.
    config["request_checksum_calculation"] = "when_required"
    config["response_checksum_validation"] = "when_required"
    scheme = "https" if spec["secure"] else "http"
    return {"endpoint_url": endpoint if "://" in endpoint else f"{scheme}://{endpoint}"}


class _Gcs(_BuiltIn):
    driver = extra = "gcs"
    package, scheme = "gcsfs", "gs"
    root_key = "bucket"

    def options(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        names = {"token": "token", "project": "project", "read_timeout": "requests_timeout"}
        return {**_given(spec, names), "use_listings_cache": False}


class _Azure(_BuiltIn):
    driver, package, extra, scheme = "abfs", "adlfs", "azure", "az"
    root_key = "container"

    def options(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        same = ("account_name", "account_key", "connection_string", "read_timeout")
        names = {name: name for name in same} | {"connect_timeout": "connection_timeout"}
        return {**_given(spec, names), "use_listings_cache": False}


def _given(spec: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {theirs: spec[ours] for ours, theirs in names.items() if spec[ours] is not None}


_BUILT_IN: dict[str, _BuiltIn] = {
    "file": _File(),
    "s3": _S3(),
    "gcs": _Gcs(),
    "azure": _Azure(),
    "memory": _Memory(),
}
