"""Latest moments at which a client may move or cancel an appointment. They don't bind staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.models import Appointment
from appointments.time_zones import exact_day_and_time


@dataclass(frozen=True)
class Deadlines:
    """The latest moments for moving and cancelling; None if the client may do it until the start."""

    move: datetime | None
    cancel: datetime | None

    @property
    def can_move(self) -> bool:
        return _is_ahead(self.move)

    @property
    def can_cancel(self) -> bool:
        return _is_ahead(self.cancel)

    @property
    def can_do_neither(self) -> bool:
        return not (self.can_move or self.can_cancel)

    @property
    def can_do_both(self) -> bool:
        return self.can_move and self.can_cancel

    @property
    def sentence(self) -> str:
        """Sentence about the moments, in the current time zone; "" without deadlines."""
        if self.move is None and self.cancel is None:
            return ""
        if self.can_do_neither:
            return _("This appointment can no longer be moved or cancelled online.")
        if self.move == self.cancel:
            return _("You can move or cancel until %(when)s.") % {"when": _text(self.move)}
        return f"{self._move_sentence} {self._cancel_sentence}"

    @property
    def _move_sentence(self) -> str:
        if not self.can_move:
            return _("This appointment can no longer be moved online.")
        if self.move is None:
            return _("You can move until it starts.")
        return _("You can move until %(when)s.") % {"when": _text(self.move)}

    @property
    def _cancel_sentence(self) -> str:
        if not self.can_cancel:
            return _("This appointment can no longer be cancelled online.")
        if self.cancel is None:
            return _("You can cancel until it starts.")
        return _("You can cancel until %(when)s.") % {"when": _text(self.cancel)}


def deadlines_of(appointment: Appointment) -> Deadlines:
    """Return the deadlines that follow from the appointment's start and the present rules of its service."""
    service = appointment.service
    return Deadlines(
        _before(appointment.starts_at, service.move_notice), _before(appointment.starts_at, service.cancel_notice)
    )


def _before(start: datetime, minutes: int | None) -> datetime | None:
    return None if minutes is None else start - timedelta(minutes=minutes)


def _is_ahead(deadline: datetime | None) -> bool:
    return deadline is None or timezone.now() <= deadline


def _text(moment: datetime | None) -> str:
    return exact_day_and_time(timezone.localtime(moment)) if moment else ""
