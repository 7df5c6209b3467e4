"""Clients, their appointments, the timeline of each, and what people were told."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat, Now, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from timezone_field import TimeZoneField

from integrations.models import Meeting
from services.models import MeetingMethod, Service
from staff.models import Location, Organization, StaffMember
from staff.validators import one_line


def new_token() -> str:
    """A secret that opens one appointment to whoever holds it: 192 random bits, safe in an address."""
    return secrets.token_urlsafe(24)


def _digits(field: str) -> Func:
    return Func(
        F(field),
        Value(r"\D"),
        Value(""),
        Value("g"),
        function="REGEXP_REPLACE",
        output_field=models.TextField(),
    )


class Client(models.Model):
    """Somebody who books with an organisation. Clients have no account."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="clients")
    name = models.CharField(_("name"), max_length=300, validators=[one_line])
    email = models.EmailField(_("email"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True, validators=[one_line])
    time_zone = TimeZoneField(_("time zone"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    # What a search looks through: also the phone's digits alone, as they are typed without its spaces and dashes.
    search_text = models.GeneratedField(
        expression=Upper(
            Concat(
                *("name", Value(" "), "email", Value(" "), "phone", Value(" "), _digits("phone")),
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["organization", "name", "id"], name="client_by_name"),
            # As `iexact` compares.
            models.Index("organization", Upper("email"), name="client_by_email"),
            GinIndex(fields=["search_text"], opclasses=["gin_trgm_ops"], name="client_by_words"),
        ]

    def __str__(self) -> str:
        return self.name


class Status(models.TextChoices):
    CONFIRMED = "confirmed", _("Confirmed")
    ARRIVED = "arrived", _("Arrived")
    IN_PROGRESS = "in_progress", _("In progress")
    SERVED = "served", _("Served")
    NO_SHOW = "no_show", _("No-show")
    CANCELLED = "cancelled", _("Cancelled")


# The statuses in which an appointment takes the staff member's time.
BUSY_STATUSES = [Status.CONFIRMED, Status.ARRIVED, Status.IN_PROGRESS, Status.SERVED]
# The statuses in which an appointment is still to take place, or going on.
LIVE_STATUSES = [Status.CONFIRMED, Status.ARRIVED, Status.IN_PROGRESS]


class BookedThrough(models.TextChoices):
    CLIENT_VIEW = "client_view", _("Client View")
    SCHEDULE = "schedule", _("Schedule")
    CONTACT_CENTER = "contact_center", _("Contact Center")
    API = "api", _("API")


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def busy(self) -> Self:
        """Appointments that take the staff member's time."""
        return self.filter(status__in=BUSY_STATUSES)

    def visible_to(self, member: StaffMember) -> Self:
        """What this person may open: schedulers all of the organisation's, staff only their own."""
        ours = self.filter(organization=member.organization_id)
        return ours if member.can_schedule else ours.filter(staff=member)


class Appointment(models.Model):
    """A client meets a staff member for a service."""

    # Without an index of its own, as the client: one of those below begins with it.
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="appointments", db_index=False
    )
    service = models.ForeignKey(Service, models.PROTECT, related_name="appointments")
    staff = models.ForeignKey(StaffMember, models.PROTECT, related_name="appointments")
    client = models.ForeignKey(Client, models.PROTECT, related_name="appointments", db_index=False)
    location = models.ForeignKey(
        Location, models.SET_NULL, related_name="appointments", null=True, blank=True
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # With the service's buffers: what nobody else may take.
    busy_from = models.DateTimeField()
    busy_to = models.DateTimeField()
    method = models.PositiveSmallIntegerField(choices=MeetingMethod)
    status = models.CharField(max_length=15, choices=Status, default=Status.CONFIRMED)
    meeting = models.OneToOneField(
        Meeting, models.SET_NULL, related_name="appointment", null=True, blank=True
    )
    # The staff member's own link, copied when it was the explicit choice; never a silent fallback.
    personal_meeting_url = models.URLField(blank=True)
    personal_meeting_note = models.CharField(max_length=300, blank=True, default="", db_default="")
    booked_through = models.CharField(max_length=15, choices=BookedThrough)
    booked_by = models.ForeignKey(StaffMember, models.SET_NULL, related_name="+", null=True, blank=True)
    # Unique by constraints: `unique=True` would keep a second index of each, for LIKE.
    manage_token = models.CharField(max_length=40, default=new_token, editable=False)
    join_token = models.CharField(max_length=40, default=new_token, editable=False)
    # A repeated submit of one form carries the same key and is the same booking.
    request_key = models.CharField(max_length=64, null=True, blank=True)
    client_note = models.TextField(blank=True)
    internal_note = models.TextField(blank=True)
    # Clients read it in the mail and on their page.
    cancel_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    # Grows with every change, so that nobody overwrites what a colleague did meanwhile.
    version = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            ExclusionConstraint(
                name="one_appointment_at_a_time",
                expressions=[
                    (
                        Func(
                            "busy_from",
                            "busy_to",
                            RangeBoundary(),
                            function="TSTZRANGE",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    ("staff", RangeOperators.EQUAL),
                ],
                condition=Q(status__in=BUSY_STATUSES),
                violation_error_message=_("That time was just taken."),
            ),
            models.UniqueConstraint(fields=["organization", "request_key"], name="request_once"),
            models.UniqueConstraint(fields=["manage_token"], name="manage_token_once"),
            models.UniqueConstraint(fields=["join_token"], name="join_token_once"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="appointment_end_after_start"
            ),
            models.CheckConstraint(
                condition=Q(busy_from__lte=F("starts_at"), busy_to__gte=F("ends_at")),
                name="busy_time_holds_the_appointment",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "starts_at"], name="appointment_by_day"),
            # Everything that a calendar needs of one.
            models.Index(
                fields=["staff", "busy_from"],
                include=["id", "busy_to"],
                condition=Q(status__in=BUSY_STATUSES),
                name="appointment_taken",
            ),
            models.Index(fields=["client", "starts_at"], name="appointment_by_client"),
            # Hardly ever any: the dashboards count them each time.
            models.Index(
                fields=["organization", "ends_at"],
                condition=Q(
                    method=MeetingMethod.VIDEO,
                    status__in=LIVE_STATUSES,
                    meeting__isnull=True,
                    personal_meeting_url="",
                ),
                name="appointment_without_video",
            ),
        ]


class AppointmentEvent(models.Model):
    """One line of an appointment's timeline. Append-only."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(StaffMember, models.SET_NULL, related_name="+", null=True, blank=True)
    through = models.CharField(max_length=15, choices=BookedThrough, blank=True)
    text = models.CharField(max_length=500)
    # Names what is told only once, however often the news arrives, such as that a meeting's link is ready.
    once = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["appointment", "once"], condition=~Q(once=""), name="notified_once"
            )
        ]


class NotificationKind(models.TextChoices):
    BOOKED = "booked", _("Booked")
    MOVED = "moved", _("Moved")
    REASSIGNED = "reassigned", _("Reassigned")
    CHANGED = "changed", _("Changed")
    CANCELLED = "cancelled", _("Cancelled")


class Audience(models.TextChoices):
    """Whom a mail is written for. Only the client's holds the link to move or cancel without signing in."""

    CLIENT = "client", _("Client")
    STAFF = "staff", _("Staff member")
    # Whoever had the appointment before somebody else took it over: their calendar drops it.
    FORMER = "former", _("Former staff member")


# Longer than any mail takes: whoever has not said by then how it went, died over it.
SENDING_PATIENCE = timedelta(minutes=3)


class NotificationState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class Notification(models.Model):
    """A mail that must go out once. `sending` is committed before SMTP, so that a crash never mails twice."""

    # The constraint's index begins with it.
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="notifications", db_index=False)
    kind = models.CharField(max_length=10, choices=NotificationKind)
    # The calendar's SEQUENCE number: the version of the appointment that the mail tells of.
    sequence = models.PositiveIntegerField(default=0)
    audience = models.CharField(max_length=10, choices=Audience, default=Audience.CLIENT)
    to = models.EmailField()
    # How the appointment was when the reader last heard of it: see `appointments.notifications.before_after`.
    before = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=NotificationState, default=NotificationState.WAITING)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # When somebody began to send it: a row that stays `sending` was perhaps never sent.
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "sequence", "audience"], name="one_notification_per_change"
            )
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state="waiting"), name="notification_waiting")
        ]

    @property
    def is_uncertain(self) -> bool:
        """Whether somebody began to send it and never said how it went: it may not have been sent."""
        if self.state != NotificationState.SENDING or self.claimed_at is None:
            return False
        return timezone.now() - self.claimed_at > SENDING_PATIENCE
