"""Django admin: tenant and account of each connection, without its tokens."""

from __future__ import annotations

from django.contrib import admin

from integrations.teams.models import TeamsConnection
from staff.admin import ReadOnlyAdmin


@admin.register(TeamsConnection)
class TeamsConnectionAdmin(ReadOnlyAdmin):
    list_display = ["connection", "organization", "method", "tenant_id", "tenant_name", "account_upn"]
    list_filter = ["method"]
    list_select_related = ["connection", "organization"]
    search_fields = ["tenant_id", "tenant_name", "account_upn", "organization__name"]
    fields = [
        "organization",
        "connection",
        "method",
        "tenant_id",
        "tenant_name",
        "account_oid",
        "account_upn",
        "account_name",
        "granted",
        "token_version",
        "lobby_policy",
    ]
