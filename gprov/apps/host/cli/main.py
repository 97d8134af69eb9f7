"""``gprov``: one command for all tools of a host. Exit status: ``ExitCode``, and 130 if it was interrupted.

Nothing of Typer is imported at the top, so that a command whose packages are missing can say so.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from gprov.apps.host.cli.output import say
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.errors import DeviceFault, DeviceMissing, ExitCode, GprovError

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status. Raises SystemExit for help and for wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files need not be text
    try:
        with unexpected_errors_translated():
            return _run(words)
    except GprovError as error:
        report(error)
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted", err=True)
        return _INTERRUPTED


def _run(words: list[str]) -> int:
    try:
        from gprov.apps.host.cli.commands import run

        code = run(words)
        print(end="", flush=True)
        return code
    except ModuleNotFoundError as exc:
        package = (exc.name or "").partition(".")[0].replace("_", "-")
        if package in ("", "gprov"):
            raise
        raise DeviceMissing(*_missing(package, words[0] if words else "")) from exc
    except BrokenPipeError:  # the reader of our output has ended
        _drop_output()
        return ExitCode.DONE
    except OSError as exc:
        if exc.filename is not None:
            raise DeviceFault(str(exc.filename), str(exc.strerror), errno=exc.errno) from exc
        _drop_output()
        raise DeviceFault("output", f"cannot be written: {exc.strerror}", errno=exc.errno) from exc


def _missing(package: str, command: str) -> tuple[str, str]:
    """What cannot run, and the remedy."""
    extra = "server" if command == "server" else "tools"
    name = f"gprov {command}" if command.isalpha() else "gprov"
    return name, f"the Python package {package} is not installed; pip install 'gprov[{extra}]' does it"


def _drop_output() -> None:
    """What is still in the buffer would fail once more when the interpreter ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def report(error: GprovError) -> None:
    """One sentence, then the details, on standard error."""
    say(f"gprov: {error}", err=True, colour="red")
    details = error.details()
    if len(details) > 1 or (details and details[0] not in str(error)):
        for line in details:
            say(f"  {line}", err=True)


if __name__ == "__main__":
    sys.exit(main())
