"""Work inside the bench: Frappe's functions and bench's own commands, each in a forked child.

Why a fork: no secret gets onto a command line, Frappe's process-wide state of one step never leaks
into the next, its output can be caught, and SIGTERM can end it, with whatever it started, at once.
The parent imports Frappe once, so that children do not pay for it. It never initialises a site.

A child inherits the lock's connection and keeps it open as long as it lives: were the parent killed
outright, the lock would stand until the child is gone as well, which is what a lock is for.
"""

import collections
import contextlib
import json
import os
import re
import select
import signal
import sys
import time
import traceback

from tenant_failure import ChildFailed

TICK_SECONDS = 1.0
END_SECONDS = 3.0
TAIL_LINES = 60
# Frappe draws progress bars with carriage returns; they say nothing in a log.
_PROGRESS = re.compile(r"\[[= ]*\]\s*\d+%")


def run(work, arguments=(), pulse=lambda: None):
    """Runs `work(*arguments)` in a child and returns (its result, the lines it wrote).

    Raises ChildFailed if it raised, or was ended. `pulse` is called about every second.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    out_read, out_write = os.pipe()
    answer_read, answer_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out_read)
        os.close(answer_read)
        _child(work, arguments, out_write, answer_write)
    os.close(out_write)
    os.close(answer_write)
    try:
        lines, answer, status = _follow(child, out_read, answer_read, pulse)
    except BaseException:
        end(child)
        raise
    finally:
        os.close(out_read)
        os.close(answer_read)
    return _outcome(lines, answer, status), lines


def _child(work, arguments, out, answer):
    """The child's whole life; never returns."""
    try:
        os.setsid()  # a group of its own, to be ended as one; and no terminal to ask for passwords
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        said = {"result": work(*arguments)}
    except SystemExit as exit_:
        said = {"exit": exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)}
    except BaseException as error:
        traceback.print_exc()
        frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        kind = type(error)
        said = {"error": f"{kind.__module__}.{kind.__qualname__}", "message": str(error), "frames": frames[-30:]}
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        with os.fdopen(answer, "w") as pipe:
            json.dump(said, pipe, default=str)
    finally:
        os._exit(0)


def _follow(child, out, answer, pulse):
    """Reads both pipes until the child is gone."""
    lines, partial, said = collections.deque(maxlen=TAIL_LINES), b"", b""
    open_pipes, status, next_pulse = {out, answer}, None, time.monotonic() + TICK_SECONDS
    while open_pipes and (status is None or select.select(list(open_pipes), [], [], 0)[0]):
        ready, _, _ = select.select(list(open_pipes), [], [], TICK_SECONDS)
        for pipe in ready:
            data = os.read(pipe, 65536)
            if not data:
                open_pipes.discard(pipe)
            elif pipe == answer:
                said += data
            else:
                partial = _keep(lines, partial + data)
        if time.monotonic() >= next_pulse:
            pulse()
            next_pulse = time.monotonic() + TICK_SECONDS
        if status is None:
            status = _reap(child, os.WNOHANG)
    _keep(lines, partial + b"\n")
    if status is None:
        status = _reap(child, 0)
    return list(lines), said, status


def _keep(lines, data):
    """Adds the whole lines of `data` and returns what follows the last of them."""
    *whole, rest = re.split(rb"[\r\n]", data)
    for line in whole:
        text = line.decode("utf-8", errors="replace").rstrip()
        if text and not _PROGRESS.search(text):
            lines.append(text)
    return rest


def _reap(child, options):
    pid, status = os.waitpid(child, options)
    return os.waitstatus_to_exitcode(status) if pid else None


def _outcome(lines, answer, status):
    if status < 0:
        name = signal.Signals(-status).name
        hint = " (out of memory? raise the limit of spec.jobs.resources)" if name == "SIGKILL" else ""
        raise ChildFailed(name, f"the bench's process was ended by {name}{hint}", lines)
    try:
        said = json.loads(answer)
    except ValueError:
        raise ChildFailed("NoAnswer", f"the bench's process ended with {status} and no answer", lines) from None
    if "error" in said:
        raise ChildFailed(said["error"], said["message"], lines, said["frames"])
    if "exit" in said:
        if said["exit"]:
            raise ChildFailed("Exit", f"exit code {said['exit']}", lines, code=said["exit"])
        return None
    return said["result"]


def end(child):
    """Ends a child and everything that it started."""
    for number, patience in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, END_SECONDS)):
        _signal_group(child, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                if _reap(child, os.WNOHANG) is not None:
                    # What it started may outlive it by a moment; it must not outlive the lock.
                    _signal_group(child, signal.SIGKILL)
                    return
            except ChildProcessError:
                return
            time.sleep(0.02)


def _signal_group(child, number):
    for send in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(child, number)
