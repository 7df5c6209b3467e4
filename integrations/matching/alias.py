"""Take over the user name that an alias belongs to: the remedy for somebody whom the platform knows by another name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from integrations.events import record_event
from integrations.models import Connection, EventKind, MatchField, UserMatch
from staff.models import Organization, OutboxEmail, StaffMember
from staff.outbox import EmailKind, enqueue_email
from staff.people import save_person


class AliasError(Exception):
    """Nothing was changed; `str()` is the sentence for people."""


@dataclass(frozen=True)
class Offer:
    """What would change for one person: `field` from `old` to `new`."""

    person: StaffMember
    field: MatchField
    old: str
    new: str

    @property
    def is_login(self) -> bool:
        """Whether the person signs in with it."""
        return self.field == MatchField.EMAIL


def user_name_change_for(connection: Connection, person: StaffMember) -> Offer:
    """What the platform's last answer about the person offers. AliasError: it offers nothing, or is out of date."""
    match = UserMatch.objects.filter(connection=connection, staff=person).first()
    field = MatchField(connection.match_field)
    old = str(getattr(person, field))
    if not connection.is_live or match is None or not match.other_name or match.queried_name != old:
        raise _nothing_offered(person)
    return Offer(person, field, old, match.other_name)


def _nothing_offered(person: StaffMember) -> AliasError:
    words = _("There is no user name to take over for %s any more. The table shows the present state.")
    return AliasError(words % person.name)


@transaction.atomic
def adopt_user_name(
    connection: Connection, person: StaffMember, new: str, actor: StaffMember | None
) -> Offer:
    """Put the offered name into the person's field; the receivers rematch. Where it is the login, a mail tells so.

    `new` is the name that was agreed to. AliasError: somebody else has it, it does not do for the field, something
    else or nothing is offered by now, or the connection was disconnected.
    """
    Organization.objects.lock(connection.organization_id)
    locked = StaffMember.objects.select_for_update(no_key=True).get(
        pk=person.pk, organization=connection.organization_id
    )
    offer = user_name_change_for(Connection.objects.get(pk=connection.pk), locked)
    if offer.new != new:
        raise _nothing_offered(person)
    _change(offer)
    record_event(
        connection,
        EventKind.USER_NAME_ADOPTED,
        actor,
        field=offer.field,
        person=offer.person.name,
        old=offer.old,
        new=offer.new,
    )
    if offer.is_login:
        # The person may read either address.
        params = {"staff": locked.pk, "old": offer.old, "new": offer.new}
        enqueue_email(
            SIGN_IN_ADDRESS_EMAIL,
            to=[offer.old, offer.new],
            params=params,
            organization=connection.organization,
        )
    return offer


def _change(offer: Offer) -> None:
    person = offer.person
    setattr(person, offer.field, offer.new)
    # What else is wrong with a person is no reason to refuse this.
    others = {field.name for field in person._meta.fields} - {offer.field.value, "organization"}
    try:
        person.full_clean(exclude=others)
        with transaction.atomic():
            save_person(person, [offer.field])
    except ValidationError as error:
        raise AliasError(" ".join(error.messages)) from error
    except IntegrityError as error:
        raise AliasError(_("Somebody else has just taken this name.")) from error


def _render_sign_in_address_email(email: OutboxEmail) -> EmailMessage | None:
    """Return None if the staff member was deleted in the meantime."""
    person = StaffMember.objects.filter(pk=email.params["staff"]).first()
    if person is None:
        return None
    body = _(
        "Hello %(person)s,\n\n"
        "an admin of your organisation has changed the email address that you sign in to Coconut with, so that it is "
        "the same as in your video platform.\n\n"
        "Before: %(old)s\n"
        "From now on: %(new)s\n\n"
        "Your password stays as it is. If this is a surprise to you, ask an admin of your organisation.\n"
    )
    params = {"person": person.name, "old": email.params["old"], "new": email.params["new"]}
    return EmailMessage(_("You sign in with another email address now"), body % params)


SIGN_IN_ADDRESS_EMAIL: Final = EmailKind("sign_in_address", _render_sign_in_address_email)
