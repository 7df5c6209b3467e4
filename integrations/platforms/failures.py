"""The kinds of failure, and in one table: who has to do something about each, and whether the meeting is tried again.

Where waiting helps a meeting stays as it is ("Creating the link…", or Ready with its old link), says what it waits for
and is tried again by itself; else it has failed, is listed with the remedy, and waits for Try again or another change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import models


class Owner(StrEnum):
    """Who has to do something."""

    NOBODY = "nobody"  # it passes by itself, or nothing can be done any more
    ADMIN = "admin"  # an admin of the organisation, as the sentence says
    OPERATOR = "operator"  # whoever runs Coconut


class ErrorKind(models.TextChoices):
    """Kinds of failed platform calls; `RULES` holds the consequence of each."""

    THROTTLED = "throttled"
    OUTAGE = "outage"
    CONNECTION = "connection"
    OPERATOR = "operator"
    PERSON = "person"
    GONE = "gone"
    ENDED = "ended"
    BUG = "bug"

    @property
    def owner(self) -> Owner:
        return RULES[self].owner

    @property
    def is_waiting_useful(self) -> bool:
        """Whether the same request may succeed later without anybody changing the meeting."""
        return RULES[self].is_waiting_useful


@dataclass(frozen=True)
class Rule:
    """One row of the table. `goes_on` says in words when the meeting is tried again."""

    owner: Owner
    is_waiting_useful: bool
    goes_on: str


RULES: Final[Mapping[ErrorKind, Rule]] = {
    # The platform asked for a pause (429): nobody on the connection calls until it is over (`circuit_breaker.pause`),
    # or only its host if the error's scope is HOST.
    ErrorKind.THROTTLED: Rule(Owner.NOBODY, True, "as long after as the platform said"),
    # No usable answer: after several callers without one, a single caller probes (`integrations.circuit_breaker`).
    ErrorKind.OUTAGE: Rule(Owner.NOBODY, True, "with growing pauses, or at the first answer to anybody"),
    # The sign-in or a consent is gone: the connection waits, its admins are mailed once.
    ErrorKind.CONNECTION: Rule(Owner.ADMIN, True, "as soon as an admin has reauthorized"),
    # Our own app registration is refused: the connection stays connected, the operators are told.
    ErrorKind.OPERATOR: Rule(Owner.OPERATOR, True, "with growing pauses, or at the first success of anybody"),
    # Refused for this person: the person's match says so, where the meeting is held under their own name.
    ErrorKind.PERSON: Rule(Owner.ADMIN, False, "when an admin has followed the remedy and tries again"),
    # The remote meeting is not there (yet): it is made again under the same key, or found.
    ErrorKind.GONE: Rule(Owner.NOBODY, True, "with growing pauses"),
    # The appointment is over, or its connection went.
    ErrorKind.ENDED: Rule(Owner.ADMIN, False, "when an admin connects and tries again; never after its end"),
    # The platform calls our request wrong: logged as an error, with the request id for support.
    ErrorKind.BUG: Rule(Owner.OPERATOR, False, "when it was mended and an admin tries again"),
}
