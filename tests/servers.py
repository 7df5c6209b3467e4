"""A pytest plugin: real servers and a known environment before Django's settings are read.

Loaded by `-p tests.servers` in pyproject.toml, because pytest-django reads the settings before any conftest.
Servers whose addresses are in the environment already are used as they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local_servers.processes import SetupError
from local_servers.servers import throwaway_servers

# The same in every run; an empty value keeps a developer's .env from leaking in.
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


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Set the environment and start what is missing, as a wrapper: that is, before pytest-django."""
    os.environ.update(ENVIRONMENT)
    _start_servers(early_config)
    yield


def _start_servers(config: pytest.Config) -> None:
    servers = ExitStack()
    config.add_cleanup(servers.close)
    try:
        running = servers.enter_context(
            throwaway_servers(
                database="DATABASE_URL" not in os.environ,
                broker=not {"CELERY_BROKER_URL", "CACHE_URL"} <= os.environ.keys(),
            )
        )
    except SetupError as error:
        raise pytest.UsageError(str(error)) from error
    for name, address in running.environment.items():
        os.environ.setdefault(name, address)
