from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "staff"
    verbose_name = "Organisations and staff"

    def ready(self) -> None:
        from anymail.signals import tracking

        from staff.accounts.emails import ACCOUNT_EMAILS
        from staff.emails.bounces import record_bounce
        from staff.outbox import email_kinds
        from staff.sessions import receivers  # noqa: F401 - connects the receivers
        from staff.sign_in.passwords import FORGOTTEN_PASSWORD_EMAIL, INVITATION_EMAIL

        tracking.connect(record_bounce)
        for kind in (FORGOTTEN_PASSWORD_EMAIL, INVITATION_EMAIL, *ACCOUNT_EMAILS):
            email_kinds.register(kind)
