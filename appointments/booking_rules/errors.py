"""Why a booking is not made, moved or cancelled: ordinary answers for people, not faults."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


class BookingError(Exception):
    """The wish cannot be granted. `sentence` says why and what to do, `field` names the form field ("" for none)."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class TimeTaken(BookingError):
    """Somebody else has the time. `next_free` are the next times (UTC) at which the staff member is free."""

    def __init__(self, sentence: str, next_free: Sequence[datetime] = ()) -> None:
        super().__init__(sentence, "starts_at")
        self.next_free = list(next_free)
