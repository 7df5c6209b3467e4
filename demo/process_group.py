"""A group of programs that start in order, are watched, and stop in the opposite order."""

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
    """One running child: `timeout` is how many seconds it may take to finish what it is doing."""

    name: str
    process: subprocess.Popen[bytes]
    output: Thread
    timeout: float

    def stop(self) -> None:
        """Ask it to end, and wait."""
        stop(self.process, signal.SIGTERM, timeout=self.timeout)
        self.output.join(timeout=1)


@dataclass
class Group:
    """The children, in the order in which they were started."""

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
        """Start `command` as `name`; it gets `death_signal` when we are killed."""
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
        """Run `command` to its end. Raises `SetupError` when it fails; what it printed is on the terminal."""
        program = self.start(name, command)
        code = program.process.wait()
        program.output.join()
        self.programs.remove(program)
        if code != 0:
            raise SetupError(f"{name} failed (exit code {code}).")

    def wait_for(self, name: str, answers: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `answers`. Raises `SetupError` when a child ends meanwhile or the time is over."""

        def answers_or_is_over() -> bool:
            self.raise_if_one_ended()
            return answers()

        if not wait_until(answers_or_is_over, seconds=seconds, pause=0.1):
            raise SetupError(f"{name} did not answer within {seconds:.0f} seconds.")

    def raise_if_one_ended(self) -> None:
        """Raises `SetupError` that names a child which is gone."""
        for program in self.programs:
            code = program.process.poll()
            if code is not None:
                program.output.join(timeout=1)
                raise SetupError(f"{program.name} ended by itself (exit code {code}); stopping everything.")

    def stop(self) -> None:
        """Stop the children, the last one first, each when the one before it is gone."""
        while self.programs:
            program = self.programs.pop()
            if program.process.poll() is None:
                say(f"Stopping {program.name} ...")
            program.stop()
