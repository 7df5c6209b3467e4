"""The simulated Microsoft for this folder, and admins who are signed in."""

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.core.cache import cache
from django.test import Client

from integrations.models import Connection
from tests.factories import make_member, make_organization
from tests.simulator.client import Simulator


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """Collect before the test, and not during it.

    Deeply nested JSON reaches the recursion limit. A finalizer that runs there fails, and the test with it.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def microsoft_process() -> Iterator[Simulator]:
    simulator = Simulator()
    yield simulator
    simulator.stop()


@pytest.fixture
def simulator(microsoft_process: Simulator, servers: None, settings) -> Simulator:
    """Reset the simulated Microsoft, and send all requests for Entra and Graph to it."""
    microsoft_process.control("reset")
    # Holds the marks of emails to operators, among others.
    cache.clear()
    settings.MICROSOFT_SIMULATOR_URL = microsoft_process.url
    # The redirect URI of the simulated app registration.
    settings.BASE_URL = "http://localhost:8000"
    return microsoft_process


@pytest.fixture
def connected(connection: Connection) -> Connection:
    """Maple's connection by service account."""
    return connection


@pytest.fixture
def ada_browser(ada) -> Client:
    """Browser of Ada, signed in to Coconut at BASE_URL."""
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(ada)
    return browser


@pytest.fixture
def otto_browser(db) -> Client:
    """Browser of Otto of Cedar, signed in."""
    otto = make_member(make_organization("Cedar Bank"), "Otto Keller", "admin")
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(otto)
    return browser


@pytest.fixture
def only_connection():
    """Return the only connection."""
    return lambda: Connection.objects.select_related("teams").get()


@dataclass(frozen=True)
class Certificate:
    """A PEM file with key and certificate; `pem` is the certificate alone."""

    path: Path
    pem: str


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Coconut")])
    today = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(Encoding.PEM).decode()
    path = tmp_path / "microsoft.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem.encode())
    return Certificate(path, pem)
