"""Certificates: the context that TLS is spoken with, and a certificate of our own for who has none.

**Clients' certificates.** Clients are asked for one and need not have one; whoever signed it, it is accepted. What
counts is that the client has the key, which the handshake proves, and which certificate it is: accounts know it by its
SHA-256. OpenSSL has a callback for that, `ssl` has not (cpython#75425): `CERT_OPTIONAL` ends the handshake where the
issuer is unknown. So when the client's certificate has come in, and before it is judged, the connection gets a context
of its own that trusts just this certificate. `ssl` shows the messages of the handshake to `SSLContext._msg_callback`,
which is meant for debugging and has been there since Python 3.8; without it clients are not asked for certificates.
Once the handshake is done the connection goes on with a context that has no callback, so talk does not pay for it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from asynchat.config.server import TlsSettings
from asynchat.config.values import BadConfig

CERT_FILE, KEY_FILE = "tls-cert.pem", "tls-key.pem"
YEARS = 10
"""How long a certificate of our own lasts: it is known by its fingerprint, which should not change."""
NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME, which `ssl` has no name for: a certificate that is known by its hash does not expire."""
HANDSHAKE, CERTIFICATE, FINISHED = 22, 11, 20
"""A type of record, and two of its messages. (RFC 8446, B.1 and B.3)"""


class Tls(NamedTuple):
    """What a server speaks TLS with, and the SHA-256 of its certificate (DER), in hex."""

    context: ssl.SSLContext
    fingerprint: str


def tls_of(settings: TlsSettings, folder: Path | None) -> Tls | None:
    """What the settings say; None if TLS is not spoken.

    A certificate of our own is kept in `folder`; without one it lives as long as the server.

    Raises:
        BadConfig: they contradict themselves, or a file cannot be used.
    """
    if settings.mode is None and settings.cert is None:
        if settings.key is not None:
            raise BadConfig("[tls] a key alone is not enough: cert is missing")
        return None
    if settings.mode is None:
        assert settings.cert is not None
        return _tls(Path(settings.cert), Path(settings.key) if settings.key is not None else None)
    if settings.cert is not None or settings.key is not None:
        raise BadConfig("[tls] either a certificate and a key, or auto")
    if folder is not None:
        return _tls(*own_certificate(folder))
    with tempfile.TemporaryDirectory() as passing:
        return _tls(*own_certificate(Path(passing)))


def _tls(cert: Path, key: Path | None) -> Tls:
    return Tls(server_context(cert, key), fingerprint(cert))


def server_context(cert: Path, key: Path | None = None) -> ssl.SSLContext:
    """What a server speaks TLS with, 1.2 at the least. Without `key` it stands in the file of the certificate.

    Raises:
        BadConfig: they cannot be read, or do not fit.
    """
    context, settled = _context(cert, key), _context(cert, key)
    if hasattr(ssl.SSLContext, "_msg_callback"):
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | NO_CHECK_TIME)

        def on_message(tls: ssl.SSLObject, way: str, version: int, *what: Any) -> None:
            record, kind, message = what
            if way != "read" or record != HANDSHAKE:
                return
            if kind == CERTIFICATE:
                certificate = _first_certificate(message, version)
                if certificate:
                    tls.context = _trusting(certificate)
            elif kind == FINISHED:
                tls.context = settled

        context._msg_callback = on_message  # type: ignore[attr-defined]  # see above
    return context


def _context(cert: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        why = (error.reason or "is no certificate or no key").replace("_", " ").lower()
        raise BadConfig(f"[tls] {cert}{f', {key}' if key else ''}: {why}") from None
    except OSError as error:
        raise BadConfig(f"[tls] {cert if not cert.is_file() else key or cert}: {error.strerror}") from None
    return context


def _no_password() -> str:
    """Rather than have OpenSSL ask for it on the terminal."""
    raise BadConfig("[tls] the key has a password; asynchat needs one without")


def _first_certificate(message: bytes, version: int) -> bytes:
    """The sender's own certificate, as DER, in a Certificate message; empty if there is none. (RFC 8446, 4.4.2)"""
    body = message[4:]
    if version >= ssl.TLSVersion.TLSv1_3:
        body = body[1 + body[0] :]  # the request's context
    size = int.from_bytes(body[3:6])
    return body[6 : 6 + size]


def _trusting(certificate: bytes) -> ssl.SSLContext:
    """A context that trusts this certificate and no other, and that has nothing else in it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with suppress(ssl.SSLError):  # it is no certificate: OpenSSL is about to say so
        context.load_verify_locations(cadata=certificate)
    return context


def fingerprint(cert: Path) -> str:
    """The SHA-256 of a certificate (DER), in hex.

    Raises:
        BadConfig: there is none in the file.
    """
    try:
        pem = cert.read_text()
        first = pem[pem.index("-----BEGIN CERTIFICATE-----") :]
        first = first[: first.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----"
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()
    except (OSError, ValueError):
        raise BadConfig(f"[tls] {cert}: there is no certificate in it") from None


# A certificate of our own.


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """The certificate and key that are kept in this folder, made if they are not there. Only the owner can read them.

    Raises:
        BadConfig: they cannot be made.
    """
    cert, key = folder / CERT_FILE, folder / KEY_FILE
    if cert.exists() and key.exists():
        return cert, key
    names = list(dict.fromkeys(["localhost", socket.gethostname(), "127.0.0.1", "::1"]))
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:  # whole and with its mode, or not at all
            new_cert, new_key = Path(scratch) / CERT_FILE, Path(scratch) / KEY_FILE
            make_certificate(new_cert, new_key, names)
            for new, final in ((new_key, key), (new_cert, cert)):
                new.chmod(0o600)
                new.replace(final)
    except OSError as error:
        raise BadConfig(f"[tls] cannot keep a certificate in {folder}: {error.strerror}") from None
    return cert, key


def make_certificate(cert: Path, key: Path, names: list[str]) -> None:
    """Write a self-signed certificate for these names and addresses, and its key (ECDSA P-256).

    Raises:
        BadConfig: there is nothing to make it with.
    """
    try:
        import cryptography  # noqa: F401
    except ImportError:
        _make_with_openssl(cert, key, names)
    else:
        _make_with_cryptography(cert, key, names)


def _make_with_cryptography(cert: Path, key: Path, names: list[str]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "asynchat")])
    now = datetime.now(UTC)
    shown: list[Any] = [x509.IPAddress(ip) if (ip := _address(each)) else x509.DNSName(each) for each in names]
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(shown), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    key.write_bytes(private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain))
    cert.write_bytes(made.public_bytes(encoding))


def _make_with_openssl(cert: Path, key: Path, names: list[str]) -> None:
    program = shutil.which("openssl")
    if program is None:
        raise BadConfig(
            "--tls auto needs the package cryptography (pip install 'asynchat[tls]') or the program openssl"
        )
    shown = ",".join(f"{'IP' if _address(each) else 'DNS'}:{each}" for each in names)
    arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch"]
    arguments += ["-subj", "/CN=asynchat", "-days", str(365 * YEARS), "-keyout", str(key), "-out", str(cert)]
    arguments += ["-addext", f"subjectAltName={shown}", "-addext", "basicConstraints=critical,CA:FALSE"]
    ran = subprocess.run(
        [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False, env=os.environ
    )
    if ran.returncode != 0:
        raise BadConfig(f"--tls auto: openssl said {ran.stderr.decode(errors='replace').strip()}")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
