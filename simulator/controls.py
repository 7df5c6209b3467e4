"""What the tenant page and `/_control/<name>` can do. Each control takes and returns JSON-ready data."""

import time
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from cryptography import x509

from simulator.directory import Person, PolicyGrant, Tenant, object_id
from simulator.entra.scopes import Scopes
from simulator.entra.tokens import app_token, delegated_token
from simulator.grants import REFRESH_IDLE_LIFETIME, RefreshToken
from simulator.people import CONTOSO_ID
from simulator.store import Behaviour, World

Data = dict[str, Any]
OUR_POLICY = "Coconut"
OTHER_POLICY = "Other vendor"
OTHER_APP = "0ff1ce00-0000-4000-8000-000000000000"


class ControlError(Exception):
    """A control was asked for something that makes no sense; the text is a sentence."""


def _tenant(world: World, data: Data) -> Tenant:
    tenant = world.directory.resolve(str(data.get("tenant") or CONTOSO_ID))
    if tenant is None:
        raise ControlError(f"No such tenant: {data['tenant']}.")
    return tenant


def _person(world: World, data: Data) -> tuple[Tenant, Person]:
    found = world.directory.locate(str(data.get("user", "")))
    if found is None:
        raise ControlError(f"No such user: {data.get('user', '')!r}.")
    return found


def reset(world: World, data: Data) -> Data:
    """Back to the seeded tenants, without faults, meetings, consents and tokens."""
    world.reset()
    return {}


def keep(world: World, data: Data) -> Data:
    """What `bring-back` takes: people, consents, tokens and meetings, without faults."""
    return {"state": world.dump()}


def bring_back(world: World, data: Data) -> Data:
    """As `reset`, then back to a `state` that `keep` gave."""
    world.reset()
    world.load(data["state"])
    return {}


def people(world: World, data: Data) -> Data:
    """Add people: an explicit list, or `generate` so many `user00001@domain`."""
    tenant = _tenant(world, data)
    domain = str(data.get("domain") or tenant.default_domain)
    if domain not in tenant.domains:
        tenant.domains.append(domain)
    listed = [_read_person(entry) for entry in data.get("people", ())]
    start = int(data.get("start", 1))
    for number in range(start, start + int(data.get("generate", 0))):
        upn = f"user{number:05d}@{domain}"
        listed.append(Person(object_id(upn), upn, f"User {number:05d}", upn))
    try:
        for person in listed:
            tenant.add(person)
    except ValueError as error:
        raise ControlError(str(error)) from error
    return {"added": len(listed), "total": len(tenant)}


def _read_person(entry: Any) -> Person:
    if isinstance(entry, str):
        entry = {"upn": entry}
    upn = entry.get("upn")
    if not upn:
        raise ControlError("Every person needs a upn.")
    known = {"upn", "id", "name", "mail", "enabled", "guest", "licensed", "roles", "aliases"}
    if entry.keys() - known:
        raise ControlError(f"Unknown field {', '.join(sorted(entry.keys() - known))}.")
    given = {key: entry[key] for key in known - {"upn", "id", "name", "mail"} if key in entry}
    return Person(
        entry.get("id") or object_id(upn), upn, entry.get("name") or upn, entry.get("mail", upn), **given
    )


CHANGEABLE = ("name", "mail", "enabled", "guest", "licensed", "roles", "aliases")


def person(world: World, data: Data) -> Data:
    """Change one person (`upn` renames), or `delete` them."""
    tenant, found = _person(world, data)
    unknown = data.keys() - {"user", "upn", "delete", *CHANGEABLE}
    if unknown:
        raise ControlError(f"Unknown field {', '.join(sorted(unknown))}.")
    if data.get("delete"):
        tenant.remove(found)
        return {}
    if data.get("upn"):
        try:
            tenant.rename(found, str(data["upn"]))
        except ValueError as error:
            raise ControlError(str(error)) from error
    for name in CHANGEABLE:
        if name in data:
            setattr(found, name, data[name])
    tenant.touch(found)
    return {"person": asdict(found)}


def policy(world: World, data: Data) -> Data:
    """Grant an application access policy to a `user`, or globally; `delay` seconds until it has spread.

    `apps`: the client ids in the policy (default: ours). `clear`: take the grant away.
    """
    tenant = _tenant(world, data)
    user = data.get("user")
    found = None
    if user:
        tenant, found = _person(world, data)
    name = None
    if not data.get("clear"):
        apps = [str(app) for app in data.get("apps", [world.registration.client_id])]
        name = str(data.get("name") or (OUR_POLICY if world.registration.client_id in apps else OTHER_POLICY))
        tenant.policies[name] = apps
    before = (found.grant if found else tenant.global_grant).current()
    grant = PolicyGrant(name, time.time() + float(data.get("delay", 0)), before)
    if found is None:
        tenant.global_grant = grant
    else:
        found.grant = grant
    return {"policy": name}


