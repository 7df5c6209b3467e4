"""Environment variables, `.env.example`, and the start of the web server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

EXAMPLE = settings.BASE_DIR / ".env.example"


def example_values() -> dict[str, str]:
    lines = [line for line in EXAMPLE.read_text().splitlines() if re.match(r"[A-Z_]+=", line)]
    return dict(line.split("=", 1) for line in lines)


def test_an_unedited_example_gives_check_messages_and_no_traceback() -> None:
    elsewhere = {"PATH": os.environ["PATH"], "DATABASE_URL": os.environ["DATABASE_URL"]}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**example_values(), **elsewhere},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in done.stderr
    said = re.findall(r"\(coconut\.(\w+)\)", done.stderr)
    assert said == ["E001", "E002", "E016", "W001"]


def test_every_variable_of_the_settings_is_explained_in_the_example() -> None:
    read = set(re.findall(r'"([A-Z][A-Z_]+)", default=', (settings.BASE_DIR / "coconut" / "settings.py").read_text()))

    explained = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE))

    # Only docker-compose.yml and gunicorn read these.
    assert explained - read == {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "WEB_PORT", "WEB_CONCURRENCY"}
    assert read - explained == set()


def import_web_server(**changed: str) -> subprocess.CompletedProcess[str]:
    sound = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "SECRET_KEY": "fifty random characters that no other program knows",
        "ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
        "BASE_URL": "https://coconut.example",
        "EMAIL_URL": "smtp+tls://user:password@mail.example:587",
        "DEMO": "false",
        "DEBUG": "false",
    }
    return subprocess.run(
        [sys.executable, "-c", "import coconut.wsgi"],
        env={**sound, **changed},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_web_server_starts_with_safe_settings() -> None:
    assert import_web_server().returncode == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"SECRET_KEY": ""}, "coconut.E001"),
        ({"ENCRYPTION_KEYS": ""}, "coconut.E002"),
        ({"SESSION_COOKIE_SAMESITE": "None"}, "coconut.E006"),
        ({"SECRET_KEY": "short"}, "coconut.E017"),
        ({"BASE_URL": "http://coconut.example"}, "coconut.E005"),
        ({"EMAIL_URL": "consolemail://"}, "coconut.E016"),
        ({"EMAIL_URL": "dummymail://"}, "coconut.E016"),
        ({"EMAIL_URL": "filemail:///tmp/emails"}, "coconut.E016"),
        ({"MICROSOFT_SIMULATOR_URL": "http://localhost:9000"}, "coconut.E007"),
    ],
)
def test_the_web_server_does_not_start_with_unsafe_settings(changed: dict[str, str], said: str) -> None:
    done = import_web_server(**changed)

    assert (done.returncode, said in done.stderr) == (1, True)


def test_importing_the_settings_changes_neither_files_nor_the_environment(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    code = "import os; before = dict(os.environ); import coconut.settings; assert dict(os.environ) == before"

    subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "PROMETHEUS_MULTIPROC_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "coconut.settings",
        },
        cwd=settings.BASE_DIR,
        check=True,
    )

    assert not folder.exists()
