"""Booking form of the schedule."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from appointments.clients import book_for
from appointments.forms.booking import BookingForm
from appointments.models import BookedThrough
from appointments.views.responses import is_htmx, see_other
from appointments.views.submit import submit
from staff.access import current_member, schedulers_only


@require_http_methods(["GET", "POST"])
@schedulers_only
def appointment_add(request: HttpRequest) -> HttpResponse:
    """Show the booking form, update its choices, or book. Input is kept, also without scripts."""
    member = current_member(request)
    form = BookingForm.from_request(request, member)
    booked = submit(
        form,
        lambda: book_for(
            **form.booking(member),
            staff=form.cleaned_data["staff"],
            outside_hours=form.date_time.cleaned_data["outside_hours"],
            through=BookedThrough.SCHEDULE,
        ),
    )
    if booked:
        messages.success(request, _("The appointment is booked."))
        return see_other("appointment", booked.pk)
    template = "appointments/booking/_form.html" if is_htmx(request) else "appointments/booking/page.html"
    return render(request, template, {"form": form})
