"""Email outbox: emails are stored in the transaction of a change, then rendered and sent by a worker, at most once.

A row is committed as `sending` before the email server is contacted. If the worker dies in between, the row stays so
and it is unknown whether the email was sent. Only an email that was certainly not accepted is retried automatically.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any, Final
from uuid import uuid4

from anymail.exceptions import AnymailAPIError
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, DateTimeField, F, Min
from django.db.models.functions import Now
from django.utils import timezone, translation

from coconut.backoff import backoff
from coconut.email_addresses import validate_email_address
from coconut.isolation import SYSTEM_FAILURES
from coconut.leases import NO_LEASE
from coconut.task_queue import enqueue_once_on_commit
from staff.clock import override_clock
from staff.emails.sender import complete_message
from staff.hooks import Registry
from staff.models import Clock, EmailState, Organization, OutboxEmail

logger = logging.getLogger(__name__)

#: Name of the task that calls `send_waiting`.
SEND_TASK: Final = "appointments.send_waiting_notifications"
#: Seconds after which a run starts no other email. The task's time limit would kill it while it sends.
RUN_SECONDS: Final = 30
#: Longer than sending one email takes.
LEASE: Final = timedelta(minutes=3)
FIRST_RETRY_SECONDS: Final = 60
LONGEST_RETRY_SECONDS: Final = 15 * 60
GIVE_UP_AFTER: Final = timedelta(days=3)
#: Time for which sent emails are kept. Within it, people ask whether and where an email was sent.
KEEP_SENT: Final = timedelta(days=90)
_DELETED_AT_ONCE: Final = 500


@dataclass(frozen=True)
class EmailKind:
    """A kind of email. `AppConfig.ready()` registers it.

    `render` is called when the email is sent, in its language. It returns subject, body and attachments, or None if the
    email no longer applies. Recipients that it sets replace those of the row.
    """

    name: str
    render: Callable[[OutboxEmail], EmailMessage | None]


email_kinds: Final[Registry[EmailKind]] = Registry()
#: Hooks that return whether work is waiting that comes before emails. Each is called after each email.
urgent_work: Final[Registry[Callable[[], bool]]] = Registry()


def enqueue_email(
    kind: EmailKind,
    *,
    to: Collection[str],
    params: Mapping[str, Any] | None = None,
    organization: Organization | None = None,
) -> None:
    """Store an email to these addresses, to be sent after the caller's transaction. Without addresses, do nothing."""
    if to:
        email = OutboxEmail(kind=kind.name, to=list(to), params=dict(params or {}), organization=organization)
        enqueue_emails([email])


def enqueue_emails(emails: list[OutboxEmail]) -> None:
    """Store new emails, to be sent after the caller's transaction."""
    OutboxEmail.objects.bulk_create(emails)
    enqueue_once_on_commit(SEND_TASK)


def send_again(email: OutboxEmail) -> bool:
    """Resend an email that failed or may not have been sent. Return False if it was sent or is waiting."""
    resent = OutboxEmail.objects.stuck().filter(pk=email.pk)
    is_resent = bool(
        # Retries end some time after `created_at`.
        resent.update(state=EmailState.WAITING, created_at=Now(), due_at=Now(), attempts=0, error="", **NO_LEASE)
    )
    if is_resent:
        enqueue_once_on_commit(SEND_TASK)
    return is_resent


def send_waiting() -> int:
    """Send the due emails, oldest first, until RUN_SECONDS have passed. Return how many were tried.

    Stop early if the database or the email server can't be reached, or if more urgent work needs the worker.
    """
    tried, until = 0, time.monotonic() + RUN_SECONDS
    while time.monotonic() < until and (email := _claim_due_email()) is not None:
        tried += 1
        if not _send_claimed(email):
            break
        if any(is_waiting() for is_waiting in urgent_work):
            enqueue_once_on_commit(SEND_TASK)
            break
    return tried


def delete_sent() -> int:
    """Delete the emails that were sent longer than KEEP_SENT ago, and return their number.

    Stop after RUN_SECONDS. The next run continues.
    """
    deleted, until = 0, time.monotonic() + RUN_SECONDS
    old = OutboxEmail.objects.filter(state=EmailState.SENT, sent_at__lt=Now() - KEEP_SENT).order_by("sent_at")
    while time.monotonic() < until and (ids := list(old.values_list("pk", flat=True)[:_DELETED_AT_ONCE])):
        OutboxEmail.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted


