"""Read the client certificate, an alternative to the client secret."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)


def read_certificate(path: Path) -> tuple[str, str]:
    """Return private key and certificate as PEM.

    `path` is a PEM file with both, or a PFX file (.pfx, .p12) without passphrase. Raises OSError, and ValueError or
    TypeError for an unreadable file.
    """
    content = path.read_bytes()
    if path.suffix.lower() not in (".pfx", ".p12"):
        load_pem_private_key(content, None)
        x509.load_pem_x509_certificate(content)
        return content.decode("ascii"), content.decode("ascii")
    key, certificate, _others = pkcs12.load_key_and_certificates(content, None)
    if key is None or certificate is None:
        raise ValueError("The PFX file lacks a private key or a certificate.")
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key_pem.decode(), certificate.public_bytes(Encoding.PEM).decode()
