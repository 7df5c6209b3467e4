"""What sign-in and consent pages share: the checked request, the session, the pages, the way back."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string

from simulator.directory import Person
from simulator.entra.authority import Authority, find_authority
from simulator.entra.errors import EntraError, missing_parameter, unknown_app
from simulator.store import world

# Added to Microsoft's own parameters while somebody goes from page to page.
ACCOUNT = "sim_account"
PAGE = "sim_page"


@dataclass(frozen=True)
class AppRequest:
    """An app's request that may be answered by a redirect: client and address are known."""

    authority: Authority
    client_id: str
    redirect_uri: str
    query: QueryDict

    @property
    def state(self) -> str:
        return self.query.get("state", "")

    def send(self, **parameters: str) -> HttpResponse:
        """Back to the app, by response_mode query (default), fragment or form_post."""
        if self.state:
            parameters["state"] = self.state
        mode = self.query.get("response_mode", "query")
        if mode == "form_post":
            page = {"action": self.redirect_uri, "parameters": parameters}
            return HttpResponse(render_page("form_post.html", page))
        separator = "#" if mode == "fragment" else "&" if urlsplit(self.redirect_uri).query else "?"
        return HttpResponseRedirect(f"{self.redirect_uri}{separator}{urlencode(parameters)}")

    def refuse(self, error: EntraError, **parameters: str) -> HttpResponse:
        """Back to the app with an error."""
        description = error.description(str(uuid.uuid4()), str(uuid.uuid4()))
        return self.send(error=error.error, error_description=description, **parameters)


def read_app_request(request: HttpRequest, tenant_name: str) -> AppRequest:
    """Raises EntraError for what Microsoft shows on a page of its own and never sends back."""
    authority = find_authority(world.directory, tenant_name)
    query = request.GET
    for name in ("client_id", "redirect_uri"):
        if not query.get(name):
            raise missing_parameter(name)
    client_id, redirect_uri = query["client_id"], query["redirect_uri"]
    if client_id != world.registration.client_id:
        raise unknown_app(client_id, authority.name)
    if not world.registration.allows_redirect(redirect_uri):
        raise EntraError(
            "invalid_request",
            50011,
            f"The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs "
            f"configured for the application '{client_id}'. Make sure the redirect URI sent in the request "
            "matches one added to your application in the Azure portal.",
        )
    return AppRequest(authority, client_id, redirect_uri, query)


def render_page(template: str, context: dict[str, Any]) -> str:
    """A page that needs no request."""
    return render_to_string(f"simulator/{template}", context)


def error_page(request: HttpRequest, error: EntraError, again: bool = False) -> HttpResponse:
    """Microsoft's "Sorry, but we're having trouble signing you in."; `again` offers another account."""
    context = {
        "description": error.description(str(uuid.uuid4()), str(uuid.uuid4())),
        "pick_url": step_url(request, PAGE, "pick") if again else "",
    }
    return render(request, "simulator/trouble.html", context, status=400)


def step_url(request: HttpRequest, name: str, value: str) -> str:
    """The same address with one of our own parameters; the others of ours are dropped."""
    query = request.GET.copy()
    for own in (ACCOUNT, PAGE):
        query.pop(own, None)
    query[name] = value
    return f"{request.path}?{query.urlencode()}"


def session_accounts(request: HttpRequest) -> list[Person]:
    """Who is signed in with this browser, the latest first."""
    found = [world.directory.locate(oid) for oid in request.session.get("accounts", [])]
    return [entry[1] for entry in found if entry is not None]


def chosen_account(request: HttpRequest) -> Person | None:
    """The account picked on the way here, if this browser's session holds it."""
    wanted = request.GET.get(ACCOUNT)
    return next((person for person in session_accounts(request) if person.id == wanted), None)


def sign_in(request: HttpRequest) -> HttpResponse:
    """POST of the picker or the sign-in page: remember the account and go on."""
    key = (request.POST.get("account") or request.POST.get("loginfmt") or "").strip()
    found = world.directory.locate(key)
    if found is None:
        return sign_in_page(request, key, "We couldn't find an account with that username.")
    person = found[1]
    if not person.enabled:
        return error_page(request, EntraError("invalid_grant", 50057, "The user account is disabled."), True)
    others = [oid for oid in request.session.get("accounts", []) if oid != person.id]
    request.session["accounts"] = [person.id, *others]
    return HttpResponseRedirect(step_url(request, ACCOUNT, person.id))


def sign_in_page(request: HttpRequest, username: str, problem: str = "") -> HttpResponse:
    """The page with one field and Next."""
    context = {"username": username, "problem": problem, "pick_url": step_url(request, PAGE, "pick")}
    return render(request, "simulator/sign_in.html", context)


def picker_page(request: HttpRequest) -> HttpResponse:
    """Pick an account: those signed in, then the featured ones."""
    signed_in = session_accounts(request)
    featured = [person for tenant in world.directory.tenants.values() for person in tenant if person.note]
    people = signed_in + [person for person in featured if person not in signed_in]
    context = {"people": people, "signed_in": signed_in, "other_url": step_url(request, PAGE, "sign-in")}
    return render(request, "simulator/picker.html", context)


def approval_page(request: HttpRequest, person: Person, permissions: list[str]) -> HttpResponse:
    """Need admin approval."""
    context = {
        "person": person,
        "permissions": permissions,
        "pick_url": step_url(request, PAGE, "pick"),
    }
    return render(request, "simulator/need_approval.html", context)


def wrong_tenant(person: Person, authority: Authority, client_id: str) -> EntraError:
    """The account lives elsewhere and is no guest here."""
    name = authority.tenant.name if authority.tenant is not None else authority.name
    return EntraError(
        "invalid_request",
        50020,
        f"User account '{person.upn}' does not exist in tenant '{name}' and "
        f"cannot access the application '{client_id}'(Coconut) in that tenant. The account needs to be added "
        "as an external user in the tenant first. Sign out and sign in again with a different Azure Active "
        "Directory user account.",
    )
