"""Clients, their appointments, the timeline of each, and the outbox of emails."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Self
from zoneinfo import ZoneInfo

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import TrigramSimilarity
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast, Concat, Now, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from timezone_field import TimeZoneField

from appointments import (  # noqa: F401 - register their models
    bulk_change_models,
    calendar_feed_models,
    email_settings_models,
)
from coconut.database.search import Folded, contains_word, folded_text
from coconut.email_addresses import EmailAddressField, normalize_email_address
from coconut.fields.local_datetimes import LocalDateTimeField
from coconut.fields.one_line_text import OneLineField
from coconut.fields.phone_numbers import PhoneNumberField
from integrations.models import Meeting
from services.models import MeetingMethod, Question, QuestionWording, Service
from staff.models import Location, Organization, OutboxEmail, StaffMember
from staff.validators import one_line


def new_token() -> str:
    """Return a secret that opens one appointment to anyone who holds it: 192 random bits, safe in a URL."""
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


#: Share of common trigrams from which two names are very similar: "Jon Smith" and "John Smith" have 0.62.
SIMILAR_NAME: Final = 0.6


class ClientQuerySet(models.QuerySet["Client"]):
    def with_email(self, email: str) -> Self:
        """Return the clients with this email address by name, compared without case; none for an empty address."""
        return self.filter(email__iexact=normalize_email_address(email))._few_by_name() if email else self.none()

    def _few_by_name(self) -> Self:
        """Order rows that a condition makes few.

        PostgreSQL may expect many. To find the first few, it would then read all clients in the order of
        `client_by_name`. No index has this expression, so PostgreSQL uses the index of the condition.
        """
        return self.order_by(Concat("name", Value("")), "pk")

    def containing_words(self, words: Sequence[str]) -> Self:
        """Return the clients whose name, email or phone contains every word, without case and accents, by name."""
        found = self
        for word in words:
            found = found.filter(contains_word(word))
        # Each word may be common although few have both: PostgreSQL takes words for independent.
        return found._few_by_name() if len(words) > 1 else found

    def with_similar_name(self, name: str) -> Self:
        """Return the clients with a very similar name, the most similar first. The order of its parts doesn't count."""
        typed = Folded(Value(name))
        close = TrigramSimilarity(Folded(F("name")), typed)  # type: ignore[arg-type] # stubs know only text
        # The index finds rows that contain something like the name; the similarity of the names decides.
        return (
            self.filter(search_text__trigram_word_similar=typed)
            .annotate(similarity=close)
            .filter(similarity__gte=SIMILAR_NAME)
            .order_by("-similarity", "pk")
        )


class ClientManager(models.Manager["Client"]):
    """Clients whose data wasn't erased. An appointment reaches its erased client without this manager."""

    def get_queryset(self) -> ClientQuerySet:
        return ClientQuerySet(self.model, using=self._db).filter(erased_at=None)

    def with_email(self, email: str) -> ClientQuerySet:
        return self.get_queryset().with_email(email)

    def with_similar_name(self, name: str) -> ClientQuerySet:
        return self.get_queryset().with_similar_name(name)

    def containing_words(self, words: Sequence[str]) -> ClientQuerySet:
        return self.get_queryset().containing_words(words)


#: Details of a client after an erasure.
BLANK_CLIENT: Final[dict[str, Any]] = {"name": "", "email": "", "phone": "", "language": "", "time_zone": None}


