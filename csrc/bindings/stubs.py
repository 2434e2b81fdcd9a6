"""Writes python/cppn_native/_core.pyi from the extension's own signatures: `make stubs`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).parents[2] / "python" / "cppn_native" / "_core.pyi"
REPLACED = {
    # The exception is shown to users as cppn_native.FormatError, so the generator believes it lives there.
    "from cppn_native import FormatError\n": "",
    "from cppn_native import FormatError": "",
    "    __hash__: typing.ClassVar[None] = None\n": "",
    "def __eq__(self, arg0: CascadeRecord)": "def __eq__(self, other: object)",
    "-> dict:": "-> dict[str, typing.Any]:",
    "-> tuple:": "-> tuple[typing.Any, ...]:",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pybind11_stubgen", "cppn_native._core", "--output-dir", folder]
        options = ["--ignore-all-errors", "--numpy-array-use-type-var"]
        subprocess.run([*command, *options], check=True, capture_output=True)
        text = (Path(folder) / "cppn_native" / "_core.pyi").read_text()
    for old, new in REPLACED.items():
        text = text.replace(old, new)
    TARGET.write_text(text.rstrip() + "\n\nclass FormatError(ValueError): ...\n")


if __name__ == "__main__":
    main()
