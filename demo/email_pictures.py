"""Sample emails of the demo as pictures, for docs/emails.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation
from PIL import Image

from appointments.models import LIVE_STATUSES, Appointment, Audience, Notification, NotificationKind
from appointments.notifications.before_after import snapshot
from appointments.notifications.messages import message_for, summary_for
from services.models import MeetingMethod
from staff.clock import override_clock
from staff.emails.sender import complete_message
from staff.models import Organization, OutboxEmail, Role, StaffMember
from staff.outbox import email_kinds

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Suffix of the file, width in pixels, and colour scheme.
SCREENS: Final[tuple[tuple[str, int, Literal["light", "dark"]], ...]] = (
    ("600", 600, "light"),
    ("320", 320, "light"),
    ("dark", 600, "dark"),
)
#: Colours of a picture. Emails have few, and the files are part of the repository.
_COLORS: Final = 48


@dataclass(frozen=True)
class Sample:
    """A rendered email. `name` is the start of its files' names."""

    name: str
    message: EmailMultiAlternatives


def samples(organization: Organization) -> list[Sample]:
    """Return an email of each kind that the data of the organisation allows. Roll back afterwards."""
    with translation.override(organization.language), override_clock(organization.clock):
        return [*_about_appointments(organization), *_about_accounts(organization)]


def take_pictures(browser: Browser, sample: Sample, folder: Path) -> None:
    """Write a PNG of the email for each of SCREENS."""
    html = next(str(content) for content, kind in sample.message.alternatives if kind == "text/html")
    for suffix, width, scheme in SCREENS:
        page = browser.new_page(viewport={"width": width, "height": 400}, color_scheme=scheme)
        page.set_content(html, wait_until="networkidle")
        png = page.screenshot(full_page=True)
        page.close()
        with Image.open(BytesIO(png)) as image:
            image.convert("RGB").quantize(_COLORS).save(folder / f"{sample.name}-{suffix}.png", optimize=True)


def _about_appointments(organization: Organization) -> Iterator[Sample]:
    upcoming = Appointment.objects.filter(
        organization=organization, status__in=LIVE_STATUSES, starts_at__gt=timezone.now()
    )
    upcoming = upcoming.exclude(client__email="").select_related("staff", "location", "client").order_by("starts_at")
    branch = upcoming.filter(method=MeetingMethod.AT_LOCATION)[0]
    video = _as_video_call(upcoming.exclude(pk=branch.pk)[0])
    for kind in NotificationKind:
        # The confirmation shows a branch with its map.
        appointment = branch if kind == NotificationKind.BOOKED else video
        # Only the client is asked to choose another time.
        readers = (Audience.CLIENT,) if kind == NotificationKind.TIMES_OFFERED else (Audience.CLIENT, Audience.STAFF)
        for audience in readers:
            message = message_for(_notification(appointment, kind, audience))
            if message is not None:
                yield Sample(
                    f"{kind.value}-{audience.value}", complete_message(message, OutboxEmail(organization=organization))
                )
    changed = [
        _notification(each, NotificationKind.MOVED, Audience.STAFF) for each in upcoming.filter(staff=video.staff)[:2]
    ]
    yield Sample("summary-staff", complete_message(summary_for(changed), OutboxEmail(organization=organization)))


def _as_video_call(appointment: Appointment) -> Appointment:
    """Give the appointment a video link. The caller rolls back."""
    appointment.method, appointment.location = MeetingMethod.VIDEO, None
    appointment.personal_meeting_url = "https://meet.example/room"
    appointment.save()
    return appointment


def _notification(appointment: Appointment, kind: NotificationKind, audience: Audience) -> Notification:
    before = None if kind == NotificationKind.BOOKED else _before(appointment, kind)
    email = OutboxEmail(to=[appointment.staff.email], organization_id=appointment.organization_id)
    return Notification(appointment=appointment, email=email, kind=kind, audience=audience, before=before)


def _before(appointment: Appointment, kind: NotificationKind) -> dict[str, Any]:
    """Return previous values that suit the kind of change."""
    before = snapshot(appointment)
    if kind in (NotificationKind.MOVED, NotificationKind.CHANGED):
        earlier = timedelta(hours=1)
        before |= {
            "starts_at": (appointment.starts_at - earlier).isoformat(),
            "ends_at": (appointment.ends_at - earlier).isoformat(),
            "local_start": "",
        }
    if kind in (NotificationKind.REASSIGNED, NotificationKind.CHANGED):
        colleagues = StaffMember.objects.filter(organization=appointment.organization, is_active=True)
        colleague = colleagues.exclude(pk=appointment.staff_id).order_by("pk")[0]
        before |= {"staff": colleague.name, "staff_id": colleague.pk}
    return before


def _about_accounts(organization: Organization) -> Iterator[Sample]:
    """Yield the emails to staff, admins and operators that need no other rows."""
    admin = StaffMember.objects.admins_of(organization).order_by("pk")[0]
    of_staff = {"staff": admin.pk}
    params: dict[str, dict[str, Any]] = {
        "invitation": {"member": admin.pk},
        "forgotten_password": {},
        "sign_in_address": {**of_staff, "old": f"old.{admin.email}", "new": admin.email},
        "role_changed": {**of_staff, "old": Role.SCHEDULER, "new": Role.ADMIN},
        "password_changed": of_staff,
        "new_admin": of_staff,
        "needs_attention": {"reader": admin.pk},
        "access_policy": {},
        "refused_credentials": {"number": 7000215, "request_id": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"},
        "wrong_clock": {"seconds": 420},
    }
    to_operators = ("refused_credentials", "wrong_clock")
    for kind in email_kinds:
        if kind.name not in params:
            continue
        owner = None if kind.name in to_operators else organization
        email = OutboxEmail(kind=kind.name, to=[admin.email], params=params[kind.name], organization=owner)
        message = kind.render(email)
        if message is not None:
            yield Sample(kind.name.replace("_", "-"), complete_message(message, email))
