"""Preview and switch booked appointments of a service to video calls."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from appointments.changes.switch_service import (
    BATCH_SIZE,
    switch_rows,
    switch_to_video,
    switchable_to_video,
    without_video,
)
from appointments.video.missing_links import host_is_able
from appointments.views.responses import see_other
from appointments.views.selected_rows import ResultSentences, change_selected
from services.catalog import service_or_404
from services.methods import offers_of
from services.models import MeetingMethod
from staff.access import admin_only, current_organization
from staff.pagination import list_context

_SENTENCES = ResultSentences(
    nothing_selected=gettext_lazy("No appointment is selected. Select those that should become video calls."),
    changed=ngettext_lazy(
        "%d appointment is a video call now; we email the client and the staff member.",
        "%d appointments are video calls now; we email the clients and the staff.",
    ),
    skipped=ngettext_lazy(
        "%d selected appointment was left as it is: it was changed meanwhile, or cannot be a video call any more.",
        "%d selected appointments were left as they are: they were changed meanwhile, or cannot be video "
        "calls any more.",
    ),
)


@require_http_methods(["GET", "POST"])
@never_cache
@admin_only
def service_to_video(request: HttpRequest, pk: int) -> HttpResponse:
    """Preview each appointment; POST switches the selected ones."""
    service = service_or_404(current_organization(request), pk)
    offered = offers_of(service)
    if MeetingMethod.VIDEO not in offered:
        messages.info(request, _("This service is not offered as a Video Call. Select that first."))
        return see_other("service-more", service.pk)
    if request.method == "POST":
        able = switchable_to_video(service)
        change_selected(request, able, switch_to_video, _SENTENCES, batch_size=BATCH_SIZE)
        return see_other("service-to-video", service.pk)
    found = without_video(service).with_details()
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
