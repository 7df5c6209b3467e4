"""Private calendar address of the signed-in person, and the file behind it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from appointments.calendar_feed.addresses import create_address, end_address, owner_of
from appointments.calendar_feed.file import calendar_file, fingerprint_of, rows_of
from appointments.calendar_feed_models import CalendarFeed
from appointments.client_view.rate_limits import limit_of_guessing, limit_of_reading_feed, refund_guess
from appointments.views.private_links import confidential
from coconut.rate_limits import Limit
from staff.access import current_member


@require_http_methods(["GET", "HEAD", "POST"])
def calendar_feed(request: HttpRequest) -> HttpResponse:
    """Say whether the person has an address; create a new one, and show it this one time."""
    member = current_member(request)
    address = create_address(member) if request.method == "POST" else ""
    feed = CalendarFeed.objects.filter(staff=member).first()
    context = {"person": member, "feed": feed, "address": address, "webcal": address.replace("https://", "webcal://")}
    return confidential(render(request, "appointments/calendar_feed/page.html", context))


@require_http_methods(["GET", "HEAD", "POST"])
def calendar_feed_end(request: HttpRequest) -> HttpResponse:
    """End the address; GET changes nothing."""
    member = current_member(request)
    if request.method == "POST" and end_address(member):
        messages.success(request, _("The calendar address has ended."))
    return redirect("calendar-feed")


@login_not_required
@require_safe
def calendar_feed_file(request: HttpRequest, token: str) -> HttpResponse:
    """Return the calendar file to any program that has the address; 304 if nothing changed."""
    if limit := limit_of_guessing(request):
        return confidential(_wait(limit))
    owner = owner_of(token)
    if owner is None or owner.organization is None:
        return confidential(HttpResponse(status=404))
    refund_guess(request)
    if limit := limit_of_reading_feed(owner):
        return confidential(_wait(limit))
    with translation.override(owner.organization.language):
        rows = rows_of(owner)
        etag = quote_etag(fingerprint_of(owner, rows))
        response = get_conditional_response(request, etag=etag)
        if response is None:
            response = HttpResponse(calendar_file(owner, rows), content_type="text/calendar; charset=utf-8")
    response["ETag"] = etag
    return confidential(response)


def _wait(limit: Limit) -> HttpResponse:
    return HttpResponse(status=429, headers={"Retry-After": str(limit.seconds_left())})
