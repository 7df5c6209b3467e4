"""Control API for tests: `/_control/<name>`, `/_control/state`, `/_control/requests`.

It needs neither sign-in nor CSRF token.
"""

import json
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from simulator.controls import CONTROLS, ControlError
from simulator.directory import Person, Tenant
from simulator.store import store


@csrf_exempt
@require_POST
def run_control(request: HttpRequest, name: str) -> JsonResponse:
    """Run a control: POST /_control/<name> with a JSON object."""
    control = CONTROLS.get(name)
    if control is None:
        return JsonResponse({"error": f"No such control. Known: {', '.join(CONTROLS)}."}, status=404)
    try:
        data = json.loads(request.body or b"{}")
    except ValueError:
        return JsonResponse({"error": "The body isn't JSON."}, status=400)
    if not isinstance(data, dict):
        return JsonResponse({"error": "The body must be a JSON object."}, status=400)
    try:
        with store.lock:
            return JsonResponse({"ok": True, **control(store, data)})
    except (ControlError, TypeError, ValueError) as error:
        return JsonResponse({"error": str(error)}, status=400)


@require_GET
def show_state(request: HttpRequest) -> JsonResponse:
    """Return the state for assertions: GET /_control/state, one part with ?only=meetings."""
    with store.lock:
        parts: dict[str, Any] = {
            "meetings": [asdict(meeting) for meeting in store.meetings.all()],
            "counters": dict(store.meetings.counters),
            "faults": store.faults.dump(),
            "behaviour": asdict(store.behaviour),
            "consents": {
                "personal": store.grants.personal,
                "admin": {tenant: asdict(consent) for tenant, consent in store.grants.admin.items()},
                "installed": store.grants.installed,
            },
            "refresh_tokens": len(store.grants.refresh_tokens),
        }
        if request.GET.get("only", "people") == "people":
            parts["people"] = [
                _person_json(tenant, person) for tenant in store.directory.tenants.values() for person in tenant
            ]
    only = request.GET.get("only")
    return JsonResponse({only: parts[only]} if only in parts else parts)


def _person_json(tenant: Tenant, person: Person) -> dict[str, Any]:
    return {
        **asdict(person),
        "tenant_id": tenant.id,
        "policy": tenant.effective_policy(person),
        "covered": tenant.policy_allows(person, store.registration.client_id),
    }


@require_GET
def request_log(request: HttpRequest) -> JsonResponse:
    """Return the request log, oldest first: GET /_control/requests."""
    with store.lock:
        return JsonResponse({"requests": list(store.request_log)})
