"""Adopt the platform's user name: the remedy if a staff field has an alias of that name."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from integrations.events import record_event
from integrations.models import Connection, EventKind, MatchField, UserMatch
from staff.models import Organization, StaffMember
from staff.people import save_person


class AliasError(Exception):
    """Nothing was changed. `str()` is for people."""


@dataclass(frozen=True)
class UserNameChange:
    """Change of a person's `field` from `old` to `new`."""

    person: StaffMember
    field: MatchField
    old: str
    new: str

    @property
    def is_login(self) -> bool:
        """Return whether the person signs in with the field."""
        return self.field == MatchField.EMAIL


def user_name_change_for(connection: Connection, person: StaffMember) -> UserNameChange:
    """Return the change that the last rematch suggests. Raises AliasError if there is none, or it is outdated."""
    match = UserMatch.objects.filter(connection=connection, staff=person).first()
    field = MatchField(connection.match_field)
    old = str(getattr(person, field))
    if not connection.is_live or match is None or not match.other_name or match.queried_name != old:
        raise _outdated(person)
    return UserNameChange(person, field, old, match.other_name)


def _outdated(person: StaffMember) -> AliasError:
    sentence = _("There is no user name to take over for %s any more. The table shows the present state.")
    return AliasError(sentence % person.name)


@transaction.atomic
def adopt_user_name(connection: Connection, person: StaffMember, new: str, actor: StaffMember | None) -> UserNameChange:
    """Write the platform's user name to the staff field. If it is the login, `save_person` emails the person.

    `new` is the name that the admin confirmed. Raises AliasError if the change isn't suggested any more. Raises it also
    if the name is taken or invalid for the field. The receivers of `StaffMember` request the rematch.
    """
    Organization.objects.lock(connection.organization_id)
    locked = StaffMember.objects.select_for_update(no_key=True).get(
        pk=person.pk, organization=connection.organization_id
    )
    change = user_name_change_for(Connection.objects.get(pk=connection.pk), locked)
    if change.new != new:
        raise _outdated(person)
    _save_change(change)
    record_event(
        connection,
        EventKind.USER_NAME_ADOPTED,
        actor,
        field=change.field,
        person=change.person.name,
        old=change.old,
        new=change.new,
    )
    return change


def _save_change(change: UserNameChange) -> None:
    person = change.person
    setattr(person, change.field, change.new)
    # Errors in other fields don't matter here.
    others = {field.name for field in person._meta.fields} - {change.field.value, "organization"}
    try:
        person.full_clean(exclude=others)
        with transaction.atomic():
            save_person(person, [change.field])
    except ValidationError as error:
        raise AliasError(" ".join(error.messages)) from error
    except IntegrityError as error:
        raise AliasError(_("Someone else has just taken this name.")) from error
