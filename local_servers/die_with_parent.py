"""Run a command that cannot outlive its parent: `python die_with_parent.py PARENT SIGNAL UID GID command…`.

The parent cannot arrange this: code between fork and exec is unsafe in a process with threads, and `setpriv`
is missing on some machines. So this program gives up root if a UID is given, tells Linux to send SIGNAL when the
parent ends, and executes the command. It imports nothing of the project, so that it starts at once.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(parent: int, death_signal: int, uid: int, gid: int, command: list[str]) -> None:
    """Replace this process with `command`, whose first word is a path; `uid` -1 keeps the user.

    Exits if the parent has already ended. Import nothing in here: the new user may not be able to read this
    Python's library.
    """
    # A background process of a shell ignores Ctrl-C; the command must not inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of user, which clears it.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    _parent, _signal, _uid, _gid = (int(value) for value in sys.argv[1:5])
    become(_parent, _signal, _uid, _gid, sys.argv[5:])
