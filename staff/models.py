"""Organisations, their locations, their staff (the user model) and when staff work."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat, Lower, Now, Upper
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from timezone_field import TimeZoneField

from coconut.email_addresses import EmailAddressField, normalize_email_address
from coconut.leases import LeasedModel, LeaseQuerySet
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

    name = models.CharField(_("name"), max_length=200, validators=[one_line])
    slug = models.SlugField(unique=True)
    time_zone = TimeZoneField(_("time zone"), default="UTC")
    language = models.CharField(_("language"), max_length=10, default="en")
    # Slugs of `staff.addons.AddOn`.
    addons = ArrayField(models.SlugField(), verbose_name=_("add-ons"), default=list, blank=True)
    # A location may have its own number.
    phone = models.CharField(
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

    def has_addon(self, slug: str) -> bool:
        """Return whether an operator switched the add-on on."""
        return slug in self.addons


class Location(models.Model):
    """A branch or clinic where appointments take place."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="locations")
    name = models.CharField(_("name"), max_length=200, validators=[one_line])
    address = models.CharField(_("address"), max_length=300, blank=True, validators=[one_line])
    phone = models.CharField(
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


class Weekday(models.IntegerChoices):
    """Days as Python's `date.weekday()` counts them."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class WeeklyHours(models.Model):
    """An interval of a weekday, in the owner's time zone. A day may have several rows."""

    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday)
    start = models.TimeField(_("from"))
    end = models.TimeField(_("to"))

    class Meta:
        abstract = True
        ordering = ["weekday", "start"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="%(class)s_end_after_start"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="%(class)s_weekday_exists"),
        ]


class LocationHours(WeeklyHours):
    """Opening hours of a location. A location without rows is always open."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="hours")


class Role(models.TextChoices):
    ADMIN = "admin", _("Admin")
    SCHEDULER = "scheduler", _("Scheduler")
    STAFF = "staff", _("Staff member")


class VideoChoice(models.TextChoices):
    """The platform of a staff member's video appointments."""

    DEFAULT = "default", _("Organisation default")
    CONNECTION = "connection", _("A chosen connection")
    PERSONAL = "personal", _("Personal link")


class StaffMemberQuerySet(LockQuerySet["StaffMember"]):
    """Questions about staff members."""

    def active(self) -> Self:
        """Return the staff members who can sign in and be booked."""
        return self.filter(is_active=True)

    def active_in(self, organization: Organization | int | None) -> Self:
        """Return the active staff members of an organisation."""
        return self.active().filter(organization=organization)

    def admins_of(self, organization: Organization | int | None) -> Self:
        """Return the active admins of an organisation."""
        return self.active_in(organization).filter(role=Role.ADMIN)

    def with_email(self, email: str) -> Self:
        """Return the staff member with this email address, compared without case."""
        return self.filter(email__iexact=normalize_email_address(email))


class StaffMemberManager(UserManager["StaffMember"]):
    """Manager whose users sign in by email, compared without case."""

    def get_queryset(self) -> StaffMemberQuerySet:
        return StaffMemberQuerySet(self.model, using=self._db)

    def active(self) -> StaffMemberQuerySet:
        return self.get_queryset().active()

    def active_in(self, organization: Organization | int | None) -> StaffMemberQuerySet:
        return self.get_queryset().active_in(organization)

    def admins_of(self, organization: Organization | int | None) -> StaffMemberQuerySet:
        return self.get_queryset().admins_of(organization)

    def with_email(self, email: str) -> StaffMemberQuerySet:
        return self.get_queryset().with_email(email)

    def lock(self, pk: int | None) -> StaffMember:
        return self.get_queryset().lock(pk)

    def get_by_natural_key(self, username: str | None) -> StaffMember:
        return self.with_email(username or "").get()

    def create_superuser(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: Any
    ) -> StaffMember:
        """Create an operator: a superuser without an organisation."""
        operator = self.model(email=self.normalize_email(email), is_staff=True, is_superuser=True, **fields)
        operator.set_password(password)
        operator.save()
        return operator


