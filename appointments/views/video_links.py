"""Preview and repair links of booked appointments: missing links, and links on another platform."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.forms.selection import Selection
from appointments.models import AppointmentQuerySet
from appointments.parameters import id_in
from appointments.video.missing_links import host_is_able, with_other_link, without_link
from appointments.video.repair import BATCH_SIZE, RepairResult, repair_links
from appointments.video.repair_rows import rows_of
from appointments.views.responses import SeeOther, message_remaining
from staff.access import admin_only, current_member, current_organization
from staff.models import StaffMember
from staff.pagination import list_context


@require_http_methods(["GET", "POST"])
@never_cache
@admin_only
def video_links(request: HttpRequest) -> HttpResponse:
    """Preview the links; POST creates those of the selected appointments."""
    replacing = request.GET.get("show") == "other"
    person = _staff_or_none(request)
    found = _listed_appointments(request, person, replacing=replacing)
    able = found if replacing else found.filter(host_is_able(current_organization(request)))
    if request.method == "POST":
        _create_links(request, able, replacing=replacing)
        return SeeOther(_page_url(person, replacing=replacing))
    context = {
        "replacing": replacing,
        "person": person,
        "able": able.count(),
        "at_once": BATCH_SIZE,
        **_rows(request, found),
    }
    return render(request, "appointments/video_links/page.html", context)


def _staff_or_none(request: HttpRequest) -> StaffMember | None:
    """Return the staff member that the page is limited to, if any. Raises Http404."""
    text = request.GET.get("staff", "")
    if not text:
        return None
    return get_object_or_404(StaffMember, pk=id_in(text), organization=current_organization(request))


def _listed_appointments(
    request: HttpRequest, person: StaffMember | None, *, replacing: bool
) -> AppointmentQuerySet:
    """Return the listed appointments by start. Missing links that can be repaired come first."""
    organization = current_organization(request)
    found = with_other_link(organization) if replacing else without_link(organization)
    if not replacing:
        found = found.order_by(host_is_able(organization).desc(), "starts_at", "pk")
    return found if person is None else found.filter(staff=person)


def _rows(request: HttpRequest, found: AppointmentQuerySet) -> dict[str, Any]:
    context = list_context(request, found.with_links())
    return {**context, "rows": rows_of(list(context["page"].object_list))}


def _create_links(request: HttpRequest, able: AppointmentQuerySet, *, replacing: bool) -> None:
    selection = Selection.of(request.POST)
    if not selection:
        messages.info(request, _("No appointment is selected. Tick those that shall get a link."))
        return
    gone = selection.missing_from(able)
    chosen = selection.among(able)
    left = max(chosen.count() - BATCH_SIZE, 0)
    # Read first: appointments with a new link leave the list.
    now = list(chosen.with_links()[:BATCH_SIZE])
    done = repair_links(now, actor=current_member(request), replacing=replacing)
    _message_result(request, RepairResult(done.changed, done.skipped + gone))
    message_remaining(request, left)


def _message_result(request: HttpRequest, done: RepairResult) -> None:
    if done.changed:
        sentence = ngettext(
            "%d booked appointment gets its link now.",
            "%d booked appointments get their links now.",
            done.changed,
        )
        messages.success(request, sentence % done.changed)
    if done.skipped:
        sentence = ngettext(
            "%d selected appointment was left as it is: it has a link by now, or was changed, or its staff member "
            "cannot host it any more.",
            "%d selected appointments were left as they are: they have a link by now, or were changed, or their "
            "staff cannot host them any more.",
            done.skipped,
        )
        messages.info(request, sentence % done.skipped)


def _page_url(person: StaffMember | None, *, replacing: bool) -> str:
    query = {**({"show": "other"} if replacing else {}), **({"staff": str(person.pk)} if person else {})}
    return reverse("video-links", query=query or None)
