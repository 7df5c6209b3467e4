"""Data about clients: the one list of the columns that hold it. Erasing and the tests read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib.postgres.functions import RandomUUID
from django.db.models import CharField, Model, Q, QuerySet
from django.db.models.functions import Cast, Now

from appointments.models import BLANK_CLIENT, Answer, Appointment, AppointmentEvent, Audience, Client
from integrations.models import Meeting
from staff.models import OutboxEmail


@dataclass(frozen=True)
class ClientData:
    """Columns with data about a client.

    `client` is the lookup from the model to the client. `blank` maps each column to its value after an erasure. If
    `blank` is None, the rows hold nothing else and are deleted. `only` excludes rows without data about the client.
    """

    model: type[Model]
    client: str
    blank: Mapping[str, Any] | None
    only: Q = field(default_factory=Q)

    def rows_of(self, client: Client) -> QuerySet[Any]:
        return self.model._base_manager.filter(self.only, **{self.client: client.pk})


# 122 random bits, and another value in each row: the private links that the client has become unknown.
_NEW_TOKEN: Final = Cast(RandomUUID(), CharField())

#: In the order in which an erasure changes the rows, after it has locked the client and the appointments.
CLIENT_DATA: Final = (
    # Emails to staff hold no text, and one may be about the appointments of several clients.
    ClientData(
        OutboxEmail,
        "notifications__appointment__client",
        None,
        only=Q(notifications__audience__in=[Audience.CLIENT, Audience.OLD_EMAIL]),
    ),
    ClientData(
        Appointment,
        "client",
        {
            "client_note": "",
            "internal_note": "",
            "cancel_reason": "",
            "client_time_zone": None,
            "request_key": None,
            "manage_token": _NEW_TOKEN,
            "join_token": _NEW_TOKEN,
        },
    ),
    ClientData(Answer, "appointment__client", None),
    # All parameters, because any of them may quote a person. The kind, the time and the actor stay.
    ClientData(AppointmentEvent, "appointment__client", {"params": {}}),
    ClientData(Meeting, "appointment__client", {"subject": "", "attendees": []}),
    ClientData(
        Client,
        "pk",
        {**BLANK_CLIENT, "erased_at": Now()},
    ),
)
