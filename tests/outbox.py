"""Send the emails of the outbox, as a worker does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db.models.functions import Now

from staff.models import OutboxEmail
from staff.outbox import send_waiting


def send_all() -> None:
    """Send all emails that weren't tried yet, as if the time had come for those about changes.

    One call ends early while a link is unclaimed, as no worker runs here.
    """
    OutboxEmail.objects.waiting().filter(attempts=0).update(due_at=Now())
    while send_waiting():
        pass


@contextmanager
def email_server_down() -> Iterator[None]:
    """Refuse connections to the email server."""

    def refuse(self: EmailBackend) -> None:
        raise ConnectionRefusedError(111, "refused")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(EmailBackend, "open", refuse)
        yield


def retry_all() -> None:
    """Send all waiting emails, also those that are to be retried later."""
    OutboxEmail.objects.waiting().update(due_at=Now())
    send_all()
