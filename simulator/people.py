"""Seed data: tenants and people that exist after a reset.

Contoso owns three verified domains, so that both demo organisations find their staff in it.
Some accounts of Maple's staff are faulty on purpose: Hugo's email is an alias of another user name,
Ivy has no account, Frank is disabled, Grace is a guest.
"""

from dataclasses import dataclass

CONTOSO_ID = "c0117050-0365-4000-8000-000000000001"
FABRIKAM_ID = "fab41ca0-0365-4000-8000-000000000002"

# Role template ids as in the `wids` claim (Microsoft Entra built-in roles).
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
CONSENTING_ROLES = frozenset({GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR})


@dataclass(frozen=True)
class TenantSeed:
    """A tenant. The first domain is the default domain."""

    id: str
    name: str
    domains: tuple[str, ...]


@dataclass(frozen=True)
class PersonSeed:
    """A person. A `note` features the account in the account picker, which shows the note."""

    upn: str
    name: str
    mail: str = ""
    enabled: bool = True
    guest: bool = False
    licensed: bool = True
    roles: tuple[str, ...] = ()
    note: str = ""


TENANTS = (
    TenantSeed(CONTOSO_ID, "Contoso", ("contoso.example", "maple.example", "cedar.example")),
    TenantSeed(FABRIKAM_ID, "Fabrikam", ("fabrikam.example",)),
)

SERVICE_ACCOUNT = "coconut-meetings@contoso.example"
GLOBAL_ADMIN = "gail@contoso.example"
PRIVILEGED_ADMIN = "priya@contoso.example"
ORDINARY_USER = "uma@contoso.example"
GUEST = "gus_partner.example#EXT#@contoso.example"
FABRIKAM_ADMIN = "fay@fabrikam.example"

PEOPLE = (
    PersonSeed(SERVICE_ACCOUNT, "Coconut Meetings", note="Service account"),
    PersonSeed(GLOBAL_ADMIN, "Gail Adams", roles=(GLOBAL_ADMINISTRATOR,), note="Global Administrator"),
    PersonSeed(
        PRIVILEGED_ADMIN,
        "Priya Rao",
        licensed=False,
        roles=(PRIVILEGED_ROLE_ADMINISTRATOR,),
        note="Privileged Role Administrator",
    ),
    PersonSeed(ORDINARY_USER, "Uma Jensen", note="Ordinary user"),
    PersonSeed(GUEST, "Gus Partner", mail="gus@partner.example", guest=True, licensed=False, note="Guest"),
    PersonSeed("ada@maple.example", "Ada Lovell"),
    PersonSeed("sky@maple.example", "Sky Moreno"),
    PersonSeed("sam@maple.example", "Sam Okafor"),
    PersonSeed("anna@maple.example", "Anna Berg"),
    PersonSeed("ben@maple.example", "Ben Carter"),
    PersonSeed("chloe@maple.example", "Chloe Dubois"),
    PersonSeed("dev@maple.example", "Dev Patel"),
    PersonSeed("erin@maple.example", "Erin Walsh"),
    PersonSeed("frank@maple.example", "Frank Holm", enabled=False),
    PersonSeed(
        "grace_partner.example#EXT#@contoso.example",
        "Grace Lindqvist",
        mail="grace@maple.example",
        guest=True,
        licensed=False,
    ),
    PersonSeed("hugo.martin@maple.example", "Hugo Martin", mail="hugo@maple.example"),
    PersonSeed("otto@cedar.example", "Otto Keller"),
    PersonSeed("olga@cedar.example", "Olga Novak"),
    PersonSeed("oscar@cedar.example", "Oscar Lind"),
    PersonSeed("omar@cedar.example", "Omar Haddad"),
    PersonSeed(FABRIKAM_ADMIN, "Fay Brooks", roles=(GLOBAL_ADMINISTRATOR,), note="Global Administrator of Fabrikam"),
    PersonSeed("finn@fabrikam.example", "Finn Doyle"),
)
