"""Runs the named steps, in order, for one tenant's site inside a bench.

    <bench>/env/bin/python main.py create apps

What to do comes as JSON in TENANT_STEP_INPUT, secrets come in their own environment variables, and
the one line of result goes to the container's termination log. See README.md.

This file never touches a site itself: it reads the input, holds the tenant's lock around the steps,
and turns whatever happens into that one line.
"""

import os
import signal
import sys


class Terminated(BaseException):
    """SIGTERM arrived. Not an Exception, so that no step can take it for a failure of its own."""


class Ending:
    """SIGTERM, minded from the first moment: a container's process 1 that has not asked for it does not
    get it, and would work on under the next runner's feet until it is killed."""

    def __init__(self):
        self._asked = self._armed = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._arrived)

    def _arrived(self, _signal, _frame):
        self._asked = True
        if self._armed:
            # Once is enough: the clean-up that follows must not be cut short by a second one.
            self._armed = False
            raise Terminated()

    def arm(self):
        self._armed = True
        if self._asked:
            self._arrived(None, None)

    def disarm(self):
        self._armed = False


# Before the slower imports.
ENDING = Ending()

import step_adopt  # noqa: E402
import step_apps  # noqa: E402
import step_archive  # noqa: E402
import step_create  # noqa: E402
import step_drop  # noqa: E402
import step_expire  # noqa: E402
import step_inspect  # noqa: E402
import step_keys  # noqa: E402
import step_report  # noqa: E402
import step_retire  # noqa: E402
import step_revoke  # noqa: E402
import step_settings  # noqa: E402
import step_template  # noqa: E402
from tenant_failure import Failure  # noqa: E402
from tenant_input import Input, Secrets  # noqa: E402
from tenant_report import Report  # noqa: E402
from tenant_run import Run  # noqa: E402

STEPS = {
    "adopt": step_adopt.run,
    "create": step_create.run,
    "apps": step_apps.run,
    "settings": step_settings.run,
    "keys": step_keys.run,
    "inspect": step_inspect.run,
    "report": step_report.run,
    "archive": step_archive.run,
    "drop": step_drop.run,
    "retire": step_retire.run,
    "revoke": step_revoke.run,
    "expire": step_expire.run,
    "template": step_template.run,
}

# No tenant's work: inspect only reads, and expire touches what no tenant needs any more.
UNLOCKED = {"inspect", "expire"}


def main(names):
    report = Report()
    try:
        try:
            ENDING.arm()
            with prepare(names, report) as run:
                for name in names:
                    report.begin(name)
                    report.finish(STEPS[name](run))
        finally:
            ENDING.disarm()
    except Failure as failure:
        report.fail(failure)
    except Terminated:
        report.fail(Failure("Terminated", "The step was ended from outside; it is taken up again by itself."))
    except Exception as error:  # the last line of defence: nothing leaves without a result line
        report.fail(Failure.unexpected(error))
    return report.write()


def prepare(names, report):
    unknown = [name for name in names if name not in STEPS]
    if unknown or not names:
        raise Failure("BadInput", f"Name the steps to run, out of {', '.join(STEPS)}; got {names}.")
    secrets = Secrets.take(os.environ)
    report.hide(secrets.all())
    given = Input.read(os.environ)
    report.tenant = given.id
    os.chdir(os.path.join(given.bench_path, "sites"))
    return Run(given, secrets, report, locked=not UNLOCKED.issuperset(names))


def leave_import_path():
    """Takes this program's folder off the import path: apps of the bench must never import our files."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]


if __name__ == "__main__":
    leave_import_path()
    sys.exit(main(sys.argv[1:]))
