"""Sign-in pages, and the app request that authorize and admin consent share.

Validates client and redirect URI, keeps the browser's accounts, redirects to the app.
"""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string

from simulator.directory import Person
from simulator.entra.authority import Authority, find_authority
from simulator.entra.errors import EntraError, error_from_fault, missing_parameter, unknown_app
from simulator.faults import Fault
from simulator.store import store

# Query parameters of the simulator, added to Microsoft's between pages.
ACCOUNT_PARAMETER = "sim_account"
PAGE_PARAMETER = "sim_page"


@dataclass(frozen=True)
class AppRequest:
    """An app's request whose client and redirect URI are valid, so that errors can be redirected."""

    authority: Authority
    client_id: str
    redirect_uri: str
    query: QueryDict

    @property
    def state(self) -> str:
        return self.query.get("state", "")

    def redirect(self, **parameters: str) -> HttpResponse:
        """Redirect to the app, with response_mode query (default), fragment or form_post."""
        if self.state:
            parameters["state"] = self.state
        mode = self.query.get("response_mode", "query")
        if mode == "form_post":
            page = {"action": self.redirect_uri, "parameters": parameters}
            return HttpResponse(render_page("form_post.html", page))
        separator = "#" if mode == "fragment" else "&" if urlsplit(self.redirect_uri).query else "?"
        return HttpResponseRedirect(f"{self.redirect_uri}{separator}{urlencode(parameters)}")

    def redirect_error(self, error: EntraError, **parameters: str) -> HttpResponse:
        """Redirect to the app with an error."""
        description = error.description(str(uuid.uuid4()), str(uuid.uuid4()))
        return self.redirect(error=error.error, error_description=description, **parameters)


def redirect_fault(app: AppRequest, fault: Fault, **parameters: str) -> HttpResponse | None:
    """Redirect to the app with the error that a `refuse_consent` fault chose, or return None if it chose none."""
    if fault.details.keys().isdisjoint({"code", "number"}):
        return None
    return app.redirect_error(error_from_fault(fault, "access_denied", 65004), **parameters)


def read_app_request(request: HttpRequest, tenant_name: str) -> AppRequest:
    """Validate client and redirect URI.

    Raises EntraError for errors that Microsoft shows on its own page and never redirects.
    """
    authority = find_authority(store.directory, tenant_name)
    query = request.GET
    for name in ("client_id", "redirect_uri"):
        if not query.get(name):
            raise missing_parameter(name)
    client_id, redirect_uri = query["client_id"], query["redirect_uri"]
    if client_id != store.registration.client_id:
        raise unknown_app(client_id, authority.name)
    if not store.registration.allows_redirect(redirect_uri):
        raise EntraError(
            "invalid_request",
            50011,
            f"The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs "
            f"configured for the application '{client_id}'. Make sure the redirect URI sent in the request "
            "matches one added to your application in the Azure portal.",
        )
    return AppRequest(authority, client_id, redirect_uri, query)


def render_page(template_name: str, context: dict[str, Any]) -> str:
    """Render a template without a request."""
    return render_to_string(f"simulator/{template_name}", context)


def error_page(request: HttpRequest, error: EntraError, offer_picker: bool = False) -> HttpResponse:
    """Show Microsoft's error page; `offer_picker` adds a link to pick another account."""
    context = {
        "description": error.description(str(uuid.uuid4()), str(uuid.uuid4())),
        "pick_url": step_url(request, PAGE_PARAMETER, "pick") if offer_picker else "",
    }
    return render(request, "simulator/sign_in_error.html", context, status=400)


def step_url(request: HttpRequest, name: str, value: str) -> str:
    """Return the current URL with one simulator parameter, and without the others."""
    query = request.GET.copy()
    for parameter in (ACCOUNT_PARAMETER, PAGE_PARAMETER):
        query.pop(parameter, None)
    query[name] = value
    return f"{request.path}?{query.urlencode()}"


def session_accounts(request: HttpRequest) -> list[Person]:
    """Return the accounts signed in with the browser, latest first."""
    accounts = [store.directory.find_account(oid) for oid in request.session.get("accounts", [])]
    return [account[1] for account in accounts if account is not None]


def picked_account(request: HttpRequest) -> Person | None:
    """Return the picked account, if the browser's session holds it."""
    account_id = request.GET.get(ACCOUNT_PARAMETER)
    return next((person for person in session_accounts(request) if person.id == account_id), None)


def handle_sign_in(request: HttpRequest) -> HttpResponse:
    """Handle the form of picker or sign-in page: add the account to the session and continue."""
    key = (request.POST.get("account") or request.POST.get("loginfmt") or "").strip()
    found = store.directory.find_account(key)
    if found is None:
        return sign_in_page(request, key, "We couldn't find an account with that username.")
    person = found[1]
    if not person.enabled:
        return error_page(request, EntraError("invalid_grant", 50057, "The user account is disabled."), True)
    others = [oid for oid in request.session.get("accounts", []) if oid != person.id]
    request.session["accounts"] = [person.id, *others]
    return HttpResponseRedirect(step_url(request, ACCOUNT_PARAMETER, person.id))


def sign_in_page(request: HttpRequest, username: str, problem: str = "") -> HttpResponse:
    """Show the sign-in page, which requests a user name."""
    context = {
        "username": username,
        "problem": problem,
        "pick_url": step_url(request, PAGE_PARAMETER, "pick"),
    }
    return render(request, "simulator/sign_in.html", context)


def picker_page(request: HttpRequest) -> HttpResponse:
    """Show the account picker: accounts signed in, then featured accounts."""
    signed_in = session_accounts(request)
    featured = [person for tenant in store.directory.tenants.values() for person in tenant if person.note]
    people = signed_in + [person for person in featured if person not in signed_in]
    context = {
        "people": people,
        "signed_in": signed_in,
        "other_url": step_url(request, PAGE_PARAMETER, "sign-in"),
    }
    return render(request, "simulator/picker.html", context)


def admin_approval_page(request: HttpRequest, person: Person, permissions: list[str]) -> HttpResponse:
    """Show "Need admin approval"."""
    context = {
        "person": person,
        "permissions": permissions,
        "pick_url": step_url(request, PAGE_PARAMETER, "pick"),
    }
    return render(request, "simulator/admin_approval.html", context)


def wrong_tenant_error(person: Person, authority: Authority, client_id: str) -> EntraError:
    """Return AADSTS50020: the account belongs to another tenant and isn't a guest."""
    name = authority.tenant.name if authority.tenant is not None else authority.name
    return EntraError(
        "invalid_request",
        50020,
        f"User account '{person.upn}' does not exist in tenant '{name}' and "
        f"cannot access the application '{client_id}'(Coconut) in that tenant. The account needs to be added "
        "as an external user in the tenant first. Sign out and sign in again with a different Azure Active "
        "Directory user account.",
    )
