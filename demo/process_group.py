"""A group of programs that start in order, are watched, and stop in reverse order."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from demo.log_relay import relay, say
from local_servers.processes import SetupError, start_child, stop, wait_until


@dataclass
class Program:
    """A running child; `timeout` is the number of seconds it may take to stop."""

    name: str
    process: subprocess.Popen[bytes]
    output: Thread
    timeout: float

    def stop(self) -> None:
        """Send SIGTERM and wait."""
        stop(self.process, signal.SIGTERM, timeout=self.timeout)
        self.output.join(timeout=1)


@dataclass
class ProcessGroup:
    """The children in the order of their start."""

    environment: dict[str, str]
    cwd: Path
    programs: list[Program] = field(default_factory=list)

    def start(
        self,
        name: str,
        command: list[str],
        *,
        timeout: float = 15,
        death_signal: signal.Signals = signal.SIGTERM,
    ) -> Program:
        """Start `command` as `name`; it gets `death_signal` if this process is killed."""
        process = start_child(
            command,
            output=subprocess.PIPE,
            environment=self.environment,
            cwd=self.cwd,
            death_signal=death_signal,
        )
        if process.stdout is None:
            raise SetupError(f"{name} has no output.")
        program = Program(name, process, relay(name, process.stdout), timeout)
        self.programs.append(program)
        return program

    def run(self, name: str, command: list[str]) -> None:
        """Run `command` to its end and print its output. Raises `SetupError` if it fails."""
        program = self.start(name, command)
        code = program.process.wait()
        program.output.join()
        self.programs.remove(program)
        if code != 0:
            raise SetupError(f"{name} failed (exit code {code}).")

    def wait_for(self, name: str, answers: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `answers` returns true. Raises `SetupError` if a child ends or after `seconds`."""

        def answers_or_raises() -> bool:
            self.raise_if_child_ended()
            return answers()

        if not wait_until(answers_or_raises, seconds=seconds, pause=0.1):
            raise SetupError(f"{name} did not answer within {seconds:.0f} seconds.")

    def raise_if_child_ended(self) -> None:
        """Raise `SetupError` if a child has ended, with its name."""
        for program in self.programs:
            code = program.process.poll()
            if code is not None:
                program.output.join(timeout=1)
                raise SetupError(f"{program.name} ended unexpectedly (exit code {code}); stopping everything.")

    def stop(self) -> None:
        """Stop the children one after the other, the last one first."""
        while self.programs:
            program = self.programs.pop()
            if program.process.poll() is None:
                say(f"Stopping {program.name} ...")
            program.stop()
