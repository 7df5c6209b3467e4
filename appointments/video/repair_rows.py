"""Booked appointments and their links as an admin reads them before anything is made: what is there, what would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from appointments.models import Appointment
from appointments.video.missing_links import lacks_link
from integrations.hooks import MeetingPage
from integrations.hosting.eligibility import Hosting, hosting_of
from integrations.hosting.reasons import BlockingReason
from integrations.meetings.requests import keeps_link


@dataclass(frozen=True)
class LinkRow:
    """One appointment; `obstacle` is None where a link can be made."""

    appointment: Appointment
    hosting: Hosting
    obstacle: BlockingReason | None

    @property
    def present(self) -> str:
        """Where its link is now, in a few words."""
        if self.appointment.personal_meeting_url:
            return _("Personal link")
        if lacks_link(self.appointment) or self.appointment.meeting is None:
            return _("No link")
        return _("On %(name)s") % {"name": self.appointment.meeting.connection.name}

    @property
    def failure(self) -> str:
        """Why there is none, as the platform said; "" where nobody ever asked for one."""
        meeting = self.appointment.meeting
        return meeting.error_sentence if meeting is not None and lacks_link(self.appointment) else ""

    @property
    def request_id(self) -> str:
        """The platform's id of what failed, for support; "" where it gave none."""
        meeting = self.appointment.meeting
        return meeting.error_request_id if meeting is not None and self.failure else ""

    @property
    def future(self) -> str:
        """What would happen."""
        if self.hosting.personal_url:
            return _("Takes place on the personal link %(address)s") % {"address": self.hosting.personal_url}
        if self.hosting.connection is None:
            return ""
        words = {"name": self.hosting.connection.name}
        meeting = self.appointment.meeting
        if meeting is not None and keeps_link(meeting, self.hosting):
            return _("The link is tried again on %(name)s") % words
        return _("A new link on %(name)s") % words


def rows_of(appointments: Sequence[Appointment]) -> list[LinkRow]:
    """The rows of some appointments of `loaded`. Two queries for any number of them."""
    hostings = hosting_of(list({each.staff_id: each.staff for each in appointments}.values()))
    return [
        LinkRow(each, hostings[each.staff_id], _obstacle(each, hostings[each.staff_id]))
        for each in appointments
    ]


def loaded(appointments: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """With all that a row shows, and that a change needs."""
    return appointments.select_related(
        "organization", "service", "client", "meeting__connection", "staff__organization", "staff__location"
    )


def _obstacle(appointment: Appointment, hosting: Hosting) -> BlockingReason | None:
    staff = appointment.staff
    if staff.is_active:
        return hosting.blocking_reason
    sentence = _("%(name)s no longer takes appointments. Choose somebody else.") % {"name": staff.name}
    page = MeetingPage(reverse("appointment-reassign", args=[appointment.pk]), _("Reassign"))
    return BlockingReason(sentence=sentence, reason=_("No longer takes appointments."), ask="", page=page)
