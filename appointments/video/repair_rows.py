"""Rows of the preview of link repairs: the present link of each appointment and the one it would get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from appointments.models import Appointment
from appointments.video.missing_links import lacks_link
from integrations.hooks import MeetingPage
from integrations.hosting.blocking_reasons import BlockingReason
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.meetings.requests import keeps_link


@dataclass(frozen=True)
class LinkRow:
    """An appointment in the preview; `blocking_reason` is None if a link can be created."""

    appointment: Appointment
    hosting: Hosting
    blocking_reason: BlockingReason | None

    @property
    def present(self) -> str:
        """Label of the present link."""
        if self.appointment.personal_meeting_url:
            return _("Personal link")
        if lacks_link(self.appointment) or self.appointment.meeting is None:
            return _("No link")
        return _("On %(name)s") % {"name": self.appointment.meeting.connection.name}

    @property
    def failure(self) -> str:
        """Reason from the platform why there is no link; "" if none was requested."""
        meeting = self.appointment.meeting
        return str(meeting.error) if meeting is not None and lacks_link(self.appointment) else ""

    @property
    def request_id(self) -> str:
        """The platform's request id of the failure, for support; "" if it gave none."""
        meeting = self.appointment.meeting
        return meeting.error_request_id if meeting is not None and self.failure else ""

    @property
    def future(self) -> str:
        """Result of a repair."""
        if self.hosting.personal_url:
            return _("Takes place on the personal link %(address)s") % {"address": self.hosting.personal_url}
        if self.hosting.connection is None:
            return ""
        name = {"name": self.hosting.connection.name}
        meeting = self.appointment.meeting
        if meeting is not None and keeps_link(meeting, self.hosting):
            return _("The link is tried again on %(name)s") % name
        return _("A new link on %(name)s") % name


def rows_of(appointments: Sequence[Appointment]) -> list[LinkRow]:
    """Return the rows of appointments loaded `with_details`. Takes two queries."""
    hostings = hosting_of(list({each.staff_id: each.staff for each in appointments}.values()))
    return [
        LinkRow(each, hostings[each.staff_id], _blocking_reason(each, hostings[each.staff_id])) for each in appointments
    ]


def _blocking_reason(appointment: Appointment, hosting: Hosting) -> BlockingReason | None:
    staff = appointment.staff
    if staff.is_active:
        return hosting.blocking_reason
    sentence = _("%(name)s no longer takes appointments. Choose someone else.") % {"name": staff.name}
    page = MeetingPage(reverse("appointment-reassign", args=[appointment.pk]), _("Reassign"))
    return BlockingReason(sentence=sentence, reason=_("No longer takes appointments."), ask="", page=page)