def other_policy(world: World, data: Data) -> Data:
    """Grant a user another vendor's policy, which hides the Global one."""
    return policy(world, {**data, "apps": [OTHER_APP]})


def consent(world: World, data: Data) -> Data:
    """Consent without clicking: for a `user` (`scopes`), or for the tenant (`roles`, `scopes`)."""
    registration = world.registration
    scopes = data.get("scopes", registration.delegated)
    if data.get("user"):
        tenant, found = _person(world, data)
        world.grants.consent(tenant.id, found.id, set(scopes))
    else:
        tenant = _tenant(world, data)
        world.grants.consent_for_all(tenant.id, list(scopes), list(data.get("roles", registration.roles)))
    return {}


def revoke_consent(world: World, data: Data) -> Data:
    """Take consent away: a `user`'s, or the tenant's whole; `uninstall` deletes the app there too."""
    if data.get("user"):
        tenant, found = _person(world, data)
        world.grants.revoke(tenant.id, found.id)
    elif data.get("uninstall"):
        world.grants.uninstall(_tenant(world, data).id)
    else:
        world.grants.revoke(_tenant(world, data).id)
    return {}


def refresh_tokens(world: World, data: Data) -> Data:
    """Revoke (`how`: revoked) or age beyond 90 days (`how`: expired) refresh tokens, of a `user` or all."""
    how = data.get("how", "revoked")
    if how not in ("revoked", "expired"):
        raise ControlError("how must be revoked or expired.")
    oid = _person(world, data)[1].id if data.get("user") else None
    struck = [token for token in world.grants.refresh_tokens.values() if oid in (None, token.oid)]
    for token in struck:
        if how == "revoked":
            token.revoked = True
        else:
            token.last_used_at = time.time() - REFRESH_IDLE_LIFETIME - 1
    return {"struck": len(struck)}


def registration(world: World, data: Data) -> Data:
    """Change the app registration: secret, secret_expired, certificate, delegated, roles, redirect_uris."""
    known = world.registration
    if "certificate" in data:
        try:
            x509.load_pem_x509_certificate(str(data["certificate"]).encode())
        except ValueError as error:
            raise ControlError("certificate must be a PEM certificate.") from error
        known.certificates.append(str(data["certificate"]))
    for name in ("secret", "secret_expired", "delegated", "roles", "redirect_uris"):
        if name in data:
            setattr(known, name, data[name])
    return {"registration": {**asdict(known), "secret": "…"}}


def behaviour(world: World, data: Data) -> Data:
    """Change how ambiguous things are answered; the fields of `Behaviour`."""
    known = {field.name for field in fields(Behaviour)}
    if data.keys() - known:
        raise ControlError(f"Unknown field {', '.join(sorted(data.keys() - known))}.")
    for name, value in data.items():
        setattr(world.behaviour, name, value)
    return {"behaviour": asdict(world.behaviour)}


def fault(world: World, data: Data) -> Data:
    """Add a fault."""
    try:
        return {"fault": asdict(world.faults.add(data))}
    except ValueError as error:
        raise ControlError(str(error)) from error


def clear_faults(world: World, data: Data) -> Data:
    """End one fault (`id`) or all."""
    world.faults.clear(int(data["id"]) if "id" in data else None)
    return {}


def delete_meeting(world: World, data: Data) -> Data:
    """Make a meeting vanish behind the product's back (`id`)."""
    meeting = world.book.meetings.get(str(data.get("id", "")))
    if meeting is None:
        raise ControlError("No such meeting.")
    world.book.delete(meeting)
    return {}


def token(world: World, data: Data) -> Data:
    """Tokens without clicking: of a `user` with `scopes`, or the app's with the tenant's roles."""
    client_id = world.registration.client_id
    if not data.get("user"):
        tenant = _tenant(world, data)
        roles = list(data.get("roles", world.grants.roles(tenant.id)))
        return {"access_token": app_token(world, tenant, client_id, roles, "1")}
    tenant, found = _person(world, data)
    scopes = set(data.get("scopes", world.registration.delegated))
    stored = RefreshToken(tenant.id, found.id, client_id, list(Scopes(tuple(scopes)).asked), time.time())
    return {
        "access_token": delegated_token(world, tenant, found, client_id, scopes, "1"),
        "refresh_token": world.grants.new_refresh_token(stored),
    }


CONTROLS: dict[str, Callable[[World, Data], Data]] = {
    "reset": reset,
    "keep": keep,
    "bring-back": bring_back,
    "people": people,
    "person": person,
    "policy": policy,
    "other-policy": other_policy,
    "consent": consent,
    "revoke-consent": revoke_consent,
    "refresh-tokens": refresh_tokens,
    "registration": registration,
    "behaviour": behaviour,
    "fault": fault,
    "clear-faults": clear_faults,
    "delete-meeting": delete_meeting,
    "token": token,
}
