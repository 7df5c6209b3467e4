"""Controls of the tenant page and of `/_control/<name>`: edit the store and its faults.

Each control takes and returns JSON-ready data. Callers hold `store.lock`.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from cryptography import x509

from simulator.directory import Person, PolicyGrant, Tenant, object_id
from simulator.entra.tokens import app_token, delegated_token
from simulator.fault_fields import parse_number
from simulator.grants import REFRESH_IDLE_LIFETIME, RefreshToken
from simulator.people import CONTOSO_ID
from simulator.store import Behaviour, Store

JsonObject = dict[str, Any]
COCONUT_POLICY = "Coconut"
OTHER_VENDOR_POLICY = "Other vendor"
OTHER_VENDOR_CLIENT_ID = "0ff1ce00-0000-4000-8000-000000000000"


class ControlError(Exception):
    """A control got invalid data; the text is a sentence for the user."""


def _find_tenant(store: Store, data: JsonObject) -> Tenant:
    tenant = store.directory.find_tenant(str(data.get("tenant") or CONTOSO_ID))
    if tenant is None:
        raise ControlError(f"No such tenant: {data['tenant']}.")
    return tenant


def _find_person(store: Store, data: JsonObject) -> tuple[Tenant, Person]:
    found = store.directory.find_account(str(data.get("user", "")))
    if found is None:
        raise ControlError(f"No such user: {data.get('user', '')!r}.")
    return found


def reset(store: Store, data: JsonObject) -> JsonObject:
    """Return to the seeded tenants, without faults, meetings, consents and tokens."""
    store.reset()
    return {}


def snapshot(store: Store, data: JsonObject) -> JsonObject:
    """Return the state for `bring-back`, without faults, behaviour and request log."""
    return {"state": store.dump()}


def restore_snapshot(store: Store, data: JsonObject) -> JsonObject:
    """Reset, then load a `state` that `keep` returned."""
    store.reset()
    store.load(data["state"])
    return {}


def add_people(store: Store, data: JsonObject) -> JsonObject:
    """Add listed `people`, and `generate` that many of the form `user00001@domain`."""
    tenant = _find_tenant(store, data)
    domain = str(data.get("domain") or tenant.default_domain)
    if domain not in tenant.domains:
        tenant.domains.append(domain)
    added = [_parse_person(entry) for entry in data.get("people", ())]
    start = int(data.get("start", 1))
    for number in range(start, start + int(data.get("generate", 0))):
        upn = f"user{number:05d}@{domain}"
        added.append(Person(object_id(upn), upn, f"User {number:05d}", upn))
    try:
        for person in added:
            tenant.add(person)
    except ValueError as error:
        raise ControlError(str(error)) from error
    return {"added": len(added), "total": len(tenant)}


def _parse_person(entry: Any) -> Person:
    if isinstance(entry, str):
        entry = {"upn": entry}
    upn = entry.get("upn")
    if not upn:
        raise ControlError("Every person needs a upn.")
    known = {"upn", "id", "name", "mail", "enabled", "guest", "licensed", "roles", "aliases"}
    if entry.keys() - known:
        raise ControlError(f"Unknown field {', '.join(sorted(entry.keys() - known))}.")
    optional = {key: entry[key] for key in known - {"upn", "id", "name", "mail"} if key in entry}
    return Person(entry.get("id") or object_id(upn), upn, entry.get("name") or upn, entry.get("mail", upn), **optional)


CHANGEABLE_FIELDS = ("name", "mail", "enabled", "guest", "licensed", "roles", "aliases")


def change_person(store: Store, data: JsonObject) -> JsonObject:
    """Change, `delete` or `recreate` a `user`. The fields are those of a person; `upn` renames."""
    tenant, found = _find_person(store, data)
    unknown = data.keys() - {"user", "upn", "delete", "recreate", *CHANGEABLE_FIELDS}
    if unknown:
        raise ControlError(f"Unknown field {', '.join(sorted(unknown))}.")
    if data.get("delete"):
        tenant.remove(found)
        return {}
    if data.get("recreate"):
        return {"person": asdict(tenant.recreate(found))}
    if data.get("upn"):
        try:
            tenant.rename(found, str(data["upn"]))
        except ValueError as error:
            raise ControlError(str(error)) from error
    for name in CHANGEABLE_FIELDS:
        if name in data:
            setattr(found, name, data[name])
    tenant.record_change(found)
    return {"person": asdict(found)}


def grant_policy(store: Store, data: JsonObject) -> JsonObject:
    """Grant an application access policy to a `user`, or globally.

    `delay`: seconds until the grant takes effect. `apps`: client ids in the policy (default: Coconut's).
    `clear`: remove the grant.
    """
    tenant = _find_tenant(store, data)
    user = data.get("user")
    found = None
    if user:
        tenant, found = _find_person(store, data)
    name = None
    if not data.get("clear"):
        apps = [str(app) for app in data.get("apps", [store.registration.client_id])]
        name = str(
            data.get("name") or (COCONUT_POLICY if store.registration.client_id in apps else OTHER_VENDOR_POLICY)
        )
        tenant.policies[name] = apps
    previous = (found.grant if found else tenant.global_grant).current()
    grant = PolicyGrant(name, time.time() + float(data.get("delay", 0)), previous)
    if found is None:
        tenant.global_grant = grant
    else:
        found.grant = grant
    return {"policy": name}


def grant_other_policy(store: Store, data: JsonObject) -> JsonObject:
    """Grant a `user` another vendor's policy, which overrides the Global one."""
    return grant_policy(store, {**data, "apps": [OTHER_VENDOR_CLIENT_ID]})


def grant_consent(store: Store, data: JsonObject) -> JsonObject:
    """Grant consent without a browser: for a `user` (`scopes`) or the tenant (`roles`, `scopes`)."""
    registration = store.registration
    scopes = data.get("scopes", registration.delegated)
    if data.get("user"):
        tenant, found = _find_person(store, data)
        store.grants.grant_user_consent(tenant.id, found.id, set(scopes))
    else:
        tenant = _find_tenant(store, data)
        store.grants.grant_admin_consent(tenant.id, list(scopes), list(data.get("roles", registration.roles)))
    return {}


def revoke_consent(store: Store, data: JsonObject) -> JsonObject:
    """Revoke the consent of a `user` or of the tenant. `uninstall` also removes the app from it."""
    if data.get("user"):
        tenant, found = _find_person(store, data)
        store.grants.revoke(tenant.id, found.id)
    elif data.get("uninstall"):
        store.grants.uninstall(_find_tenant(store, data).id)
    else:
        store.grants.revoke(_find_tenant(store, data).id)
    return {}


def end_refresh_tokens(store: Store, data: JsonObject) -> JsonObject:
    """Revoke (`how`: revoked) or expire (`how`: expired) the refresh tokens of a `user`, or all."""
    how = data.get("how", "revoked")
    if how not in ("revoked", "expired"):
        raise ControlError("how must be revoked or expired.")
    oid = _find_person(store, data)[1].id if data.get("user") else None
    ended = [token for token in store.grants.refresh_tokens.values() if oid in (None, token.oid)]
    for token in ended:
        if how == "revoked":
            token.revoked = True
        else:
            token.last_used_at = time.time() - REFRESH_IDLE_LIFETIME - 1
    return {"struck": len(ended)}


def change_registration(store: Store, data: JsonObject) -> JsonObject:
    """Change the app registration: secret, secret_expired, certificate, delegated, roles, redirect_uris."""
    registration = store.registration
    if "certificate" in data:
        try:
            x509.load_pem_x509_certificate(str(data["certificate"]).encode())
        except ValueError as error:
            raise ControlError("certificate must be a PEM certificate.") from error
        registration.certificates.append(str(data["certificate"]))
    for name in ("secret", "secret_expired", "delegated", "roles", "redirect_uris"):
        if name in data:
            setattr(registration, name, data[name])
    return {"registration": {**asdict(registration), "secret": "…"}}


def change_behaviour(store: Store, data: JsonObject) -> JsonObject:
    """Change fields of `Behaviour`, and start a new window of resource units."""
    known = {field.name for field in fields(Behaviour)}
    if data.keys() - known:
        raise ControlError(f"Unknown field {', '.join(sorted(data.keys() - known))}.")
    for name, value in data.items():
        setattr(store.behaviour, name, value)
    store.resource_units.clear()
    return {"behaviour": asdict(store.behaviour)}


def add_fault(store: Store, data: JsonObject) -> JsonObject:
    """Add a fault; the fields are those of `Fault` and of its kind."""
    try:
        return {"fault": asdict(store.faults.add(data))}
    except ValueError as error:
        raise ControlError(str(error)) from error


def clear_faults(store: Store, data: JsonObject) -> JsonObject:
    """Remove one fault (`id`) or all of them."""
    store.faults.clear(parse_number("id", data["id"]) if "id" in data else None)
    return {}


def delete_meeting(store: Store, data: JsonObject) -> JsonObject:
    """Delete a meeting (`id`) without the product's knowledge."""
    meeting = store.meetings.get(str(data.get("id", "")))
    if meeting is None:
        raise ControlError("No such meeting.")
    store.meetings.delete(meeting)
    return {}


def issue_token(store: Store, data: JsonObject) -> JsonObject:
    """Issue tokens without a browser: for a `user` with `scopes`, or for the app with `roles`."""
    client_id = store.registration.client_id
    if not data.get("user"):
        tenant = _find_tenant(store, data)
        roles = list(data.get("roles", store.grants.granted_roles(tenant.id)))
        return {"access_token": app_token(store, tenant, client_id, roles, "1")}
    tenant, found = _find_person(store, data)
    scopes = set(data.get("scopes", store.registration.delegated))
    stored = RefreshToken(tenant.id, found.id, client_id, list(scopes), time.time())
    return {
        "access_token": delegated_token(store, tenant, found, client_id, scopes, "1"),
        "refresh_token": store.grants.add_refresh_token(stored),
    }


CONTROLS: dict[str, Callable[[Store, JsonObject], JsonObject]] = {
    "reset": reset,
    "keep": snapshot,
    "bring-back": restore_snapshot,
    "people": add_people,
    "person": change_person,
    "policy": grant_policy,
    "other-policy": grant_other_policy,
    "consent": grant_consent,
    "revoke-consent": revoke_consent,
    "refresh-tokens": end_refresh_tokens,
    "registration": change_registration,
    "behaviour": change_behaviour,
    "fault": add_fault,
    "clear-faults": clear_faults,
    "delete-meeting": delete_meeting,
    "token": issue_token,
}
