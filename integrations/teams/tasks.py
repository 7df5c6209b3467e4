"""What Teams needs from time to time.

Sign-ins are kept alive, for Microsoft ends a refresh token that rests for 90 days; and operators hear of credentials
that end.
"""

from __future__ import annotations

import logging

from celery import shared_task

from integrations.circuit_breaker import record_success, record_trouble
from integrations.models import Connection
from integrations.platforms.values import PlatformError
from integrations.task_queue import send
from integrations.teams.entra import credential_expiry, user_tokens

logger = logging.getLogger(__name__)


@shared_task(name="teams.keep_alive")
def keep_alive() -> None:
    """Ask for a renewal of every connection that has rested for a day."""
    for pk in user_tokens.resting().values_list("pk", flat=True):
        send("teams.renew", pk)


@shared_task(name="teams.renew")
def renew(connection_id: int) -> None:
    """Renew one connection's tokens. A refusal is recorded where it is noticed; an outage waits for tomorrow."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is None:
        return
    try:
        user_tokens.keep_alive(connection)
    except PlatformError as problem:
        record_trouble(connection_id, problem)
        logger.warning("The sign-in of connection %s was not renewed: %s", connection_id, problem.kind)
    else:
        record_success(connection_id)


@shared_task(name="teams.warn_of_expiry")
def warn_of_expiry() -> None:
    """Tell the operators if the client secret or the certificate ends soon, or has ended."""
    credential_expiry.warn_operators()
