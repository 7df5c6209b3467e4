"""Kinds of failed platform calls, and one table with the consequence of each.

If waiting helps, a meeting keeps its state ("Creating the link…", or Ready with its old link), says what it waits for
and is retried automatically. Otherwise it fails, is listed with the remedy, and waits for Try again or another change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import models


class Owner(StrEnum):
    """The role that has to act."""

    NOBODY = "nobody"  # the failure passes, or can't be fixed any more
    ADMIN = "admin"  # an admin of the organisation; the error's sentence has the remedy
    OPERATOR = "operator"  # the operator of this installation


class ErrorKind(models.TextChoices):
    """Kinds of failed platform calls; `RULES` holds the consequence of each."""

    THROTTLED = "throttled"
    OUTAGE = "outage"
    UNUSABLE = "unusable"
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
        """Return whether the same request may succeed later without a change of the meeting."""
        return RULES[self].is_waiting_useful


#: Unusable answers in a row after which a meeting or a rematch fails. The pauses add up to about half an hour.
MOST_UNUSABLE_ANSWERS: Final = 8


@dataclass(frozen=True)
class Rule:
    """Row of the table. `retried` describes when the meeting is tried again."""

    owner: Owner
    is_waiting_useful: bool
    retried: str


RULES: Final[Mapping[ErrorKind, Rule]] = {
    # The platform requested a pause (429). The error's scope says who waits: every caller (`circuit_breaker.pause`),
    # or the meetings of one organizer (`circuit_breaker.pause_organizer`).
    ErrorKind.THROTTLED: Rule(Owner.NOBODY, True, "after the pause that the platform requested"),
    # No usable answer: after several callers without one, a single caller probes (`integrations.circuit_breaker`).
    ErrorKind.OUTAGE: Rule(Owner.NOBODY, True, "with growing pauses, or at the first answer to any caller"),
    # The platform answered, but not with what was requested: the same request is repeated a few times.
    ErrorKind.UNUSABLE: Rule(Owner.OPERATOR, True, f"with growing pauses, until {MOST_UNUSABLE_ANSWERS} in a row"),
    # The sign-in or a consent was lost: the connection waits, its admins get one email.
    ErrorKind.CONNECTION: Rule(Owner.ADMIN, True, "as soon as an admin has reauthorized"),
    # Our own app registration is refused: the connection stays connected, the operators are notified.
    ErrorKind.OPERATOR: Rule(Owner.OPERATOR, True, "with growing pauses, or at the first success of any caller"),
    # Refused for this person: recorded on the match if the person organizes their own meetings.
    ErrorKind.PERSON: Rule(Owner.ADMIN, False, "when an admin has followed the remedy and tries again"),
    # The remote meeting doesn't exist (yet): it is created again under the same key, or found.
    ErrorKind.GONE: Rule(Owner.NOBODY, True, "with growing pauses"),
    # The appointment is over, or its connection was disconnected.
    ErrorKind.ENDED: Rule(Owner.ADMIN, False, "when an admin connects and tries again; never after its end"),
    # The platform rejects our request as invalid, or our code crashed several times: logged as an error for support.
    ErrorKind.BUG: Rule(Owner.OPERATOR, False, "when we have fixed it and an admin tries again"),
}
