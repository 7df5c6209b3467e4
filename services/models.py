"""Services, the meeting methods each is offered in, and the staff who provide it."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from staff.models import Organization, StaffMember
from staff.validators import one_line


class MeetingMethod(models.IntegerChoices):
    AT_LOCATION = 1, _("At location")
    PHONE = 2, _("Phone Call")
    VIDEO = 3, _("Video Call")
    OFF_SITE = 4, _("Off-site")


class OfferedTo(models.TextChoices):
    STAFF = "staff", _("Staff only")
    STAFF_AND_CLIENTS = "staff_and_clients", _("Staff and clients")


class Service(models.Model):
    """Something clients book, such as a mortgage review. Lengths of time are whole minutes unless named otherwise."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="services")
    name = models.CharField(_("name"), max_length=200, validators=[one_line])
    category = models.CharField(_("category"), max_length=100, blank=True, validators=[one_line])
    description = models.TextField(_("description"), blank=True)
    duration = models.PositiveSmallIntegerField(
        _("duration (minutes)"), default=30, validators=[MinValueValidator(5), MaxValueValidator(24 * 60)]
    )
    buffer_before = models.PositiveSmallIntegerField(
        _("buffer before (minutes)"), default=0, validators=[MaxValueValidator(240)]
    )
    buffer_after = models.PositiveSmallIntegerField(
        _("buffer after (minutes)"), default=0, validators=[MaxValueValidator(240)]
    )
    adjustable_length = models.BooleanField(
        _("staff may change the length of an appointment"), default=False, db_default=False
    )
    minimum_notice = models.PositiveIntegerField(
        _("minimum notice (minutes)"), default=0, validators=[MaxValueValidator(60 * 24 * 90)]
    )
    booking_horizon_days = models.PositiveSmallIntegerField(
        _("booking horizon (days)"), default=90, validators=[MinValueValidator(1), MaxValueValidator(730)]
    )
    active = models.BooleanField(_("active"), default=True)
    public = models.BooleanField(_("bookable by clients"), default=True)
    staff = models.ManyToManyField(StaffMember, through="ServiceAssignment", related_name="services")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                name="service_name_once_per_organization",
                violation_error_message=_("There is already a service of this name."),
            ),
            models.CheckConstraint(condition=Q(duration__gte=1), name="service_takes_time"),
        ]

    def __str__(self) -> str:
        return self.name


class MeetingMethodOffer(models.Model):
    """A meeting method that a service is offered in, and to whom."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="meeting_methods")
    method = models.PositiveSmallIntegerField(_("meeting method"), choices=MeetingMethod)
    offered_to = models.CharField(
        _("offered to"), max_length=20, choices=OfferedTo, default=OfferedTo.STAFF_AND_CLIENTS
    )

    class Meta:
        ordering = ["method"]
        constraints = [
            models.UniqueConstraint(fields=["service", "method"], name="method_once_per_service"),
            models.CheckConstraint(condition=Q(method__in=MeetingMethod.values), name="method_exists"),
        ]


class ServiceAssignment(models.Model):
    """A staff member provides a service."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="assignments")
    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="assignments")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "staff"], name="assigned_once")]
