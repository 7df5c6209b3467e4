"""Forms of locations, and the filter of their list."""

from __future__ import annotations

from copy import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.db import IntegrityError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coconut.countries import country_of_zone
from coconut.fields.phone_numbers import set_phone_region
from coconut.fields.phone_regions import region_of_zone
from staff.forms.people import ACTIVE
from staff.locations.notices import consequences
from staff.locations.saving import DETAILS, save_location
from staff.models import Location, Organization
from staff.planned_changes import Cause, PlannedChange

if TYPE_CHECKING:
    LocationModelForm = forms.ModelForm[Location]
else:
    LocationModelForm = forms.ModelForm

# About 10 centimetres.
_PRECISION: Final = Decimal("0.000001")


class LocationFilter(forms.Form):
    """Search and filter of the list of locations. Invalid values are ignored."""

    q = forms.CharField(label=_("Search"), required=False, max_length=200)
    active = forms.ChoiceField(
        label=_("Active or inactive"),
        required=False,
        choices=[("", _("Active and inactive")), ("active", _("Active")), ("inactive", _("Inactive"))],
    )

    @property
    def criteria(self) -> dict[str, Any]:
        """Return the arguments of `search_locations`."""
        self.is_valid()
        active = ACTIVE.get(self.cleaned_data.get("active", ""))
        return {"words": self.cleaned_data.get("q", ""), "active": active}


class CoordinateField(forms.DecimalField):
    """Degrees, rounded to the digits that are stored. A typographic minus sign counts as one."""

    def __init__(self, limit: int, **options: Any) -> None:
        super().__init__(min_value=-limit, max_value=limit, required=False, widget=forms.TextInput(), **options)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def clean(self, value: Any) -> Decimal | None:
        """Raises ValidationError for other text, and for degrees that no place on Earth has."""
        number: Decimal | None = super().clean(str(value).replace("−", "-") if value else value)
        return None if number is None else number.quantize(_PRECISION)


class LocationForm(LocationModelForm):
    """Add or edit `instance`, whose organisation is set."""

    latitude = CoordinateField(
        90, label=_("Latitude"), help_text=_("In degrees, such as 43.6847. A map shows both if you click a place.")
    )
    longitude = CoordinateField(180, label=_("Longitude"), help_text=_("In degrees, such as -79.2996."))
    # Only shown if there is something to confirm.
    confirmed = forms.BooleanField(label=_("Save it anyway"), required=False)

    class Meta:
        model = Location
        fields = DETAILS
        help_texts = {
            "phone": _("Leave empty to use the organisation’s."),
            "reply_to": _("Answers to emails about appointments here. Leave empty to use the organisation’s."),
            "time_zone": _(
                "Opening hours, and the working hours of staff without a zone of their own, are meant in it."
            ),
            "active": _("New appointments and new staff can only be at an active location. What is booked stays."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_phone_region(self, region_of_zone(self["time_zone"].value()))
        self._stored = copy(self.instance)
        set_phone_region(self, self["country"].value(), region_of_zone(self["time_zone"].value()))
        self.notices: list[str] = []

    @classmethod
    def for_new(cls, data: Any, organization: Organization) -> LocationForm:
        """Return a form for a new location, with the organisation's zone and country."""
        zone = organization.time_zone
        country = organization.country or country_of_zone(zone.key)
        return cls(data, instance=Location(organization=organization, time_zone=zone, country=country))

    def clean_name(self) -> str:
        """Check that the name is unique in the organisation, compared without case."""
        name: str = self.cleaned_data["name"]
        others = Location.objects.filter(organization=self.instance.organization).exclude(pk=self.instance.pk)
        if others.filter(name__iexact=name).exists():
            raise forms.ValidationError(gettext("Another location has this name. Choose a different one."))
        return name

    def clean(self) -> dict[str, Any]:
        """Check that coordinates are a pair, and that an admin confirmed the consequences."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_coordinates(cleaned)
        if self.instance.pk is not None and not self.errors:
            self.notices = consequences(self._stored, self._changed(cleaned))
            if self.notices and not cleaned.get("confirmed"):
                self.add_error("confirmed", gettext("Tick this if it is what you want. Nothing is saved yet."))
        return cleaned

    def _check_coordinates(self, cleaned: dict[str, Any]) -> None:
        for given, missing in (("latitude", "longitude"), ("longitude", "latitude")):
            if cleaned.get(given) is not None and missing in cleaned and cleaned[missing] is None:
                self.add_error(missing, gettext("Enter both coordinates, or neither."))

    def _changed(self, cleaned: dict[str, Any]) -> Location:
        changed = copy(self._stored)
        changed.time_zone, changed.active = cleaned["time_zone"], cleaned["active"]
        return changed

    def planned_changes(self) -> list[PlannedChange]:
        """Return what the saved change takes away from booked appointments."""
        organization = self.instance.organization
        changes = []
        if self._stored.active and not self.instance.active:
            changes.append(PlannedChange(organization, Cause.LOCATION_CLOSED, location=self.instance.pk))
        if self._stored.time_zone != self.instance.time_zone:
            changes.append(PlannedChange(organization, Cause.OUTSIDE_HOURS))
        return changes

    def save_or_explain(self) -> bool:
        """Save the location. Return False, with an error on the form, if its name was taken meanwhile."""
        try:
            save_location(self.instance)
        except IntegrityError:
            # The other row is committed now, so validation finds it.
            self.full_clean()
            if not self.errors:
                raise
        return not self.errors
