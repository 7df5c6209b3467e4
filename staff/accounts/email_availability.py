"""Check that an email is free.

The answer says whether an account has this email, in any organisation. So it is limited and recorded.
"""

from __future__ import annotations

from typing import Final

from coconut.rate_limits import Limit, cache_may_be_down, is_within
from staff.audit_log.kinds import TAKEN_EMAIL_ENTERED
from staff.audit_log.origin import current_actor
from staff.audit_log.record import record
from staff.models import StaffMember

# Per signed-in person.
_TAKEN: Final = Limit("taken-emails", times=20, seconds=60 * 60)


class EmailTaken(Exception):
    """Another account has this email."""


class TooManyTakenEmails(Exception):
    """The signed-in person asked for too many taken emails. Whether this one is free stays unknown."""


def check_email_is_free(email: str, person: StaffMember) -> None:
    """Raise EmailTaken or TooManyTakenEmails unless `person` can have this email. Only taken emails are counted."""
    actor = current_actor()
    if actor is not None and not is_within((_TAKEN, actor.pk)):
        raise TooManyTakenEmails
    if StaffMember.objects.with_email(email).exclude(pk=person.pk).exists():
        record(TAKEN_EMAIL_ENTERED, organization=person.organization)
        raise EmailTaken
    if actor is not None:
        with cache_may_be_down():
            _TAKEN.give_back(actor.pk)
