"""System checks of the settings."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from coconut.web.static_files import VENDOR_FILES, VendorFinder

FERNET_KEY = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="
VALID_SETTINGS = {
    "DEBUG": False,
    "DEMO": False,
    "SECRET_KEY": "fifty random characters that no other program knows",
    "ENCRYPTION_KEYS": [FERNET_KEY],
    "BASE_URL": "https://coconut.example",
    "SESSION_COOKIE_SAMESITE": "Lax",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "MICROSOFT_SIMULATOR_URL": "",
    "MICROSOFT_CLIENT_ID": "c0c0a075-0365-4000-8000-00000000c0de",
    "MICROSOFT_CLIENT_SECRET": "a secret",
    "MICROSOFT_CLIENT_CERTIFICATE": "",
    "MICROSOFT_CLIENT_SECRET_EXPIRES": "2099-12-31",
    "MICROSOFT_CLOUD": "global",
}


def in_days(days: int) -> str:
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011 - as the check counts


@pytest.fixture
def installation(settings: Settings) -> Settings:
    """Valid settings of a production installation."""
    change(settings, VALID_SETTINGS)
    return settings


def change(settings: Settings, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)


def message_ids() -> list[str | None]:
    """Return the ids of this project's messages, as `manage.py migrate` prints them."""
    messages = [m for m in run_checks(databases=["default"]) if m.id and m.id.startswith("coconut.")]
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


@pytest.mark.django_db
def test_a_valid_installation_has_no_messages(installation: Settings) -> None:
    assert message_ids() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("expected", "changed"),
    [
        ("E001", {"SECRET_KEY": "insecure-development-key-do-not-use-anywhere-else"}),
        ("E017", {"SECRET_KEY": "only 49 characters, though rather different ones."}),
        ("E017", {"SECRET_KEY": "abcd" * 20}),
        ("E002", {"ENCRYPTION_KEYS": []}),
        ("E003", {"ENCRYPTION_KEYS": [FERNET_KEY, "too short"]}),
        ("E004", {"BASE_URL": "coconut.example"}),
        ("E004", {"BASE_URL": "https://coconut.example/app"}),
        ("E004", {"BASE_URL": "ftp://coconut.example"}),
        ("E005", {"BASE_URL": "http://coconut.example"}),
        ("E006", {"SESSION_COOKIE_SAMESITE": "Strict"}),
        ("E006", {"SESSION_COOKIE_SAMESITE": "None"}),
        ("E007", {"MICROSOFT_SIMULATOR_URL": "http://localhost:9000"}),
        ("E008", {"MICROSOFT_CLIENT_ID": ""}),
        ("E008", {"MICROSOFT_CLIENT_SECRET": ""}),
        ("E018", {"MICROSOFT_CLIENT_ID": "coconut"}),
        ("E018", {"MICROSOFT_CLIENT_ID": "c0c0a075-0365-4000-8000-00000000c0d"}),
        ("E009", {"MICROSOFT_CLIENT_CERTIFICATE": "/nowhere/microsoft.pem"}),
        ("E010", {"MICROSOFT_CLOUD": "china"}),
        ("E011", {"MICROSOFT_CLIENT_SECRET_EXPIRES": "31.12.2099"}),
        ("E016", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
        ("E016", {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}),
        ("E016", {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend"}),
        ("E016", {"EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend"}),
        ("W001", {"MICROSOFT_CLIENT_ID": "", "MICROSOFT_CLIENT_SECRET": ""}),
        ("W002", {"MICROSOFT_CLIENT_SECRET_EXPIRES": in_days(30)}),
        ("W002", {"MICROSOFT_CLIENT_SECRET_EXPIRES": in_days(-1)}),
    ],
)
def test_each_problem_is_reported_with_its_id_only(
    installation: Settings, expected: str, changed: dict[str, Any]
) -> None:
    change(installation, changed)

    assert message_ids() == [f"coconut.{expected}"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("pasted", "found"),
    [
        ("c0c0a075-0365-4000-8000-00000000c0de\u200b", "character 37 is U+200B"),
        ("c0c0a075\u20110365-4000-8000-00000000c0de", "character 9 is “\u2011”"),
        ("{c0c0a075-0365-4000-8000-00000000c0de}", "character 1 is “{”"),
    ],
)
def test_the_odd_character_of_a_pasted_client_id_is_named(installation: Settings, pasted: str, found: str) -> None:
    change(installation, {"MICROSOFT_CLIENT_ID": pasted})

    [message] = [each for each in run_checks() if each.id == "coconut.E018"]
    assert message.msg == f"MICROSOFT_CLIENT_ID is not an application (client) ID: {found}."


@pytest.mark.django_db
def test_a_database_other_than_postgresql_is_refused(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(installation.DATABASES["default"], "ENGINE", "django.db.backends.mysql")

    assert message_ids() == ["coconut.E013"]


@pytest.mark.django_db
@pytest.mark.parametrize("ground", ["DEBUG", "DEMO"])
@pytest.mark.parametrize(
    "changed",
    [
        {"SECRET_KEY": "insecure-development-key-do-not-use-anywhere-else"},
        {"SECRET_KEY": "short"},
        {"BASE_URL": "http://localhost:8000"},
        {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"},
        {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend"},
        {"MICROSOFT_SIMULATOR_URL": "http://localhost:9000"},
    ],
)
def test_a_test_installation_may_have_unsafe_settings(
    installation: Settings, ground: str, changed: dict[str, Any]
) -> None:
    change(installation, {ground: True, **changed})

    assert message_ids() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changed",
    [
        {"ENCRYPTION_KEYS": [FERNET_KEY, FERNET_KEY]},
        {"BASE_URL": "https://coconut.example:8443"},
        {"MICROSOFT_CLOUD": "gcc_high"},
        {"MICROSOFT_CLOUD": "dod"},
        {"MICROSOFT_CLIENT_SECRET_EXPIRES": ""},
        {"MICROSOFT_CLIENT_SECRET_EXPIRES": in_days(31)},
    ],
)
def test_valid_values_give_no_messages(installation: Settings, changed: dict[str, Any]) -> None:
    change(installation, changed)

    assert message_ids() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("days", "sentence"),
    [(12, "Microsoft's client secret expires in 12 days."), (-3, "Microsoft's client secret has expired.")],
)
def test_the_warning_counts_the_days(installation: Settings, days: int, sentence: str) -> None:
    installation.MICROSOFT_CLIENT_SECRET_EXPIRES = in_days(days)

    assert [message.msg for message in run_checks() if message.id == "coconut.W002"] == [sentence]


def test_missing_browser_libraries_are_reported_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(VENDOR_FILES, "vendor/gone.js", "gone/gone.js")

    messages = VendorFinder().check()

    assert [(message.id, message.msg) for message in messages] == [
        ("coconut.E014", "1 files of the browser libraries are missing, such as vendor/gone.js.")
    ]


def test_every_id_is_explained_to_operators(settings: Settings) -> None:
    sources = [
        settings.BASE_DIR / name
        for name in ("coconut/checks.py", "coconut/web/static_files.py", "integrations/teams/checks.py")
    ]
    ids = {found for source in sources for found in re.findall(r'"coconut\.([EW]\d{3})"', source.read_text())}

    explained = set(re.findall(r"[EW]\d{3}", (settings.BASE_DIR / "docs" / "operations.md").read_text()))

    assert explained == ids
