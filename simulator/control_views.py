"""The controls over HTTP, for tests: no sign-in, no CSRF token."""

import json
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from simulator.controls import CONTROLS, ControlError
from simulator.directory import Person, Tenant
from simulator.store import world


@csrf_exempt
@require_POST
def control(request: HttpRequest, name: str) -> JsonResponse:
    """POST /_control/<name> with a JSON object."""
    action = CONTROLS.get(name)
    if action is None:
        return JsonResponse({"error": f"No such control. Known: {', '.join(CONTROLS)}."}, status=404)
    try:
        data = json.loads(request.body or b"{}")
    except ValueError:
        return JsonResponse({"error": "The body is no JSON."}, status=400)
    if not isinstance(data, dict):
        return JsonResponse({"error": "The body must be a JSON object."}, status=400)
    try:
        with world.lock:
            return JsonResponse({"ok": True, **action(world, data)})
    except (ControlError, TypeError, ValueError) as error:
        return JsonResponse({"error": str(error)}, status=400)


@require_GET
def state(request: HttpRequest) -> JsonResponse:
    """GET /_control/state?only=meetings: everything that can be asserted on."""
    with world.lock:
        parts: dict[str, Any] = {
            "meetings": [asdict(meeting) for meeting in world.book.meetings.values()],
            "counters": dict(world.book.counters),
            "faults": world.faults.dump(),
            "behaviour": asdict(world.behaviour),
            "consents": {
                "personal": world.grants.personal,
                "admin": {tenant: asdict(given) for tenant, given in world.grants.admin.items()},
                "installed": world.grants.installed,
            },
            "refresh_tokens": len(world.grants.refresh_tokens),
        }
        if request.GET.get("only", "people") == "people":
            parts["people"] = [
                _show(tenant, person) for tenant in world.directory.tenants.values() for person in tenant
            ]
    only = request.GET.get("only")
    return JsonResponse({only: parts[only]} if only in parts else parts)


def _show(tenant: Tenant, person: Person) -> dict[str, Any]:
    return {
        **asdict(person),
        "tenant_id": tenant.id,
        "policy": tenant.policy_of(person),
        "covered": tenant.is_covered(person, world.registration.client_id),
    }


@require_GET
def requests(request: HttpRequest) -> JsonResponse:
    """GET /_control/requests: the log, oldest first."""
    with world.lock:
        return JsonResponse({"requests": list(world.requests)})