class Client(models.Model):
    """A person who books with an organisation. Clients have no account."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="clients")
    name = OneLineField(_("name"), max_length=300, validators=[one_line])
    email = EmailAddressField(_("email"), blank=True)
    phone = PhoneNumberField(_("phone"), max_length=40, blank=True, validators=[one_line])
    time_zone = TimeZoneField(_("time zone"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    # Text that a search covers. The phone's digits are added without spaces and dashes, as people type them.
    search_text = models.GeneratedField(
        expression=folded_text("name", "email", "phone", _digits("phone")),
        output_field=models.TextField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # An erased client keeps the row, to which past appointments point, and nothing else.
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    # A merged client is erased, too. A booking that names it lands on the client that was kept.
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, related_name="merged_clients", null=True, blank=True, editable=False
    )

    objects: ClassVar[ClientManager] = ClientManager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at=None) | Q(**BLANK_CLIENT),
                name="erased_client_is_blank",
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(erased_at__isnull=False), name="merged_client_is_erased"
            ),
        ]
        # Lists and searches never show erased clients, so their indexes leave them out.
        indexes = [
            models.Index(fields=["organization", "name", "id"], condition=Q(erased_at=None), name="client_by_name"),
            # `iexact` compares in upper case.
            models.Index("organization", Upper("email"), condition=Q(erased_at=None), name="client_by_email"),
            GinIndex(
                fields=["search_text"],
                opclasses=["gin_trgm_ops"],
                condition=Q(erased_at=None),
                name="client_by_words",
            ),
            models.Index(fields=["organization", "created_at"], condition=Q(erased_at=None), name="client_by_age"),
        ]

    def __str__(self) -> str:
        return client_label(self.name)


def client_label(name: str) -> str:
    """Return the name for pages. Only an erased client has none."""
    return name or str(_("Erased client"))


class Status(models.TextChoices):
    CONFIRMED = "confirmed", _("Confirmed")
    ARRIVED = "arrived", _("Arrived")
    IN_PROGRESS = "in_progress", _("In progress")
    SERVED = "served", _("Served")
    NO_SHOW = "no_show", _("No-show")
    CANCELLED = "cancelled", _("Cancelled")


# Statuses in which an appointment takes the staff member's time.
BUSY_STATUSES = [Status.CONFIRMED, Status.ARRIVED, Status.IN_PROGRESS, Status.SERVED]
# Statuses of appointments that are upcoming or in progress.
LIVE_STATUSES = [Status.CONFIRMED, Status.ARRIVED, Status.IN_PROGRESS]
# No appointment takes longer, buffers included. A query for a period needs to go no further back than this.
LONGEST_BUSY_TIME = timedelta(days=2)


class BookedThrough(models.TextChoices):
    CLIENT_VIEW = "client_view", _("Client View")
    SCHEDULE = "schedule", _("Schedule")
    CONTACT_CENTER = "contact_center", _("Contact Center")
    API = "api", _("API")


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def busy(self) -> Self:
        """Return the appointments that take the staff member's time."""
        return self.filter(status__in=BUSY_STATUSES)

    def live_video(self, organization: Organization, now: datetime | None = None) -> Self:
        """Return the organisation's upcoming or ongoing video appointments, unordered."""
        return self.filter(
            organization=organization,
            method=MeetingMethod.VIDEO,
            status__in=LIVE_STATUSES,
            ends_at__gt=now or timezone.now(),
        ).order_by()

    def visible_to(self, member: StaffMember) -> Self:
        """Return the appointments a person may open: schedulers all of the organisation's, staff their own."""
        in_organization = self.filter(organization=member.organization_id)
        return in_organization if member.can_schedule else in_organization.filter(staff=member)

    def overlapping(self, appointment: Appointment) -> Self:
        """Return the client's other live appointments that share time with this one, saved or not."""
        return self.filter(
            client=appointment.client_id,
            status__in=LIVE_STATUSES,
            # The index is by start. None that starts earlier lasts until then.
            starts_at__gt=appointment.starts_at - LONGEST_BUSY_TIME,
            starts_at__lt=appointment.ends_at,
            ends_at__gt=appointment.starts_at,
        ).exclude(pk=appointment.pk)

    def with_details(self) -> Self:
        """Load the related rows that pages show and that changes need."""
        return self.select_related(
            "organization",
            "service",
            "client",
            "location",
            "meeting__connection",
            "staff__organization",
            "staff__location",
        )


