"""A PostgreSQL cluster with a migrated database, created once and copied by each test run.

It is in `.local/tests/`. Its name is a digest of its sources: after a new migration, the next run replaces it. Any
number of runs may copy it at the same time.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from coconut.local_urls import DATABASE_NAME, database_url
from local_servers.postgres import Postgres
from local_servers.postgres_programs import programs_for
from local_servers.processes import SetupError
from local_servers.servers import throwaway_folder

BASE_DIR = Path(__file__).resolve().parent.parent
FOLDER = BASE_DIR / ".local" / "tests"
#: Name of the migrated database in the cluster.
MIGRATED = DATABASE_NAME
_SOURCES = (
    "*/migrations/*.py",
    "*/*/migrations/*.py",
    "coconut/settings.py",
    "local_servers/postgres*.py",
    "requirements-dev.txt",
    "tests/migrated_cluster.py",
)


@contextmanager
def migrated_cluster() -> Iterator[Path]:
    """Create the cluster if it is missing, and yield its folder. It isn't removed while the context lasts."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    cluster = FOLDER / f"cluster-{_digest()}"
    with (FOLDER / "lock").open("w") as lock:
        if not cluster.exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Another run may have created it while this one waited for the lock.
            if not cluster.exists():
                _remove_old_clusters()
                _create_cluster(cluster)
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield cluster


def _digest() -> str:
    digest = sha256(str(programs_for(Path("/nowhere"), None, None)).encode())
    for path in sorted(path for pattern in _SOURCES for path in BASE_DIR.glob(pattern)):
        digest.update(f"{path.relative_to(BASE_DIR)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _remove_old_clusters() -> None:
    for old in FOLDER.glob("cluster-*"):
        shutil.rmtree(old)


def _create_cluster(cluster: Path) -> None:
    with throwaway_folder() as home:
        postgres = Postgres(home / "postgres", home / "sockets", durable=False)
        try:
            postgres.start()
            _migrate_database(database_url(home / "sockets", MIGRATED))
            unfinished = FOLDER / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            postgres.save_cluster(unfinished)
        finally:
            postgres.stop()
        unfinished.rename(cluster)


def _migrate_database(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "coconut.settings", "DATABASE_URL": url},
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SetupError(f"The test database could not be migrated:\n{done.stdout}{done.stderr}")
