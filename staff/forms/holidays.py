"""Forms of public holidays: the country and region, and the holidays of a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staff.closings.holiday_calendars import HolidayChoice
from staff.closings.holiday_dates import Holiday, countries, country_name, holidays_of, region_name
from staff.models import Location

_YEARS_AHEAD = 5


class HolidayRegionForm(forms.Form):
    """The country, region and year to preview. Without them, those of `choice` or of the address."""

    country = forms.ChoiceField(label=_("Country"), required=False)
    region = forms.ChoiceField(label=_("Region"), required=False)
    year = forms.TypedChoiceField(label=_("Year"), coerce=int, required=False)

    def __init__(self, data: Mapping[str, Any], *, choice: HolidayChoice, location: Location) -> None:
        today = timezone.localdate(timezone=location.time_zone)
        codes = countries()
        country = data.get("country", choice.country or location.country)
        self.chosen_country = country if country in codes else ""
        regions = codes.get(self.chosen_country, ())
        wanted = data.get("region", choice.region if self.chosen_country == choice.country else location.region)
        self.chosen_region = wanted if wanted in regions else ""
        years = range(today.year, today.year + _YEARS_AHEAD + 1)
        year = data.get("year", "")
        self.chosen_year = int(year) if year in map(str, years) else self._year_of_next_holiday(today)
        super().__init__(
            initial={"country": self.chosen_country, "region": self.chosen_region, "year": self.chosen_year}
        )
        names = sorted(((code, country_name(code)) for code in codes), key=lambda pair: pair[1])
        self._offer("country", [("", _("No public holidays")), *names])
        self._offer("region", [("", _("Whole country")), *((code, region_name(country, code)) for code in regions)])
        self._offer("year", [(year, str(year)) for year in years])
        if not regions:
            self.fields["region"].widget = forms.HiddenInput()

    @property
    def holidays(self) -> list[Holiday]:
        """Return the holidays of the year; none without a country."""
        return holidays_of(self.chosen_country, self.chosen_region, self.chosen_year) if self.chosen_country else []

    def _year_of_next_holiday(self, today: date) -> int:
        """Return this year, or the next one if all holidays of this year are over."""
        this_year = holidays_of(self.chosen_country, self.chosen_region, today.year)
        return today.year + (bool(this_year) and this_year[-1].date < today)

    def _offer(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


class HolidaysForm(forms.Form):
    """The holidays of a previewed year that close the locations, and the locations that observe them."""

    closed = forms.MultipleChoiceField(label=_("Closed on"), required=False, widget=forms.CheckboxSelectMultiple)
    all_methods = forms.BooleanField(
        label=_("Also phone and video"),
        help_text=_("Otherwise, only appointments at the location are stopped."),
        required=False,
    )
    locations = forms.ModelMultipleChoiceField(
        label=_("Locations"),
        queryset=Location.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one location.")},
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        region: HolidayRegionForm,
        choice: HolidayChoice,
        location: Location,
        locations: Sequence[Location],
    ) -> None:
        self.region = region
        is_same = (region.chosen_country, region.chosen_region) == (choice.country, choice.region)
        self._switched_off = set(choice.switched_off) if is_same else set()
        # A holiday and the day on which it is observed share a key.
        self.keys = {holiday.key for holiday in region.holidays}
        super().__init__(
            data,
            initial={
                "closed": sorted(self.keys - self._switched_off),
                "all_methods": choice.all_methods,
                "locations": [location.pk],
            },
        )
        self.fields["closed"].choices = [(key, key) for key in sorted(self.keys)]  # type: ignore[attr-defined]
        field = self.fields["locations"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 - narrows the type for mypy
        field.queryset = Location.objects.filter(pk__in=[each.pk for each in locations])

    @property
    def days(self) -> list[tuple[Holiday, bool]]:
        """Return each holiday of the year, and whether it closes the locations."""
        closed = set(self["closed"].value() or [])
        return [(holiday, holiday.key in closed) for holiday in self.region.holidays]

    @property
    def choice(self) -> HolidayChoice:
        """Return the submitted choice. Holidays of other years stay as they are."""
        region, given = self.region, self.cleaned_data
        switched_off = (self._switched_off - self.keys) | (self.keys - set(given["closed"]))
        return HolidayChoice(region.chosen_country, region.chosen_region, given["all_methods"], sorted(switched_off))
