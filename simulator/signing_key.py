"""The signing key: RS256 tokens, their public half for JWKS, and reading them back."""

import base64
import hashlib
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


class SigningKey:
    """One RSA key, made at start or loaded from PEM."""

    def __init__(self, pem: str | None = None) -> None:
        if pem is None:
            self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            loaded = serialization.load_pem_private_key(pem.encode(), password=None)
            if not isinstance(loaded, rsa.RSAPrivateKey):
                raise TypeError("The signing key must be an RSA key.")
            self._private = loaded
        self._public = self._private.public_key()
        der = self._public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.kid = base64.urlsafe_b64encode(hashlib.sha256(der).digest()[:20]).rstrip(b"=").decode()
        # A bearer token comes with every request; its signature need not be checked each time.
        self._read = lru_cache(maxsize=512)(self._verify)

    def pem(self) -> str:
        """The private key, for the state file."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def jwks(self, issuer: str) -> dict[str, Any]:
        """The public half as Entra publishes it."""
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
        """A compact RS256 token."""
        return jwt.encode(claims, self._private, "RS256", {"kid": self.kid, "x5t": self.kid})

    def forge(self, claims: dict[str, Any]) -> str:
        """A token that names our key but is signed by another one."""
        return jwt.encode(claims, SigningKey()._private, "RS256", {"kid": self.kid})

    def read(self, token: str) -> dict[str, Any]:
        """Claims of a token we signed, its lifetime unchecked. Raises jwt.InvalidTokenError."""
        return self._read(token)

    def _verify(self, token: str) -> dict[str, Any]:
        unchecked = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        claims: dict[str, Any] = jwt.decode(token, self._public, ["RS256"], options=unchecked)  # type: ignore[arg-type]
        return claims


def _base64_number(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
