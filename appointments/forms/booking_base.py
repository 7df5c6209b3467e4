"""Fields that all booking forms share: client, service, meeting method and staff member."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Self

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.booking.candidates import StaffCandidates, staff_candidates
from appointments.booking_rules.errors import BookingError
from appointments.forms.client_choice import ClientGroup
from appointments.forms.fields import MeetingMethodField
from appointments.forms.progressive import CompositeForm
from appointments.forms.questions import QuestionsGroup
from appointments.parameters import find_by_id
from integrations.hosting.eligibility import Hosting
from services.models import Service, ServiceAssignment
from services.questions import asked_questions
from staff.models import StaffMember


class BookingBaseForm(CompositeForm):
    """Booking form whose choices narrow the next ones; the query string may preselect any of them.

    `client_group` holds the fields of the client. Subclasses add the date and time.
    """

    request_key = forms.CharField(
        max_length=64,
        widget=forms.HiddenInput,
        error_messages={
            name: gettext_lazy("Part of this form was lost. Open it again.") for name in ("required", "max_length")
        },
    )
    service = forms.ModelChoiceField(
        label=gettext_lazy("Service"),
        queryset=Service.objects.none(),
        empty_label=gettext_lazy("Choose a service"),
        error_messages={"required": gettext_lazy("Choose a service.")},
    )
    method = MeetingMethodField()
    staff = forms.ModelChoiceField(
        label=gettext_lazy("Staff member"),
        queryset=StaffMember.objects.none(),
        empty_label=gettext_lazy("Choose a staff member"),
        error_messages={
            "required": gettext_lazy("Choose a staff member."),
            "invalid_choice": gettext_lazy("This person cannot take the appointment. Choose someone else."),
        },
    )
    # Shown only once the user has read of the client's other appointment.
    client_busy_anyway = forms.BooleanField(label=gettext_lazy("Book anyway"), required=False)
    # Ids of the staff members whose personal links the page names. An unnamed link is never used.
    named_links = forms.CharField(required=False, widget=forms.HiddenInput)
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        help_text=gettext_lazy("Only staff see them."),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, *args: Any, actor: StaffMember, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert actor.organization is not None  # noqa: S101 - only members get here
        self.organization = actor.organization
        self.zone = actor.zone
        self.client_group = ClientGroup(*args, organization=self.organization, **kwargs)
        self.groups.append(self.client_group)
        self._offer_services()
        self.initial["method"] = self.chosen_method
        self._offer_staff()
        wordings = asked_questions(self.chosen_service) if self.chosen_service else []
        self.questions = QuestionsGroup(*args, wordings=wordings, for_client=False, **kwargs)
        self.groups.append(self.questions)

    @classmethod
    def from_request(cls, request: HttpRequest, actor: StaffMember) -> Self:
        """Return a bound form for a final submit, else an unbound one with the choices so far."""
        if request.method == "POST" and not cls.is_preview(request.POST):
            return cls(request.POST, actor=actor)
        initial = {
            "request_key": secrets.token_urlsafe(24),
            "date": timezone.localdate(timezone=actor.zone).isoformat(),
        }
        return cls(initial=initial | cls.choices_so_far(request.POST or request.GET), actor=actor)

    # --- Choices ------------------------------------------------------------------------------------

    @cached_property
    def chosen_service(self) -> Service | None:
        return find_by_id(self._services(), self.picked("service"))

    @cached_property
    def chosen_staff(self) -> StaffMember | None:
        members = StaffMember.objects.select_related("location", "organization")
        return find_by_id(members.filter(organization=self.organization), self.picked("staff"))

    @cached_property
    def methods(self) -> list[int]:
        field = self.fields["method"]
        assert isinstance(field, MeetingMethodField)  # noqa: S101 - narrows the type for mypy
        return field.offer(self.chosen_service)

    @cached_property
    def chosen_method(self) -> int | None:
        """Return the picked method if the service offers it. A single method needs no pick."""
        picked = self.picked("method")
        return next((m for m in self.methods if str(m) == picked or len(self.methods) == 1), None)

    @cached_property
    def people(self) -> StaffCandidates:
        return staff_candidates(self.organization, self.chosen_service, self.chosen_method)

    @cached_property
    def staff_problem(self) -> str:
        """Return why the picked staff member can't take the appointment; empty if they can."""
        chosen, service = self.chosen_staff, self.chosen_service
        if chosen is None or service is None or chosen.pk in self.people.able:
            return ""
        reasons = {member.pk: reason.sentence for member, reason in self.people.unable}
        names = {"name": chosen.name, "service": service.name}
        return reasons.get(chosen.pk) or _("%(name)s does not provide “%(service)s”.") % names

    @cached_property
    def personal(self) -> list[tuple[StaffMember, Hosting]]:
        """Return the staff members, limited to the chosen one, whose video calls use a personal link."""
        chosen = self.chosen_staff
        return [(member, hosting) for member, hosting in self.people.personal if chosen in (None, member)]

    @property
    def links_to_name(self) -> str:
        """Return the next value of `named_links`: the ids of the staff members in `personal`."""
        return " ".join(str(member.pk) for member, _hosting in self.personal)

    # --- Input --------------------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        """Refuse a personal link that the page didn't name, so that the user confirms it."""
        cleaned = super().clean() or self.cleaned_data
        named = self.picked("named_links").split()
        for member, _hosting in self.personal:
            if str(member.pk) not in named and not self.has_error("staff"):
                sentence = _("%(name)s takes video calls on a personal link. Press Book again if that is right.")
                self.add_error("staff", sentence % {"name": member.name})
        return cleaned

    @property
    def starts_at(self) -> datetime:
        """Return the start. Each subclass has its own fields for it."""
        raise NotImplementedError

    def booking(self, actor: StaffMember) -> dict[str, Any]:
        """Return arguments for `book_for`, without the staff member."""
        chosen = self.cleaned_data
        return {
            "organization": self.organization,
            "client": self.client_group.client_or_new(),
            "service": chosen["service"],
            "method": chosen["method"],
            "starts_at": self.starts_at,
            "request_key": chosen["request_key"],
            "internal_note": chosen["notes"],
            "answers": self.questions.answers,
            "client_must_be_free": not chosen["client_busy_anyway"],
            "actor": actor,
        }

    @property
    def asks_to_book_anyway(self) -> bool:
        return bool(self.has_error("client_busy_anyway") or self.picked("client_busy_anyway"))

    def add_booking_error(self, error: BookingError) -> None:
        """Show why the booking failed, next to the field that must change."""
        raise NotImplementedError

    def error_field(self, error: BookingError, *, start: str) -> str | None:
        """Return the field that shows the error; `start` is the field of the time."""
        client = "new_name" if self.client_group.adds_client else "client"
        return self.field_or_none({"starts_at": start, "client": client}.get(error.field, error.field))

    # --- Narrowing ----------------------------------------------------------------------------------

    def _services(self) -> QuerySet[Service]:
        return self.organization.services.active()

    def _offer_services(self) -> None:
        field = self.fields["service"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - narrows the type for mypy
        field.queryset = self._services()
        if self.chosen_staff is not None and self.chosen_service is None:
            field.queryset = _provided_first(field.queryset, self.chosen_staff)

    def _offer_staff(self) -> None:
        field = self.fields["staff"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = StaffMember.objects.filter(pk__in=self.people.able.pks)
        field.choices = [("", field.empty_label), *((member.pk, member.name) for member in self.people.able)]
        if self.staff_problem:
            field.error_messages["invalid_choice"] = self.staff_problem


def _provided_first(services: QuerySet[Service], member: StaffMember) -> QuerySet[Service]:
    assigned = Exists(ServiceAssignment.objects.filter(service=OuterRef("pk"), staff=member))
    return services.alias(provided=assigned).order_by("-provided", "name")
