"""Book an appointment on the schedule."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from appointments.clients import book_for
from appointments.forms.booking import BookingForm
from appointments.models import Appointment, BookedThrough
from appointments.refusals import BookingRefused
from appointments.views.answers import see_other
from staff.access import current_member, schedulers_only
from staff.models import StaffMember


@require_http_methods(["GET", "POST"])
@schedulers_only
def appointment_add(request: HttpRequest) -> HttpResponse:
    """One form; what is chosen narrows the rest, by script or by its buttons, and nothing typed is lost."""
    member = current_member(request)
    form = BookingForm.from_request(request, member)
    if form.is_bound and form.is_valid():
        try:
            booked = _book(form, member)
        except BookingRefused as refusal:
            form.refuse_booking(refusal)
        else:
            messages.success(request, _("The appointment is booked."))
            return see_other("appointment", booked.pk)
    part = request.headers.get("HX-Request") == "true"
    template = "appointments/_booking_form.html" if part else "appointments/booking.html"
    return render(request, template, {"form": form})


def _book(form: BookingForm, member: StaffMember) -> Appointment:
    chosen = form.cleaned_data
    return book_for(
        **form.wish(member),
        staff=chosen["staff"],
        outside_hours=chosen["outside_hours"],
        through=BookedThrough.SCHEDULE,
    )
