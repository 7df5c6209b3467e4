from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "integrations.teams"
    label = "teams"
    verbose_name = "Microsoft Teams"

    def ready(self) -> None:
        # Imported here because models must be loaded first.
        from integrations.hooks import connection_notices
        from integrations.messages import register_messages
        from integrations.platforms.registry import register
        from integrations.teams import checks  # noqa: F401 - registers the checks
        from integrations.teams.access_policy.notice import ACCESS_POLICY_EMAIL
        from integrations.teams.connect.request_emails import OUTCOME_EMAIL, REQUEST_EMAIL
        from integrations.teams.connect.request_notice import waiting_request
        from integrations.teams.entra.credential_expiry import EXPIRY_EMAIL
        from integrations.teams.entra.messages import EntraMessage
        from integrations.teams.operator_mail import REFUSED_CREDENTIALS_EMAIL, WRONG_CLOCK_EMAIL
        from integrations.teams.platform import Teams
        from staff.outbox import email_kinds

        register(Teams())
        register_messages(EntraMessage)
        connection_notices.register(waiting_request)
        to_operators = (EXPIRY_EMAIL, REFUSED_CREDENTIALS_EMAIL, WRONG_CLOCK_EMAIL)
        for kind in (ACCESS_POLICY_EMAIL, REQUEST_EMAIL, OUTCOME_EMAIL, *to_operators):
            email_kinds.register(kind)
