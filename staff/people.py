"""Staff members of an organisation: visibility, search, saving."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from coconut.database.search import contains_word
from staff.accounts.changes import record_changes, record_new_person
from staff.hooks import changing_hours
from staff.models import Location, Organization, StaffMember
from staff.pagination import search_words


class LastAdmin(Exception):
    """The organisation would have no active admin."""


def visible_to(member: StaffMember) -> QuerySet[StaffMember]:
    """Return the staff members that `member` sees on the staff pages: admins see all, others themselves."""
    people = StaffMember.objects.filter(organization=member.organization)
    return people if member.is_admin else people.filter(pk=member.pk)


def person_or_404(member: StaffMember, pk: int) -> StaffMember:
    """Return a staff member that `member` sees. Raises Http404 for any other id."""
    return get_object_or_404(visible_to(member).select_related("organization", "location"), pk=pk)


def search(
    people: QuerySet[StaffMember],
    *,
    words: str = "",
    location: Location | None = None,
    active: bool | None = None,
) -> QuerySet[StaffMember]:
    """Return the people who match. Every word must be in the name, email address or username."""
    for word in search_words(words):
        people = people.filter(contains_word(word))
    if location is not None:
        people = people.filter(location=location)
    return people if active is None else people.filter(is_active=active)


def save_person(person: StaffMember, fields: Sequence[str]) -> None:
    """Insert a new person, or update only `fields` of an existing one.

    Raises LastAdmin if no active admin would be left, and IntegrityError if the email address or username was taken
    meanwhile.
    """
    with transaction.atomic():
        if person.pk is None:
            person.set_unusable_password()
            person.save()
            record_new_person(person)
            return
        _check_admin_remains(person)
        before = StaffMember.objects.lock(person.pk)
        # Their hours are meant in the person's zone and bound by the location's.
        with changing_hours(person=person.pk) if _moves_hours(before, person) else nullcontext():
            person.save(update_fields=fields)
        record_changes(before, person)


def _moves_hours(before: StaffMember, after: StaffMember) -> bool:
    return (before.zone, before.location_id) != (after.zone, after.location_id)


def _check_admin_remains(person: StaffMember) -> None:
    """Raise LastAdmin if the person is an active admin, no longer stays one, and no other admin stays."""
    if person.is_admin and person.is_active and person.last_day is None:
        return
    # The lock: two admins may switch each other off at the same time.
    organization = Organization.objects.lock(person.organization_id)
    last_days = dict(StaffMember.objects.admins_of(organization).values_list("pk", "last_day"))
    stays = any(last_day is None for pk, last_day in last_days.items() if pk != person.pk)
    if person.pk in last_days and not stays:
        raise LastAdmin
