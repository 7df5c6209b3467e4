"""The Contact Center: book while the client is on the line."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from appointments.booking.any_staff import book_with_any_staff
from appointments.client_view.private_links import client_zone
from appointments.clients import book_for
from appointments.forms.contact_center import ContactForm
from appointments.models import Appointment, BookedThrough
from appointments.views.appointment_page import appointment_or_404, link_context
from appointments.views.booking_form import answer_booking_form
from appointments.views.responses import see_other
from staff.access import schedulers_only
from staff.models import StaffMember


@require_http_methods(["GET", "POST"])
@schedulers_only
def contact_center(request: HttpRequest) -> HttpResponse:
    """One form, which shows the first free times as soon as it knows what they are of."""
    return answer_booking_form(
        request,
        ContactForm,
        book=_book,
        done=lambda booked: see_other("contact-center-booked", booked.pk),
        page="appointments/contact_center.html",
        part="appointments/_contact_form.html",
    )


@require_safe
@never_cache
@schedulers_only
def contact_center_booked(request: HttpRequest, pk: int) -> HttpResponse:
    """What was booked, until the next one is begun."""
    shown = appointment_or_404(request, pk)
    context = {**link_context(shown), "their_zone": client_zone(shown)}
    return render(request, "appointments/contact_center_booked.html", context)


def _book(form: ContactForm, member: StaffMember) -> Appointment:
    chosen = form.cleaned_data
    wish = {
        **form.wish(member),
        "location": chosen["location"],
        "through": BookedThrough.CONTACT_CENTER,
    }
    if chosen["staff"] is not None:
        return book_for(**wish, staff=chosen["staff"])
    return book_for(**wish, book=book_with_any_staff, people=form.people.able, first=form.shown_with)
