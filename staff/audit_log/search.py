"""Search of the audit log: kind, person and period."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staff.audit_log.kinds import audit_kinds
from staff.audit_log.models import AuditEvent
from staff.models import Organization, StaffMember
from staff.people import search

#: The pages show no more, because the database would have to count and skip them. The file has all.
MOST_SHOWN = 10_000
#: A search covers the events of at most this many people.
MOST_PEOPLE = 100


def _kind_choices() -> list[tuple[str, str]]:
    kinds = sorted(((kind.name, str(kind.label)) for kind in audit_kinds), key=lambda choice: choice[1])
    return [("", str(_("All events"))), *kinds]


class AuditFilter(forms.Form):
    """Filter of the audit log. Invalid values are ignored."""

    q = forms.CharField(
        label=_("Person"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"placeholder": _("Name, email or username"), "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(label=_("Event"), required=False, choices=_kind_choices)
    first_day = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}))
    last_day = forms.DateField(label=_("To"), required=False, widget=forms.DateInput({"type": "date"}))

    @property
    def criteria(self) -> dict[str, Any]:
        """Return the arguments of `find_events`."""
        self.is_valid()
        return {
            "words": self.cleaned_data.get("q", ""),
            "kind": self.cleaned_data.get("kind", ""),
            "first_day": self.cleaned_data.get("first_day"),
            "last_day": self.cleaned_data.get("last_day"),
        }


def find_events(
    organization: Organization,
    *,
    words: str = "",
    kind: str = "",
    first_day: date | None = None,
    last_day: date | None = None,
) -> QuerySet[AuditEvent]:
    """Return the organisation's events, newest first.

    `words` find people. An event matches if it is by or about one of them. The days are in the current time zone.
    """
    events = AuditEvent.objects.filter(organization=organization).select_related("actor")
    if words:
        events = events.filter(_is_about(organization, words))
    if kind:
        events = events.filter(kind=kind)
    if first_day is not None:
        events = events.filter(at__gte=_start_of(first_day))
    if last_day is not None and last_day < date.max:
        events = events.filter(at__lt=_start_of(last_day + timedelta(days=1)))
    return events


def _is_about(organization: Organization, words: str) -> Q:
    # As a list, so that the planner knows how many there are. Operators are found in the actor's column only.
    found = list(_people(organization, words).order_by("pk").values_list("pk", flat=True)[:MOST_PEOPLE])
    return Q(actor__in=found) | Q(subject_model=StaffMember._meta.label_lower, subject_id__in=found)


def match_too_many_people(organization: Organization, words: str) -> bool:
    """Return whether more people match than the search covers."""
    return bool(words) and _people(organization, words).order_by()[MOST_PEOPLE : MOST_PEOPLE + 1].exists()


def _people(organization: Organization, words: str) -> QuerySet[StaffMember]:
    return search(StaffMember.objects.filter(organization=organization), words=words)


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=timezone.get_current_timezone())
