"""Whom a client believes: certificate authorities, or one certificate; and which certificate of its own it shows."""

from __future__ import annotations

import hmac
import re
import ssl
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from asynchat.client.errors import Untrusted


@dataclass(frozen=True, slots=True)
class Trust:
    """How a server proves who it is, and how we do.

    `authorities` is a file of certificates to believe instead of the system's. `pin` is the SHA-256 of the one
    certificate (DER) that is believed, in hexadecimal; then nothing else about it matters. `anybody` believes
    everybody, who is then perhaps not whom one thinks. `certificate` is a file with our own and its key, for SASL
    EXTERNAL.
    """

    authorities: Path | None = None
    pin: str | None = None
    anybody: bool = False
    certificate: Path | None = None

    def context(self) -> ssl.SSLContext:
        """What TLS is spoken with.

        Raises:
            Untrusted: a file cannot be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.authorities)
            if self.pin is not None or self.anybody:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if self.certificate is not None:
                context.load_cert_chain(self.certificate)
        except (OSError, ssl.SSLError) as error:
            path = self.certificate or self.authorities
            raise Untrusted(f"{path}: {error.strerror or error}") from None
        return context

    def check(self, tls: ssl.SSLObject | None) -> None:
        """Compare what the server has shown with what is pinned.

        Raises:
            Untrusted: it is another certificate.
        """
        if self.pin is None:
            return
        shown = fingerprint(tls)
        if not hmac.compare_digest(shown, normal(self.pin)):
            raise Untrusted(f"the server's certificate is another one than the one pinned: its SHA-256 is {shown}")


def fingerprint(tls: ssl.SSLObject | None) -> str:
    """The SHA-256 of the other end's certificate (DER), in hexadecimal; "" if it has shown none."""
    shown = tls.getpeercert(binary_form=True) if tls is not None else None
    return sha256(shown).hexdigest() if shown else ""


def normal(pin: str) -> str:
    """A fingerprint as we write it, from any way to write one.

    Raises:
        ValueError: it is none.
    """
    digits = re.sub(r"^sha-?256[:=/ ]|[: ]", "", pin.strip().lower())
    if re.fullmatch(r"[0-9a-f]{64}", digits) is None:
        raise ValueError(f"{pin} is no SHA-256 of a certificate: 64 hexadecimal digits")
    return digits
