"""Entra errors: OAuth error, AADSTS number, and their JSON body.

Microsoft: reference-error-codes. A comment marks each number that the page doesn't list.
"""

import datetime as dt
import uuid
from typing import Any

from simulator.faults import Fault


class EntraError(Exception):
    """An OAuth `error` with its AADSTS `number`. `status` is the HTTP status at the token endpoint."""

    def __init__(self, error: str, number: int, text: str, *, status: int = 400, suberror: str | None = None) -> None:
        super().__init__(f"AADSTS{number}: {text}")
        self.error = error
        self.number = number
        self.text = text
        self.status = status
        self.suberror = suberror

    def description(self, trace_id: str, correlation_id: str) -> str:
        """Return `error_description`: the text, then trace id, correlation id and timestamp."""
        return (
            f"AADSTS{self.number}: {self.text}\r\nTrace ID: {trace_id}\r\n"
            f"Correlation ID: {correlation_id}\r\nTimestamp: {timestamp()}"
        )

    def body(self, correlation_id: str | None = None) -> dict[str, Any]:
        """Return the error body of the discovery and token endpoints."""
        trace_id, correlation_id = str(uuid.uuid4()), correlation_id or str(uuid.uuid4())
        body: dict[str, Any] = {
            "error": self.error,
            "error_description": self.description(trace_id, correlation_id),
            "error_codes": [self.number],
            "timestamp": timestamp(),
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        if self.suberror is not None:
            body["suberror"] = self.suberror
        return body


def error_from_fault(fault: Fault, error: str, number: int) -> EntraError:
    """Return the error that a fault chose with `code`, `number`, `message` and `status`, or the default."""
    details = fault.details
    return EntraError(
        details.get("code", error),
        details.get("number", number),
        details.get("message", "The request was refused."),
        status=details.get("status", 400),
    )


def timestamp() -> str:
    """Return the current time in Entra's format."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def unknown_tenant(name: str, error: str = "invalid_tenant") -> EntraError:
    return EntraError(
        error,
        90002,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into "
        "the correct cloud. Check with your subscription administrator, this may happen if there are no "
        "active subscriptions for the tenant.",
    )


def missing_parameter(name: str) -> EntraError:
    return EntraError(
        "invalid_request",
        900144,
        f"The request body must contain the following parameter: '{name}'.",
    )


def unknown_app(client_id: str, tenant_name: str) -> EntraError:
    return EntraError(
        "unauthorized_client",
        700016,
        f"Application with identifier '{client_id}' was not found in the directory '{tenant_name}'. This can "
        "happen if the application has not been installed by the administrator of the tenant or consented to "
        "by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
    )


def unknown_scope(scope: str) -> EntraError:
    # Not listed by Microsoft; reported with invalid_client in MicrosoftDocs/azure-docs issue 67211.
    return EntraError(
        "invalid_client",
        650053,
        f"The application asked for scope '{scope}' that doesn't exist on the resource "
        "'00000003-0000-0000-c000-000000000000'. Contact the app vendor.",
    )


def consent_required(client_id: str) -> EntraError:
    return EntraError(
        "invalid_grant",
        65001,
        f"The user or administrator has not consented to use the application with ID '{client_id}' named "
        "'Coconut'. Send an interactive authorization request for this user and resource.",
        suberror="consent_required",
    )
