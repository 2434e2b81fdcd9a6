"""The command line: ``cppn fit | render | info | neurons | devices``, also ``python -m cppn_native``.

Exit codes: 0 done, 1 failed (a line on standard error says why), 2 usage, 130 interrupted (keeping the best).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper

import cppn_native as cn

from .files import complain
from .parser import make_parser

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; ``SystemExit`` for --help, --version and wrong usage."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a file name may hold what the terminal cannot show
    args = argparse.Namespace()
    try:
        try:
            parser = make_parser()
            parser.parse_args(argv, args)
            if "run" in args:
                return int(args.run(args))
            parser.print_help(sys.stderr)
            return 2
        finally:
            _flush()
    except BrokenPipeError:  # the reader has seen enough, as head does
        return 1
    except KeyboardInterrupt:
        print("cppn: interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError, MemoryError, cn.DeviceError, cn.DivergedError, cn.ExportError, ImportError) as error:
        return complain(error, args)


def _flush() -> None:
    """Writes what is still held back while a failure can be met: at exit Python would print its traceback."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
