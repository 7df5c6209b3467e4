"""What every booking form asks: for whom, what, how and with whom. When is up to each."""

from __future__ import annotations

import secrets
from typing import Any, Self

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.booking.candidates import StaffCandidates, staff_candidates, why_not
from appointments.booking_rules.errors import BookingError
from appointments.forms.client_choice import ClientChoice, find
from appointments.forms.progressive import chosen_so_far, is_only_looking
from integrations.hosting.eligibility import Hosting
from services.models import MeetingMethod, Service, ServiceAssignment
from staff.models import StaffMember


class BookingBaseForm(ClientChoice):
    """What was chosen narrows what is offered next; the address may bring any of the choices."""

    request_key = forms.CharField(
        max_length=64,
        widget=forms.HiddenInput,
        error_messages={
            name: gettext_lazy("Part of this form was lost. Open it again.")
            for name in ("required", "max_length")
        },
    )
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
    # Whose personal links the page names: one that it did not name is never used.
    told = forms.CharField(required=False, widget=forms.HiddenInput)
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        help_text=gettext_lazy("Only staff see them."),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, *args: Any, actor: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, zone=actor.zone, **kwargs)
        assert actor.organization is not None  # noqa: S101 - only members get here
        self.organization = actor.organization
        self._offer_services()
        self._offer_methods()
        self._offer_staff()

    @classmethod
    def from_request(cls, request: HttpRequest, actor: StaffMember) -> Self:
        """Bound where the form was sent for good, else showing what was chosen so far."""
        if request.method == "POST" and not cls.only_looks(request.POST):
            return cls(request.POST, actor=actor)
        initial = {
            "request_key": secrets.token_urlsafe(24),
            "date": timezone.localdate(timezone=actor.zone).isoformat(),
        }
        return cls(initial=initial | cls.so_far(request.POST or request.GET), actor=actor)

    @classmethod
    def only_looks(cls, sent: QueryDict) -> bool:
        """Whether the form was sent to see what the choices leave."""
        return is_only_looking(sent)

    @classmethod
    def so_far(cls, sent: QueryDict) -> dict[str, str]:
        """What was chosen until now, by field."""
        return chosen_so_far(sent)

    # --- What is offered ----------------------------------------------------------------------------

    @cached_property
    def chosen_service(self) -> Service | None:
        return find(self._services(), self.picked("service"))

    @cached_property
    def chosen_staff(self) -> StaffMember | None:
        members = StaffMember.objects.select_related("location", "organization")
        return find(members.filter(organization=self.organization), self.picked("staff"))

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
    def people(self) -> StaffCandidates:
        return staff_candidates(self.organization, self.chosen_service, self.chosen_method)

    @cached_property
    def staff_problem(self) -> str:
        """Why the person who was picked cannot take it."""
        if self.chosen_staff is None or self.chosen_service is None:
            return ""
        return why_not(self.chosen_staff, self.chosen_service, self.people)

    @cached_property
    def personal(self) -> list[tuple[StaffMember, Hosting]]:
        """Whose personal link a video call would take place on: the chosen person's, or anybody's."""
        chosen = self.chosen_staff
        return [(member, hosting) for member, hosting in self.people.personal if chosen in (None, member)]

    @property
    def personal_pks(self) -> set[int]:
        """The ids of those."""
        return {member.pk for member, _hosting in self.personal}

    @property
    def tells(self) -> str:
        """What `told` says the next time: the personal links that this page names."""
        return " ".join(map(str, self.personal_pks))

    # --- What was entered ---------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        """A personal link that the page did not name is named first."""
        cleaned = super().clean()
        told = self.picked("told").split()
        for member, _hosting in self.personal:
            if str(member.pk) not in told and not self.has_error("staff"):
                sentence = _(
                    "%(name)s takes video calls on a personal link. Press Book again if that is right."
                )
                self.add_error("staff", sentence % {"name": member.name})
        return cleaned

    def wish(self, actor: StaffMember) -> dict[str, Any]:
        """What to book, as `book_for` and both ways of booking take it; when and with whom is up to each form."""
        chosen = self.cleaned_data
        return {
            "organization": self.organization,
            "client": chosen["client"] or self.new_client,
            "service": chosen["service"],
            "method": chosen["method"],
            "starts_at": chosen["starts_at"],
            "request_key": chosen["request_key"],
            "internal_note": chosen["notes"],
            "actor": actor,
        }

    def add_booking_error(self, refusal: BookingError) -> None:
        """Say why it was not booked, beside what must be another one."""
        raise NotImplementedError

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
        if self.staff_problem:
            field.error_messages["invalid_choice"] = self.staff_problem


def _provided_first(services: QuerySet[Service], member: StaffMember) -> QuerySet[Service]:
    assigned = Exists(ServiceAssignment.objects.filter(service=OuterRef("pk"), staff=member))
    return services.alias(provided=assigned).order_by("-provided", "name")
