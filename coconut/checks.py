"""System checks of missing or unsafe settings, each with an id and a hint."""

from __future__ import annotations

import re
import zoneinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004
from django.core.checks.security.base import SECRET_KEY_MIN_LENGTH, SECRET_KEY_MIN_UNIQUE_CHARACTERS

from coconut.email_providers import provider_problems
from coconut.fields.pasted_text import describe_character

# Django's email backends that reach no mailbox.
_UNSENT_EMAIL = {
    f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "filebased", "locmem")
}
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NOT_IN_A_GUID = re.compile(r"[^0-9a-fA-F-]")
_TEST_INSTALLATIONS = "Set DEBUG or DEMO to true only on a machine without real data."


def _is_test_installation() -> bool:
    return bool(settings.DEBUG or settings.DEMO)


@register(Tags.security)
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    if _is_test_installation():
        return []
    hint = "Set SECRET_KEY to 50 random characters."
    if settings.SECRET_KEY == settings.INSECURE_SECRET_KEY:
        return [Error("SECRET_KEY is not set.", hint=hint, id="coconut.E001")]
    is_long = len(settings.SECRET_KEY) >= SECRET_KEY_MIN_LENGTH
    if is_long and len(set(settings.SECRET_KEY)) >= SECRET_KEY_MIN_UNIQUE_CHARACTERS:
        return []
    return [Error("SECRET_KEY is too short or repeats a few characters.", hint=hint, id="coconut.E017")]


@register(Tags.security)
def check_encryption_keys(**kwargs: Any) -> list[CheckMessage]:
    if not settings.ENCRYPTION_KEYS:
        hint = (
            "Set ENCRYPTION_KEYS to a key made by: "
            'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
        )
        return [Error("ENCRYPTION_KEYS is not set: tokens cannot be stored.", hint=hint, id="coconut.E002")]
    for position, key in enumerate(settings.ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            return [
                Error(
                    f"Key {position} of ENCRYPTION_KEYS is not a Fernet key.",
                    hint="Each key is 32 random bytes in URL-safe base64 (44 characters).",
                    id="coconut.E003",
                )
            ]
    return []


@register(Tags.security, Tags.urls)
def check_base_url(**kwargs: Any) -> list[CheckMessage]:
    url = urlsplit(settings.BASE_URL)
    if url.scheme not in ("http", "https") or not url.netloc or url.path:
        return [
            Error(
                f"BASE_URL is not the URL of a site: {settings.BASE_URL!r}.",
                hint="Use only scheme and host, such as https://coconut.example.",
                id="coconut.E004",
            )
        ]
    if url.scheme == "http" and not _is_test_installation():
        return [
            Error(
                "BASE_URL is not https.",
                hint=f"Microsoft redirects only to https. {_TEST_INSTALLATIONS}",
                id="coconut.E005",
            )
        ]
    return []


@register(Tags.security)
def check_session_cookie(**kwargs: Any) -> list[CheckMessage]:
    if settings.SESSION_COOKIE_SAMESITE == "Lax":
        return []
    return [
        Error(
            "SESSION_COOKIE_SAMESITE must be Lax.",
            hint="Strict drops the session on the redirect back from Microsoft; None sends it to every site.",
            id="coconut.E006",
        )
    ]


@register(Tags.security)
def check_simulator(**kwargs: Any) -> list[CheckMessage]:
    if not settings.MICROSOFT_SIMULATOR_URL or _is_test_installation():
        return []
    return [
        Error(
            "MICROSOFT_SIMULATOR_URL is set in production: secrets would be sent there.",
            hint=f"Unset it. {_TEST_INSTALLATIONS}",
            id="coconut.E007",
        )
    ]


@register()
def check_microsoft_app(**kwargs: Any) -> list[CheckMessage]:
    """Warn without an app registration, which the Microsoft Teams tile shows. An incomplete one is an error."""
    has_credential = bool(settings.MICROSOFT_CLIENT_SECRET or settings.MICROSOFT_CLIENT_CERTIFICATE)
    if not settings.MICROSOFT_CLIENT_ID and not has_credential:
        return [
            Warning(
                "Microsoft Teams cannot be connected: no app registration is configured.",
                hint="Set MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET.",
                id="coconut.W001",
            )
        ]
    if not settings.MICROSOFT_CLIENT_ID or not has_credential:
        return [
            Error(
                "The Microsoft app registration is incomplete.",
                hint="Set MICROSOFT_CLIENT_ID, and MICROSOFT_CLIENT_SECRET or MICROSOFT_CLIENT_CERTIFICATE.",
                id="coconut.E008",
            )
        ]
    if not _GUID.fullmatch(settings.MICROSOFT_CLIENT_ID):
        return [_invalid_client_id(settings.MICROSOFT_CLIENT_ID)]
    certificate = settings.MICROSOFT_CLIENT_CERTIFICATE
    if certificate and not Path(certificate).is_file():
        return [
            Error(
                f"There is no file at MICROSOFT_CLIENT_CERTIFICATE: {certificate}.",
                hint="Give the path of a PEM or PFX file that the process can read.",
                id="coconut.E009",
            )
        ]
    return []


def _invalid_client_id(client_id: str) -> Error:
    odd = _NOT_IN_A_GUID.search(client_id)
    reason = f": character {odd.start() + 1} is {describe_character(odd[0])}" if odd else ""
    return Error(
        f"MICROSOFT_CLIENT_ID is not an application (client) ID{reason}.",
        hint="Copy it from the page Overview of the app registration, such as 72f988bf-86f1-41af-91ab-2d7cd011db47.",
        id="coconut.E018",
    )


@register()
def check_microsoft_cloud(**kwargs: Any) -> list[CheckMessage]:
    if settings.MICROSOFT_CLOUD in ("global", "gcc_high", "dod"):
        return []
    return [
        Error(
            f"MICROSOFT_CLOUD is unknown: {settings.MICROSOFT_CLOUD!r}.",
            hint="Use global, gcc_high or dod.",
            id="coconut.E010",
        )
    ]


@register(Tags.security)
def check_email_server(**kwargs: Any) -> list[CheckMessage]:
    if settings.EMAIL_BACKEND not in _UNSENT_EMAIL or _is_test_installation():
        return []
    return [
        Error(
            "Emails would be printed, stored or dropped instead of sent.",
            hint=f"Set EMAIL_URL, such as smtp+tls://user:password@host:587. {_TEST_INSTALLATIONS}",
            id="coconut.E016",
        )
    ]


@register()
def check_email_provider(**kwargs: Any) -> list[CheckMessage]:
    problems = provider_problems(
        settings.EMAIL_PROVIDER, settings.EMAIL_PROVIDER_SETTINGS, settings.EMAIL_WEBHOOK_SECRET
    )
    hint = "Email providers are described in docs/emails.md."
    return [Error(problem, hint=hint, id="coconut.E020") for problem in problems]


@register()
def check_time_zone_rules(**kwargs: Any) -> list[CheckMessage]:
    if not zoneinfo.TZPATH:
        return []
    return [
        Error(
            f"Time zone rules come from {zoneinfo.TZPATH[0]}, not from the package tzdata.",
            hint="Remove the call of zoneinfo.reset_tzpath() that changes it. Old rules show wrong local times.",
            id="coconut.E019",
        )
    ]


@register(Tags.database)
def check_database(**kwargs: Any) -> list[CheckMessage]:
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
        return []
    return [
        Error(
            "DATABASE_URL is not PostgreSQL.",
            hint="Coconut relies on exclusion constraints and SKIP LOCKED; use postgres://…",
            id="coconut.E013",
        )
    ]
