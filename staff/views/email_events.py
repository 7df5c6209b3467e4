"""Webhook of the email provider."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from coconut.email_providers import PROVIDERS

#: Bytes of one request. Providers send up to a thousand events at once.
_LARGEST: Final = 1024 * 1024


@csrf_exempt  # the provider has a secret, not a cookie
@login_not_required
@require_POST
def email_events(request: HttpRequest) -> HttpResponse:
    """Take bounces and complaints. The view of django-anymail checks the secret, and the signature if there is one."""
    if not settings.EMAIL_PROVIDER or not settings.EMAIL_WEBHOOK_SECRET:
        return HttpResponseForbidden("No email provider is set up.", content_type="text/plain")
    if int(request.META.get("CONTENT_LENGTH") or 0) > _LARGEST:
        return HttpResponse("Send fewer events at once.", status=413, content_type="text/plain")
    view = import_string(PROVIDERS[settings.EMAIL_PROVIDER].webhook).as_view()
    response: HttpResponse = view(request)
    return response
