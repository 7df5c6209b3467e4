"""How often somebody may look and book on the pages that need no account."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from staff.models import Organization
from staff.rate_limits import Limit, cache_may_be_down, client_address, used_up

# A whole branch may sit behind one address.
_LOOKS = Limit("client-view-looks", 600, 10 * 60)
_BOOKINGS = Limit("client-view-bookings", 60, 60 * 60)
_OF_AN_EMAIL = Limit("client-view-email", 12, 24 * 60 * 60)
_OF_AN_ORGANIZATION = Limit("client-view-organization", 3000, 60 * 60)

_GUESSES = Limit("private-link-guesses", 60, 10 * 60)


def limit_of_guessing(request: HttpRequest) -> Limit | None:
    """Count one more private link that may be a guess; the limit, if it is used up. `no_guess` takes it back."""
    return used_up((_GUESSES, client_address(request))) if settings.RATE_LIMITS else None


def no_guess(request: HttpRequest) -> None:
    """The link was one of ours."""
    if settings.RATE_LIMITS:
        with cache_may_be_down():
            _GUESSES.give_back(client_address(request))


def limit_of_looking(request: HttpRequest) -> Limit | None:
    """Count one more page; the limit that is used up, if one is."""
    return used_up((_LOOKS, client_address(request))) if settings.RATE_LIMITS else None


def limit_of_booking(request: HttpRequest, organization: Organization, email: str) -> Limit | None:
    """Count one more booking; the limit that is used up, if one is."""
    if not settings.RATE_LIMITS:
        return None
    return used_up(
        (_BOOKINGS, client_address(request)),
        (_OF_AN_EMAIL, (organization.pk, email.casefold())),
        (_OF_AN_ORGANIZATION, organization.pk),
    )
