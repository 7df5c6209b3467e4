"""The text that `make demo` prints. Imports no models, because Django is not set up when it is imported."""

from __future__ import annotations

from dataclasses import dataclass

# The simulated tenant "Contoso", which also owns maple.example and cedar.example.
TENANT_ID = "c0117050-0365-4000-8000-000000000001"
PASSWORD = "coconut-demo"
OPERATOR = "olive@operator.example"


@dataclass(frozen=True)
class Login:
    """A demo account."""

    email: str
    description: str


LOGINS = (
    Login("ada@maple.example", "admin of Maple Credit Union"),
    Login("sky@maple.example", "scheduler of Maple Credit Union"),
    Login("sam@maple.example", "staff of Maple Credit Union"),
    Login("otto@cedar.example", "admin of Cedar Bank"),
    Login(OPERATOR, "operator, for Django admin at /operator/"),
)


def ready_text(address: str, microsoft: str) -> str:
    """Return the text to print when the installation is ready."""
    logins = "\n".join(f"    {login.email:<24} {login.description}" for login in LOGINS)
    return (
        f"\nCoconut is ready: {address}/\n\n"
        f"  Sign in with the password {PASSWORD} as\n{logins}\n\n"
        f"  Clients of Maple Credit Union book without signing in: {address}/book/maple/\n\n"
        f"  The simulated Microsoft 365 tenant: {microsoft}/\n"
        f"  Its tenant ID, to connect Microsoft Teams with: {TENANT_ID}\n\n"
        "  No email is sent: each is printed here, with its links.\n\n"
        "  Ctrl-C stops everything.\n"
    )
