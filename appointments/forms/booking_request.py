"""A booking in one request: everything at once, by ids, as a script or another program sends it."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db.models import QuerySet
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
from staff.models import StaffMember, VideoChoice

_LARGEST_ID: Final = 2**63 - 1


def _id_field(*, required: bool = True) -> forms.IntegerField:
    return forms.IntegerField(min_value=1, max_value=_LARGEST_ID, required=required)


class BookingRequestForm(forms.Form):
    """Of the organisation of `actor`. Without `staff`, whoever is free then takes it.

    `starts_at` is ISO 8601; without an offset it is meant by the clock of the actor.
    """

    service = _id_field()
    method = forms.TypedChoiceField(coerce=int, choices=MeetingMethod.choices)
    staff = _id_field(required=False)
    client = _id_field()
    starts_at = IsoDateTimeField()
    outside_hours = forms.BooleanField(required=False)
    # A video call on somebody's personal link is booked for whoever says so only.
    personal_link = forms.BooleanField(required=False)
    request_key = forms.CharField(
        max_length=64, error_messages={"required": gettext_lazy("Send a new random key with each booking.")}
    )
    client_note = forms.CharField(max_length=5000, required=False)
    internal_note = forms.CharField(max_length=5000, required=False)

    def __init__(self, *args: Any, actor: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor

    def clean(self) -> dict[str, Any]:
        """Replace the ids by rows."""
        chosen = super().clean() or self.cleaned_data
        if not self.errors:
            chosen |= self._chosen_rows()
        if not self.errors and chosen["method"] == MeetingMethod.VIDEO and not chosen["personal_link"]:
            self._refuse_personal_link(chosen["staff"])
        return chosen

    def _refuse_personal_link(self, member: StaffMember | None) -> None:
        """It is named before it is booked on; whoever is booked as anyone is somebody without one."""
        if member is None or not (hosting := hosting_of([member])[member.pk]).personal_url:
            return
        words = {"name": member.name, "address": hosting.personal_url, "note": hosting.personal_note}
        sentence = _(
            "Video calls with %(name)s take place on a personal link, %(address)s. %(note)s"
            " Send personal_link=true to book one."
        )
        self.add_error("staff", " ".join((sentence % words).split()))

    def book(self, through: BookedThrough) -> Appointment:
        """Book what was entered; raises as `book_appointment`."""
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

    def _chosen_rows(self) -> dict[str, Any]:
        """Return the organisation's rows of the ids that were sent, with an error for each that is missing."""
        rows: dict[str, QuerySet[Any]] = {"client": Client.objects.all(), "service": Service.objects.all()}
        if self.cleaned_data["staff"] is not None:
            rows["staff"] = StaffMember.objects.select_related("organization", "location")
        found: dict[str, Any] = {}
        for name, queryset in rows.items():
            found |= self._found(name, queryset.filter(organization=self.actor.organization_id))
        return found

    def _found(self, name: str, rows: QuerySet[Any]) -> dict[str, Any]:
        """The row of the id that was sent; where there is none, an error and None."""
        row = rows.filter(pk=self.cleaned_data[name]).first()
        if row is None:
            self.add_error(name, _("That choice is not available here. Choose another one."))
        return {name: row}


def _without_personal_link(people: list[StaffMember]) -> list[StaffMember]:
    """Those who host elsewhere. Raises BookingError where nobody else could take it."""
    found = [member for member in people if member.video_choice != VideoChoice.PERSONAL]
    if people and not found:
        sentence = _(
            "Video calls of this service take place on personal links, of %(names)s."
            " Send personal_link=true to book one."
        )
        names = ", ".join(member.name for member in people)
        raise BookingError(sentence % {"names": names}, "staff")
    return found
