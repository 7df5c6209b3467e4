"""Postal addresses in parts."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from coconut.countries import country_choices, country_names
from coconut.fields.one_line_text import OneLineField
from staff.validators import one_line

#: The fields of an address, in the order of a form.
ADDRESS_FIELDS: Final = ("street", "city", "region", "postal_code", "country")

# Countries that write the postal code after the city (Universal Postal Union, "Postal addressing systems").
_POSTAL_CODE_AFTER_CITY: Final = frozenset({"", "AU", "CA", "GB", "IE", "IN", "NZ", "US", "ZA"})


class PostalAddress(models.Model):
    """An address in parts, any of which may be empty. `country` is an ISO 3166 code, such as "CA"."""

    street = OneLineField(
        _("street and number"), max_length=300, blank=True, default="", db_default="", validators=[one_line]
    )
    city = OneLineField(_("city"), max_length=100, blank=True, default="", db_default="", validators=[one_line])
    region = OneLineField(
        _("province, state or region"), max_length=100, blank=True, default="", db_default="", validators=[one_line]
    )
    postal_code = OneLineField(
        _("postal code"), max_length=20, blank=True, default="", db_default="", validators=[one_line]
    )
    country = models.CharField(
        _("country"), max_length=2, choices=country_choices, blank=True, default="", db_default=""
    )

    class Meta:
        abstract = True

    @property
    def address_lines(self) -> list[str]:
        """Return the lines of the address, such as on a letter; an empty list without an address.

        A country alone isn't an address.
        """
        lines = [line for line in (self.street, *self._city_lines) if line]
        return [*lines, *filter(None, [country_names().get(self.country, "")])] if lines else []

    @property
    def address(self) -> str:
        """Return the address on one line; "" without an address."""
        return ", ".join(self.address_lines)

    @property
    def _city_lines(self) -> list[str]:
        if self.country in _POSTAL_CODE_AFTER_CITY:
            return [_joined(", ", self.city, _joined(" ", self.region, self.postal_code))]
        return [_joined(" ", self.postal_code, self.city), self.region]


def _joined(separator: str, *parts: str) -> str:
    return separator.join(filter(None, parts))
