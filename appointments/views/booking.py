"""Book an appointment on the schedule."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from appointments.clients import book_for
from appointments.forms.booking import BookingForm
from appointments.models import Appointment, BookedThrough
from appointments.views.booking_form import answer_booking_form
from appointments.views.responses import see_other
from staff.access import schedulers_only
from staff.models import StaffMember


@require_http_methods(["GET", "POST"])
@schedulers_only
def appointment_add(request: HttpRequest) -> HttpResponse:
    """One form; what is chosen narrows the rest, by script or by its buttons, and nothing typed is lost."""

    def done(booked: Appointment) -> HttpResponse:
        messages.success(request, _("The appointment is booked."))
        return see_other("appointment", booked.pk)

    return answer_booking_form(
        request,
        BookingForm,
        book=_book,
        done=done,
        page="appointments/booking.html",
        part="appointments/_booking_form.html",
    )


def _book(form: BookingForm, member: StaffMember) -> Appointment:
    chosen = form.cleaned_data
    return book_for(
        **form.wish(member),
        staff=chosen["staff"],
        outside_hours=chosen["outside_hours"],
        through=BookedThrough.SCHEDULE,
    )
