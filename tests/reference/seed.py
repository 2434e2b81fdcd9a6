"""Anders Kaseorg's 1020-byte Starry Night, read from its published listing: an answer we did not compute."""

import re

LISTING = re.compile(r"[0-9a-f]{8}: ((?:[0-9a-f]{4} ?)+)")
BYTES = 1020
BASE = 111
ESCAPES = {"r": "\r", '"': '"', "\\": "\\"}

SCALE = 256 * 2.0794415416798357 / 3364
"""ln 8 / 3364, in units where activations run to 1 instead of 256: what one level weighs."""


def program(text):
    """The bytes of the program, from the hex columns of the listing."""
    digits = "".join(match.replace(" ", "") for match in LISTING.findall(text))
    return bytes.fromhex(digits)[:BYTES]


def levels(text):
    """The 1125 weights as integers: the program's string is one number, its digits in base 111 are w + 55."""
    source = program(text).decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    literal = re.fullmatch(r'KjC"(.*?)(?<!\\)"111.*', source, re.DOTALL).group(1)
    payload = re.sub(r'\\([r"\\])', lambda match: ESCAPES[match.group(1)], literal)
    number = int.from_bytes(payload.encode("latin-1"), "big")
    digits = []
    while number:
        number, digit = divmod(number, BASE)
        digits.append(digit - 55)
    return digits
