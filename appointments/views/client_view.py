"""The Client View: anybody books, on a page of its own or inside an allowed site. No cookie, no session, no message."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from csp.constants import NONE
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from appointments.booking_rules.errors import BookingError
from appointments.client_view.book import book_as_client, next_times
from appointments.client_view.form_tokens import booked_under, reference_of
from appointments.client_view.private_links import client_zone
from appointments.client_view.rate_limits import limit_of_booking, limit_of_looking
from appointments.client_view.selection import ClientSelection, public_services, zones_by_region
from appointments.client_view.slots import NotOffered
from appointments.forms.client_view import DetailsForm
from appointments.models import Appointment
from appointments.views.private_links import appointment_context, discreet, loaded
from appointments.views.responses import see_other
from staff.embedding import embedding_sites
from staff.models import Organization
from staff.rate_limits import Limit

P = ParamSpec("P")
_STEPS = ("services", "methods", "times", "details")
Page = Callable[Concatenate[HttpRequest, Organization, P], HttpResponse]


def _public(page: Page[P]) -> Callable[..., HttpResponse]:
    """Hand the page its organisation, and let the organisation's sites embed what it answers."""

    @wraps(page)
    def guarded(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        organization = Organization.objects.filter(slug=slug).first()
        if organization is None:
            return render(request, "appointments/book/unknown.html", status=404)
        with timezone.override(organization.time_zone):
            return _embeddable(_answer(request, organization, page, *args, **kwargs), organization)

    return guarded


def _answer(
    request: HttpRequest, organization: Organization, page: Page[P], *args: P.args, **kwargs: P.kwargs
) -> HttpResponse:
    if limit := limit_of_looking(request):
        return _wait(request, organization, limit)
    try:
        return page(request, organization, *args, **kwargs)
    except NotOffered as refusal:
        context = {"organization": organization, "sentence": str(refusal)}
        return render(request, "appointments/book/not_offered.html", context, status=404)


def _embeddable(response: HttpResponse, organization: Organization) -> HttpResponse:
    response.headers.setdefault("Cache-Control", "no-store")
    if sites := embedding_sites(organization):
        # X-Frame-Options knows no list: it would contradict.
        response.xframe_options_exempt = True
        response._csp_replace = {"frame-ancestors": sites}  # type: ignore[attr-defined]
    else:
        response._csp_replace = {"frame-ancestors": [NONE]}  # type: ignore[attr-defined]
    return response


def _wait(request: HttpRequest, organization: Organization, limit: Limit) -> HttpResponse:
    seconds = limit.ends_in()
    context = {"organization": organization, "minutes": -(-seconds // 60)}
    answer = render(request, "appointments/book/wait.html", context, status=429)
    answer["Retry-After"] = str(seconds)
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@_public
def book(request: HttpRequest, organization: Organization) -> HttpResponse:
    """The next step: what is still to be chosen, then who it is for."""
    wish = ClientSelection(organization, request.GET)
    with timezone.override(wish.zone):
        if wish.service is None:
            services = list(public_services(organization))
            return _step(request, wish, "services", {"services": services})
        if wish.method is None:
            return _step(request, wish, "methods", {})
        if request.method == "POST":
            return _book(request, wish)
        if wish.starts_at is None:
            return _step(request, wish, "times", {"month": wish.month, "zones": zones_by_region()})
        return _step(request, wish, "details", {"form": DetailsForm(wish)})


def _step(request: HttpRequest, wish: ClientSelection, step: str, context: dict[str, Any]) -> HttpResponse:
    chosen = {
        "wish": wish,
        "staff": wish.staff,
        "organization": wish.organization,
        "step": step,
        "number": _STEPS.index(step) + 1,
    }
    return render(request, f"appointments/book/{step}.html", {**chosen, **context})


def _book(request: HttpRequest, wish: ClientSelection) -> HttpResponse:
    if not _is_from_here(request):
        return render(
            request, "appointments/book/elsewhere.html", {"organization": wish.organization}, status=403
        )
    form = DetailsForm(wish, request.POST)
    if form.is_valid() and form.starts_at:
        if limit := limit_of_booking(request, wish.organization, form.cleaned_data["email"]):
            return _wait(request, wish.organization, limit)
        try:
            booked = book_as_client(
                wish,
                form.client,
                starts_at=form.starts_at,
                token=form.form_token,
                client_note=form.cleaned_data["note"],
            )
        except BookingError as refusal:
            form.add_booking_error(refusal, next_times(wish, form.starts_at))
        else:
            return see_other("book-booked", wish.organization.slug, reference_of(booked))
    return _step(request, wish, "details", {"form": form})


def _is_from_here(request: HttpRequest) -> bool:
    """Whether the form was on a page of ours: by Origin, or by Referer where a browser sends none."""
    told = request.headers.get("Origin") or request.headers.get("Referer", "")
    try:
        sent, ours = urlsplit(told), urlsplit(settings.BASE_URL)
    except ValueError:
        return False
    return (sent.scheme, sent.netloc) == (ours.scheme, ours.netloc)


@require_safe
@_public
def booked(request: HttpRequest, organization: Organization, reference: str) -> HttpResponse:
    """What was booked, and what can be done with it; for an hour, then the mail has the links."""
    found = loaded().filter(pk=booked_under(reference), organization=organization)
    appointment: Appointment | None = found.first()
    if appointment is None:
        context = {"organization": organization}
        return discreet(render(request, "appointments/book/gone.html", context, status=404))
    with timezone.override(client_zone(appointment)):
        context = appointment_context(appointment) | {
            "organization": organization,
            "again": reverse("book", args=[organization.slug]),
        }
        return discreet(render(request, "appointments/book/booked.html", context))
