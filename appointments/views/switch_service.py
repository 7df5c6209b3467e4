"""Preview and switch booked appointments of a service to video calls."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.changes.switch_service import (
    BATCH_SIZE,
    switch_rows,
    switch_to_video,
    switchable_to_video,
    without_video,
)
from appointments.forms.selection import Selection
from appointments.video.missing_links import host_is_able
from appointments.video.repair import RepairResult
from appointments.views.responses import message_remaining, see_other
from services.catalog import service_or_404
from services.methods import offers_of
from services.models import MeetingMethod, Service
from staff.access import admin_only, current_member, current_organization
from staff.pagination import list_context


@require_http_methods(["GET", "POST"])
@never_cache
@admin_only
def service_to_video(request: HttpRequest, pk: int) -> HttpResponse:
    """Preview each appointment; POST switches the selected ones."""
    service = service_or_404(current_organization(request), pk)
    offered = offers_of(service)
    if MeetingMethod.VIDEO not in offered:
        messages.info(request, _("This service is not offered as a Video Call. Tick that first."))
        return see_other("service-more", service.pk)
    if request.method == "POST":
        _switch(request, service)
        return see_other("service-to-video", service.pk)
    found = without_video(service).with_links().select_related("location")
    found = found.order_by(host_is_able(service.organization).desc(), "starts_at", "pk")
    listed = list_context(request, found)
    context = {
        "service": service,
        "offered": offered,
        "able": switchable_to_video(service).count(),
        "rows": switch_rows(list(listed["page"].object_list)),
        **listed,
    }
    return render(request, "appointments/video_links/switch_service.html", context)


def _switch(request: HttpRequest, service: Service) -> None:
    selection = Selection.of(request.POST)
    if not selection:
        messages.info(request, _("No appointment is selected. Tick those that shall become video calls."))
        return
    able = switchable_to_video(service)
    gone = selection.missing_from(able)
    chosen = selection.among(able)
    left = max(chosen.count() - BATCH_SIZE, 0)
    # Read first: switched appointments leave the list.
    now = list(chosen.with_links()[:BATCH_SIZE])
    done = switch_to_video(now, actor=current_member(request))
    _message_result(request, RepairResult(done.changed, done.skipped + gone))
    message_remaining(request, left)


def _message_result(request: HttpRequest, done: RepairResult) -> None:
    if done.changed:
        sentence = ngettext(
            "%d appointment is a video call now; client and staff member are told by email.",
            "%d appointments are video calls now; clients and staff are told by email.",
            done.changed,
        )
        messages.success(request, sentence % done.changed)
    if done.skipped:
        sentence = ngettext(
            "%d selected appointment was left as it is: it was changed meanwhile, or cannot be a video call any "
            "more.",
            "%d selected appointments were left as they are: they were changed meanwhile, or cannot be video "
            "calls any more.",
            done.skipped,
        )
        messages.info(request, sentence % done.skipped)
