"""Print the output of several child processes to one terminal."""

from __future__ import annotations

import sys
from threading import Lock, Thread
from typing import IO

_terminal = Lock()


def say(text: str) -> None:
    """Print `text` without lines of child processes in between."""
    with _terminal:
        try:
            print(text, flush=True)
        except BrokenPipeError:
            # Nothing reads our output any more; the children must still be stopped in order.
            sys.stdout = sys.stderr


def relay(name: str, stream: IO[bytes]) -> Thread:
    """Print each line of `stream` after `name`, in a thread that ends with the stream."""

    def pump() -> None:
        for line in stream:
            say(f"{name:>9} | {line.decode(errors='replace').rstrip()}")

    thread = Thread(target=pump, name=f"output of {name}", daemon=True)
    thread.start()
    return thread
