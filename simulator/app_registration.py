"""App registration of the product, and the permissions that Graph knows.

Defaults fit the demo; the command line and the control API change them.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

CLIENT_ID = "c0c0a075-0365-4000-8000-00000000c0de"
CLIENT_SECRET = "simulated-client-secret"
APP_NAME = "Coconut"
CALLBACK_PATH = "/settings/video-calls/teams/callback/"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1"})

GRAPH_HOST = "https://graph.microsoft.com"
DEFAULT_SCOPE = ".default"
OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})

# Permission labels in the wording of Microsoft's consent page.
DELEGATED_PERMISSIONS = {
    "User.Read": "Sign you in and read your profile",
    "User.ReadBasic.All": "Read all users' basic profiles",
    "User.Read.All": "Read all users' full profiles",
    "OnlineMeetings.Read": "Read your online meetings",
    "OnlineMeetings.ReadWrite": "Read and create your online meetings",
    "Organization.Read.All": "Read organization information",
    "Directory.Read.All": "Read directory data",
}
ADMIN_ONLY_DELEGATED = frozenset({"User.Read.All", "Organization.Read.All", "Directory.Read.All"})
APPLICATION_PERMISSIONS = {
    "User.ReadBasic.All": "Read all users' basic profiles",
    "User.Read.All": "Read all users' full profiles",
    "OnlineMeetings.Read.All": "Read online meeting details",
    "OnlineMeetings.ReadWrite.All": "Read and create online meetings",
    "Organization.Read.All": "Read organization information",
    "Directory.Read.All": "Read directory data",
}
OPENID_LABELS = {
    "openid": "Sign you in",
    "profile": "View your basic profile",
    "email": "View your email address",
    "offline_access": "Maintain access to data you have given it access to",
}


@dataclass
class AppRegistration:
    """App registration as in the Entra admin center: credentials, redirect URIs, permissions."""

    client_id: str = CLIENT_ID
    secret: str = CLIENT_SECRET
    secret_expired: bool = False
    certificates: list[str] = field(default_factory=list)
    redirect_uris: list[str] = field(default_factory=list)
    delegated: list[str] = field(
        default_factory=lambda: ["User.Read", "User.ReadBasic.All", "OnlineMeetings.ReadWrite"]
    )
    roles: list[str] = field(default_factory=lambda: ["OnlineMeetings.ReadWrite.All", "User.Read.All"])

    def allows_redirect(self, uri: str) -> bool:
        """Return whether a redirect URI is registered, or is Coconut's callback on a local port."""
        if uri in self.redirect_uris:
            return True
        parts = urlsplit(uri)
        return (
            parts.scheme == "http"
            and parts.hostname in LOCAL_HOSTS
            and parts.path == CALLBACK_PATH
            and not (parts.query or parts.fragment or parts.username)
        )


def permission_name(scope: str) -> str:
    """Return the short name: `https://graph.microsoft.com/User.Read` -> `User.Read`."""
    return scope.removeprefix(GRAPH_HOST + "/")
