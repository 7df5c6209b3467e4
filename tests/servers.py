"""A pytest plugin that sets the environment of Django's settings and starts private servers for the tests.

Loaded by `-p tests.servers` in pyproject.toml, because pytest-django reads the settings before any conftest.
If the environment has the address of a server, that server is used. Private servers start when the first test needs
them, so that tests of pure functions don't wait for them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from coconut.local_urls import broker_url, cache_url, database_url
from local_servers.processes import SetupError
from local_servers.servers import private_servers, throwaway_folder
from tests.migrated_cluster import MIGRATED, migrated_cluster

# The same in every run. Empty values override a developer's .env.
ENVIRONMENT = {
    "DEBUG": "false",
    "DEMO": "true",
    "SECRET_KEY": "a-key-for-tests-only",
    "ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "BASE_URL": "http://testserver",
    "MICROSOFT_CLIENT_ID": "c0c0a075-0365-4000-8000-00000000c0de",
    "MICROSOFT_CLIENT_SECRET": "simulated-client-secret",
    "MICROSOFT_CLIENT_CERTIFICATE": "",
    "MICROSOFT_CLIENT_SECRET_EXPIRES": "",
    "MICROSOFT_CLOUD": "global",
    "MICROSOFT_SIMULATOR_URL": "",
    "EMAIL_URL": "memorymail://",
    "OPERATOR_EMAILS": "olive@operator.example",
}
# Variables with addresses of private servers. A pytest-xdist worker inherits them, but has its own servers.
_PRIVATE = "COCONUT_PRIVATE_SERVERS"
_private_servers = pytest.StashKey["PrivateServers"]()


class PrivateServers:
    """Private servers of one pytest process. They have addresses before they start."""

    def __init__(self, folder: Path, *, database: bool, broker: bool) -> None:
        self._folder = folder
        self._sockets = folder / "sockets"
        self._database = database
        self._broker = broker
        self._running = ExitStack()

    @property
    def environment(self) -> dict[str, str]:
        """Return the addresses as environment variables."""
        database = {"DATABASE_URL": database_url(self._sockets), "TEST_DATABASE_TEMPLATE": MIGRATED}
        broker = {"CELERY_BROKER_URL": broker_url(self._sockets), "CACHE_URL": cache_url(self._sockets)}
        return (database if self._database else {}) | (broker if self._broker else {})

    def start(self) -> None:
        """Start the servers, with a migrated database."""
        with ExitStack() as making:
            template = making.enter_context(migrated_cluster()) if self._database else None
            self._running.enter_context(
                private_servers(
                    self._folder / "data",
                    sockets=self._sockets,
                    durable=False,
                    database=self._database,
                    broker=self._broker,
                    template=template,
                )
            )

    def stop(self) -> None:
        """Stop the running servers."""
        self._running.close()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Set the environment before pytest-django reads it (as a wrapper)."""
    os.environ.update(ENVIRONMENT)
    for name in os.environ.pop(_PRIVATE, "").split():
        del os.environ[name]
    cleanup = ExitStack()
    early_config.add_cleanup(cleanup.close)
    private = PrivateServers(
        cleanup.enter_context(throwaway_folder()),
        database="DATABASE_URL" not in os.environ,
        broker=not {"CELERY_BROKER_URL", "CACHE_URL"} <= os.environ.keys(),
    )
    cleanup.callback(private.stop)
    missing = {name: value for name, value in private.environment.items() if name not in os.environ}
    os.environ.update({**missing, _PRIVATE: " ".join(missing)})
    early_config.stash[_private_servers] = private
    yield


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> None:
    """Start PostgreSQL and a broker at the addresses in the environment."""
    try:
        pytestconfig.stash[_private_servers].start()
    except SetupError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
