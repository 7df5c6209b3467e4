"""Booking form of the schedule, and what it shares with the Contact Center."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from appointments.booking_rules.errors import BookingError
from appointments.clients import book_for
from appointments.forms.booking import BookingForm
from appointments.forms.booking_base import BookingBaseForm
from appointments.models import Appointment, BookedThrough
from appointments.views.responses import is_htmx, see_other
from staff.access import current_member, schedulers_only
from staff.models import StaffMember

F = TypeVar("F", bound=BookingBaseForm)


@require_http_methods(["GET", "POST"])
@schedulers_only
def appointment_add(request: HttpRequest) -> HttpResponse:
    """Show the booking form, update its choices, or book. Input is kept, also without scripts."""
    member = current_member(request)
    form = BookingForm.from_request(request, member)
    if booked := book_if_valid(form, member, _book):
        messages.success(request, _("The appointment is booked."))
        return see_other("appointment", booked.pk)
    template = "appointments/booking/_form.html" if is_htmx(request) else "appointments/booking/page.html"
    return render(request, template, {"form": form})


def book_if_valid(
    form: F, member: StaffMember, book: Callable[[F, StaffMember], Appointment]
) -> Appointment | None:
    """Book with a valid form, and return the appointment.

    Return None if the form isn't bound or valid. A BookingError of `book` becomes an error of the form.
    """
    if not form.is_bound or not form.is_valid():
        return None
    try:
        return book(form, member)
    except BookingError as error:
        form.add_booking_error(error)
        return None


def _book(form: BookingForm, member: StaffMember) -> Appointment:
    return book_for(
        **form.booking(member),
        staff=form.cleaned_data["staff"],
        outside_hours=form.date_time.cleaned_data["outside_hours"],
        through=BookedThrough.SCHEDULE,
    )
