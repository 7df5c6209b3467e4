"""Connect, connect again, reauthorize, and require reauthorization."""

from __future__ import annotations

from itertools import count
from typing import Final

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from integrations.circuit_breaker import CLOSED, connection_recovered
from integrations.events import connection_link, email_admins, record_event
from integrations.matching.rematch_runs import restart_run, start_run
from integrations.messages import Message
from integrations.models import (
    Connection,
    ConnectionStatus,
    EventKind,
    RematchTrigger,
)
from staff.models import Organization, OutboxEmail, StaffMember
from staff.outbox import EmailKind


class AlreadyConnected(Exception):
    """The same account is already connected. `str()` is for people."""

    def __init__(self) -> None:
        super().__init__(_("Already connected. Use Reauthorize."))


def add_connection(
    organization: Organization, *, platform: str, name: str, match_field: str, actor: StaffMember | None
) -> Connection:
    """Store a new connection and start its first rematch run. Call it inside a transaction.

    The connection becomes the default if the organisation has none. If `name` is taken, a number is appended.
    """
    # Admins who connect at the same time take turns: one default, and unique names.
    Organization.objects.lock(organization.pk)
    connection = Connection.objects.create(
        organization=organization,
        platform=platform,
        name=_unused_name(organization, name),
        match_field=match_field,
        is_default=_has_no_default(organization),
        connected_by=actor,
        connected_at=Now(),
    )
    connection.refresh_from_db(fields=["connected_at"])
    _start_connected(connection, actor)
    return connection


def revive_connection(connection: Connection, *, match_field: str, actor: StaffMember | None) -> None:
    """Connect a disconnected connection again, with its matches and history. Call it inside a transaction.

    Raises AlreadyConnected if the connection isn't disconnected.
    """
    Organization.objects.lock(connection.organization_id)
    is_default = _has_no_default(connection.organization)
    revived = Connection.objects.filter(pk=connection.pk, status=ConnectionStatus.DISCONNECTED).update(
        status=ConnectionStatus.CONNECTED,
        status_reason=Message(),
        match_field=match_field,
        is_default=is_default,
        paused_until=None,
        **CLOSED,
        connected_by=actor,
        connected_at=Now(),
    )
    if not revived:
        raise AlreadyConnected
    connection.refresh_from_db()
    _start_connected(connection, actor)
    connection_recovered.send(sender=Connection, connection_id=connection.pk, was_gone=True)


def _start_connected(connection: Connection, actor: StaffMember | None) -> None:
    record_event(connection, EventKind.CONNECTED, actor, name=connection.name, is_default=connection.is_default)
    start_run(connection, trigger=RematchTrigger.CONNECTED, started_by=actor)


def mark_reauthorized(connection: Connection, actor: StaffMember | None) -> None:
    """Mark the connection as healthy after a new sign-in, rematch all staff and resume waiting work.

    Call it inside the transaction that stores the sign-in, with the connection locked.
    """
    Connection.objects.filter(pk=connection.pk).update(
        status=ConnectionStatus.CONNECTED, status_reason=Message(), last_success_at=Now(), **CLOSED
    )
    record_event(connection, EventKind.REAUTHORIZED, actor, name=connection.name)
    restart_run(connection, trigger=RematchTrigger.REAUTHORIZED, started_by=actor)
    connection_recovered.send(sender=Connection, connection_id=connection.pk)


def _has_no_default(organization: Organization) -> bool:
    return not Connection.objects.filter(organization=organization, is_default=True).exists()


def _unused_name(organization: Organization, name: str) -> str:
    names = Connection.objects.filter(organization=organization).values_list("name", flat=True)
    taken = {other.lower() for other in names}
    numbered = (f"{name} {number}" for number in count(2))
    return name if name.lower() not in taken else next(n for n in numbered if n.lower() not in taken)


@transaction.atomic
def require_reauthorization(connections: QuerySet[Connection], reason: Message) -> bool:
    """Mark connected connections as needing an admin and email the admins once. Return whether anything changed.

    The queryset carries the caller's guard, such as the token version that was refused. The guard is checked again
    under a lock, so that a refusal overtaken by Reauthorize or Disconnect changes nothing.
    """
    locked = list(
        Connection.objects.select_for_update(no_key=True)
        .filter(pk__in=connections.values("pk"), status=ConnectionStatus.CONNECTED)
        .order_by("pk")
    )
    refused_ids = set(connections.filter(pk__in=[each.pk for each in locked]).values_list("pk", flat=True))
    refused = [each for each in locked if each.pk in refused_ids]
    Connection.objects.filter(pk__in=refused_ids).update(
        status=ConnectionStatus.NEEDS_REAUTHORIZATION, status_reason=reason
    )
    for connection in refused:
        record_event(connection, EventKind.TOKEN_REFUSED, None, reason=reason)
        email_admins(connection, REAUTHORIZATION_EMAIL)
    return bool(refused)


def _render_reauthorization_email(email: OutboxEmail) -> EmailMessage | None:
    """Return None if the connection was reauthorized or disconnected in the meantime."""
    refused = Connection.objects.filter(status=ConnectionStatus.NEEDS_REAUTHORIZATION)
    connection = refused.filter(pk=email.params["connection"]).first()
    if connection is None:
        return None
    params = {
        "name": connection.name,
        "reason": connection.status_reason,
        "link": connection_link(connection),
    }
    subject = _("%(name)s needs to be reauthorized") % params
    body = _(
        "%(name)s no longer lets Coconut create links for video appointments.\n\n"
        "%(reason)s\n\n"
        "Appointments can still be booked, and those that have a link keep it. New links follow as soon as an "
        "admin opens the page below and clicks Actions, then Reauthorize:\n\n%(link)s\n"
    )
    return EmailMessage(subject, body % params)


REAUTHORIZATION_EMAIL: Final = EmailKind("reauthorization_needed", _render_reauthorization_email)
