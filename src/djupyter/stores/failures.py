"""Errors of storage libraries as ours: by class and code, never by the words of a message.

The libraries are not imported for this, so their classes are known by name; a secret that a message holds is
masked, and an error that shows one is not chained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from djupyter.errors import (
    AccessError,
    BucketInaccessible,
    DataJointError,
    MissingExternalFile,
    MissingFolder,
)
from djupyter.settings.masking import secrets_of

_MISSING = {
    "builtins.FileNotFoundError",
    "builtins.NotADirectoryError",
    "azure.ResourceNotFoundError",
}
_REFUSED = {
    "builtins.PermissionError",
    "botocore.NoCredentialsError",
    "botocore.PartialCredentialsError",
    "botocore.CredentialRetrievalError",
    "botocore.TokenRetrievalError",
    "botocore.SSOError",
    "google.GoogleAuthError",
    "azure.ClientAuthenticationError",
}
_UNREACHABLE = {
    "builtins.ConnectionError",
    "builtins.TimeoutError",
    "socket.gaierror",
    "botocore.ConnectionError",
    "botocore.HTTPClientError",
    "aiohttp.ClientError",
    "requests.ConnectionError",
    "requests.Timeout",
    "google.TransportError",
    "azure.ServiceRequestError",
    "azure.ServiceResponseError",
}
_WRONG_CREDENTIALS = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "AuthenticationFailed",
}
_NO_BUCKET = {"NoSuchBucket", "ContainerNotFound", "InvalidBucketName", "PermanentRedirect"}
_LIBRARIES = {
    "botocore",
    "aiobotocore",
    "aiohttp",
    "requests",
    "google",
    "gcsfs",
    "azure",
    "fsspec",
}
_PLACES = ("endpoint", "bucket", "container", "location")


class NoRootError(Exception):
    """The folder, bucket or container of a store is not there."""


@contextmanager
def translated(store: str, spec: Mapping[str, Any], path: str) -> Iterator[None]:
    """Raise what goes wrong inside as an error of ours that names the store.

    Parameters
    ----------
    store
        The name of the store.
    spec
        Its entry: says where it is, and which texts are secrets.
    path
        The full path that is worked on.
    """
    try:
        yield
    except Exception as error:
        if not (isinstance(error, (OSError, NoRootError)) or _is_of_library(error)):
            raise
        raise failure(error, store, spec, path) from chained(error, spec)


def without_secrets(text: str, spec: Mapping[str, Any]) -> str:
    """Return a text with the secrets of a store masked.

    >>> without_secrets("bad key hunter2", {"secret_key": "hunter2"})
    'bad key ***'
    """
    for secret in sorted(_secrets(spec), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def is_missing(error: BaseException) -> bool:
    """Whether an error says that an object is absent, and not the whole bucket."""
    return bool(_names(error) & _MISSING) and not (_codes(error) & _NO_BUCKET)


def chained(error: Exception, spec: Mapping[str, Any]) -> Exception | None:
    """Return an error that may be shown as the cause of ours: None when it shows a secret."""
    return None if isinstance(error, DataJointError) or _shows_secret(error, spec) else error


def failure(error: Exception, store: str, spec: Mapping[str, Any], path: str) -> DataJointError:
    """Return an error of ours for one of a library; one of ours stays what it is."""
    if isinstance(error, DataJointError):
        return error
    if isinstance(error, NoRootError) and spec["protocol"] == "file":
        return MissingFolder.of(str(error))
    names, codes = _names(error), _codes(error)
    reason = without_secrets(" ".join(str(error).split()) or type(error).__name__, spec)
    if codes & _NO_BUCKET or isinstance(error, NoRootError):
        return BucketInaccessible(
            f"The store '{store}' has no bucket where its settings say ({_place(spec)}): {reason}."
        )
    if names & _MISSING:
        return MissingExternalFile(f"Missing external file {path} in the store '{store}'.")
    if codes & _WRONG_CREDENTIALS or "botocore.NoCredentialsError" in names:
        return AccessError(
            f"The store '{store}' ({_place(spec)}) does not accept the credentials: {reason}. "
            f'Check those in config.stores["{store}"], in the secrets folder or of the machine.'
        )
    if names & _REFUSED or codes & {"401", "403"}:
        return AccessError(
            f"The store '{store}' ({_place(spec)}) does not permit this at {path}: {reason}. "
            "Check the credentials and what they may do there."
        )
    if names & _UNREACHABLE:
        return BucketInaccessible(
            f"The store '{store}' cannot be reached ({_place(spec)}): {reason}. "
            "Check the settings of the store and the network."
        )
    return DataJointError(f"The store '{store}' failed at {path}: {reason}.")


def _place(spec: Mapping[str, Any]) -> str:
    found = [f"{key} {spec[key]}" for key in _PLACES if spec.get(key)]
    return ", ".join([f"protocol {spec['protocol']}", *found])


def _names(error: BaseException) -> set[str]:
    """Return the classes of an error, each with the name of its library."""
    return {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}


def _is_of_library(error: BaseException) -> bool:
    names = _names(error)
    return bool(names & _UNREACHABLE) or any(n.partition(".")[0] in _LIBRARIES for n in names)


def _codes(error: BaseException | None) -> set[str]:
    """Return what the server called the failure: error codes and the HTTP status, of the causes too."""
    codes: set[str] = set()
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, Mapping):
            codes.add(str(response.get("Error", {}).get("Code")))
        codes.update(
            str(code)
            for name in ("error_code", "status_code", "code")
            if isinstance(code := getattr(error, name, None), (str, int))
        )
        error = error.__cause__
    return codes


def _secrets(spec: Mapping[str, Any]) -> set[str]:
    """Return the secrets of a store as a message may hold them, also as part of a URL."""
    plain = set(secrets_of(spec))
    return plain | {quote(secret, safe="") for secret in plain} | {quote(s) for s in plain}


def _shows_secret(error: BaseException | None, spec: Mapping[str, Any]) -> bool:
    while error is not None:
        if any(secret in str(error) for secret in _secrets(spec)):
            return True
        error = error.__cause__ or error.__context__
    return False
