"""What was asked of the encryption of a connection, in one form for all drivers."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from djupyter.errors import DataJointError, nearest

_OPTIONS = ("ca", "cert", "key", "check_hostname")


@dataclass(frozen=True, slots=True)
class Tls:
    """How a connection is encrypted.

    Parameters
    ----------
    mode
        `preferred` encrypts unless the server says that it cannot; then there is a warning.
    ca
        File with the authorities that may vouch for the server; without it nobody vouches.
    cert, key
        Files with the client's certificate and its key, where the server asks for them.
    check_hostname
        Whether the server's certificate must be for the host that was asked for.

    Examples
    --------
    >>> Tls.of(True).mode, Tls.of(None).mode, Tls.of({}).check_hostname
    ('required', 'preferred', False)
    """

    mode: Literal["required", "preferred", "off"] = "preferred"
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    check_hostname: bool = False

    @classmethod
    def of(cls, asked: bool | Mapping[str, Any] | None) -> Tls:
        """Return what `use_tls` asks for.

        Parameters
        ----------
        asked
            True requires encryption, False forbids it, None takes it where the server has it. A mapping
            requires it with the options `ca`, `cert`, `key` (paths of PEM files) and `check_hostname`, which
            is on when there is a `ca`.

        Raises
        ------
        DataJointError
            An option is unknown, or its file is not there or cannot be used.
        """
        if asked is None:
            return cls()
        if isinstance(asked, bool):
            return cls("required" if asked else "off")
        if not isinstance(asked, Mapping):
            raise DataJointError(
                "use_tls is True, False, None or a mapping with the options "
                f"{', '.join(_OPTIONS)}, not {type(asked).__name__}."
            )
        for name in asked:
            if name not in _OPTIONS:
                raise DataJointError(
                    f"use_tls has no option `{name}`. {nearest(str(name), _OPTIONS)} "
                    f"Its options: {', '.join(_OPTIONS)}.".replace("  ", " ")
                )
        files = {name: _file(name, asked.get(name)) for name in ("ca", "cert", "key")}
        if asked.get("check_hostname") and files["ca"] is None:
            raise DataJointError(
                "use_tls cannot check the name of the host without `ca`: name the file with the "
                "certificate of the authority that signed the server's."
            )
        if files["key"] and not files["cert"]:
            raise DataJointError(
                "use_tls names `key` without `cert`: name the file with the certificate that the key is for."
            )
        check = asked.get("check_hostname")
        tls = cls(
            "required", **files, check_hostname=files["ca"] is not None and check is not False
        )
        tls.context()
        return tls

    def context(self) -> ssl.SSLContext:
        """Return what Python's TLS needs to do as asked for.

        Raises
        ------
        DataJointError
            A file does not hold what it should.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except ssl.SSLError as error:
            raise DataJointError(
                f"The file {self.ca} that use_tls names as `ca` holds no certificate in PEM form ({error})."
            ) from error
        # Servers make certificates of their own that lack what the newest standard wants.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.check_hostname = self.check_hostname
        if self.ca is None:
            context.verify_mode = ssl.CERT_NONE
        if self.cert is not None:
            self._load(context, self.cert)
        return context

    def _load(self, context: ssl.SSLContext, cert: str) -> None:
        try:
            # Nobody is there to be asked for the password of an encrypted key.
            context.load_cert_chain(cert, self.key, password="")
        except (ssl.SSLError, OSError) as error:
            key = f"the key in {self.key}" if self.key else "the key in the same file"
            raise DataJointError(
                f"The file {cert} that use_tls names as `cert` and {key} cannot be used: {error}. Both must be in "
                "PEM form, belong together, and be readable without a password."
            ) from error


def warn_unencrypted(host: str | None) -> None:
    """Tell that a server has no encryption, where none was asked for or refused."""
    warnings.warn(
        f"The server {host} has no TLS: the connection is not encrypted. Pass use_tls=False to accept that, "
        "or use_tls=True to refuse it.",
        stacklevel=2,
    )


def _file(name: str, path: object) -> str | None:
    if path is None:
        return None
    if not Path(str(path)).expanduser().is_file():
        raise DataJointError(f"The file {path} that use_tls names as `{name}` does not exist.")
    return str(Path(str(path)).expanduser())
