"""Notices about the links of booked appointments, on the pages of Video Calls."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.video.missing_links import MissingLinks, count_without_link, with_other_link
from staff.models import Organization, StaffMember
from staff.notices import Notice


def missing_links(organization: Organization, person: StaffMember | None) -> Notice | None:
    """Return a notice if booked video appointments have no link, of all staff or of one person."""
    missing = count_without_link(organization, person)
    if not missing.total:
        return None
    address = reverse("video-links", query={"staff": person.pk} if person else None)
    action = _("Create links") if missing.able else _("See why")
    return Notice(_missing_links_sentence(missing), action, address)


def other_links(organization: Organization, person: StaffMember | None) -> Notice | None:
    """Return a notice on a person's page if booked appointments keep a link on another platform.

    Booked appointments keep their link when the platform changes, until an admin replaces it.
    """
    if person is None:
        return None
    number = with_other_link(organization).filter(staff=person).count()
    if not number:
        return None
    text = ngettext(
        "%(number)d booked video appointment keeps the link that it has, which is not where %(name)s hosts now.",
        "%(number)d booked video appointments keep the links that they have, which are not where %(name)s hosts now.",
        number,
    )
    sentence = text % {"number": number, "name": person.name}
    address = reverse("video-links", query={"show": "other", "staff": person.pk})
    return Notice(sentence, _("Replace links"), address, is_urgent=False)


def _missing_links_sentence(missing: MissingLinks) -> str:
    if missing.has_more:
        return _("More than %d booked video appointments have no link.") % missing.total
    if not missing.able:
        text = ngettext(
            "%d booked video appointment has no link, and its staff member cannot host one now.",
            "%d booked video appointments have no link, and their staff cannot host one now.",
            missing.total,
        )
        return text % missing.total
    text = ngettext(
        "%d booked video appointment has no link.",
        "%d booked video appointments have no link.",
        missing.total,
    )
    sentence = text % missing.total
    if missing.able == missing.total:
        return sentence
    able = ngettext("One can be made for %d of them.", "One can be made for %d of them.", missing.able)
    return f"{sentence} {able % missing.able}"
