"""Rate limits of the pages that need no account."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from appointments.models import Appointment
from coconut.rate_limits import Limit, cache_may_be_down, client_address, exceeded_limit
from staff.models import Organization

_DAY = 24 * 60 * 60
# A whole branch may share one IP address.
_VIEWS = Limit("client-view-pages", 600, 10 * 60)
_BOOKINGS = Limit("client-view-bookings", 60, 60 * 60)
_BOOKINGS_OF_EMAIL = Limit("client-view-email", 12, _DAY)
# Bookings and moves together, in all organisations: each sends an email.
_EMAILS_TO_CLIENT = Limit("client-view-emails", 20, _DAY)
_BOOKINGS_OF_ORGANIZATION = Limit("client-view-organization", 3000, 60 * 60)

_GUESSES = Limit("private-link-guesses", 60, 10 * 60)
_CHANGES = Limit("private-link-changes", 60, 60 * 60)
_MOVES_OF_APPOINTMENT = Limit("private-link-moves", 10, _DAY)


def limit_of_guessing(request: HttpRequest) -> Limit | None:
    """Count a private link that may be a guess, and return the limit if it is used up. `refund_guess` uncounts it."""
    return exceeded_limit((_GUESSES, client_address(request))) if settings.RATE_LIMITS else None


def refund_guess(request: HttpRequest) -> None:
    """Uncount a private link that was valid."""
    if settings.RATE_LIMITS:
        with cache_may_be_down():
            _GUESSES.give_back(client_address(request))


def limit_of_viewing(request: HttpRequest) -> Limit | None:
    """Count a page view, and return the limit if it is used up."""
    return exceeded_limit((_VIEWS, client_address(request))) if settings.RATE_LIMITS else None


def limit_of_booking(request: HttpRequest, organization: Organization, email: str) -> Limit | None:
    """Count a booking, and return the limit that is used up, if any."""
    if not settings.RATE_LIMITS:
        return None
    return exceeded_limit(
        (_BOOKINGS, client_address(request)),
        (_BOOKINGS_OF_EMAIL, (organization.pk, mailbox_of(email))),
        (_EMAILS_TO_CLIENT, mailbox_of(email)),
        (_BOOKINGS_OF_ORGANIZATION, organization.pk),
    )


def limit_of_moving(request: HttpRequest, appointment: Appointment) -> Limit | None:
    """Count a move by private link, and return the limit that is used up, if any. `refund_move` uncounts it.

    Every move sends emails and a request to the platform, and the email address may not be the visitor's own.
    """
    return exceeded_limit(*_counts_of_moving(request, appointment)) if settings.RATE_LIMITS else None


def refund_move(request: HttpRequest, appointment: Appointment) -> None:
    """Uncount a move that was refused."""
    if settings.RATE_LIMITS:
        with cache_may_be_down():
            for limit, key in _counts_of_moving(request, appointment):
                limit.give_back(key)


def limit_of_cancelling(request: HttpRequest) -> Limit | None:
    """Count a cancellation by private link, and return the limit if it is used up."""
    return exceeded_limit((_CHANGES, client_address(request))) if settings.RATE_LIMITS else None


def _counts_of_moving(request: HttpRequest, appointment: Appointment) -> list[tuple[Limit, object]]:
    # The limit that many visitors may share comes last: a refused move doesn't count there.
    counts: list[tuple[Limit, object]] = [(_MOVES_OF_APPOINTMENT, appointment.pk)]
    if appointment.client.email:
        counts.append((_EMAILS_TO_CLIENT, mailbox_of(appointment.client.email)))
    return [*counts, (_CHANGES, client_address(request))]


def mailbox_of(email: str) -> str:
    """Return the mailbox of an address: without case and without the tag after a plus sign (RFC 5233).

    Gmail also ignores dots (support.google.com/mail/answer/7436150).
    """
    local_part, _at, domain = email.casefold().rpartition("@")
    name = local_part.partition("+")[0] or local_part
    if domain in ("gmail.com", "googlemail.com"):
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"
