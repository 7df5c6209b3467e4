"""Table of Entra's error numbers (AADSTS): the kind of failure, and the sentence with the remedy.

Numbers without a comment are those of learn.microsoft.com/entra/identity-platform/reference-error-codes. "Seen" means
reports about the live service. Microsoft may change numbers, so every other number falls back to the OAuth `error`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from integrations.messages import MessageCode
from integrations.platforms.failures import ErrorKind
from integrations.teams.entra.messages import EntraMessage
from integrations.teams.messages import TeamsMessage


@dataclass(frozen=True)
class Row:
    """Row of the table. The kind says who acts, and whether the request is sent again.

    `sentence` is for a live connection, and `then` the step after it. An admin who is signing in reads `at_sign_in`
    instead.
    """

    kind: ErrorKind
    sentence: MessageCode
    then: MessageCode | None = None
    at_sign_in: MessageCode | None = None


def _for_admin(
    sentence: MessageCode, *, at_sign_in: MessageCode | None = None, then: MessageCode = EntraMessage.THEN_REAUTHORIZE
) -> Row:
    return Row(ErrorKind.CONNECTION, sentence, then, at_sign_in)


# Passes without help.
UNREACHABLE: Final = Row(ErrorKind.OUTAGE, EntraMessage.SIGN_IN_UNREACHABLE)
BUSY: Final = Row(ErrorKind.THROTTLED, TeamsMessage.THROTTLED, at_sign_in=EntraMessage.SIGN_IN_BUSY)
# Retried: an unknown refusal must neither end a connection nor blame the operator.
UNKNOWN: Final = Row(ErrorKind.OUTAGE, EntraMessage.REFUSAL_UNKNOWN)

# For an admin of the organisation.
_ENDED = _for_admin(EntraMessage.SIGN_IN_ENDED, then=EntraMessage.REAUTHORIZE, at_sign_in=TeamsMessage.SIGN_IN_FAILED)
_GRANT_ENDED = _for_admin(
    EntraMessage.SIGN_IN_ENDED, then=EntraMessage.REAUTHORIZE, at_sign_in=TeamsMessage.CODE_REFUSED
)
_DENIED = _for_admin(EntraMessage.SIGN_IN_ENDED, then=EntraMessage.REAUTHORIZE, at_sign_in=TeamsMessage.CONSENT_DENIED)
_NO_CONSENT = _for_admin(EntraMessage.NO_CONSENT, then=EntraMessage.REAUTHORIZE, at_sign_in=TeamsMessage.CONSENT_DENIED)
_IDLE = _for_admin(EntraMessage.IDLE, then=EntraMessage.REAUTHORIZE, at_sign_in=TeamsMessage.CODE_REFUSED)
_REVOKED = _for_admin(EntraMessage.REVOKED, then=EntraMessage.REAUTHORIZE)
_BLOCKED = _for_admin(EntraMessage.BLOCKED)
_NOT_INSTALLED = _for_admin(EntraMessage.NOT_INSTALLED, at_sign_in=EntraMessage.NOT_INSTALLED_OR_OTHER_TENANT)
_SERVICE_MISSING = _for_admin(EntraMessage.SERVICE_MISSING)
_NOT_IN_TENANT = _for_admin(EntraMessage.ACCOUNT_DELETED, at_sign_in=TeamsMessage.OTHER_TENANT_ACCOUNT)

# For the operator.
_CREDENTIALS = Row(ErrorKind.OPERATOR, EntraMessage.OUR_CREDENTIALS)
_REGISTRATION = Row(ErrorKind.OPERATOR, EntraMessage.OUR_REGISTRATION)
_CLOCK = Row(ErrorKind.OPERATOR, EntraMessage.OUR_CLOCK)

# Seen (AzureAD/microsoft-authentication-library-for-dotnet issue 4951): MSAL dates the client assertion by our clock.
CLOCK_NUMBERS: Final = frozenset({700024})

_GROUPS: Final[tuple[tuple[tuple[int, ...], Row], ...]] = (
    # 50196, a client loop, is how Microsoft throttles token requests (seen: AzureAD/MSAL.PS issue 10).
    ((50196, 90024, 90055), BUSY),
    # 90025 is from memory: the request took longer than Microsoft's gateway allows.
    ((50033, 50087, 50088, 50166, 90006, 90012, 90025, 90033), UNREACHABLE),
    # 530032 and 530084 are seen, the latter with an app-only token (microsoft/botbuilder-dotnet issue 6759).
    ((50005, 50072, 50074, 50076, 50078, 50079, 50131, 50158), _BLOCKED),
    ((53000, 53001, 53002, 53003, 53004, 53010, 53011, 530032, 530034, 530035, 530084), _BLOCKED),
    ((50132, 50133, 50173), _REVOKED),
    ((70008, 700082), _IDLE),
    ((54005, 70000, 501481, 700005), _GRANT_ENDED),
    ((65001, 65004, 90008), _NO_CONSENT),
    # From memory: the tenant lets only administrators consent to this app.
    ((90094, 90095), _for_admin(EntraMessage.ADMIN_APPROVAL_NEEDED)),
    # 700016, 7000112 and 7000229 are seen (Azure/azure-sdk-for-net issue 46762).
    ((70001, 700011, 700016, 7000112, 7000229), _NOT_INSTALLED),
    # 500014 is seen: the service principal of Graph is disabled (AzureAD/microsoft-authentication-library-for-dotnet
    # issue 3150). 650052 is seen with `invalid_client` (microsoft/GraphNotificationBroker issue 5).
    ((50001, 500011, 500014, 650052, 650054), _SERVICE_MISSING),
    # Seen (learn.microsoft.com/answers 5811022): only within 20 days of inactivity can the tenant be reactivated.
    ((5000224, 5000225), _for_admin(EntraMessage.TENANT_BLOCKED)),
    ((500021, 500022, 500212, 500213), _for_admin(EntraMessage.TENANT_RESTRICTED)),
    ((90002,), _for_admin(EntraMessage.TENANT_DELETED)),
    ((90038, 900382, 900432), _for_admin(TeamsMessage.TENANT_OF_OTHER_CLOUD, then=EntraMessage.REAUTHORIZE)),
    # 90072 is from memory.
    ((16000, 16003, 50014, 50020, 50034, 50177, 51004, 90072, 500208), _NOT_IN_TENANT),
    ((50053,), _for_admin(EntraMessage.ACCOUNT_LOCKED)),
    ((50055, 50144), _for_admin(EntraMessage.PASSWORD_EXPIRED)),
    ((50057,), _for_admin(EntraMessage.ACCOUNT_DISABLED)),
    ((50105,), _for_admin(EntraMessage.NOT_ASSIGNED)),
    ((70043,), _for_admin(EntraMessage.SIGN_IN_FREQUENCY)),
    # 7000215, 7000218 and 7000222 are seen.
    ((50012, 70002, 700025, 700027, 700030, 7000215, 7000218, 7000222), _CREDENTIALS),
    (tuple(CLOCK_NUMBERS), _CLOCK),
    # 500112 is seen: the redirect URI of the code differs. 650053 is seen: the resource lacks the scope.
    ((50011, 50194, 65005, 70003, 70005, 70007, 70011, 90014), _REGISTRATION),
    ((500112, 650053, 650056, 650057, 900144, 1002012), _REGISTRATION),
)
ROWS: Final[Mapping[int, Row]] = {number: row for numbers, row in _GROUPS for number in numbers}

#: Rows of unknown numbers, by OAuth `error`.
ROWS_BY_WORD: Final[Mapping[str, Row]] = {
    **dict.fromkeys(("", "temporarily_unavailable", "server_error", "service_unavailable"), UNREACHABLE),
    **dict.fromkeys(("interaction_required", "login_required"), _ENDED),
    **dict.fromkeys(("access_denied", "permission_denied"), _DENIED),
    "invalid_grant": _GRANT_ENDED,
    "consent_required": _NO_CONSENT,
    "unauthorized_client": _NOT_INSTALLED,
    "invalid_resource": _SERVICE_MISSING,
    "invalid_client": _CREDENTIALS,
}
