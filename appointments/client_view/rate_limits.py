"""Rate limits of the pages that need no account.

Every booking and every change sends emails, so each mailbox needs a limit. But a stranger can book in the name of any
address. If they could spend the limit of its owner, they could keep the owner from moving an appointment. Therefore:

- Bookings with an unverified address count by visitor and mailbox, so that one visitor can't use up a mailbox's limit.
- All visitors together can make a few unverified bookings a day for a mailbox, so that many can't flood it.
- Changes by private link, and bookings by visitors who came from one, prove the address (`mailboxes`). They have limits
  of their own, which only the reader of the mailbox can spend.

A refused booking or move is not counted, as nothing was sent. No limit holds back the email about a change that was
made.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from appointments.client_view.mailboxes import mailbox_of, proves_mailbox
from appointments.models import Appointment
from coconut.rate_limits import Limit, cache_may_be_down, client_address, exceeded_limit, give_back_all
from staff.models import Organization, StaffMember

Counts = list[tuple[Limit, object]]

_DAY = 24 * 60 * 60
# A whole branch may share one IP address.
_VIEWS = Limit("client-view-pages", 600, 10 * 60)
_BOOKINGS = Limit("client-view-bookings", 60, 60 * 60)
_BOOKINGS_OF_VISITOR_AND_MAILBOX = Limit("client-view-visitor-mailbox", 12, _DAY)
_UNVERIFIED_BOOKINGS_OF_MAILBOX = Limit("client-view-mailbox", 20, _DAY)
_BOOKINGS_OF_ORGANIZATION = Limit("client-view-organization", 3000, 60 * 60)

_GUESSES = Limit("private-link-guesses", 60, 10 * 60)
_CHANGES = Limit("private-link-changes", 60, 60 * 60)
_MOVES_OF_APPOINTMENT = Limit("private-link-moves", 10, _DAY)
# Calendars read once an hour or less, and a person has several.
_READINGS_OF_FEED = Limit("calendar-feed", 120, 60 * 60)
# Moves and verified bookings together, in all organisations.
_CHANGES_OF_MAILBOX = Limit("private-link-mailbox", 20, _DAY)


def limit_of_guessing(request: HttpRequest) -> Limit | None:
    """Count a private link that may be a guess, and return the limit if it is used up. `refund_guess` uncounts it."""
    return exceeded_limit((_GUESSES, client_address(request))) if settings.RATE_LIMITS else None


def refund_guess(request: HttpRequest) -> None:
    """Uncount a private link that was valid."""
    if settings.RATE_LIMITS:
        with cache_may_be_down():
            _GUESSES.give_back(client_address(request))


def limit_of_reading_feed(owner: StaffMember) -> Limit | None:
    """Count a reading of a person's calendar address, and return the limit if it is used up."""
    return exceeded_limit((_READINGS_OF_FEED, owner.pk)) if settings.RATE_LIMITS else None


def limit_of_viewing(request: HttpRequest) -> Limit | None:
    """Count a page view, and return the limit if it is used up."""
    return exceeded_limit((_VIEWS, client_address(request))) if settings.RATE_LIMITS else None


def limit_of_booking(request: HttpRequest, organization: Organization, email: str, proof: str) -> Limit | None:
    """Count a booking, and return the limit that is used up, if any. `refund_booking` uncounts it.

    `proof` shows that the visitor reads the mailbox of `email` (`mailbox_proof`); "" if they have none.
    """
    counts = _counts_of_booking(request, organization, email, proof)
    return exceeded_limit(*counts) if settings.RATE_LIMITS else None


def refund_booking(request: HttpRequest, organization: Organization, email: str, proof: str) -> None:
    """Uncount a booking that was refused."""
    _refund(_counts_of_booking(request, organization, email, proof))


def is_limit_of_unverified_email(limit: Limit) -> bool:
    """Return whether a visitor who came from a private link in an email could go on."""
    return limit in (_BOOKINGS_OF_VISITOR_AND_MAILBOX, _UNVERIFIED_BOOKINGS_OF_MAILBOX)


def limit_of_moving(request: HttpRequest, appointment: Appointment) -> Limit | None:
    """Count a move by private link, and return the limit that is used up, if any. `refund_move` uncounts it.

    Every move sends emails and a request to the platform.
    """
    return exceeded_limit(*_counts_of_moving(request, appointment)) if settings.RATE_LIMITS else None


def refund_move(request: HttpRequest, appointment: Appointment) -> None:
    """Uncount a move that was refused."""
    _refund(_counts_of_moving(request, appointment))


def limit_of_cancelling(request: HttpRequest) -> Limit | None:
    """Count a cancellation by private link, and return the limit if it is used up."""
    return exceeded_limit((_CHANGES, client_address(request))) if settings.RATE_LIMITS else None


def _counts_of_booking(request: HttpRequest, organization: Organization, email: str, proof: str) -> Counts:
    visitor, mailbox = client_address(request), mailbox_of(email)
    if proves_mailbox(proof, email):
        return [(_CHANGES_OF_MAILBOX, mailbox), (_BOOKINGS, visitor)]
    # The limits that many visitors share come last: a booking that exceeds another limit doesn't count there.
    return [
        (_BOOKINGS_OF_VISITOR_AND_MAILBOX, (visitor, mailbox)),
        (_BOOKINGS, visitor),
        (_UNVERIFIED_BOOKINGS_OF_MAILBOX, mailbox),
        (_BOOKINGS_OF_ORGANIZATION, organization.pk),
    ]


def _counts_of_moving(request: HttpRequest, appointment: Appointment) -> Counts:
    # The limit that many visitors may share comes last: a refused move doesn't count there.
    counts: Counts = [(_MOVES_OF_APPOINTMENT, appointment.pk)]
    if appointment.client.email:
        counts.append((_CHANGES_OF_MAILBOX, mailbox_of(appointment.client.email)))
    return [*counts, (_CHANGES, client_address(request))]


def _refund(counts: Counts) -> None:
    if settings.RATE_LIMITS:
        with cache_may_be_down():
            give_back_all(counts)
