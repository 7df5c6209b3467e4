"""Forms of services, their meeting methods, and their assignments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import IntegrityError
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from services.catalog import save_service
from services.models import MeetingMethod, OfferedTo, Service, ServiceAssignment
from staff.forms.people import ACTIVE
from staff.models import Location, Organization, StaffMember
from staff.planned_changes import Cause, PlannedChange

if TYPE_CHECKING:
    ServiceModelForm = forms.ModelForm[Service]
else:
    ServiceModelForm = forms.ModelForm

PROVIDES = {"yes": True, "no": False}


class ServiceFilter(forms.Form):
    """Search and filter of the list of services. Invalid values are ignored."""

    q = forms.CharField(label=_("Search"), required=False, max_length=200)
    active = forms.ChoiceField(
        label=_("Active or inactive"),
        required=False,
        choices=[("", _("Active and inactive")), ("active", _("Active")), ("inactive", _("Inactive"))],
    )

    @property
    def criteria(self) -> dict[str, Any]:
        """Return the arguments of `catalog.search`."""
        self.is_valid()
        return {
            "words": self.cleaned_data.get("q", ""),
            "active": ACTIVE.get(self.cleaned_data.get("active", "")),
        }


class ProviderFilter(forms.Form):
    """Search and filter of the staff members who may provide a service. Invalid values are ignored."""

    q = forms.CharField(label=_("Search"), required=False, max_length=200)
    provides = forms.ChoiceField(
        label=_("Who is shown"),
        required=False,
        choices=[("", _("Everybody")), ("yes", _("Provides it")), ("no", _("Does not provide it"))],
    )

    @property
    def words(self) -> str:
        self.is_valid()
        return str(self.cleaned_data.get("q", ""))

    @property
    def wanted(self) -> dict[str, bool]:
        """Return the lookups on `provides`; none for all staff members."""
        self.is_valid()
        choice = PROVIDES.get(self.cleaned_data.get("provides", ""))
        return {} if choice is None else {"provides": choice}


class ServiceForm(ServiceModelForm):
    """Add or edit `instance`, whose organisation is set."""

    class Meta:
        model = Service
        fields = [
            "name",
            "category",
            "description",
            "duration",
            "buffer_before",
            "buffer_after",
            "adjustable_length",
            "minimum_notice",
            "booking_horizon_days",
            "start_step",
            "move_notice",
            "cancel_notice",
            "most_per_client_and_day",
            "most_upcoming_per_client",
            "most_per_person_and_day",
            "confirmation_text",
            "active",
            "public",
        ]
        widgets = {
            "category": forms.TextInput(attrs={"list": "categories", "autocomplete": "off"}),
            "description": forms.Textarea(attrs={"rows": 3}),
            "confirmation_text": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {
            "category": _("Services of one category stand together in lists."),
            "description": _("Clients read this when they choose a service."),
            "duration": _("How long the appointment takes."),
            "buffer_before": _("Kept free before each appointment, to prepare."),
            "buffer_after": _("Kept free after each appointment, to follow up."),
            "adjustable_length": _("On the Schedule, an appointment can be made longer or shorter."),
            "minimum_notice": _("How long before its start a time can still be booked by clients. 1440 is a day."),
            "booking_horizon_days": _("How far ahead times are offered."),
            "start_step": _("When offered times start. Staff may book at any other time."),
            "move_notice": _(
                "How long before the start clients can still move. 1440 is a day. Empty: until it starts."
            ),
            "cancel_notice": _("The same for cancelling. Staff can always move and cancel."),
            "most_per_client_and_day": _("Counts what a client books on the booking page, by email address."),
            "most_upcoming_per_client": _("Counts in the same way, over all days to come."),
            "most_per_person_and_day": _("Counts all bookings. Staff can book above the limit."),
            "confirmation_text": _(
                "Clients read this after booking, in their emails and in their calendar entry, such as what to bring."
            ),
            "active": _("A service that is not active cannot be booked; what was booked stays."),
            "public": _("Unticked, only schedulers, admins and staff book it."),
        }

    def clean_name(self) -> str:
        """Check that the name is unique in the organisation, compared without case."""
        name: str = self.cleaned_data["name"]
        others = self.instance.organization.services.exclude(pk=self.instance.pk)
        if others.filter(name__iexact=name).exists():
            raise forms.ValidationError(gettext("There is already a service of this name."))
        return name

    def planned_changes(self) -> list[PlannedChange]:
        """Return that the saved service was switched off, if it was."""
        service = self.instance
        change = PlannedChange(service.organization, Cause.SERVICE_OFF, services=(service.pk,))
        return [change] if "active" in self.changed_data and not service.active else []

    def save_or_explain(self) -> bool:
        """Save the service. Return False, with an error on the form, if the name was taken meanwhile."""
        try:
            save_service(self.instance, self._meta.fields)  # type: ignore[arg-type]
        except IntegrityError:
            # The other service is committed now, so validation finds it.
            self.full_clean()
            if not self.errors:
                raise
        return not self.errors


@dataclass(frozen=True)
class MethodRow:
    """Fields of one meeting method in the fieldset *Meeting Method*."""

    ticked: BoundField
    offered_to: BoundField


class MeetingMethodForm(forms.Form):
    """A checkbox and a select (offered to) for each meeting method."""

    def __init__(self, *args: Any, offers: dict[MeetingMethod, OfferedTo], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for method in MeetingMethod:
            self.fields[f"method_{method.value}"] = forms.BooleanField(
                label=method.label, required=False, initial=method in offers
            )
            self.fields[f"offered_to_{method.value}"] = _offered_to(method, offers.get(method))

    @property
    def rows(self) -> list[MethodRow]:
        return [MethodRow(self[f"method_{m.value}"], self[f"offered_to_{m.value}"]) for m in MeetingMethod]

    @property
    def offers(self) -> dict[MeetingMethod, OfferedTo]:
        """Return the ticked methods. By default they are offered to staff and clients."""
        return {
            method: OfferedTo(self.cleaned_data[f"offered_to_{method.value}"] or OfferedTo.STAFF_AND_CLIENTS.value)
            for method in MeetingMethod
            if self.cleaned_data[f"method_{method.value}"]
        }


def _offered_to(method: MeetingMethod, present: OfferedTo | None) -> forms.ChoiceField:
    choices = [OfferedTo.STAFF_AND_CLIENTS, OfferedTo.STAFF]
    return forms.ChoiceField(
        label=gettext("%(method)s is offered to") % {"method": method.label},
        required=False,
        choices=[(choice.value, choice.label) for choice in choices],
        initial=(present or OfferedTo.STAFF_AND_CLIENTS).value,
    )


class ProvidersForm(forms.Form):
    """The staff members shown on one page, and those of them who provide the service."""

    shown = forms.ModelMultipleChoiceField(StaffMember.objects.none(), required=False)
    people = forms.ModelMultipleChoiceField(StaffMember.objects.none(), required=False)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("shown", "people"):
            self.fields[name].queryset = organization.staff.all()  # type: ignore[attr-defined]


class ServicesOfPersonForm(forms.Form):
    """The services that a staff member provides."""

    services = forms.ModelMultipleChoiceField(Service.objects.none(), required=False)

    def __init__(self, data: Any, *, organization: Organization, provided: Iterable[int]) -> None:
        super().__init__(data, initial={"services": list(provided)})
        self.fields["services"].queryset = organization.services.by_category()  # type: ignore[attr-defined]

    @property
    def ticked(self) -> set[str]:
        """Return the ids of the ticked services, as submitted or as stored."""
        return {str(value) for value in self["services"].value() or []}


class PlacesForm(forms.Form):
    """The locations at which a person provides each of their services, a field per assignment."""

    def __init__(
        self, data: Any, *, assignments: Sequence[ServiceAssignment], places: Sequence[Location], **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        everywhere = [location.pk for location in places]
        for assignment in assignments:
            field = forms.ModelMultipleChoiceField(
                label=assignment.service.name,
                queryset=Location.objects.filter(pk__in=everywhere),
                widget=forms.CheckboxSelectMultiple,
                initial=[location.pk for location in assignment.locations.all()] or everywhere,
                error_messages={"required": _("Choose at least one location, or untick the service above.")},
            )
            self.fields[f"places_{assignment.pk}"] = field
        self._assignments = assignments

    @property
    def chosen(self) -> dict[int, list[Location]]:
        """Return the ticked locations by pk of the assignment."""
        return {each.pk: list(self.cleaned_data[f"places_{each.pk}"]) for each in self._assignments}
