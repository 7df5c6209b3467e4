"""Staff members: the user model."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from timezone_field import TimeZoneField

from coconut.database.search import folded_text
from coconut.email_addresses import EmailAddressField, normalize_email_address
from coconut.fields.one_line_text import OneLineField
from coconut.fields.pasted_text import IdentifierField
from staff.models.organizations import Location, LockQuerySet, Organization
from staff.validators import one_line


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

    first_name = OneLineField(_("first name"), max_length=150, blank=True, validators=[one_line])
    last_name = OneLineField(_("last name"), max_length=150, blank=True, validators=[one_line])
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
    username = IdentifierField(_("username"), max_length=150, blank=True, validators=[one_line])
    location = models.ForeignKey(
        Location, models.SET_NULL, related_name="staff", null=True, blank=True, verbose_name=_("location")
    )
    time_zone = TimeZoneField(_("time zone"), null=True, blank=True)
    # The access ends at the midnight after this day, in the person's zone.
    last_day = models.DateField(_("last working day"), null=True, blank=True)
    video_choice = models.CharField(max_length=10, choices=VideoChoice, default=VideoChoice.DEFAULT)
    # By name, because this layer imports nothing from the layer of connections.
    video_connection = models.ForeignKey(
        "integrations.Connection", models.PROTECT, related_name="chosen_by", null=True, blank=True
    )
    personal_meeting_url = models.URLField(_("personal meeting link"), blank=True, validators=[URLValidator(["https"])])
    personal_meeting_note = OneLineField(
        _("note for the personal link"), max_length=300, blank=True, validators=[one_line]
    )
    # Part of the hash that sessions must have. A trigger of the database raises it when `is_active`, `email` or `role`
    # changes, by any writer, and keeps it otherwise.
    session_generation = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # Searched for words. A word contains no space, so it never spans two fields.
    search_text = models.GeneratedField(
        expression=folded_text("first_name", "last_name", "email", "username"),
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
            models.Index(fields=["last_day"], condition=Q(last_day__isnull=False), name="staff_leaving"),
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
    def leaves_at(self) -> datetime | None:
        """The end of the last working day in the person's zone, None without a last day."""
        if self.last_day is None:
            return None
        return datetime.combine(self.last_day + timedelta(days=1), time(), self.zone).astimezone(UTC)

    def has_left_at(self, at: datetime) -> bool:
        """Return whether the person is inactive, or has left by then."""
        return not self.is_active or (self.leaves_at is not None and at >= self.leaves_at)

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def can_schedule(self) -> bool:
        """Return whether this person can book, move and cancel for all staff of the organisation."""
        return self.role in (Role.ADMIN, Role.SCHEDULER)
