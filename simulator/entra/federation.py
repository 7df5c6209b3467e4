"""Sign-in page of a federated tenant, on a host that isn't Microsoft's.

Entra redirects the browser there before it asks for an account, if a policy or a hint tells the tenant
(Microsoft: home-realm-discovery-policy). The page returns to Entra. It is on the other name of this machine.
"""

from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET

from simulator.store import store

FEDERATION_PATH = "/federation/"
# Marks the return from the federated sign-in.
RETURNED_PARAMETER = "sim_federated"
_OTHER_NAMES = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}


def redirect_to_federation(request: HttpRequest) -> HttpResponse | None:
    """Return the redirect to the tenant's own sign-in page, or None if the tenant isn't federated."""
    if not store.behaviour.federated or request.method != "GET" or RETURNED_PARAMETER in request.GET:
        return None
    address = request.build_absolute_uri()
    here = urlsplit(address)
    host = here.netloc.replace(here.hostname or "", _OTHER_NAMES.get(here.hostname or "", "localhost"))
    return HttpResponseRedirect(f"{here.scheme}://{host}{FEDERATION_PATH}?{urlencode({'return': address})}")


@require_GET
def federated_sign_in(request: HttpRequest) -> HttpResponse:
    """Show the tenant's own sign-in page, with a link back to Entra."""
    target = urlsplit(request.GET.get("return", ""))
    if target.hostname not in _OTHER_NAMES:
        return HttpResponseBadRequest("No way back to Entra.")
    back = target._replace(query=f"{target.query}&{RETURNED_PARAMETER}=1").geturl()
    return render(request, "simulator/federated_sign_in.html", {"back": back})
