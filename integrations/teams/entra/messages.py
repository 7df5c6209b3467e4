"""Messages of refused token requests, with the remedy (`error_table`)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integrations.messages import MessageCode


class EntraMessage(MessageCode):
    # Each surrounds another sentence.
    REAUTHORIZE = "teams.reauthorize", _("%(sentence)s Use Reauthorize.")
    THEN_REAUTHORIZE = "teams.then_reauthorize", _("%(sentence)s Then use Reauthorize.")
    WITH_NUMBER = "teams.with_number", _("%(sentence)s Microsoft's error code: %(number)s.")
    SIGN_IN_UNREACHABLE = (
        "teams.sign_in_unreachable",
        _("Microsoft's sign-in service cannot be reached at the moment."),
    )
    SIGN_IN_BUSY = (
        "teams.sign_in_busy",
        _("Microsoft's sign-in service is busy at the moment. Wait a few minutes."),
    )
    REFUSAL_UNKNOWN = (
        "teams.refusal_unknown",
        _(
            "Microsoft's sign-in service refused a request for a reason that Coconut does not know. If that lasts, "
            "contact your Customer Success Team."
        ),
    )
    OUR_CREDENTIALS = (
        "teams.our_credentials",
        _(
            "Microsoft does not accept Coconut's own credentials. Coconut's operator has been notified. Your account "
            "and your tenant are fine."
        ),
    )
    OUR_REGISTRATION = (
        "teams.our_registration",
        _(
            "Coconut's app registration at Microsoft is not set up correctly. Coconut's operator has been notified. "
            "Your account and your tenant are fine."
        ),
    )
    REGISTRATION_REFUSED = (
        "teams.registration_refused",
        _(
            "Microsoft does not accept Coconut's app registration. Contact your Customer Success Team: only Coconut's "
            "operator can fix that."
        ),
    )
    OUR_CLOCK = (
        "teams.our_clock",
        _(
            "The clock of Coconut's server is wrong, so Coconut and Microsoft do not accept each other's messages. "
            "Coconut's operator has been notified. Your account and your tenant are fine."
        ),
    )
    SIGN_IN_ENDED = "teams.sign_in_ended", _("Microsoft no longer accepts the sign-in.")
    BLOCKED = (
        "teams.blocked",
        _(
            "A Conditional Access or multi-factor rule of Microsoft Entra stops this sign-in. Ask a Microsoft 365 "
            "administrator to exempt the account, or Coconut's enterprise application."
        ),
    )
    REVOKED = (
        "teams.revoked",
        _("Microsoft ended the account's sign-in, for example after a password reset."),
    )
    IDLE = (
        "teams.idle",
        _("Microsoft's sign-in ended because it was not used for a long time."),
    )
    NO_CONSENT = (
        "teams.no_consent",
        _("The consent to Coconut's permissions was taken back at Microsoft."),
    )
    ADMIN_APPROVAL_NEEDED = (
        "teams.admin_approval_needed",
        _(
            "Your organisation lets only administrators approve apps at Microsoft. Ask a Microsoft 365 administrator "
            "to approve Coconut."
        ),
    )
    NOT_INSTALLED = (
        "teams.not_installed",
        _(
            "Coconut was removed or switched off in your Microsoft tenant. Ask a Microsoft 365 administrator to allow "
            "it under Enterprise applications."
        ),
    )
    NOT_INSTALLED_OR_OTHER_TENANT = (
        "teams.not_installed_or_other_tenant",
        _(
            "Coconut is missing or switched off in this Microsoft tenant. Check the tenant ID. If it is right, ask a "
            "Microsoft 365 administrator to allow Coconut under Enterprise applications."
        ),
    )
    SERVICE_MISSING = (
        "teams.service_missing",
        _(
            "Microsoft Graph, which Coconut needs, is missing or switched off in your Microsoft tenant. Ask a "
            "Microsoft 365 administrator to enable it under Enterprise applications and to check your subscription."
        ),
    )
    TENANT_BLOCKED = (
        "teams.tenant_blocked",
        _(
            "Microsoft blocked your tenant, for example because it was not used. Only Microsoft's support can "
            "reactivate it, within 20 days. Ask a Microsoft 365 administrator to contact them."
        ),
    )
    TENANT_RESTRICTED = (
        "teams.tenant_restricted",
        _(
            "A tenant restriction or a cross-tenant access rule of Microsoft Entra stops this sign-in. Ask a Microsoft "
            "365 administrator to allow it."
        ),
    )
    TENANT_DELETED = (
        "teams.tenant_deleted",
        _(
            "Microsoft no longer knows your tenant. Ask a Microsoft 365 administrator whether it was deleted or its "
            "subscription has ended."
        ),
    )
    ACCOUNT_DELETED = (
        "teams.account_deleted",
        _(
            "The account no longer exists in your Microsoft tenant. Restore it, or create it again with the same user "
            "name."
        ),
    )
    ACCOUNT_LOCKED = (
        "teams.account_locked",
        _("Microsoft locked the account. Ask a Microsoft 365 administrator to unlock it."),
    )
    PASSWORD_EXPIRED = (
        "teams.password_expired",
        _("The account's password has expired. Change it at Microsoft."),
    )
    ACCOUNT_DISABLED = (
        "teams.account_disabled",
        _("The account is disabled at Microsoft. Enable it there."),
    )
    NOT_ASSIGNED = (
        "teams.not_assigned",
        _("The account is not assigned to Coconut in Microsoft Entra. Ask a Microsoft 365 administrator to assign it."),
    )
    SIGN_IN_FREQUENCY = (
        "teams.sign_in_frequency",
        _(
            "A sign-in frequency rule of Microsoft Entra ended the sign-in, and will again. Ask a Microsoft 365 "
            "administrator to exempt the account."
        ),
    )
    TOKENS_UNREADABLE = (
        "teams.tokens_unreadable",
        _(
            "Coconut cannot read the sign-in that it keeps: the keys of this installation are not those it was "
            "stored with. The operator of Coconut must fix that; Reauthorize helps at once."
        ),
    )
    REFRESH_SLOW = "teams.refresh_slow", _("Microsoft takes too long to renew the sign-in.")
    DISCONNECTED = "teams.disconnected", _("Microsoft Teams is disconnected.")
    CONSENT_PENDING = (
        "teams.consent_pending",
        _("The consent given at Microsoft takes a few minutes until it shows."),
    )
    ROLES_MISSING = (
        "teams.roles_missing",
        _(
            "Microsoft does not grant Coconut the permissions %(roles)s. An administrator with the role Privileged "
            "Role Administrator or Global Administrator consents to them: use Reauthorize."
        ),
    )