def count_waiting() -> tuple[int, float]:
    """Return the number of waiting emails, and the age of the oldest one in seconds."""
    found = OutboxEmail.objects.waiting().aggregate(
        number=Count("pk"), age=Now() - Min("created_at", output_field=DateTimeField())
    )
    return found["number"], found["age"].total_seconds() if found["age"] else 0.0


def _claim_due_email() -> OutboxEmail | None:
    """Mark the oldest due email as sending and commit, or return None."""
    with transaction.atomic(durable=True):
        due = OutboxEmail.objects.waiting().filter(due_at__lte=Now()).select_related("organization")
        email = due.select_for_update(skip_locked=True, of=("self",)).order_by("created_at", "pk").first()
        if email is None:
            return None
        email.lease_token, email.attempts = uuid4(), email.attempts + 1
        OutboxEmail.objects.filter(pk=email.pk).acquire_lease(
            email.lease_token, LEASE, state=EmailState.SENDING, attempts=F("attempts") + 1
        )
    return email


def _send_claimed(email: OutboxEmail) -> bool:
    """Send the email and record the outcome. Return False if the database or the email server is down."""
    try:
        message = _render_message(email)
    except (OperationalError, InterfaceError) as error:
        connection.close_if_unusable_or_obsolete()
        _retry_later(email, error)
        return False
    except Exception as error:
        # An error in one email must not stop the emails after it.
        logger.exception("Email %s of kind %s can't be rendered.", email.pk, email.kind)
        _record_outcome(email, EmailState.FAILED, error)
        return True
    if message is None:
        OutboxEmail.objects.filter(pk=email.pk).held_by(email.lease_token).delete()
        return True
    server = message.connection = get_connection()
    try:
        server.open()
    except OSError as error:
        logger.warning("The email server can't be reached: %s", error)
        _retry_later(email, error)
        return False
    try:
        for address in message.to:
            validate_email_address(address)
        message.send()
    except SYSTEM_FAILURES:
        raise
    except Exception as error:
        # An error in one email must not stop the emails after it.
        if _is_refused_for_now(error):
            _retry_later(email, error)
        else:
            # The text of an expected error holds the address.
            is_expected = isinstance(error, OSError | ValueError | ValidationError)
            name = type(error).__name__
            logger.warning("Email %s of kind %s was not sent: %s", email.pk, email.kind, name, exc_info=not is_expected)
            _record_outcome(email, EmailState.FAILED, error)
    else:
        _record_outcome(email, EmailState.SENT, sent_at=Now())
    finally:
        with suppress(SMTPException):
            server.close()
    return True


def _render_message(email: OutboxEmail) -> EmailMessage | None:
    kinds = {kind.name: kind for kind in email_kinds}
    organization_language = email.organization.language if email.organization else settings.LANGUAGE_CODE
    clock = email.organization.clock if email.organization else Clock.HOURS_24
    with translation.override(email.language or organization_language), override_clock(clock):
        message = kinds[email.kind].render(email)
        if message is not None:
            message = complete_message(message, email)
    if message is not None:
        message.to = message.to or email.to
        # A header can't hold line breaks, and a name may have some.
        message.subject = " ".join(message.subject.split())
    return message


def _is_refused_for_now(error: Exception) -> bool:
    """Return whether the server refused the email with a temporary code (4yz, RFC 5321, section 4.2.1).

    A provider's API refuses with 429 (RFC 6585, section 4) or 503 (RFC 9110, section 15.6.4) for now.
    """
    if isinstance(error, AnymailAPIError):
        return error.status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
    codes: list[int] = []
    if isinstance(error, SMTPRecipientsRefused):
        codes = [code for code, _reason in error.recipients.values()]
    elif isinstance(error, SMTPResponseException):
        codes = [error.smtp_code]
    return bool(codes) and all(400 <= code < 500 for code in codes)


def _retry_later(email: OutboxEmail, error: Exception) -> None:
    if timezone.now() - email.created_at > GIVE_UP_AFTER:
        _record_outcome(email, EmailState.FAILED, error)
        return
    seconds = backoff(email.attempts - 1, first=FIRST_RETRY_SECONDS, longest=LONGEST_RETRY_SECONDS)
    _record_outcome(email, EmailState.WAITING, error, due_at=Now() + timedelta(seconds=seconds))


def _record_outcome(email: OutboxEmail, state: EmailState, error: Exception | None = None, **fields: object) -> None:
    """Record the outcome, unless the lease was lost because an admin chose "Send again" in the meantime."""
    text = f"{type(error).__name__}: {error}"[:300] if error is not None else ""
    OutboxEmail.objects.filter(pk=email.pk).release_lease(email.lease_token, state=state, error=text, **fields)
