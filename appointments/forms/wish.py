"""A booking in one request: everything at once, by ids, as a script or another program sends it."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.anyone import book_with_anyone
from appointments.booking import book_appointment
from appointments.models import Appointment, BookedThrough, Client
from appointments.offers import able_people
from services.models import MeetingMethod, Service, ServiceAssignment
from staff.models import StaffMember

_LARGEST_ID: Final = 2**63 - 1


def _id_field(*, required: bool = True) -> forms.IntegerField:
    return forms.IntegerField(min_value=1, max_value=_LARGEST_ID, required=required)


class WishForm(forms.Form):
    """Of the organisation of `actor`. Without `staff`, whoever is free then takes it.

    `starts_at` is ISO 8601; without an offset it is meant by the clock of the actor.
    """

    service = _id_field()
    method = forms.TypedChoiceField(coerce=int, choices=MeetingMethod.choices)
    staff = _id_field(required=False)
    client = _id_field()
    starts_at = forms.DateTimeField()
    outside_hours = forms.BooleanField(required=False)
    request_key = forms.CharField(
        max_length=64, error_messages={"required": gettext_lazy("Send a new random key with each booking.")}
    )
    client_note = forms.CharField(max_length=5000, required=False)
    internal_note = forms.CharField(max_length=5000, required=False)

    def __init__(self, *args: Any, actor: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor

    def clean(self) -> dict[str, Any]:
        """Replaces ids by rows; two queries where all of it is there."""
        chosen = super().clean() or self.cleaned_data
        if not self.errors:
            chosen |= self._client() | (self._service_and_staff() if chosen["staff"] else self._service())
        return chosen

    def book(self, through: BookedThrough) -> Appointment:
        """Book what was entered; raises as `book_appointment`."""
        booking = {
            **self.cleaned_data,
            "organization": self.actor.organization,
            "actor": self.actor,
            "through": through,
        }
        if booking["staff"] is not None:
            return book_appointment(**booking)
        del booking["staff"]
        people = able_people(booking["service"], booking["method"])
        return book_with_anyone(people=people, **booking)

    def _client(self) -> dict[str, Any]:
        return self._found("client", Client.objects.filter(organization=self.actor.organization_id))

    def _service(self) -> dict[str, Any]:
        return self._found("service", Service.objects.filter(organization=self.actor.organization_id))

    def _service_and_staff(self) -> dict[str, Any]:
        """Both at once where the one provides the other, as they nearly always do; else why not is found out later."""
        assignments = ServiceAssignment.objects.filter(
            service=self.cleaned_data["service"],
            staff=self.cleaned_data["staff"],
            service__organization=self.actor.organization_id,
            staff__organization=self.actor.organization_id,
        )
        # The staff member is looked at again under the lock: here, only what says who that is.
        names = [
            f"staff__{name}" for name in ("organization", "first_name", "last_name", "email", "time_zone")
        ]
        assignments = assignments.select_related("service", "staff__location")
        for assignment in assignments.only("service", "staff__location", *names):
            return {"service": assignment.service, "staff": assignment.staff}
        people = StaffMember.objects.filter(organization=self.actor.organization_id)
        return self._service() | self._found("staff", people)

    def _found(self, name: str, rows: QuerySet[Any]) -> dict[str, Any]:
        """The row of the id that was sent; where there is none, an error and None. In no order, which would cost."""
        row = next(iter(rows.order_by().filter(pk=self.cleaned_data[name])), None)
        if row is None:
            self.add_error(name, _("That choice is not available here. Choose another one."))
        return {name: row}
