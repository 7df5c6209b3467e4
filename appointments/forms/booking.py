"""Booking on the schedule: who, what, how, with whom and when, on one page."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, TypeVar

from django import forms
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.clients import client_with_email, find_clients
from appointments.forms.when import WhenForm, chosen_so_far, is_only_looking
from appointments.models import Client
from appointments.offers import FreeTimes, People, free_times, people_for, why_not
from appointments.refusals import BookingRefused
from services.models import MeetingMethod, Service, ServiceAssignment
from staff.models import StaffMember
from staff.one_line import one_line

NEW_CLIENT = "new"
_CLIENTS_SHOWN = 8
M = TypeVar("M", bound=Model)


class BookingForm(WhenForm):
    """What was chosen narrows what is offered next; the address may bring a person, a day, a time or a client."""

    request_key = forms.CharField(
        max_length=64,
        widget=forms.HiddenInput,
        error_messages={
            name: gettext_lazy("Part of this form was lost. Open it again from the schedule.")
            for name in ("required", "max_length")
        },
    )
    client = forms.CharField(required=False)
    # Words to search with are no part of the booking: whatever stands there never refuses it.
    client_query = forms.Field(required=False)
    new_name = forms.CharField(
        label=gettext_lazy("Name"), required=False, max_length=300, validators=[one_line]
    )
    new_email = forms.EmailField(label=gettext_lazy("Email"), required=False)
    new_phone = forms.CharField(
        label=gettext_lazy("Phone"), required=False, max_length=40, validators=[one_line]
    )
    new_anyway = forms.BooleanField(label=gettext_lazy("Add another client with this email"), required=False)
    service = forms.ModelChoiceField(
        label=gettext_lazy("Service"),
        queryset=Service.objects.none(),
        empty_label=gettext_lazy("Choose a service"),
        error_messages={"required": gettext_lazy("Choose a service.")},
    )
    method = forms.TypedChoiceField(
        label=gettext_lazy("Meeting method"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose a meeting method."),
            "invalid_choice": gettext_lazy(
                "The service is not offered this way. Choose another meeting method."
            ),
        },
    )
    staff = forms.ModelChoiceField(
        label=gettext_lazy("Staff member"),
        queryset=StaffMember.objects.none(),
        empty_label=gettext_lazy("Choose a staff member"),
        error_messages={
            "required": gettext_lazy("Choose a staff member."),
            "invalid_choice": gettext_lazy("This person cannot take the appointment. Choose somebody else."),
        },
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        help_text=gettext_lazy("Only staff see them."),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 3}),
    )
    field_order = (
        "request_key",
        "client",
        "service",
        "method",
        "staff",
        "date",
        "time",
        "outside_hours",
        "notes",
    )

    def __init__(self, *args: Any, actor: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, zone=actor.zone, **kwargs)
        assert actor.organization is not None  # noqa: S101 - only members get here
        self.organization = actor.organization
        self._offer_services()
        self._offer_methods()
        self._offer_staff()

    @classmethod
    def from_request(cls, request: HttpRequest, actor: StaffMember) -> BookingForm:
        """Bound where the form was sent for good, else showing what was chosen so far."""
        if request.method == "POST" and not is_only_looking(request.POST):
            return cls(request.POST, actor=actor)
        initial = {
            "request_key": secrets.token_urlsafe(24),
            "date": timezone.localdate(timezone=actor.zone).isoformat(),
        }
        return cls(initial=initial | chosen_so_far(request.POST or request.GET), actor=actor)

    # --- What is offered ----------------------------------------------------------------------------

    @cached_property
    def clients(self) -> list[Client]:
        """The chosen client, then those the search finds."""
        chosen = [self.chosen_client] if self.chosen_client else []
        words = self.picked("client_query").replace("\0", "")[:200]
        found = find_clients(self.organization, words)[:_CLIENTS_SHOWN] if words else []
        return chosen + [client for client in found if client not in chosen]

    @cached_property
    def chosen_client(self) -> Client | None:
        return _find(Client.objects.filter(organization=self.organization), self.picked("client"))

    @property
    def adds_client(self) -> bool:
        return self.picked("client") == NEW_CLIENT

    @cached_property
    def chosen_service(self) -> Service | None:
        return _find(self._services(), self.picked("service"))

    @cached_property
    def chosen_staff(self) -> StaffMember | None:
        members = StaffMember.objects.select_related("location", "organization")
        return _find(members.filter(organization=self.organization), self.picked("staff"))

    @cached_property
    def methods(self) -> list[int]:
        """How the chosen service is offered to staff, which is every way it is offered at all."""
        if self.chosen_service is None:
            return []
        return list(self.chosen_service.meeting_methods.values_list("method", flat=True))

    @cached_property
    def chosen_method(self) -> int | None:
        """The one that was picked, where the service is offered that way; its only one without asking."""
        picked = self.picked("method")
        return next((m for m in self.methods if str(m) == picked or len(self.methods) == 1), None)

    @cached_property
    def people(self) -> People:
        return people_for(self.organization, self.chosen_service, self.chosen_method)

    @cached_property
    def staff_problem(self) -> str:
        """Why the person who was picked cannot take it."""
        if self.chosen_staff is None or self.chosen_service is None:
            return ""
        return why_not(self.chosen_staff, self.chosen_service, self.people)

    @cached_property
    def times(self) -> FreeTimes | None:
        """When the chosen person can start the chosen service on the chosen day."""
        day = self.picked_date()
        if not (self.chosen_service and self.chosen_staff and day) or self.staff_problem:
            return None
        return free_times(self.chosen_service, self.chosen_staff, day, self.zone)

    # --- What was entered ---------------------------------------------------------------------------

    def clean_client(self) -> Client | None:
        """The chosen client; None for one to be added."""
        if self.adds_client:
            return None
        if self.chosen_client is None:
            raise forms.ValidationError(_("Search for the client and choose them, or add a new client."))
        return self.chosen_client

    def clean(self) -> dict[str, Any]:
        """A new client needs a name, and somebody who has the email already is pointed out once."""
        cleaned = super().clean()
        if not self.adds_client:
            return cleaned
        if not cleaned.get("new_name") and not self.has_error("new_name"):
            self.add_error("new_name", _("Enter the client's name."))
        known = client_with_email(self.organization, cleaned.get("new_email", ""))
        if known is not None and not cleaned.get("new_anyway"):
            self.known_client = known
            self.clients = [known, *(client for client in self.clients if client != known)]
            self.add_error(
                "new_email",
                _("%(name)s has this email already. Choose them above, or add another client.")
                % {"name": known.name},
            )
        return cleaned

    known_client: Client | None = None

    @property
    def asks_to_add_anyway(self) -> bool:
        return self.known_client is not None or bool(self.picked("new_anyway"))

    @property
    def new_client(self) -> dict[str, str]:
        """The client to add, as the model's fields."""
        return {name: self.cleaned_data[f"new_{name}"] for name in ("name", "email", "phone")}

    def refuse_booking(self, refusal: BookingRefused) -> None:
        """Say why beside the field, with what would work instead."""
        field = "new_name" if refusal.field == "client" and self.adds_client else refusal.field
        chosen = self.cleaned_data
        self.refuse(refusal, chosen["staff"], timedelta(minutes=chosen["service"].duration), field=field)

    # --- Narrowing ----------------------------------------------------------------------------------

    def _services(self) -> QuerySet[Service]:
        return Service.objects.filter(organization=self.organization, active=True)

    def _offer_services(self) -> None:
        field = self.fields["service"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells mypy what stands above
        field.queryset = self._services()
        if self.chosen_staff is not None and self.chosen_service is None:
            field.queryset = _provided_first(field.queryset, self.chosen_staff)

    def _offer_methods(self) -> None:
        field = self.fields["method"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [(method, MeetingMethod(method).label) for method in self.methods]
        self.initial["method"] = self.chosen_method

    def _offer_staff(self) -> None:
        field = self.fields["staff"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = StaffMember.objects.filter(pk__in=[member.pk for member in self.people.able])
        field.choices = [("", field.empty_label), *((member.pk, member.name) for member in self.people.able)]


def _find(rows: QuerySet[M], pk: str) -> M | None:
    return rows.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 19 else None


def _provided_first(services: QuerySet[Service], member: StaffMember) -> QuerySet[Service]:
    assigned = Exists(ServiceAssignment.objects.filter(service=OuterRef("pk"), staff=member))
    return services.alias(provided=assigned).order_by("-provided", "name")
