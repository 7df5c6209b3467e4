"""Contact Center: book while the client is on the phone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from appointments.booking.any_staff import book_with_any_staff
from appointments.clients import book_for
from appointments.forms.contact_center import ContactCenterForm
from appointments.models import Appointment, BookedThrough
from appointments.views.appointment_page import appointment_or_404, link_context
from appointments.views.responses import is_htmx, see_other
from appointments.views.submit import submit
from staff.access import current_member, schedulers_only
from staff.models import StaffMember


@require_http_methods(["GET", "POST"])
@schedulers_only
def contact_center(request: HttpRequest) -> HttpResponse:
    """Show the booking form with the first free slots, update its choices, or book."""
    member = current_member(request)
    form = ContactCenterForm.from_request(request, member)
    if booked := submit(form, lambda: _book(form, member)):
        return see_other("contact-center-booked", booked.pk)
    return render(request, f"appointments/contact_center/{_template(request)}", {"form": form})


def _template(request: HttpRequest) -> str:
    """Return the template of the part that htmx replaces. A select of thousands of people takes long to render."""
    if not is_htmx(request):
        return "page.html"
    return "_free_slots.html" if request.headers.get("HX-Target") == "times" else "_form.html"


@require_safe
@never_cache
@schedulers_only
def contact_center_booked(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm the booking, with links to book the next one."""
    appointment = appointment_or_404(request, pk)
    return render(request, "appointments/contact_center/booked.html", link_context(appointment))


def _book(form: ContactCenterForm, member: StaffMember) -> Appointment:
    chosen = form.cleaned_data
    booking = {
        **form.booking(member),
        "location": chosen["location"],
        "through": BookedThrough.CONTACT_CENTER,
    }
    if chosen["staff"] is not None:
        return book_for(**booking, staff=chosen["staff"])
    return book_for(**booking, book=book_with_any_staff, people=form.people.able, first=form.shown_with)
