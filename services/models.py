"""Services, the meeting methods each is offered in, and the staff who provide it."""

from __future__ import annotations

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Lower, NullIf
from django.utils.translation import gettext_lazy as _

from coconut.fields.one_line_text import OneLineField
from staff.models import Location, LockQuerySet, Organization, StaffMember
from staff.validators import one_line


class MeetingMethod(models.IntegerChoices):
    AT_LOCATION = 1, _("At location")
    PHONE = 2, _("Phone Call")
    VIDEO = 3, _("Video Call")
    OFF_SITE = 4, _("Off-site")


class OfferedTo(models.TextChoices):
    STAFF = "staff", _("Staff only")
    STAFF_AND_CLIENTS = "staff_and_clients", _("Staff and clients")


class StartStep(models.IntegerChoices):
    """Minutes between two offered start times. Each value divides an hour, so that all hours read alike."""

    EVERY_5_MINUTES = 5, _("Every 5 minutes")
    EVERY_10_MINUTES = 10, _("Every 10 minutes")
    EVERY_15_MINUTES = 15, _("Every 15 minutes")
    EVERY_20_MINUTES = 20, _("Every 20 minutes")
    EVERY_30_MINUTES = 30, _("Every 30 minutes")
    ON_THE_HOUR = 60, _("On the hour")


class ServiceQuerySet(LockQuerySet["Service"]):
    """Questions about services."""

    def active(self) -> Self:
        """Return the services that staff can book."""
        return self.filter(active=True)

    def public(self, method: int | None = None) -> Self:
        """Return the services that clients can book with this meeting method, or with any."""
        offers = MeetingMethodOffer.objects.filter(offered_to=OfferedTo.STAFF_AND_CLIENTS)
        offers = offers if method is None else offers.filter(method=method)
        return self.active().filter(public=True, pk__in=offers.values("service"))

    def by_category(self) -> Self:
        """Return the services ordered by category and name; those without a category come last."""
        return self.order_by(NullIf("category", Value("")).asc(nulls_last=True), "name")


class Service(models.Model):
    """A service that clients book, such as a mortgage review. Durations are minutes unless the name says otherwise."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="services")
    name = OneLineField(_("name"), max_length=200, validators=[one_line])
    category = OneLineField(_("category"), max_length=100, blank=True, validators=[one_line])
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
    # Limits count appointments of this service. Empty: no limit.
    most_per_client_and_day = models.PositiveSmallIntegerField(
        _("most bookings per client and day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    most_upcoming_per_client = models.PositiveSmallIntegerField(
        _("most upcoming bookings per client"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    most_per_person_and_day = models.PositiveSmallIntegerField(
        _("most per staff member and day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    # Empty: until the appointment starts.
    move_notice = models.PositiveIntegerField(
        _("latest moment to move (minutes before the start)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(60 * 24 * 90)],
    )
    cancel_notice = models.PositiveIntegerField(
        _("latest moment to cancel (minutes before the start)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(60 * 24 * 90)],
    )
    start_step = models.PositiveSmallIntegerField(
        _("start times"), choices=StartStep, default=StartStep.EVERY_15_MINUTES, db_default=StartStep.EVERY_15_MINUTES
    )
    # For the client of each appointment, in plain text.
    confirmation_text = models.TextField(
        _("text in the confirmation"), max_length=2000, blank=True, default="", db_default=""
    )
    active = models.BooleanField(_("active"), default=True)
    public = models.BooleanField(_("bookable by clients"), default=True)
    staff = models.ManyToManyField(StaffMember, through="ServiceAssignment", related_name="services")

    objects = ServiceQuerySet.as_manager()

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
            models.CheckConstraint(condition=Q(start_step__in=StartStep.values), name="start_step_divides_an_hour"),
        ]

    def __str__(self) -> str:
        return self.name


class MeetingMethodOffer(models.Model):
    """A meeting method in which a service is offered."""

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
    # Locations of appointments in person. Without any, they take place wherever the staff member works.
    locations = models.ManyToManyField(Location, related_name="+", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "staff"], name="assigned_once")]


class QuestionKind(models.TextChoices):
    SHORT_TEXT = "short_text", _("Short text")
    LONG_TEXT = "long_text", _("Long text")
    CHOICE = "choice", _("One of several answers")
    CONSENT = "consent", _("Consent to tick")


class Question(models.Model):
    """A question to the client who books a service. Its wording has the version `version`."""

    # The index of `question_position` begins with this column.
    service = models.ForeignKey(Service, models.CASCADE, related_name="questions", db_index=False)
    kind = models.CharField(_("kind"), max_length=10, choices=QuestionKind)
    required = models.BooleanField(_("required"), default=False)
    active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["position", "pk"]
        indexes = [models.Index(fields=["service", "position"], name="question_position")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class QuestionWording(models.Model):
    """Text of a question as clients saw it. It never changes: another text is another version."""

    question = models.ForeignKey(Question, models.CASCADE, related_name="wordings", db_index=False)
    version = models.PositiveIntegerField()
    text = models.TextField(_("question"), max_length=2000)
    # Answers to choose from, in order. Empty for other kinds.
    options = models.JSONField(_("answers"), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["question", "version"], name="wording_once_per_version")]

    def __str__(self) -> str:
        return self.text
