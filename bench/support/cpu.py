"""How much the processor worked, and for whom: what a figure is worth on a machine that others use, too."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Where /proc/<pid>/stat has them, counted from the state, which follows the name in brackets.
_PARENT = 1
# Its own, in the kernel, and both of those children that have ended.
_USED = slice(11, 15)


def seconds_by(leaders: Mapping[str, int]) -> dict[str, float]:
    """Processor seconds of each of these processes and of all its descendants."""
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


def busy_seconds() -> float:
    """Processor seconds of the whole machine since it started, whoever used them."""
    user, nice, system, _idle, _wait, *others = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    return sum(int(ticks) for ticks in (user, nice, system, *others)) / _TICKS
