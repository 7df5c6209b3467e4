"""Booking in one request, as a script or another program sends it: all choices at once, by id."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.booking.any_staff import book_with_any_staff
from appointments.booking.book import book_appointment
from appointments.booking.candidates import bookable_staff
from appointments.booking_rules.errors import BookingError
from appointments.dates import IsoDateTimeField
from appointments.models import Appointment, BookedThrough, Client
from integrations.hosting.eligibility import hosting_of
from services.models import MeetingMethod, Service
from staff.models import Organization, StaffMember, VideoChoice


class _RowField(forms.IntegerField):
    """Row of a model by its id. The form sets the `organization` that the row must belong to."""

    organization: Organization | None

    def __init__(self, model: type[Service | StaffMember | Client], **options: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **options)
        self._model = model

    def clean(self, value: Any) -> Any:
        """Return the row. Raises ValidationError."""
        pk = super().clean(value)
        if pk is None:
            return None
        try:
            row = self._model._default_manager.get(pk=pk, organization=self.organization)
        except ObjectDoesNotExist:
            sentence = _("That choice is not available here. Choose another one.")
            raise ValidationError(sentence) from None
        # Keeps later code from querying the organisation again.
        row.organization = self.organization
        return row


class BookingRequestForm(forms.Form):
    """Booking in the organisation of `actor`. Without `staff`, any free staff member takes it.

    `starts_at` is ISO 8601. Without an offset it is in the current time zone.
    """

    service = _RowField(Service)
    method = forms.TypedChoiceField(coerce=int, choices=MeetingMethod.choices)
    staff = _RowField(StaffMember, required=False)
    client = _RowField(Client)
    starts_at = IsoDateTimeField()
    outside_hours = forms.BooleanField(required=False)
    # Confirms that the video call may take place on the staff member's personal link.
    personal_link = forms.BooleanField(required=False)
    request_key = forms.CharField(
        max_length=64, error_messages={"required": gettext_lazy("Send a new random key with each booking.")}
    )
    client_note = forms.CharField(max_length=5000, required=False)
    internal_note = forms.CharField(max_length=5000, required=False)

    def __init__(self, *args: Any, actor: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        for name in ("service", "staff", "client"):
            self.fields[name].organization = actor.organization  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse a video call on the chosen staff member's personal link, unless the request confirms it."""
        chosen = super().clean() or self.cleaned_data
        if self.errors or chosen["method"] != MeetingMethod.VIDEO or chosen["personal_link"]:
            return chosen
        if chosen["staff"] is not None:
            self._refuse_personal_link(chosen["staff"])
        return chosen

    def _refuse_personal_link(self, member: StaffMember) -> None:
        hosting = hosting_of([member])[member.pk]
        if not hosting.personal_url:
            return
        params = {"name": member.name, "address": hosting.personal_url, "note": hosting.personal_note}
        sentence = _(
            "Video calls with %(name)s take place on a personal link, %(address)s. %(note)s"
            " Send personal_link=true to book one."
        )
        self.add_error("staff", " ".join((sentence % params).split()))

    def book(self, through: BookedThrough) -> Appointment:
        """Book the request. Raises the errors of `book_appointment`."""
        booking = {
            **self.cleaned_data,
            "organization": self.actor.organization,
            "actor": self.actor,
            "through": through,
        }
        on_personal_link = booking.pop("personal_link")
        if booking["staff"] is not None:
            return book_appointment(**booking)
        del booking["staff"]
        people = bookable_staff(booking["service"], booking["method"])
        if booking["method"] == MeetingMethod.VIDEO and not on_personal_link:
            people = _without_personal_link(people)
        return book_with_any_staff(people=people, **booking)


def _without_personal_link(people: list[StaffMember]) -> list[StaffMember]:
    """Return the staff members who host on a platform. Raises BookingError if all of them use personal links."""
    found = [member for member in people if member.video_choice != VideoChoice.PERSONAL]
    if people and not found:
        sentence = _(
            "Video calls of this service take place on personal links, of %(names)s."
            " Send personal_link=true to book one."
        )
        names = ", ".join(member.name for member in people)
        raise BookingError(sentence % {"names": names}, "staff")
    return found
