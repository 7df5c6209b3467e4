"""The people of an organisation: who may be seen by whom, and how they are saved."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from staff.models import Location, Organization, Role, StaffMember
from staff.pagination import has_words


class LastAdmin(Exception):
    """Refused: nobody would be left who may manage the organisation."""


def visible_to(member: StaffMember) -> QuerySet[StaffMember]:
    """Whom `member` sees on the staff pages: admins their whole organisation, everybody else themselves."""
    people = StaffMember.objects.filter(organization=member.organization)
    return people if member.is_admin else people.filter(pk=member.pk)


def person_or_404(member: StaffMember, pk: int) -> StaffMember:
    """One person whom `member` sees, with organisation and location. Http404 for anybody else's id."""
    person = visible_to(member).select_related("organization", "location").filter(pk=pk).first()
    if person is None:
        raise Http404
    return person


def search(
    people: QuerySet[StaffMember],
    *,
    words: str = "",
    location: Location | None = None,
    active: bool | None = None,
) -> QuerySet[StaffMember]:
    """Narrow the people down; every word must be in the name, e-mail address or username."""
    people = people.filter(has_words(words, "first_name", "last_name", "email", "username"))
    if location is not None:
        people = people.filter(location=location)
    return people if active is None else people.filter(is_active=active)


def save_person(person: StaffMember, fields: Sequence[str]) -> None:
    """Save a new person, or `fields` of one that exists, and nothing else of that row.

    Raises LastAdmin when no active admin would be left, and IntegrityError when somebody else took the
    e-mail address or username meanwhile.
    """
    with transaction.atomic():
        if person.pk is None:
            person.set_unusable_password()
            person.save()
            return
        _keep_an_admin(person)
        person.save(update_fields=fields)


def _keep_an_admin(person: StaffMember) -> None:
    if person.is_admin and person.is_active:
        return
    # Two admins who switch each other off at the same moment must not both succeed.
    organization = Organization.objects.select_for_update(no_key=True).get(staff=person)
    admins = organization.staff.filter(role=Role.ADMIN, is_active=True).values_list("pk", flat=True)
    if set(admins) == {person.pk}:
        raise LastAdmin
