"""Signing key: sign and verify RS256 tokens, publish the public key as JWKS.

`forge` makes tokens with a wrong signature for tests.
"""

import base64
import hashlib
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


class SigningKey:
    """RSA key, generated or loaded from PEM."""

    def __init__(self, pem: str | None = None) -> None:
        if pem is None:
            self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            loaded = serialization.load_pem_private_key(pem.encode(), password=None)
            if not isinstance(loaded, rsa.RSAPrivateKey):
                raise TypeError("The signing key must be an RSA key.")
            self._private = loaded
        self._public = self._private.public_key()
        der = self._public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.kid = base64.urlsafe_b64encode(hashlib.sha256(der).digest()[:20]).rstrip(b"=").decode()
        # Cached: every Graph request carries a token, and verifying a signature is slow.
        self._cached_decode = lru_cache(maxsize=512)(self._decode)

    def pem(self) -> str:
        """Return the private key as PEM, for the state file."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def jwks(self, issuer: str) -> dict[str, Any]:
        """Return the public key as the JWKS that Entra publishes."""
        numbers = self._public.public_numbers()
        entry = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "x5t": self.kid,
            "n": _base64_number(numbers.n),
            "e": _base64_number(numbers.e),
            "issuer": issuer,
        }
        return {"keys": [entry]}

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a signed token in compact form."""
        return jwt.encode(claims, self._private, "RS256", {"kid": self.kid, "x5t": self.kid})

    def forge(self, claims: dict[str, Any]) -> str:
        """Return a token that names this key but is signed by another one."""
        return jwt.encode(claims, SigningKey()._private, "RS256", {"kid": self.kid})

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that this key signed. Raises jwt.InvalidTokenError.

        The lifetime isn't checked.
        """
        return self._cached_decode(token)

    def _decode(self, token: str) -> dict[str, Any]:
        unchecked = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        claims: dict[str, Any] = jwt.decode(token, self._public, ["RS256"], options=unchecked)  # type: ignore[arg-type]
        return claims


def _base64_number(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
