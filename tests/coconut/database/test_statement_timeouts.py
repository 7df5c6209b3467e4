"""Time limits of SQL statements in web servers and workers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app, signals
from django.conf import settings
from django.db import OperationalError, connection, connections
from django.test import Client as Browser

from coconut.database.statement_timeouts import WORKER_SECONDS, limit_statements, limit_worker_statements

pytestmark = pytest.mark.django_db
RANDOM_PAGE_COST = "-c random_page_cost=1.1"


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Options of connections that are opened during the test."""
    options: dict[str, Any] = connections.settings["default"]["OPTIONS"]
    monkeypatch.setitem(options, "options", RANDOM_PAGE_COST)
    return options


def value_in_a_new_connection(name: str = "statement_timeout") -> str:
    new = connections.create_connection("default")
    try:
        with new.cursor() as cursor:
            cursor.execute(f"SHOW {name}")
            return str(cursor.fetchone()[0])
    finally:
        new.close()


def test_commands_such_as_migrate_have_no_limit(options: dict[str, Any]) -> None:
    assert value_in_a_new_connection() == "0"


def test_new_connections_have_the_limit_and_keep_the_other_options(options: dict[str, Any]) -> None:
    limit_statements(30)

    assert value_in_a_new_connection() == "30s"
    assert value_in_a_new_connection("random_page_cost") == "1.1"


def test_a_process_that_is_frozen_inside_a_transaction_loses_its_locks(options: dict[str, Any]) -> None:
    limit_statements(1)
    new = connections.create_connection("default")
    new.set_autocommit(False)
    with new.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(42)")

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(42)")

    with pytest.raises(OperationalError), new.cursor() as cursor:
        cursor.execute("SELECT 1")
    new.close()


def test_a_limit_in_the_url_of_the_database_is_kept(options: dict[str, Any]) -> None:
    options["options"] = "-c statement_timeout=7s"

    limit_statements(30)

    assert value_in_a_new_connection() == "7s"


def test_a_worker_has_a_longer_limit(options: dict[str, Any]) -> None:
    receivers = [receiver() for _key, receiver in signals.worker_init.receivers]

    limit_worker_statements()

    assert limit_worker_statements in receivers
    longest_task = max(task.time_limit or settings.CELERY_TASK_TIME_LIMIT for task in current_app.tasks.values())
    assert longest_task <= WORKER_SECONDS
    assert value_in_a_new_connection() == "2min"


def test_the_web_server_has_a_limit() -> None:
    code = """
import coconut.wsgi
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    print(cursor.fetchone()[0])
"""
    address = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DATABASE_URL": address},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "30s"


def exceed_the_limit(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
    """Let PostgreSQL cancel the statement."""
    return execute("SET statement_timeout = 1; SELECT pg_sleep(60)", None, False, context)


@pytest.mark.django_db(transaction=True)
def test_a_page_whose_statement_is_cancelled_shows_the_error_page() -> None:
    browser = Browser(raise_request_exception=False)

    with connection.execute_wrapper(exceed_the_limit):
        answer: Any = browser.get("/book/maple/")

    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert isinstance(answer.exc_info[1], OperationalError)
    assert browser.get("/sign-in/").status_code == 200
