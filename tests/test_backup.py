"""Backup and restore as described in docs/operations.md, with PostgreSQL's programs."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings as real_settings
from django.db import connection

from integrations.models import Meeting
from local_servers.postgres_programs import programs_for
from tests.factories import make_connection, make_organization
from tests.integrations.fake_platform import FakePlatform
from tests.integrations.meeting_steps import HALF_AN_HOUR, ask, make_hosting, sync

pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = (Path(real_settings.BASE_DIR) / "docs" / "operations.md").read_text()
TOKEN = "from integrations.teams.models import TeamsConnection as T; print(T.objects.get().tokens['refresh_token'])"


@pytest.fixture
def restored() -> Iterator[str]:
    """Create an empty database and yield its name."""
    name = f"restored_{secrets.token_hex(4)}"
    execute(f"CREATE DATABASE {name}")
    yield name
    execute(f"DROP DATABASE {name} WITH (FORCE)")


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def run_program(name: str, *options: str, database: str) -> None:
    """Run one of PostgreSQL's programs in the version of the server."""
    address = connection.settings_dict
    where = {"PGHOST": address["HOST"], "PGPORT": str(address["PORT"]), "PGUSER": address["USER"]}
    program = programs_for(Path("/nowhere"), None, None) / name
    environment = {**os.environ, **{name: value for name, value in where.items() if value}}
    subprocess.run([str(program), *options, f"--dbname={database}"], env=environment, check=True)


def manage(*arguments: str, database: str, **changed: str) -> str:
    address, separator, options = os.environ["DATABASE_URL"].partition("?")
    url = f"{address.rpartition('/')[0]}/{database}{separator}{options}"
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env={**os.environ, "DATABASE_URL": url, **changed},
        cwd=real_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def test_a_backup_restored_into_a_fresh_database_has_all_rows_and_readable_tokens(
    restored: str, tmp_path: Path
) -> None:
    make_connection(make_organization())
    backup = str(tmp_path / "coconut.dump")

    run_program("pg_dump", *options_of("pg_dump"), f"--file={backup}", database=connection.settings_dict["NAME"])
    run_program("pg_restore", *options_of("pg_restore"), backup, database=restored)

    assert manage("shell", "--no-imports", "-c", TOKEN, database=restored) == "a-refresh-token\n"
    assert "coconut.W004" not in manage("check", "--database", "default", database=restored)
    # Raises if a migration is missing.
    manage("migrate", "--check", database=restored)
    another = "bm90LXRoZS1rZXktdGhhdC1pdC13YXMtc3RvcmVkLXc="
    assert "coconut.W004" in manage("check", "--database", "default", database=restored, ENCRYPTION_KEYS=another)


def test_after_an_old_backup_meetings_are_synced_with_the_restored_appointments(
    fake_teams: FakePlatform,
) -> None:
    moved, cancelled = (sync(ask(make_hosting(make_organization(name)))) for name in ("Maple", "Birch"))
    # After the backup, one appointment was moved and one cancelled.
    change_remotely(fake_teams, moved)
    del fake_teams.meetings[cancelled.remote_id]

    (statement,) = re.findall(r"```sql\n(UPDATE integrations_meeting.*?)```", GUIDE, re.DOTALL)
    execute(statement)

    for meeting in (moved, cancelled):
        sync(meeting)
        remote = fake_teams.meetings[meeting.remote_id]
        assert (remote.starts_at, meeting.state) == (meeting.starts_at, "ready")


def options_of(program: str) -> list[str]:
    """Return the options of a program in the guide, without user, file and database."""
    (line,) = re.findall(rf"^docker-compose exec .*\b{program} (.*)$", GUIDE, re.MULTILINE)
    return re.findall(r"--(?!username|dbname|file)[\w-]+(?:=\S+)?", line)


def change_remotely(platform: FakePlatform, meeting: Meeting) -> None:
    remote = platform.meetings[meeting.remote_id]
    platform.meetings[meeting.remote_id] = replace(remote, starts_at=meeting.starts_at + HALF_AN_HOUR)
