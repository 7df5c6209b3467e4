"""Organisations and their locations."""

from __future__ import annotations

from typing import TypeVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from timezone_field import TimeZoneField

from coconut.fields.one_line_text import OneLineField
from coconut.fields.phone_numbers import PhoneNumberField
from coconut.fields.phone_regions import region_of_zone
from staff.sessions.models import DEFAULT_IDLE_MINUTES, IDLE_MINUTES_RANGE
from staff.validators import one_line

M = TypeVar("M", bound=models.Model)


class LockQuerySet(models.QuerySet[M]):
    """Row locks."""

    def lock(self, pk: int | None) -> M:
        """Return the row, locked until the transaction ends. Rows that point at it may still be inserted."""
        return self.select_for_update(no_key=True).get(pk=pk)


class Organization(models.Model):
    """A bank, credit union or clinic. Every other row belongs to exactly one of these."""

    name = OneLineField(_("name"), max_length=200, validators=[one_line])
    slug = models.SlugField(unique=True)
    time_zone = TimeZoneField(_("time zone"), default="UTC")
    language = models.CharField(_("language"), max_length=10, default="en")
    # Slugs of `staff.addons.AddOn`.
    addons = ArrayField(models.SlugField(), verbose_name=_("add-ons"), default=list, blank=True)
    # A location may have its own number.
    phone = PhoneNumberField(
        _("phone for clients"), max_length=40, blank=True, default="", db_default="", validators=[one_line]
    )
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
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def phone_region(self) -> str | None:
        """The country of phone numbers that are typed without a country code, by the organisation's time zone."""
        return region_of_zone(self.time_zone)

    def has_addon(self, slug: str) -> bool:
        """Return whether an operator switched the add-on on."""
        return slug in self.addons


class Location(models.Model):
    """A branch or clinic where appointments take place."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="locations")
    name = OneLineField(_("name"), max_length=200, validators=[one_line])
    address = OneLineField(_("address"), max_length=300, blank=True, validators=[one_line])
    phone = PhoneNumberField(
        _("phone for clients"), max_length=40, blank=True, default="", db_default="", validators=[one_line]
    )
    time_zone = TimeZoneField(_("time zone"), default="UTC")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("organization", Lower("name"), name="location_name_once_per_organization")
        ]

    def __str__(self) -> str:
        return self.name
