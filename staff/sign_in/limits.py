"""Limits on sign-in attempts, by account and by IP address."""

from __future__ import annotations

from django.http import HttpRequest

from coconut.email_addresses import normalize_email_address
from coconut.rate_limits import Limit, cache_may_be_down, client_address, is_within
from staff.audit_log.kinds import SIGN_IN_LIMITED
from staff.audit_log.record import record
from staff.models import StaffMember
from staff.sign_in import known_devices

_QUARTER_OF_AN_HOUR = 15 * 60
# By the address too: otherwise anyone could lock out the owner of an email.
_BY_PERSON_AND_ADDRESS = Limit("sign-in", times=10, seconds=_QUARTER_OF_AN_HOUR)
# A whole office may share an address.
_BY_ADDRESS = Limit("sign-in-address", times=100, seconds=_QUARTER_OF_AN_HOUR)
# For attacks from many addresses. Doesn't apply to browsers in which the owner has signed in before.
_BY_PERSON = Limit("sign-in-person", times=100, seconds=_QUARTER_OF_AN_HOUR)
# Attempts beyond the limits would fill the audit log.
_RECORDED = Limit("sign-in-limited-recorded", times=1, seconds=_QUARTER_OF_AN_HOUR)


def _key_of(email: str) -> str:
    """Return the email as it is looked up, in upper case: each spelling of an account gives the same key."""
    return normalize_email_address(email).upper()


def count_attempt(request: HttpRequest, email: str) -> bool:
    """Count an attempt to sign in. Return whether it is within the limits."""
    person, address = _key_of(email), client_address(request)
    elsewhere = [] if known_devices.is_known(request, person) else [(_BY_PERSON, person)]
    # In this order: an attempt that the first limit refuses doesn't count for the office's address.
    return is_within((_BY_PERSON_AND_ADDRESS, (person, address)), (_BY_ADDRESS, address), *elsewhere)


def record_limited(request: HttpRequest, email: str) -> None:
    """Record in the audit log that an attempt was refused, once in the limits' window for each person and address."""
    person = StaffMember.objects.with_email(email).first()
    if is_within((_RECORDED, (person.pk if person else None, client_address(request)))):
        record(SIGN_IN_LIMITED, person)


def record_success(request: HttpRequest, email: str) -> None:
    """Reset the counters after the right password."""
    person, address = _key_of(email), client_address(request)
    with cache_may_be_down():
        _BY_PERSON_AND_ADDRESS.reset((person, address))
        _BY_ADDRESS.give_back(address)
        if not known_devices.is_known(request, person):
            _BY_PERSON.give_back(person)
    known_devices.remember(request, person)


def allow_new_password(request: HttpRequest, email: str) -> None:
    """Let the person sign in with the new password at once, even after too many attempts with the old one."""
    with cache_may_be_down():
        _BY_PERSON_AND_ADDRESS.reset((_key_of(email), client_address(request)))
    known_devices.remember(request, _key_of(email))
