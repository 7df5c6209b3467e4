"""Rate limits of the pages that need no account."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from coconut.rate_limits import Limit, cache_may_be_down, client_address, exceeded_limit
from staff.models import Organization

# A whole branch may share one IP address.
_VIEWS = Limit("client-view-pages", 600, 10 * 60)
_BOOKINGS = Limit("client-view-bookings", 60, 60 * 60)
_BOOKINGS_OF_EMAIL = Limit("client-view-email", 12, 24 * 60 * 60)
_BOOKINGS_OF_ORGANIZATION = Limit("client-view-organization", 3000, 60 * 60)

_GUESSES = Limit("private-link-guesses", 60, 10 * 60)


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
        (_BOOKINGS_OF_EMAIL, (organization.pk, email.casefold())),
        (_BOOKINGS_OF_ORGANIZATION, organization.pk),
    )
