"""Remove the demo's data: `python -m demo.reset`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from demo.programs import BASE_DIR
from local_servers.postgres_programs import reachable_home, server_account
from local_servers.processes import SetupError
from local_servers.servers import only_one


def reset(data_dir: Path) -> None:
    """Remove `data_dir` and a database outside it. Raises `SetupError` while the demo runs."""
    with only_one(data_dir):
        database = reachable_home(data_dir / "postgres", server_account())
        for folder in (database, data_dir):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        reset(BASE_DIR / ".local")
    except SetupError as error:
        sys.exit(str(error))
    print("The demo's data is gone; make demo starts with new data.")
