"""Periodic tasks: keep sign-ins alive, expire connection requests and warn of expiring app credentials."""

from __future__ import annotations

import logging

from celery import shared_task

from coconut.task_queue import send
from integrations.circuit_breaker import record_success, record_trouble
from integrations.models import Connection
from integrations.platforms.values import PlatformError
from integrations.teams.account import refresh_account
from integrations.teams.connect import requests
from integrations.teams.entra import credential_expiry, user_tokens

logger = logging.getLogger(__name__)


@shared_task(name="teams.keep_alive")
def keep_alive() -> None:
    """Enqueue a refresh for every connection without a new token for a day."""
    for pk in user_tokens.due_for_keep_alive().values_list("pk", flat=True):
        send("teams.renew", pk)


@shared_task(name="teams.renew")
def renew(connection_id: int) -> None:
    """Refresh one connection's tokens and the names of its account. After an outage, the next day's run tries again."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is None:
        return
    try:
        user_tokens.keep_alive(connection)
    except PlatformError as problem:
        record_trouble(connection_id, problem)
        logger.warning("The sign-in of connection %s was not renewed: %s", connection_id, problem.kind)
        return
    record_success(connection_id)
    _refresh_account_names(connection)


def _refresh_account_names(connection: Connection) -> None:
    try:
        refresh_account(connection)
    except PlatformError as problem:
        logger.warning("The account of connection %s was not read: %s", connection.pk, problem.kind)


@shared_task(name="teams.warn_of_expiry")
def warn_of_expiry() -> None:
    """Email operators if the client secret or the certificate expires soon or has expired."""
    credential_expiry.warn_operators()


@shared_task(name="teams.expire_requests")
def expire_requests() -> None:
    """Expire the connection requests that no operator decided in time."""
    requests.expire_requests()
