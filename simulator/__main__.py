"""Command line: `python -m simulator --port 9000`.

Reads the options, checks the state file, and serves until SIGTERM.
"""

import argparse
import os
import sys
from pathlib import Path


def main() -> None:
    """Read the command line and serve until SIGTERM or Ctrl-C."""
    # Set before importing Django code; an inherited value would name the product's settings.
    os.environ["DJANGO_SETTINGS_MODULE"] = "simulator.settings"
    from simulator.app_registration import CLIENT_ID, CLIENT_SECRET
    from simulator.server import Server
    from simulator.store import Options, read_state_file

    parser = argparse.ArgumentParser(prog="python -m simulator", description="A simulated Microsoft 365 tenant.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--base-url", help="URL of the simulator for browsers (default: http://localhost:PORT)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep people, meetings and tokens in FILE")
    parser.add_argument("--client-id", default=os.environ.get("SIMULATOR_CLIENT_ID", CLIENT_ID))
    parser.add_argument("--client-secret", default=os.environ.get("SIMULATOR_CLIENT_SECRET", CLIENT_SECRET))
    parser.add_argument("--redirect-uri", action="append", default=[], help="allow one more redirect URI (repeatable)")
    arguments = parser.parse_args()
    options = Options(
        base_url=(arguments.base_url or f"http://localhost:{arguments.port}").rstrip("/"),
        client_id=arguments.client_id,
        client_secret=arguments.client_secret,
        redirect_uris=tuple(arguments.redirect_uri),
        state_file=arguments.state,
    )
    if options.state_file is not None:
        try:
            read_state_file(options.state_file)
        except ValueError as error:
            sys.exit(str(error))
    Server(arguments.host, arguments.port, options).run()


if __name__ == "__main__":
    main()
