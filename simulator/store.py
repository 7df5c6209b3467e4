"""In-memory store of the simulated tenants, and its state file.

`store` is the only instance. Code that reads or changes it holds `store.lock`.
"""

import contextlib
import json
import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.app_registration import AppRegistration
from simulator.directory import Directory
from simulator.faults import FaultList
from simulator.grants import Grants
from simulator.meetings import MeetingStore
from simulator.resource_units import ResourceUnits
from simulator.signing_key import SigningKey

MAX_LOGGED_REQUESTS = 2000
SAVE_DELAY_SECONDS = 0.2


@dataclass
class Behaviour:
    """Switches for responses that Microsoft gives in several ways, and for token lifetime (seconds)."""

    token_lifetime: int = 3599
    # False: only administrators can consent; users see "Need admin approval".
    user_consent: bool = True
    # Response when an organizer without a Teams licence creates a meeting: forbidden | empty | not_found.
    # Microsoft documents no single code; each one was reported from live tenants.
    unlicensed_answer: str = "forbidden"
    # Response to a join URL that belongs to no meeting: not_found (404, 3004) | empty (200, no rows).
    # Live tenants were reported to send either.
    lookup_miss: str = "not_found"
    # Error code of a declined admin consent: consent_required | permission_denied | access_denied.
    # See entra/admin_consent.py.
    admin_refusal: str = "consent_required"
    # True: opening the join link of a deleted meeting makes it visible to Graph again
    # (microsoftgraph/microsoft-graph-docs issues 17590 and 7802).
    deleted_meetings_return: bool = False
    # True: authorize and admin consent first redirect to the sign-in page of the tenant's own host.
    # See entra/federation.py.
    federated: bool = False
    # Seconds that Microsoft's clock is ahead of this machine's: in the header Date and in id tokens.
    clock_offset: int = 0
    # Resource units that an app may use for directory requests in ten seconds. 0: no limit.
    resource_units: int = 0
    # Response to an app's requests for the meetings of a deleted organizer: not_found (404, UnknownError) |
    # forbidden (403, no application access policy). From memory: Microsoft documents neither.
    deleted_organizer: str = "not_found"


@dataclass(frozen=True)
class Options:
    """Command-line options."""

    base_url: str = "http://localhost:9000"
    client_id: str = AppRegistration.client_id
    client_secret: str = AppRegistration.secret
    redirect_uris: tuple[str, ...] = ()
    state_file: Path | None = None


class Store:
    """State of the simulator. Hold `lock` to read or change it; never sleep while holding it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.options = Options()
        self.key = SigningKey()
        self._has_unsaved_changes = threading.Event()
        self._save_lock = threading.Lock()
        self.request_log: deque[dict[str, Any]] = deque(maxlen=MAX_LOGGED_REQUESTS)
        self.reset()

    def reset(self) -> None:
        """Return to the seeded tenants. The signing key stays."""
        self.registration = AppRegistration(
            self.options.client_id,
            self.options.client_secret,
            redirect_uris=list(self.options.redirect_uris),
        )
        self.behaviour = Behaviour()
        self.directory = Directory.seeded()
        self.grants = Grants()
        self.meetings = MeetingStore()
        self.faults = FaultList()
        self.resource_units = ResourceUnits()
        self.request_log.clear()

    def start(self, options: Options) -> None:
        """Apply the options, load the state file if it exists, and start saving changes to it."""
        self.options = options
        self.reset()
        if options.state_file is None:
            return
        stored = read_state_file(options.state_file)
        if stored is not None:
            self.load(stored)
        threading.Thread(target=self._save_changes, name="state-file", daemon=True).start()

    def mark_changed(self) -> None:
        """Schedule a save of the state file."""
        self._has_unsaved_changes.set()

    def save(self) -> None:
        """Write the state file atomically."""
        path = self.options.state_file
        if path is None:
            return
        with self._save_lock:
            self._has_unsaved_changes.clear()
            with self.lock:
                state = self.dump()
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            temporary.write_text(json.dumps(state))
            temporary.chmod(0o600)
            temporary.replace(path)

    def _save_changes(self) -> None:
        while True:
            self._has_unsaved_changes.wait()
            # Combine changes that arrive together into one write.
            time.sleep(SAVE_DELAY_SECONDS)
            with contextlib.suppress(OSError):
                self.save()

    def dump(self) -> dict[str, Any]:
        """Return signing key, tenants, grants and meetings as JSON-ready data."""
        return {
            "key": self.key.pem(),
            "tenants": [tenant.dump() for tenant in self.directory.tenants.values()],
            "grants": self.grants.dump(),
            "book": self.meetings.dump(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Replace the state with data from `dump`."""
        self.key = SigningKey(state["key"])
        self.directory = Directory.load(state["tenants"])
        self.grants = Grants.load(state["grants"])
        self.meetings = MeetingStore.load(state["book"])


def read_state_file(path: Path) -> dict[str, Any] | None:
    """Return the stored state, or None if the file doesn't exist.

    Raises ValueError with a sentence for the user if the file is broken.
    """
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"The state file {path} cannot be read ({error}). Remove it to start again.") from error
    missing = {"key", "tenants", "grants", "book"} - state.keys()
    if missing:
        raise ValueError(f"The state file {path} lacks {', '.join(sorted(missing))}. Remove it to start again.")
    return state


store = Store()
