"""Messages of Microsoft Teams: reasons of failures with the remedy, warnings, and steps of Check connection."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integrations.messages import MessageCode


class TeamsMessage(MessageCode):
    # Failed calls of Graph (`graph.errors`).
    OUTAGE = (
        "teams.outage",
        _("Microsoft could not be reached or gave no usable answer. Coconut tries again automatically."),
    )
    UNUSABLE = (
        "teams.unusable",
        _("Microsoft's answer wasn't what Coconut asked for. Coconut tries again automatically."),
    )
    CHECK_WITHOUT_USABLE_ANSWER = (
        "teams.check_without_usable_answer",
        _(
            "Microsoft's answer wasn't what Coconut asked for. Check again later, or give the request id to your "
            "Customer Success Team."
        ),
    )
    BUG = (
        "teams.bug",
        _("Microsoft did not accept what Coconut sent. Please give the request id to your Customer Success Team."),
    )
    THROTTLED = "teams.throttled", _("Microsoft asked Coconut to wait. Coconut continues automatically.")
    SIGN_IN_REFUSED = (
        "teams.sign_in_refused",
        _(
            "Microsoft no longer accepts the sign-in of this connection. An admin chooses Actions > Reauthorize on "
            "the Microsoft Teams dashboard."
        ),
    )
    SIGN_IN_AGAIN = (
        "teams.sign_in_again",
        _(
            "A sign-in rule of your organisation (Conditional Access) asks for a new sign-in. An admin chooses "
            "Actions > Reauthorize on the Microsoft Teams dashboard."
        ),
    )
    PERSONAL_ACCOUNT = (
        "teams.personal_account",
        _(
            "Microsoft does not accept this account for Teams meetings; personal accounts cannot make them. An admin "
            "reauthorizes with a work account."
        ),
    )
    USERS_REFUSED = (
        "teams.users_refused",
        _(
            "Microsoft does not let Coconut look up users: a permission is missing or was withdrawn. An admin chooses "
            "Actions > Reauthorize on the Microsoft Teams dashboard and accepts the permissions."
        ),
    )
    MEETINGS_REFUSED = (
        "teams.meetings_refused",
        _(
            "Microsoft does not let Coconut make meetings: a permission is missing or was withdrawn. An admin chooses "
            "Actions > Reauthorize on the Microsoft Teams dashboard and accepts the permissions."
        ),
    )
    NO_HOST_PERMISSION = (
        "teams.no_host_permission",
        _(
            "No Application Access Policy lets Coconut make meetings for this person. A Microsoft administrator "
            "grants it; a new policy takes up to 30 minutes to spread."
        ),
    )
    NO_LICENCE = (
        "teams.no_licence",
        _("This person has no Microsoft Teams licence. A Microsoft administrator assigns one; then choose Try again."),
    )
    PERSON_REFUSED = (
        "teams.person_refused",
        _(
            "Microsoft does not let this person organise meetings. A Microsoft administrator checks that the account "
            "is enabled, is no guest, and has a Microsoft Teams licence; then choose Try again."
        ),
    )
    OTHER_ORGANIZER = (
        "teams.other_organizer",
        _("Microsoft says that this meeting belongs to another organizer. Rematch the person, then choose Try again."),
    )
    PERSON_UNKNOWN = (
        "teams.person_unknown",
        _("Microsoft does not know this person any more. Rematch the person, then choose Try again."),
    )
    MEETING_GONE = "teams.meeting_gone", _("The meeting no longer exists at Microsoft.")
    SERVICE_ACCOUNT_REFUSED = (
        "teams.service_account_refused",
        _(
            "Microsoft does not let the service account %(account)s make meetings. A Microsoft administrator "
            "checks that the account is enabled and has a Microsoft Teams licence; then choose Try again."
        ),
    )
    FORMER_ACCOUNT = (
        "teams.former_account",
        _(
            "This meeting belongs to a former service account, so Coconut cannot change it. A link that it has "
            "works. Choose Try again: if the appointment has not started, it gets a link of the present account."
        ),
    )
    GRAPH_UNREACHABLE = "teams.graph_unreachable", _("Microsoft Graph cannot be reached at the moment.")
    PROFILE_REFUSED = (
        "teams.profile_refused",
        _("Microsoft let the account sign in but does not let it read its own profile."),
    )

    # Warnings on a meeting.
    LOBBY_REFUSED = (
        "teams.lobby_refused",
        _("Microsoft refused the lobby settings of this meeting. Its link works; check who waits in the lobby."),
    )
    COORGANIZER_REFUSED = (
        "teams.coorganizer_refused",
        _(
            "Microsoft refused to make the staff member a co-organizer of this meeting. Its link works, but they may "
            "have to be admitted from the lobby."
        ),
    )

    # Connect and Reauthorize.
    CODE_REFUSED = (
        "teams.code_refused",
        _("Microsoft did not accept this sign-in; it may have been used before or taken too long."),
    )
    CONSENT_DENIED = (
        "teams.consent_denied",
        # Microsoft sends the same error for Cancel and for a consent that needs an administrator.
        _(
            "Coconut was not given permission at Microsoft: either Cancel was pressed, or your organisation wants an "
            "administrator to approve Coconut first."
        ),
    )
    SIGN_IN_FAILED = "teams.sign_in_failed", _("Microsoft could not complete the sign-in.")
    OTHER_SIGN_IN = "teams.other_sign_in", _("Microsoft's answer does not belong to this sign-in.")
    ID_TOKEN_REJECTED = (
        "teams.id_token_rejected",
        _("Microsoft's answer does not belong to this sign-in, so it was not accepted."),
    )
    NO_REFRESH_TOKEN = (
        "teams.no_refresh_token",
        _(
            "Microsoft did not allow Coconut to stay signed in (no refresh token), so the connection would end within "
            "the hour. Ask a Microsoft 365 administrator to allow “Maintain access to data” for Coconut."
        ),
    )
    NOT_GRANTED = (
        "teams.not_granted",
        _("Microsoft did not grant %(permissions)s. Accept all permissions that Coconut asks for."),
    )
    NOT_ADMINISTRATOR = (
        "teams.not_administrator",
        _(
            "%(account)s is no administrator who may consent for the organisation. Sign in to Microsoft with an "
            "account that has the role Privileged Role Administrator or Global Administrator."
        ),
    )
    ADMINISTRATOR_UNKNOWN = (
        "teams.administrator_unknown",
        _(
            "Microsoft does not say whether %(account)s is an administrator, and this Microsoft tenant is connected "
            "to another organisation already. Contact your Customer Success Team."
        ),
    )
    CONFIRMATION_WITHOUT_CONSENT = (
        "teams.confirmation_without_consent",
        _(
            "Microsoft does not grant Coconut the permissions %(roles)s. Ask an administrator with the role Privileged "
            "Role Administrator or Global Administrator to consent again: choose Microsoft Teams and repeat the steps."
        ),
    )
    CONFIRMATION_WITHOUT_ADDON = (
        "teams.confirmation_without_addon",
        _(
            "The Application Access Policy add-on is switched off for this organisation. Your Customer Success Team "
            "must switch it on first."
        ),
    )
    OTHER_ACCOUNT = (
        "teams.other_account",
        _(
            "You signed in as %(other)s, but the meetings belong to %(account)s. Start again and sign in to Microsoft "
            "as %(account)s. To use another account, connect it with + New."
        ),
    )
    GUEST_ACCOUNT = (
        "teams.guest_account",
        _(
            "%(account)s is a guest in this Microsoft tenant, and guests cannot make Teams meetings. Use an account of "
            "your own organisation."
        ),
    )
    LICENCE_MISSING = (
        "teams.licence_missing",
        _(
            "Microsoft shows no Microsoft Teams licence for %(account)s, so it may refuse to make meetings. Ask a "
            "Microsoft administrator to assign one in the Microsoft 365 admin center, then use Check connection."
        ),
    )
    LICENCE_UNKNOWN = (
        "teams.licence_unknown",
        _(
            "Microsoft does not let Coconut see whether %(account)s has a Microsoft Teams licence. Ask a Microsoft "
            "administrator to check it in the Microsoft 365 admin center."
        ),
    )
    OTHER_TENANT_ACCOUNT = (
        "teams.other_tenant_account",
        _(
            "This account belongs to another Microsoft tenant than the one you entered. Sign in with an account of "
            "that tenant, or correct the tenant ID."
        ),
    )
    TENANT_OF_CONNECTION = (
        "teams.tenant_of_connection",
        _("This connection belongs to the tenant %(tenant)s. Enter that one; another tenant is connected with + New."),
    )
    TENANT_IS_EMAIL = (
        "teams.tenant_is_email",
        _("That is an email address. Enter the tenant ID, or only the part behind the @ sign."),
    )
    TENANT_MALFORMED = (
        "teams.tenant_malformed",
        _(
            "That is neither a tenant ID (such as 72f988bf-86f1-41af-91ab-2d7cd011db47) nor a domain of your "
            "organisation (such as contoso.com). Check it and try again."
        ),
    )
    TENANT_ODD_CHARACTER = (
        "teams.tenant_odd_character",
        _(
            "That is neither a tenant ID (such as 72f988bf-86f1-41af-91ab-2d7cd011db47) nor a domain of your "
            "organisation (such as contoso.com): neither can contain %(character)s. Enter only the tenant ID."
        ),
    )
    TENANT_UNKNOWN = (
        "teams.tenant_unknown",
        _(
            "Microsoft knows no tenant “%(tenant)s”. Check for a typing mistake; a tenant of another Microsoft cloud, "
            "such as US Government or China, cannot be connected here either."
        ),
    )
    TENANT_OF_OTHER_CLOUD = (
        "teams.tenant_of_other_cloud",
        _(
            "This tenant lives in another Microsoft cloud than the one Coconut works with. Contact your Customer "
            "Success Team."
        ),
    )
    TENANT_IS_WORD = (
        "teams.tenant_is_word",
        _(
            "“%(word)s” means any Microsoft tenant, so it cannot be connected. Enter the tenant ID, or a domain of "
            "your organisation (such as contoso.com)."
        ),
    )
    TENANT_PERSONAL = (
        "teams.tenant_personal",
        _("Personal Microsoft accounts cannot be connected. Enter the tenant ID of your organisation's Microsoft 365."),
    )

    # Check connection: names of its steps, and their results (`self_test`).
    REGISTRATION_STEP = "teams.registration_step", _("Coconut's own registration")
    SIGN_IN_STEP = "teams.sign_in_step", _("Sign-in at Microsoft")
    PERMISSIONS_STEP = "teams.permissions_step", _("Permissions")
    ACCOUNT_STEP = "teams.account_step", _("Service account")
    LICENCE_STEP = "teams.licence_step", _("Microsoft Teams licence")
    USERS_STEP = "teams.users_step", _("Looking up users")
    MEETINGS_STEP = "teams.meetings_step", _("Teams meetings")
    REGISTRATION_FOUND = "teams.registration_found", _("Coconut has an app registration for Microsoft.")
    REGISTRATION_MISSING = (
        "teams.registration_missing",
        _("Coconut has no app registration at Microsoft any more. Ask your Customer Success Team."),
    )
    SIGN_IN_RENEWED = "teams.sign_in_renewed", _("Microsoft has just renewed it.")
    PERMISSIONS_GRANTED = "teams.permissions_granted", _("Granted: %(permissions)s.")
    PERMISSIONS_MISSING = (
        "teams.permissions_missing",
        _(
            "Microsoft does not grant %(permissions)s. An admin chooses Actions > Reauthorize on the Microsoft Teams "
            "dashboard and accepts all permissions that Coconut asks for."
        ),
    )
    ACCOUNT_NAME = "teams.account_name", "%(account)s"
    LICENCE_FOUND = "teams.licence_found", _("The service account has a Microsoft Teams licence.")
    USERS_FOUND = "teams.users_found", _("Microsoft lets Coconut look up users.")
    OWN_MEETINGS_FOUND = (
        "teams.own_meetings_found",
        _("Microsoft lets Coconut look up the service account's meetings."),
    )
    HOST_MEETINGS_FOUND = (
        "teams.host_meetings_found",
        _("Microsoft lets Coconut look up the meetings of %(name)s."),
    )
    HOST_REFUSED = "teams.host_refused", _("%(name)s: %(reason)s")
    NOBODY_MATCHED = (
        "teams.nobody_matched",
        _("Nobody is matched yet, so there is nobody whose meetings could be looked up."),
    )
