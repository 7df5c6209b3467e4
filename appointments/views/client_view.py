"""Client View: public booking, also embedded in allowed sites. No cookies, sessions or messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from csp.constants import NONE
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from appointments.booking_rules.errors import BookingError
from appointments.client_view.book import book_as_client, is_repeated, next_slots
from appointments.client_view.branches import MANY_BRANCHES, branches_of, matching_locations
from appointments.client_view.form_tokens import find_booked, reference_of
from appointments.client_view.offers import public_services, zones_by_region
from appointments.client_view.rate_limits import (
    is_limit_of_unverified_email,
    limit_of_booking,
    limit_of_viewing,
    refund_booking,
)
from appointments.client_view.selection import ClientSelection
from appointments.client_view.slots import InvalidQuery, NotOffered, SlotsQuery, slots_for_clients
from appointments.forms.client_view import DetailsForm
from appointments.models import Appointment
from appointments.views.private_links import appointment_context, confidential
from appointments.views.responses import json_error, see_other, too_many_requests
from coconut.rate_limits import Limit
from coconut.web.body_limits import small_bodies_only
from coconut.web.response_headers import allow_position
from staff.clock import override_clock
from staff.embedding import embedding_sites
from staff.models import Organization

P = ParamSpec("P")
_STEPS = ("services", "methods", "times", "details")
_STEPS_WITH_LOCATION = ("services", "methods", "locations", "times", "details")
Page = Callable[Concatenate[HttpRequest, Organization, P], HttpResponse]


def _public_page(page: Page[P]) -> Callable[..., HttpResponse]:
    """Pass the organisation to the page, and let the organisation's sites embed the response."""

    @small_bodies_only
    @wraps(page)
    def guarded(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        organization = Organization.objects.filter(slug=slug).first()
        if organization is None:
            return render(request, "appointments/client_view/unknown_organization.html", status=404)
        with timezone.override(organization.time_zone), override_clock(organization.clock):
            return _embeddable(_limited_response(request, organization, page, *args, **kwargs), organization)

    return guarded


def _limited_response(
    request: HttpRequest, organization: Organization, page: Page[P], *args: P.args, **kwargs: P.kwargs
) -> HttpResponse:
    if limit := limit_of_viewing(request):
        return _too_many_requests(request, organization, limit)
    try:
        return page(request, organization, *args, **kwargs)
    except NotOffered as error:
        context = {"organization": organization, "sentence": str(error)}
        return render(request, "appointments/client_view/not_offered.html", context, status=404)


def _embeddable(response: HttpResponse, organization: Organization) -> HttpResponse:
    response.headers.setdefault("Cache-Control", "no-store")
    if sites := embedding_sites(organization):
        # X-Frame-Options can't name several sites and would contradict.
        response.xframe_options_exempt = True
        response._csp_replace = {"frame-ancestors": sites}  # type: ignore[attr-defined]
    else:
        response._csp_replace = {"frame-ancestors": [NONE]}  # type: ignore[attr-defined]
    return response


def _too_many_requests(request: HttpRequest, organization: Organization, limit: Limit) -> HttpResponse:
    context = {"organization": organization}
    return too_many_requests(request, "appointments/client_view/too_many_requests.html", limit, context)


# A signed form token replaces the CSRF cookie, so that the page works inside other sites.
@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@_public_page
def book(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Show the next step: service, method, location, time, then details. POST books."""
    selection = ClientSelection(organization, request.GET)
    with timezone.override(selection.zone):
        if selection.service is None:
            services = list(public_services(organization))
            return _render_step(request, selection, "services", {"services": services})
        if selection.method is None:
            return _render_step(request, selection, "methods", {})
        if selection.needs_location:
            return _locations_step(request, selection)
        if request.method == "POST":
            return _book_selection(request, selection)
        if selection.starts_at is None:
            return _render_step(request, selection, "times", {"month": selection.month, "zones": zones_by_region()})
        return _render_step(request, selection, "details", {"form": DetailsForm(selection)})


def _locations_step(request: HttpRequest, selection: ClientSelection) -> HttpResponse:
    found = matching_locations(selection.locations, selection.words)
    branches = branches_of(found, selection.organization.first_weekday)
    context = {
        "branches": branches,
        "words": selection.words,
        "has_search": len(selection.locations) > MANY_BRANCHES,
        "has_coordinates": any(branch.has_coordinates for branch in branches),
    }
    response = _render_step(request, selection, "locations", context)
    allow_position(response)
    return response


def _render_step(request: HttpRequest, selection: ClientSelection, step: str, context: dict[str, Any]) -> HttpResponse:
    steps = _STEPS_WITH_LOCATION if len(selection.locations) > 1 else _STEPS
    chosen = {
        "selection": selection,
        "staff": selection.staff,
        "organization": selection.organization,
        "step": step,
        "number": steps.index(step) + 1,
        "steps": len(steps),
    }
    return render(request, f"appointments/client_view/{step}.html", {**chosen, **context})


def _book_selection(request: HttpRequest, selection: ClientSelection) -> HttpResponse:
    if not _is_same_origin(request):
        return render(
            request,
            "appointments/client_view/foreign_form.html",
            {"organization": selection.organization},
            status=403,
        )
    form = DetailsForm(selection, request.POST)
    if form.is_valid() and form.starts_at:
        counted = (selection.organization, form.cleaned_data["email"], selection.mailbox_proof)
        # A repeated submit books and emails nothing, so it must not use up the limit of the mailbox.
        repeats = is_repeated(selection, form.form_token, form.starts_at, form.cleaned_data["email"])
        if not repeats and (limit := limit_of_booking(request, *counted)):
            return _too_many_bookings(request, selection, form, limit)
        try:
            booked = book_as_client(
                selection,
                form.client,
                starts_at=form.starts_at,
                token=form.form_token,
                client_note=form.cleaned_data["note"],
                answers=form.questions.answers,
            )
        except BookingError as error:
            if not repeats:
                refund_booking(request, *counted)
            form.add_booking_error(error, next_slots(selection, form.starts_at, error))
        else:
            return see_other("book-booked", selection.organization.slug, reference_of(booked))
    return _render_step(request, selection, "details", {"form": form})


def _too_many_bookings(
    request: HttpRequest, selection: ClientSelection, form: DetailsForm, limit: Limit
) -> HttpResponse:
    """Return 429 with the form as it was filled in, and a sentence."""
    name = {"name": selection.organization.name}
    if is_limit_of_unverified_email(limit):
        sentence = _(
            "Too many appointments were booked with this email today. If you have an email from us, open the link to "
            "your appointment and book another one there. Otherwise, please contact %(name)s."
        )
    else:
        sentence = _("Too many appointments were booked from here. Try again later, or contact %(name)s.")
    form.add_error(None, sentence % name)
    response = _render_step(request, selection, "details", {"form": form})
    response.status_code = 429
    response["Retry-After"] = str(limit.seconds_left())
    return response


def _is_same_origin(request: HttpRequest) -> bool:
    """Return whether our own page sent the form: by Origin, or by Referer if the browser sends no Origin."""
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    try:
        sent, ours = urlsplit(origin), urlsplit(settings.BASE_URL)
    except ValueError:
        return False
    return (sent.scheme, sent.netloc) == (ours.scheme, ours.netloc)


@login_not_required
@require_safe
@_public_page
def booked(request: HttpRequest, organization: Organization, reference: str) -> HttpResponse:
    """Confirm a booking for an hour. Later the client uses the links in the email."""
    appointments = Appointment.objects.with_details().filter(organization=organization, client__erased_at=None)
    appointment = find_booked(reference, appointments)
    if appointment is None:
        context = {"organization": organization}
        return confidential(render(request, "appointments/client_view/reference_expired.html", context, status=404))
    with timezone.override(appointment.client_zone):
        context = appointment_context(appointment) | {
            "organization": organization,
            "again": reverse("book", args=[organization.slug]),
        }
        return confidential(render(request, "appointments/client_view/booked.html", context))


@login_not_required
@require_safe
def book_slots(request: HttpRequest, slug: str) -> JsonResponse:
    """Return `{"slots": [unix seconds, ascending]}`, or `{"error": sentence}` with 400, 404 or 429."""
    if limit := limit_of_viewing(request):
        response = json_error(_("You have looked very often. Wait a few minutes, then go on."), 429)
        response["Retry-After"] = str(limit.seconds_left())
        return response
    try:
        response = JsonResponse({"slots": slots_for_clients(SlotsQuery.of_address(slug, request.GET))})
    except InvalidQuery as error:
        response = json_error(str(error), 400)
    except NotOffered as error:
        response = json_error(str(error), 404)
    response["Cache-Control"] = "no-store"
    return response
