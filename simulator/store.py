"""Everything the simulator knows, behind one lock, and how it survives a restart."""

import contextlib
import json
import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.app_registration import Registration
from simulator.directory import Directory
from simulator.faults import FaultList
from simulator.grants import Grants
from simulator.meetings import MeetingBook
from simulator.signing_key import SigningKey

REMEMBERED_REQUESTS = 2000
SAVE_PAUSE_SECONDS = 0.2


@dataclass
class Behaviour:
    """Answers that Microsoft gives in more than one way, and times that tests want shorter."""

    token_lifetime: int = 3599
    # False: people may not consent at all, only administrators ("Need admin approval").
    user_consent: bool = True
    # Creating under an organizer without a Teams licence: forbidden | empty | not_found.
    unlicensed_answer: str = "forbidden"
    # Looking up a join URL that leads to no meeting: not_found (404, 3004) | empty (200, no rows).
    lookup_miss: str = "not_found"
    # How a refused admin consent is spelled: consent_required | permission_denied | access_denied.
    admin_refusal: str = "consent_required"
    # Opening the link of a deleted meeting lets Graph find the meeting again.
    deleted_meetings_return: bool = False


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    base_url: str = "http://localhost:9000"
    client_id: str = Registration.client_id
    client_secret: str = Registration.secret
    redirect_uris: tuple[str, ...] = ()
    state_file: Path | None = None


class World:
    """The one state. Whoever reads or changes anything holds `lock`; nobody sleeps with it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.options = Options()
        self.key = SigningKey()
        self._changed = threading.Event()
        self._saving = threading.Lock()
        self.requests: deque[dict[str, Any]] = deque(maxlen=REMEMBERED_REQUESTS)
        self.reset()

    def reset(self) -> None:
        """Back to the seeded tenants; the signing key stays."""
        self.registration = Registration(
            self.options.client_id,
            self.options.client_secret,
            redirect_uris=list(self.options.redirect_uris),
        )
        self.behaviour = Behaviour()
        self.directory = Directory.seeded()
        self.grants = Grants()
        self.book = MeetingBook()
        self.faults = FaultList()
        self.requests.clear()

    def start(self, options: Options) -> None:
        """Apply the command line, load the state file if there is one, and keep it written."""
        self.options = options
        self.reset()
        if options.state_file is None:
            return
        stored = read_state(options.state_file)
        if stored is not None:
            self.load(stored)
        threading.Thread(target=self._keep_saved, name="state-file", daemon=True).start()

    def changed(self) -> None:
        """Note that the state file is out of date."""
        self._changed.set()

    def save(self) -> None:
        """Write the state file, whole or not at all."""
        path = self.options.state_file
        if path is None:
            return
        with self._saving:
            self._changed.clear()
            with self.lock:
                state = self.dump()
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            temporary.write_text(json.dumps(state))
            temporary.chmod(0o600)
            temporary.replace(path)

    def _keep_saved(self) -> None:
        while True:
            self._changed.wait()
            # Several changes within a moment are one write.
            time.sleep(SAVE_PAUSE_SECONDS)
            with contextlib.suppress(OSError):
                self.save()

    def dump(self) -> dict[str, Any]:
        """Key, tenants, grants and meetings as JSON-ready data."""
        return {
            "key": self.key.pem(),
            "tenants": [tenant.dump() for tenant in self.directory.tenants.values()],
            "grants": self.grants.dump(),
            "book": self.book.dump(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """The opposite of `dump`."""
        self.key = SigningKey(state["key"])
        self.directory = Directory.load(state["tenants"])
        self.grants = Grants.load(state["grants"])
        self.book = MeetingBook.load(state["book"])


def read_state(path: Path) -> dict[str, Any] | None:
    """The stored state, None without a file. Raises ValueError with a sentence when it is broken."""
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"The state file {path} cannot be read ({error}). Remove it to start afresh."
        ) from error
    missing = {"key", "tenants", "grants", "book"} - state.keys()
    if missing:
        raise ValueError(
            f"The state file {path} lacks {', '.join(sorted(missing))}. Remove it to start afresh."
        )
    return state


world = World()
