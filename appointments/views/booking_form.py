"""What the pages with a booking form share: it is shown, narrowed part by part, refused in words, or books."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from appointments.booking_rules.errors import BookingError
from appointments.forms.booking_base import BookingBaseForm
from appointments.models import Appointment
from staff.access import current_member
from staff.models import StaffMember

F = TypeVar("F", bound=BookingBaseForm)


def answer_booking_form(
    request: HttpRequest,
    form_class: type[F],
    *,
    book: Callable[[F, StaffMember], Appointment],
    done: Callable[[Appointment], HttpResponse],
    page: str,
    part: str,
) -> HttpResponse:
    """Book where everything is there, and go where `done` says; else the form, as a page or a part.

    What was typed stays. `book` may raise BookingError.
    """
    member = current_member(request)
    form = form_class.from_request(request, member)
    if form.is_bound and form.is_valid():
        try:
            booked = book(form, member)
        except BookingError as refusal:
            form.add_booking_error(refusal)
        else:
            return done(booked)
    is_part = request.headers.get("HX-Request") == "true"
    return render(request, part if is_part else page, {"form": form})
