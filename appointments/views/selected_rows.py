"""Change the selected rows of a list with several pages, some hundred rows per submit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import ngettext

from appointments.forms.selection import Selection
from appointments.models import Appointment, AppointmentQuerySet
from appointments.video.repair import RepairResult
from staff.access import current_member
from staff.models import StaffMember


class Change(Protocol):
    """Change of several appointments, each in its own transaction."""

    def __call__(self, appointments: Iterable[Appointment], *, actor: StaffMember) -> RepairResult: ...


@dataclass(frozen=True)
class ResultSentences:
    """Messages after a submit. `changed` and `skipped` are results of `ngettext_lazy` with a %d."""

    nothing_selected: Any
    changed: Any
    skipped: Any


def change_selected(
    request: HttpRequest,
    able: AppointmentQuerySet,
    change: Change,
    sentences: ResultSentences,
    *,
    batch_size: int,
) -> None:
    """Change the selected rows among those that can change, at most `batch_size`, and add messages."""
    selection = Selection.of(request.POST)
    if not selection:
        messages.info(request, sentences.nothing_selected)
        return
    skipped = selection.missing_from(able)
    chosen = selection.among(able)
    remaining = max(chosen.count() - batch_size, 0)
    # Read first: changed appointments leave the list.
    result = change(list(chosen.with_details()[:batch_size]), actor=current_member(request))
    skipped += result.skipped
    if result.changed:
        messages.success(request, sentences.changed % result.changed)
    if skipped:
        messages.info(request, sentences.skipped % skipped)
    if remaining:
        sentence = ngettext(
            "%d more is selected: choose the button again to go on.",
            "%d more are selected: choose the button again to go on.",
            remaining,
        )
        messages.info(request, sentence % remaining)
