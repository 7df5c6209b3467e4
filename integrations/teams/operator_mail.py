"""Emails to operators (ADMINS)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from redis.exceptions import RedisError

from integrations.platforms.values import PlatformError
from staff.models import OutboxEmail
from staff.outbox import EmailKind, enqueue_email

_ONCE_A_DAY: Final = 24 * 60 * 60
logger = logging.getLogger(__name__)


def enqueue_operator_email(kind: EmailKind, params: Mapping[str, Any]) -> None:
    """Enqueue an email to all operators."""
    enqueue_email(kind, to=[address for _name, address in settings.ADMINS], params=params)


def operator_message(subject: str, body: str) -> EmailMessage:
    """Return a message with the sender and the subject prefix of emails to operators."""
    return EmailMessage(f"{settings.EMAIL_SUBJECT_PREFIX}{subject}", body, settings.SERVER_EMAIL)


def report_refused_credentials(problem: PlatformError, number: int) -> None:
    """Log that Microsoft refuses the app registration (AADSTS `number`), and email operators at most once a day."""
    logger.error(
        "Microsoft refuses Coconut's credentials: AADSTS%s, trace %s",
        number,
        problem.request_id,
        extra={"platform_request_id": problem.request_id},
    )
    if _is_first_today(f"microsoft-credentials-{settings.MICROSOFT_CLIENT_ID}-{number}"):
        params = {"number": number, "request_id": problem.request_id}
        enqueue_operator_email(REFUSED_CREDENTIALS_EMAIL, params)


def _render_refused_credentials(email: OutboxEmail) -> EmailMessage:
    return operator_message(
        "Microsoft refuses Coconut's credentials",
        f"Microsoft answered AADSTS{email.params['number']} to the app registration {settings.MICROSOFT_CLIENT_ID}.\n"
        "Until it is fixed no connection can get new tokens; meetings wait and follow automatically.\n\n"
        "Check MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET (the secret's value, not its id; it may have "
        "expired) or MICROSOFT_CLIENT_CERTIFICATE, and the redirect URI and the permissions of the app registration. "
        "Then restart Coconut.\n"
        f"Microsoft's trace id: {email.params['request_id'] or 'none'}",
    )


REFUSED_CREDENTIALS_EMAIL: Final = EmailKind("refused_credentials", _render_refused_credentials)


def report_wrong_clock(offset: timedelta | None) -> None:
    """Log that our clock is wrong, and email operators at most once a day. `offset` is Microsoft's clock minus ours."""
    seconds = None if offset is None else round(offset.total_seconds())
    logger.error("The clock of this server is wrong: Microsoft's clock minus ours is %s seconds", seconds)
    if _is_first_today("wrong-clock"):
        enqueue_operator_email(WRONG_CLOCK_EMAIL, {"seconds": seconds})


def _render_wrong_clock(email: OutboxEmail) -> EmailMessage:
    seconds = email.params["seconds"]
    if seconds is None:
        difference = "Microsoft doesn't accept the times that this server sends."
    else:
        difference = f"It is {abs(seconds)} seconds {'behind' if seconds > 0 else 'ahead of'} Microsoft's clock."
    return operator_message(
        "The clock of Coconut's server is wrong",
        f"{difference}\n\n"
        "Set the clock of every server of Coconut, and keep it right with NTP. Until then, admins can't connect or "
        "reauthorize Microsoft Teams. With a client certificate, no connection gets new tokens either.\n",
    )


WRONG_CLOCK_EMAIL: Final = EmailKind("wrong_clock", _render_wrong_clock)


def _is_first_today(key: str) -> bool:
    try:
        return bool(cache.add(key, True, timeout=_ONCE_A_DAY))
    except RedisError:
        # Without the cache, every request would send an email. The log has the message.
        return False
