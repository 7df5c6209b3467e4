"""CPU time of processes and of the machine, to judge a measurement on a machine that others use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Indexes of the fields of /proc/<pid>/stat, counted from the state, which follows the name in brackets.
_PARENT = 1
# utime, stime, and cutime and cstime of children that have ended.
_USED = slice(11, 15)


def cpu_seconds_of(leaders: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds of each process together with all its descendants."""
    stats = {folder.name: stat for folder in Path("/proc").glob("[0-9]*") if (stat := _stat(folder))}
    names = {str(pid): name for name, pid in leaders.items()}
    used = dict.fromkeys(leaders, 0.0)
    for pid, fields in stats.items():
        while pid not in names and pid in stats:
            pid = stats[pid][_PARENT]
        if pid in names:
            used[names[pid]] += sum(map(int, fields[_USED])) / _TICKS
    return used


def _stat(folder: Path) -> list[str] | None:
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def machine_cpu_seconds() -> float:
    """Return the CPU seconds of all processes since the machine started."""
    user, nice, system, _idle, _wait, *others = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    return sum(int(ticks) for ticks in (user, nice, system, *others)) / _TICKS