class StaffMember(AbstractUser):
    """A person who works in an organisation and signs in. Operators have no organisation."""

    first_name = models.CharField(_("first name"), max_length=150, blank=True, validators=[one_line])
    last_name = models.CharField(_("last name"), max_length=150, blank=True, validators=[one_line])
    organization = models.ForeignKey(
        Organization,
        models.CASCADE,
        related_name="staff",
        null=True,
        blank=True,
        verbose_name=_("organisation"),
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.STAFF)
    email = EmailAddressField(_("email"), unique=True, error_messages={"unique": _("This email is already taken.")})
    username = models.CharField(_("username"), max_length=150, blank=True, validators=[one_line])
    location = models.ForeignKey(
        Location, models.SET_NULL, related_name="staff", null=True, blank=True, verbose_name=_("location")
    )
    time_zone = TimeZoneField(_("time zone"), null=True, blank=True)
    video_choice = models.CharField(max_length=10, choices=VideoChoice, default=VideoChoice.DEFAULT)
    # By name, because this layer imports nothing from the layer of connections.
    video_connection = models.ForeignKey(
        "integrations.Connection", models.PROTECT, related_name="chosen_by", null=True, blank=True
    )
    personal_meeting_url = models.URLField(_("personal meeting link"), blank=True, validators=[URLValidator(["https"])])
    personal_meeting_note = models.CharField(
        _("note for the personal link"), max_length=300, blank=True, validators=[one_line]
    )
    # Part of the hash that sessions must have. A trigger of the database raises it when `is_active`, `email` or `role`
    # changes, by any writer, and keeps it otherwise.
    session_generation = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # Searched for words. A word contains no space, so it never spans two fields.
    search_text = models.GeneratedField(
        expression=Upper(
            Concat(
                *("first_name", Value(" "), "last_name", Value(" "), "email", Value(" "), "username"),
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[StaffMemberManager] = StaffMemberManager()

    class Meta:
        ordering = ["first_name", "last_name", "email"]
        verbose_name = _("staff member")
        verbose_name_plural = _("staff members")
        indexes = [
            # Covers the queries of an alphabetical list, for pages far behind too.
            models.Index(
                fields=["organization", "first_name", "last_name", "email"],
                include=["id", "is_active", "search_text"],
                name="staff_by_name",
            ),
            # For counts.
            models.Index(fields=["organization", "is_active"], name="staff_by_activity"),
            GinIndex(fields=["search_text"], opclasses=["gin_trgm_ops"], name="staff_by_words"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="email_once_without_case",
                violation_error_message=_("This email is already taken."),
            ),
            models.UniqueConstraint(
                "organization",
                Lower("username"),
                condition=~Q(username=""),
                name="username_once_per_organization",
                violation_error_message=_("This username is already taken."),
            ),
            models.CheckConstraint(
                condition=(
                    Q(video_choice=VideoChoice.CONNECTION, video_connection__isnull=False)
                    | (~Q(video_choice=VideoChoice.CONNECTION) & Q(video_connection__isnull=True))
                ),
                name="video_connection_only_when_chosen",
            ),
            models.CheckConstraint(
                condition=~Q(video_choice=VideoChoice.PERSONAL) | ~Q(personal_meeting_url=""),
                name="personal_link_when_chosen",
                violation_error_message=_("Enter the personal meeting link."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_session_auth_hash(self) -> str:
        """Return the hash that a session must have: another one after a change of password, email, role or activity."""
        return salted_hmac(
            "staff.models.StaffMember.get_session_auth_hash",
            f"{self.session_generation}:{self.password}",
            algorithm="sha256",
        ).hexdigest()

    @property
    def name(self) -> str:
        """The full name, or the email address if no name was entered."""
        return self.get_full_name() or self.email

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the person's hours: their own, their location's, or the organisation's."""
        for owner in (self, self.location, self.organization):
            if owner is not None and owner.time_zone:
                zone: ZoneInfo = owner.time_zone
                return zone
        return ZoneInfo("UTC")

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def can_schedule(self) -> bool:
        """Return whether this person can book, move and cancel for all staff of the organisation."""
        return self.role in (Role.ADMIN, Role.SCHEDULER)


class WorkingHours(WeeklyHours):
    """Weekly hours in which a staff member takes appointments, in the staff member's time zone."""

    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="working_hours")


class TimeOffQuerySet(models.QuerySet["TimeOff"]):
    """Questions about time off."""

    def overlapping(self, start: datetime, end: datetime) -> Self:
        """Return the time off that overlaps [start, end)."""
        return self.filter(starts_at__lt=end, ends_at__gt=start)


class TimeOff(models.Model):
    """A period without appointments of a staff member."""

    staff = models.ForeignKey(StaffMember, models.CASCADE, related_name="time_off")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    reason = models.CharField(_("reason"), max_length=200, blank=True, validators=[one_line])

    objects = TimeOffQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="time_off_end_after_start"),
            ExclusionConstraint(
                name="time_off_once_at_a_time",
                expressions=[
                    (
                        Func(
                            "starts_at",
                            "ends_at",
                            RangeBoundary(),
                            function="TSTZRANGE",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    ("staff", RangeOperators.EQUAL),
                ],
                violation_error_message=_("This overlaps other time off."),
            ),
        ]


class EmailState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class OutboxEmailQuerySet(LeaseQuerySet["OutboxEmail"]):
    """Emails by their state."""

    def waiting(self) -> Self:
        """Return the emails that were not sent yet or are to be retried."""
        return self.filter(state=EmailState.WAITING)

    def stuck(self) -> Self:
        """Return the emails that failed or may not have been sent."""
        return self.filter(Q(state=EmailState.FAILED) | Q(state=EmailState.SENDING, lease_until__lt=Now()))


class OutboxEmail(LeasedModel):
    """An email that is sent at most once: see `staff.outbox`. `params` are what its kind needs to render it."""

    kind = models.CharField(_("kind"), max_length=50)
    to = ArrayField(EmailAddressField(), verbose_name=_("to"))
    params = models.JSONField(default=dict)
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("organisation")
    )
    # "" is the organisation's language.
    language = models.CharField(max_length=10, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=EmailState, default=EmailState.WAITING)
    error = models.CharField(_("error"), max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    objects = OutboxEmailQuerySet.as_manager()

    class Meta:
        verbose_name = _("email")
        verbose_name_plural = _("emails")
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state="waiting"), name="outbox_email_waiting"),
            models.Index(fields=["sent_at"], condition=Q(state="sent"), name="outbox_email_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {', '.join(self.to)}"

    @property
    def is_uncertain(self) -> bool:
        """Return whether a worker began to send the email and recorded no outcome: it may not have been sent."""
        if self.state != EmailState.SENDING or self.lease_until is None:
            return False
        return self.lease_until < timezone.now()