class Appointment(models.Model):
    """A client's appointment with a staff member for a service."""

    # This field and `client` need no index of their own: a composite index below begins with each.
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="appointments", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="appointments")
    staff = models.ForeignKey(StaffMember, models.PROTECT, related_name="appointments")
    client = models.ForeignKey(Client, models.PROTECT, related_name="appointments", db_index=False)
    location = models.ForeignKey(Location, models.SET_NULL, related_name="appointments", null=True, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # Start and end including the service's buffers.
    busy_from = models.DateTimeField()
    busy_to = models.DateTimeField()
    method = models.PositiveSmallIntegerField(choices=MeetingMethod)
    status = models.CharField(max_length=15, choices=Status, default=Status.CONFIRMED)
    meeting = models.OneToOneField(Meeting, models.SET_NULL, related_name="appointment", null=True, blank=True)
    # Copied from the staff member when a personal link is their explicit choice; never a silent fallback.
    personal_meeting_url = models.URLField(blank=True)
    personal_meeting_note = models.CharField(max_length=300, blank=True, default="", db_default="")
    booked_through = models.CharField(max_length=15, choices=BookedThrough)
    booked_by = models.ForeignKey(StaffMember, models.SET_NULL, related_name="+", null=True, blank=True)
    # Names the appointment outside the organisation, in calendar files and references. It never changes. The running
    # number would tell strangers how much all organisations together book.
    public_id = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    # Unique by constraints: `unique=True` would add a second index for LIKE. The client's two tokens change with the
    # client's email address, the staff member's with the staff member.
    manage_token = models.CharField(max_length=40, default=new_token, editable=False)
    join_token = models.CharField(max_length=40, default=new_token, editable=False)
    # The database's default is for processes of a previous version, which don't know the column.
    staff_join_token = models.CharField(
        max_length=40, default=new_token, db_default=Cast(RandomUUID(), models.CharField()), editable=False
    )
    # The start on the clock of the branch, else of the staff member, as booked. If the rules of the zone change later,
    # `starts_at` shows another local time: see `appointments.changes.local_times`.
    local_start = LocalDateTimeField(null=True, blank=True)
    local_zone = TimeZoneField(null=True, blank=True)
    # The check after an update of the time zone rules found such a difference.
    moved_by_zone_rules = models.BooleanField(default=False, db_default=False)
    # A repeated submit carries the same key and is the same booking.
    request_key = models.CharField(max_length=64, null=True, blank=True)
    # Zone in which the booking page showed the times to the client. Empty if staff booked.
    client_time_zone = TimeZoneField(null=True, blank=True)
    client_note = models.TextField(blank=True)
    internal_note = models.TextField(blank=True)
    # Time of the change of hours that left the appointment outside them. Empty again after a move or a reassignment,
    # which may lie outside the hours on purpose.
    outside_hours_since = models.DateTimeField(null=True, blank=True, editable=False)
    # Cause for which a scheduler left the appointment as it is. Empty again after a change that concerns it.
    left_cause = models.CharField(max_length=20, blank=True, default="", db_default="", editable=False)
    # Clients read a reason that staff gave. A client's own reason is only for staff.
    cancel_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    # Grows with every change, so that no change overwrites a concurrent one.
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
            models.UniqueConstraint(fields=["public_id"], name="public_id_once"),
            models.UniqueConstraint(fields=["manage_token"], name="manage_token_once"),
            models.UniqueConstraint(fields=["join_token"], name="join_token_once"),
            models.UniqueConstraint(fields=["staff_join_token"], name="staff_join_token_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="appointment_end_after_start"),
            models.CheckConstraint(
                condition=Q(busy_from__lte=F("starts_at"), busy_to__gte=F("ends_at")),
                name="busy_time_holds_the_appointment",
            ),
            models.CheckConstraint(
                condition=Q(busy_to__lte=F("busy_from") + LONGEST_BUSY_TIME), name="busy_time_is_limited"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "starts_at"], name="appointment_by_day"),
            # Covers the query of `appointments.availability.calendars`.
            models.Index(
                fields=["staff", "busy_from"],
                include=["id", "busy_to"],
                condition=Q(status__in=BUSY_STATUSES),
                name="appointment_taken",
            ),
            models.Index(fields=["client", "starts_at"], name="appointment_by_client"),
            # For the appointments in a closing of a location, and for those that need attention. Cover both queries.
            models.Index(
                fields=["location", "starts_at"],
                include=["id", "ends_at", "organization", "staff", "service", "method", "status"],
                condition=Q(status__in=LIVE_STATUSES),
                name="appointment_at_location",
            ),
            models.Index(
                fields=["organization", "ends_at"],
                include=["id", "staff", "service", "method", "status", "starts_at"],
                condition=Q(status__in=LIVE_STATUSES),
                name="appointment_live",
            ),
            models.Index(
                fields=["staff"], condition=Q(outside_hours_since__isnull=False), name="appointment_outside_hours"
            ),
            # Nearly always empty.
            models.Index(
                fields=["organization", "starts_at"],
                condition=Q(moved_by_zone_rules=True),
                name="appointment_moved_by_rules",
            ),
            # Nearly always empty. Every dashboard counts these rows.
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

    @property
    def branch_zone(self) -> ZoneInfo | None:
        """Return the zone of the branch if the appointment takes place there, else None."""
        if self.method != MeetingMethod.AT_LOCATION or self.location is None:
            return None
        zone: ZoneInfo = self.location.time_zone
        return zone

    @property
    def client_zone(self) -> ZoneInfo:
        """Return the zone in which the client reads the times.

        It is the branch's, or else the first that is set of the booking, the client and the organisation.
        """
        own = self.client_time_zone or self.client.time_zone or self.organization.time_zone
        zone: ZoneInfo = self.branch_zone or own
        return zone

    def zone_for(self, member: StaffMember) -> ZoneInfo:
        """Return the zone in which a staff member reads the times: of the branch, else their own."""
        return self.branch_zone or member.zone

    def anchor(self) -> None:
        """Keep the present start as the local time that was promised, without saving."""
        zone = self.branch_zone or self.staff.zone
        self.local_start, self.local_zone = self.starts_at.astimezone(zone).replace(tzinfo=None), zone
        self.moved_by_zone_rules = False

    @property
    def promised_start(self) -> datetime | None:
        """Return the moment at which the clocks of `local_zone` show `local_start` under the present rules, in UTC."""
        if self.local_start is None or self.local_zone is None:
            return None
        local, zone, start = self.local_start, self.local_zone, self.starts_at
        # A time that comes twice: the nearer one.
        readings = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        return min(readings, key=lambda reading: abs(reading - start))

    @property
    def has_video_link(self) -> bool:
        """Return whether there is, or will be, a link to join."""
        return self.meeting is not None or bool(self.personal_meeting_url)


class ZoneRulesCheck(models.Model):
    """Comparison of an organisation's upcoming appointments with their local times, under one version of the rules.

    `rules_version` is that of the package `tzdata`. `requested_at` is set while a worker restores the local times.
    """

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True, related_name="+")
    rules_version = models.CharField(max_length=20)
    checked_at = models.DateTimeField(db_default=Now())
    requested_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey(StaffMember, models.SET_NULL, related_name="+", null=True, blank=True)


