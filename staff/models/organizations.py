"""Organisations and their locations."""

from __future__ import annotations

from typing import Self, TypeVar
from urllib.parse import urlencode

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from timezone_field import TimeZoneField

from coconut.email_addresses import EmailAddressField
from coconut.fields.one_line_text import OneLineField
from coconut.fields.phone_numbers import PhoneNumberField
from coconut.fields.phone_regions import region_of_zone
from staff.models.addresses import PostalAddress
from staff.sessions.models import DEFAULT_IDLE_MINUTES, IDLE_MINUTES_RANGE
from staff.validators import one_line

M = TypeVar("M", bound=models.Model)


class LockQuerySet(models.QuerySet[M]):
    """Row locks."""

    def lock(self, pk: int | None) -> M:
        """Return the row, locked until the transaction ends. Rows that point at it may still be inserted."""
        return self.select_for_update(no_key=True).get(pk=pk)


class Clock(models.TextChoices):
    """Styles in which pages and emails write the time of day."""

    HOURS_24 = "24", _("24 hours, such as 14:30")
    HOURS_12 = "12", _("12 hours, such as 2:30 PM")


class FirstWeekday(models.IntegerChoices):
    """First day of the week in calendars, as `date.weekday()` counts."""

    MONDAY = 0, _("Monday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class Organization(PostalAddress):
    """A bank, credit union or clinic. Every other row belongs to exactly one of these."""

    name = OneLineField(_("name"), max_length=200, validators=[one_line])
    slug = models.SlugField(unique=True)
    time_zone = TimeZoneField(_("time zone"))
    language = models.CharField(_("language"), max_length=10, default="en")
    clock = models.CharField(_("clock"), max_length=2, choices=Clock, default=Clock.HOURS_24, db_default=Clock.HOURS_24)
    first_weekday = models.PositiveSmallIntegerField(
        _("first day of the week"),
        choices=FirstWeekday,
        default=FirstWeekday.MONDAY,
        db_default=FirstWeekday.MONDAY,
    )
    # "#rrggbb" of the public pages; "" is Coconut's own.
    color = models.CharField(_("colour"), max_length=7, blank=True, default="", db_default="")
    # SHA-256 of the PNG in `Logo`, in hex; "" without a logo.
    logo_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    # Slugs of `staff.addons.AddOn`.
    addons = ArrayField(models.SlugField(), verbose_name=_("add-ons"), default=list, blank=True)
    # A location may have its own number.
    phone = PhoneNumberField(
        _("phone for clients"), max_length=40, blank=True, default="", db_default="", validators=[one_line]
    )
    # A location may have its own.
    reply_to = EmailAddressField(_("email for replies"), blank=True, default="", db_default="")
    # Operators set it after DNS records were published (docs/emails.md). "" is the installation's address.
    sender_email = EmailAddressField(_("sender of emails"), blank=True, default="", db_default="")
    embed_origins = models.TextField(
        _("sites allowed to embed the Client View"), blank=True, help_text=_("One origin a line.")
    )
    # Months after the last appointment, after which a client's data is erased. None keeps it.
    retention_months = models.PositiveSmallIntegerField(null=True, blank=True)
    idle_minutes = models.PositiveSmallIntegerField(
        _("minutes without activity until sign-out"),
        default=DEFAULT_IDLE_MINUTES,
        db_default=DEFAULT_IDLE_MINUTES,
        validators=[MinValueValidator(IDLE_MINUTES_RANGE[0]), MaxValueValidator(IDLE_MINUTES_RANGE[1])],
        help_text=_("For all staff of the organisation: 5 to 720. Everyone is signed out 12 hours after the sign-in."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LockQuerySet["Organization"].as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            models.CheckConstraint(condition=Q(retention_months__range=(1, 600)), name="retention_is_1_to_600_months"),
            models.CheckConstraint(condition=Q(idle_minutes__range=IDLE_MINUTES_RANGE), name="idle_minutes_in_range"),
            models.CheckConstraint(condition=Q(color="") | Q(color__regex="^#[0-9a-f]{6}$"), name="color_is_rrggbb"),
            models.CheckConstraint(condition=Q(first_weekday__in=FirstWeekday.values), name="first_weekday_is_offered"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def phone_region(self) -> str | None:
        """The country of phone numbers that are typed without a country code: of the address, else of the zone."""
        return self.country or region_of_zone(self.time_zone)

    def has_addon(self, slug: str) -> bool:
        """Return whether an operator switched the add-on on."""
        return slug in self.addons


class Logo(models.Model):
    """An organisation's logo, in a table of its own so that rows of organisations stay small."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True, related_name="logo")
    png = models.BinaryField()

    def __str__(self) -> str:
        return self.organization.name


class LocationQuerySet(LockQuerySet["Location"]):
    """Questions about locations."""

    def active(self) -> Self:
        """Return the locations that are offered for new appointments and new staff."""
        return self.filter(active=True)


class Location(PostalAddress):
    """A branch or clinic where appointments take place."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="locations")
    name = OneLineField(_("name"), max_length=200, validators=[one_line])
    # Booked appointments keep an inactive location.
    active = models.BooleanField(_("active"), default=True, db_default=True)
    phone = PhoneNumberField(
        _("phone for clients"), max_length=40, blank=True, default="", db_default="", validators=[one_line]
    )
    reply_to = EmailAddressField(_("email for replies"), blank=True, default="", db_default="")
    time_zone = TimeZoneField(_("time zone"))
    # In degrees, WGS 84.
    latitude = models.DecimalField(_("latitude"), max_digits=8, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True, blank=True)

    objects = LocationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("organization", Lower("name"), name="location_name_once_per_organization"),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None) | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="coordinates_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def map_link(self) -> str:
        """Return the address of a map of the location; "" without coordinates or an address.

        The format is documented at https://developers.google.com/maps/documentation/urls/get-started#search-action.
        """
        place = self.address
        if self.latitude is not None and self.longitude is not None:
            place = f"{self.latitude},{self.longitude}"
        return f"https://www.google.com/maps/search/?{urlencode({'api': 1, 'query': place})}" if place else ""
