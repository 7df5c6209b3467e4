"""Preview and repair links of booked appointments: missing links, and links on another platform."""

from __future__ import annotations

from functools import partial

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.models import AppointmentQuerySet
from appointments.parameters import find_by_id
from appointments.video.missing_links import host_is_able, with_other_link, without_link
from appointments.video.repair import BATCH_SIZE, repair_links
from appointments.video.repair_rows import rows_of
from appointments.views.responses import SeeOther
from appointments.views.selected_rows import ResultSentences, change_selected
from staff.access import admin_only, current_organization
from staff.models import StaffMember
from staff.pagination import list_context

_SENTENCES = ResultSentences(
    nothing_selected=gettext_lazy("No appointment is selected. Select those that should get a link."),
    changed=ngettext_lazy("%d booked appointment gets its link now.", "%d booked appointments get their links now."),
    skipped=ngettext_lazy(
        "%d selected appointment was left as it is: it already has a link, or was changed, or its staff member "
        "cannot host it any more.",
        "%d selected appointments were left as they are: they already have a link, or were changed, or their "
        "staff cannot host them any more.",
    ),
)


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
        repair = partial(repair_links, replacing=replacing)
        change_selected(request, able, repair, _SENTENCES, batch_size=BATCH_SIZE)
        return SeeOther(_page_url(person, replacing=replacing))
    listed = list_context(request, found.with_details())
    context = {
        "replacing": replacing,
        "person": person,
        "able": able.count(),
        "at_once": BATCH_SIZE,
        "rows": rows_of(list(listed["page"].object_list)),
        **listed,
    }
    return render(request, "appointments/video_links/page.html", context)


def _staff_or_none(request: HttpRequest) -> StaffMember | None:
    """Return the staff member that the page is limited to, if any. Raises Http404."""
    text = request.GET.get("staff", "")
    if not text:
        return None
    found = find_by_id(StaffMember.objects.filter(organization=current_organization(request)), text)
    if found is None:
        raise Http404
    return found


def _listed_appointments(request: HttpRequest, person: StaffMember | None, *, replacing: bool) -> AppointmentQuerySet:
    """Return the listed appointments by start. Missing links that can be repaired come first."""
    organization = current_organization(request)
    found = with_other_link(organization) if replacing else without_link(organization)
    if not replacing:
        found = found.order_by(host_is_able(organization).desc(), "starts_at", "pk")
    return found if person is None else found.filter(staff=person)


def _page_url(person: StaffMember | None, *, replacing: bool) -> str:
    query = {**({"show": "other"} if replacing else {}), **({"staff": str(person.pk)} if person else {})}
    return reverse("video-links", query=query or None)