class AppointmentEventKind(models.TextChoices):
    """Facts on a timeline; `appointments.timeline` renders each with its parameters."""

    BOOKED = "booked", _("Booked")
    MOVED = "moved", _("Moved")
    KEPT_LOCAL_TIME = "kept_local_time", _("Local time kept")
    MOVED_BY_ZONE_RULES = "moved_by_zone_rules", _("Local time changed")
    LENGTH_CHANGED = "length_changed", _("Length changed")
    REASSIGNED = "reassigned", _("Reassigned")
    REASSIGNED_SAME_LINK = "reassigned_same_link", _("Reassigned, same link")
    REASSIGNED_NEW_LINK = "reassigned_new_link", _("Reassigned, new link")
    METHOD_CHANGED = "method_changed", _("Meeting method changed")
    LOCATION_CHANGED = "location_changed", _("Location changed")
    CONFIRMED = "confirmed", _("Confirmed again")
    ARRIVED = "arrived", _("Arrived")
    IN_PROGRESS = "in_progress", _("In progress")
    SERVED = "served", _("Served")
    NO_SHOW = "no_show", _("No-show")
    CANCELLED = "cancelled", _("Cancelled")
    CANCELLED_WITH_REASON = "cancelled_with_reason", _("Cancelled with a reason")
    NOTES_CHANGED = "notes_changed", _("Notes changed")
    CLIENT_NOT_EMAILED = "client_not_emailed", _("Client not emailed")
    TIMES_OFFERED = "times_offered", _("Other times offered")
    LEFT_AS_IT_IS = "left_as_it_is", _("Left as it is")
    CLIENT_MERGED = "client_merged", _("Client merged")
    PRIVATE_LINKS_REPLACED = "private_links_replaced", _("Client’s links replaced")
    LINK_REQUESTED = "link_requested", _("Link requested")
    LINK_REPLACED = "link_replaced", _("Link replaced")
    ORGANIZER_CHANGED = "organizer_changed", _("Link replaced")
    LINK_READY = "link_ready", _("Link ready")
    LINK_FAILED = "link_failed", _("No link")
    LINK_CHANGE_FAILED = "link_change_failed", _("Change not synced")
    LINK_CHECK_FAILED = "link_check_failed", _("Link not checked")
    MEETING_REPAIRED = "meeting_repaired", _("Meeting repaired")


