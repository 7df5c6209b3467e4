"""Record changes of accounts in the audit log, and email the people concerned.

Pages and Django admin call these functions in the transaction that saves the person.
"""

from __future__ import annotations

from typing import Final

from staff.accounts.emails import email_new_address, email_new_admin, email_new_password, email_new_role
from staff.audit_log.differences import differences, first_values
from staff.audit_log.kinds import (
    EMAIL_CHANGED,
    PASSWORD_CHANGED,
    PERSON_ADDED,
    PERSON_CHANGED,
    ROLE_CHANGED,
    SWITCHED_OFF,
    SWITCHED_ON,
)
from staff.audit_log.record import record
from staff.models import StaffMember

_DETAILS: Final = ("first_name", "last_name", "username", "location", "time_zone", "last_day")


def record_new_person(person: StaffMember) -> None:
    """Record that a person was added. If they are an admin, email the other admins."""
    record(PERSON_ADDED, person, changes=first_values(person, ["email", "role", *_DETAILS]))
    if person.is_admin:
        email_new_admin(person)


def record_changes(before: StaffMember, after: StaffMember) -> None:
    """Record which account fields differ between the stored person and the saved one, and send the emails."""
    if changes := differences(before, after, ["email"]):
        record(EMAIL_CHANGED, after, changes=changes)
        email_new_address(after, before.email)
    if changes := differences(before, after, ["role"]):
        record(ROLE_CHANGED, after, changes=changes)
        email_new_role(after, before.role)
    if before.is_active != after.is_active:
        record(SWITCHED_ON if after.is_active else SWITCHED_OFF, after)
    if changes := differences(before, after, _DETAILS):
        record(PERSON_CHANGED, after, changes=changes)
    if _works_as_admin(after) and not _works_as_admin(before):
        email_new_admin(after)


def record_first_password(person: StaffMember) -> None:
    """Record that an invited person set a password. There was none before, so an email would only confuse."""
    record(PASSWORD_CHANGED, person)


def record_new_password(person: StaffMember) -> None:
    """Record that a person's password changed, and email them."""
    record(PASSWORD_CHANGED, person)
    email_new_password(person)


def _works_as_admin(person: StaffMember) -> bool:
    return person.is_admin and person.is_active
