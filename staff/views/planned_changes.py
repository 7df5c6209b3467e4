"""Ask before saving a change that would leave booked appointments without a place.

The change is written first, in a transaction that is rolled back if it must be confirmed. The list therefore never
differs from what the change does, and an appointment that is booked meanwhile is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from staff.access import current_organization
from staff.hooks import affected_appointments
from staff.planned_changes import AffectedAppointments, Cause, PlannedChange

#: Name of the buttons, and the value of the one that returns to the form.
_BUTTON, _BACK, _LEAVE = "affected", "back", "leave"
_WORDS: Final = "affected_words"
#: Values of the buttons that save and open the page of an action.
_ACTIONS: Final = ("reassign", "move", "cancel")
#: Fields that the page doesn't send again. A password must not be on a page.
_NOT_REPEATED: Final = {"csrfmiddlewaretoken", "current_password", _BUTTON, _WORDS}


@dataclass(frozen=True)
class Saving:
    """Outcome of a submit. Without `is_saved` and `page`, show the form again.

    `next_page` is the URL that the person chose to go on to, "" for the usual one.
    """

    is_saved: bool = False
    page: HttpResponse | None = None
    next_page: str = ""


class ChangeForm(Protocol):
    """A form whose change may concern booked appointments."""

    def save_or_explain(self) -> bool: ...

    def planned_changes(self) -> list[PlannedChange]: ...


@dataclass(frozen=True)
class _Group:
    """Appointments affected for one cause."""

    cause: Cause
    affected: AffectedAppointments


def save_or_ask(request: HttpRequest, save: Callable[[], Sequence[PlannedChange] | None]) -> Saving:
    """Save, or answer with the list of the appointments that need a decision first.

    `save` returns what it takes away from booked appointments, or None if it refused. Adds the message about a saved
    change.
    """
    choice = request.POST.get(_BUTTON, "")
    if choice == _BACK:
        return Saving()
    words = request.POST.get(_WORDS, "")[:200]
    with transaction.atomic():
        changes = save()
        if changes is None:
            return Saving()
        groups = _groups_of(changes, words)
        must_ask = bool(groups) and choice not in (_LEAVE, *_ACTIONS)
        if must_ask:
            transaction.set_rollback(True)
    if must_ask:
        return Saving(page=_page(request, groups, words))
    messages.success(request, _saved_text(groups))
    next_page = f"{groups[0].affected.action_page}&action={choice}" if groups and choice in _ACTIONS else ""
    return Saving(is_saved=True, next_page=next_page)


def save_hours(request: HttpRequest, form: forms.Form, save: Callable[[], object]) -> Saving:
    """Save a change of hours, or ask first. A ValidationError of `save` becomes an error of the form."""

    def attempt() -> list[PlannedChange] | None:
        try:
            save()
        except ValidationError as refusal:
            form.add_error(None, refusal.messages)
            return None
        return [PlannedChange(current_organization(request), Cause.OUTSIDE_HOURS)]

    return save_or_ask(request, attempt)


def save_form(form: ChangeForm) -> list[PlannedChange] | None:
    """Save a valid form for `save_or_ask`."""
    return form.planned_changes() if form.save_or_explain() else None


def _groups_of(changes: Sequence[PlannedChange], words: str) -> list[_Group]:
    found = ((change.cause, find(change, words)) for change in changes for find in affected_appointments)
    return [_Group(cause, affected) for cause, affected in found if affected.number]


def _page(request: HttpRequest, groups: list[_Group], words: str) -> HttpResponse:
    fields = [(name, value) for name, values in request.POST.lists() if name not in _NOT_REPEATED for value in values]
    context = {"groups": groups, "fields": fields, "words": words, "number": _number_of(groups)}
    return render(request, "staff/affected.html", context)


def _saved_text(groups: list[_Group]) -> str:
    if not groups:
        return _("Saved.")
    number = _number_of(groups)
    sentence = ngettext("Saved. %d appointment needs attention.", "Saved. %d appointments need attention.", number)
    return sentence % number


def _number_of(groups: list[_Group]) -> int:
    return sum(group.affected.number for group in groups)