class AppointmentEvent(models.Model):
    """Line of an appointment's timeline. Append-only."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(StaffMember, models.RESTRICT, related_name="+", null=True, blank=True)
    through = models.CharField(max_length=15, choices=BookedThrough, blank=True)
    kind = models.CharField(max_length=30, choices=AppointmentEventKind)
    params = models.JSONField(default=dict, blank=True)
    # Key of a fact that is recorded once even if it is reported twice, such as a meeting's link being ready.
    once = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["appointment", "once"], condition=~Q(once=""), name="notified_once")
        ]


class NotificationKind(models.TextChoices):
    BOOKED = "booked", _("Booked")
    MOVED = "moved", _("Moved")
    REASSIGNED = "reassigned", _("Reassigned")
    CHANGED = "changed", _("Changed")
    CANCELLED = "cancelled", _("Cancelled")
    TIMES_OFFERED = "offered", _("Other times offered")
    REMINDER = "reminder", _("Reminder")


class Audience(models.TextChoices):
    """Recipient of an email. Only the client's has the link to move or cancel without signing in."""

    CLIENT = "client", _("Client")
    STAFF = "staff", _("Staff member")
    # The staff member before a reassignment: the email removes the appointment from their calendar.
    FORMER = "former", _("Former staff member")
    # The client's address before a correction: the email removes the appointment from the calendar behind it.
    OLD_EMAIL = "old_email", _("Client’s earlier email address")


class Notification(models.Model):
    """Content of an email about an appointment. The outbox row `email` has its recipient and state.

    The email about a bulk change covers several appointments of a staff member.
    """

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="notifications")
    email = models.ForeignKey(OutboxEmail, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=10, choices=NotificationKind)
    # SEQUENCE of the calendar file: the appointment's version that the email describes.
    sequence = models.PositiveIntegerField(default=0)
    audience = models.CharField(max_length=10, choices=Audience, default=Audience.CLIENT)
    # Values that the reader last heard of: see `appointments.notifications.before_after`.
    before = models.JSONField(null=True, blank=True)
    # Of a reminder: the start that it is about, and the minutes before it. Otherwise empty and 0.
    reminded_start = models.DateTimeField(null=True, blank=True)
    minutes_before = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            # Several people or addresses may have had the appointment before.
            models.UniqueConstraint(
                fields=["appointment", "sequence", "audience", "minutes_before"],
                condition=Q(audience__in=["client", "staff"]),
                name="one_notification_per_change",
            ),
            models.UniqueConstraint(
                fields=["appointment", "reminded_start", "minutes_before", "audience"],
                condition=Q(minutes_before__gt=0),
                name="one_reminder_per_start",
            ),
        ]

    @property
    def to(self) -> str:
        """The recipient's address."""
        return self.email.to[0]


class Answer(models.Model):
    """A client's answer to a question of the service, with the wording that was shown."""

    # The unique constraint's index begins with this column.
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="answers", db_index=False)
    question = models.ForeignKey(Question, models.PROTECT, related_name="+")
    wording = models.ForeignKey(QuestionWording, models.PROTECT, related_name="+")
    # Empty for a consent.
    text = models.TextField(blank=True)
    # Whether the client ticked a consent. None for other kinds.
    agreed = models.BooleanField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["question__position", "question"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["appointment", "question"], name="one_answer_per_question"),
            models.CheckConstraint(
                condition=(Q(agreed=None) & ~Q(text="")) | (Q(agreed__isnull=False) & Q(text="")),
                name="answer_is_text_or_consent",
            ),
        ]
