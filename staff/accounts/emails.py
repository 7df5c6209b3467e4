"""Emails about changes of accounts, so that a takeover doesn't go unnoticed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from staff.models import OutboxEmail, Role, StaffMember
from staff.outbox import EmailKind, enqueue_email


def email_new_address(person: StaffMember, old: str) -> None:
    """Email the old and the new address: the person may read either."""
    _enqueue(EMAIL_CHANGED_EMAIL, person, [old, person.email], old=old, new=person.email)


def email_new_role(person: StaffMember, old: str) -> None:
    """Email the person that their role changed."""
    _enqueue(ROLE_CHANGED_EMAIL, person, [person.email], old=old, new=person.role)


def email_new_password(person: StaffMember) -> None:
    """Email the person that their password changed."""
    _enqueue(PASSWORD_CHANGED_EMAIL, person, [person.email])


def email_new_admin(person: StaffMember) -> None:
    """Email all other admins that the person is an admin now."""
    if person.organization is None:
        return
    others = StaffMember.objects.admins_of(person.organization).exclude(pk=person.pk)
    # One email each: an address that the server refuses must not stop the others.
    for address in others.values_list("email", flat=True):
        _enqueue(NEW_ADMIN_EMAIL, person, [address])


def _enqueue(kind: EmailKind, person: StaffMember, to: Collection[str], **params: Any) -> None:
    enqueue_email(kind, to=to, params={"staff": person.pk, **params}, organization=person.organization)


def _person_of(email: OutboxEmail) -> StaffMember | None:
    """Return the person, or None if they were deleted in the meantime."""
    return StaffMember.objects.filter(pk=email.params["staff"]).first()


def _render_email_changed(email: OutboxEmail) -> EmailMessage | None:
    person = _person_of(email)
    if person is None:
        return None
    body = _(
        "Hello %(person)s,\n\n"
        "the email address that you sign in to Coconut with has changed.\n\n"
        "Old: %(old)s\n"
        "New: %(new)s\n\n"
        "Your password has not changed. If you did not expect this, tell an admin of your organisation at once.\n"
    )
    params = {"person": person.name, "old": email.params["old"], "new": email.params["new"]}
    return EmailMessage(_("Your sign-in email has changed"), body % params)


def _render_role_changed(email: OutboxEmail) -> EmailMessage | None:
    person = _person_of(email)
    if person is None:
        return None
    body = _(
        "Hello %(person)s,\n\n"
        "your role in Coconut has changed.\n\n"
        "Old: %(old)s\n"
        "New: %(new)s\n\n"
        "If you did not expect this, tell an admin of your organisation.\n"
    )
    old, new = (Role(email.params[name]).label for name in ("old", "new"))
    return EmailMessage(_("Your role has changed"), body % {"person": person.name, "old": old, "new": new})


def _render_password_changed(email: OutboxEmail) -> EmailMessage | None:
    person = _person_of(email)
    if person is None:
        return None
    body = _(
        "Hello %(person)s,\n\n"
        "your password for Coconut has changed.\n\n"
        "If you did not do this, choose “Forgotten password?” on the sign-in page now, "
        "and tell an admin of your organisation.\n"
    )
    return EmailMessage(_("Your password has changed"), body % {"person": person.name})


def _render_new_admin(email: OutboxEmail) -> EmailMessage | None:
    person = _person_of(email)
    if person is None:
        return None
    body = _(
        "Hello,\n\n"
        "%(person)s (%(email)s) is now an admin of %(organization)s in Coconut. "
        "Admins can change everyone's account and the settings.\n\n"
        "If you did not expect this, open Settings > Audit log to see who made the change.\n"
    )
    params = {"person": person.name, "email": person.email, "organization": person.organization}
    return EmailMessage(_("%(person)s is now an admin") % {"person": person.name}, body % params)


EMAIL_CHANGED_EMAIL: Final = EmailKind("sign_in_address", _render_email_changed)
ROLE_CHANGED_EMAIL: Final = EmailKind("role_changed", _render_role_changed)
PASSWORD_CHANGED_EMAIL: Final = EmailKind("password_changed", _render_password_changed)
NEW_ADMIN_EMAIL: Final = EmailKind("new_admin", _render_new_admin)
ACCOUNT_EMAILS: Final = (EMAIL_CHANGED_EMAIL, ROLE_CHANGED_EMAIL, PASSWORD_CHANGED_EMAIL, NEW_ADMIN_EMAIL)
