"""Bytes of a program: from a file, a hex dump or memory, and the string literal in the middle of them.

Pyth reads its source as latin-1 with universal newlines and hands a string literal on to Python, having written a
raw LF as ``\\n`` and a raw NUL as ``\\0``. So Python's escapes count, and a backslash that begins none stays itself.
"""

from __future__ import annotations

import os
import re

from ..errors import FormatError

__all__ = ["MAX_PROGRAM_BYTES", "escape", "read_source", "split_source", "unescape"]

MAX_PROGRAM_BYTES = 1 << 16
"""128 neurons of 65536 levels make 17 kB."""
MAX_SOURCE_BYTES = 1 << 20
LINE_BYTES = 16

_LINE = re.compile(r"(?<![0-9a-fA-F])([0-9a-f]{8}): ((?:[0-9a-f]{4} ){0,7}[0-9a-f]{2}(?:[0-9a-f]{2})?)(?=\s|$)")
_ESCAPE = re.compile(r"\\(\n|[\\'\"abfnrtv]|[0-7]{1,3}|x[0-9a-fA-F]{2})|\0[0-7]{0,2}")
_BROKEN_ESCAPE = re.compile(r"\\[xuUN]")
_SIMPLE = {"\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_BEGINS_ESCAPE = set("\\'\"abfnrtvxuUN01234567\n\0")
_OCTAL = set("01234567")


def read_source(source: str | os.PathLike[str] | bytes) -> bytes:
    """The program's bytes. ``source``: them, a path, or an xxd dump (bytes, text or a file of it)."""
    if isinstance(source, str) and _LINE.search(source):
        return _undump(source)
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            data = file.read(MAX_SOURCE_BYTES + 1)
    else:
        raise TypeError(f"source must be bytes, a hex dump or a path, got {type(source).__name__}")
    if len(data) > MAX_SOURCE_BYTES:
        raise FormatError(f"{len(data)} bytes are more than any program or its hex dump has")
    text = data.decode("latin-1")
    if not text.startswith((".w", "Kj")) and _LINE.search(text):
        data = _undump(text)
    if len(data) > MAX_PROGRAM_BYTES:
        raise FormatError(f"{len(data)} bytes are more than any program of this kind has")
    return data


def _undump(text: str) -> bytes:
    """From the hex columns alone: published dumps have lost spaces and line ends in the text column."""
    data = b""
    for line in _LINE.finditer(text):
        offset = int(line[1], 16)
        if offset == 0 and data:
            break  # another dump
        if offset != len(data):
            raise FormatError(f"the hex dump goes on at offset {offset} where {len(data)} should follow")
        data += _columns(line)
    return data


def _columns(line: re.Match[str]) -> bytes:
    """The bytes of a line; a text column of hex digits after a lost space, in a short last line, is not among them."""
    data = bytes.fromhex(line[2])
    after = line.string[line.end() : line.end() + 2]
    if len(data) == LINE_BYTES or after == "  ":
        return data
    groups = line[2].split(" ")
    for count in range(1, len(groups)):
        part = bytes.fromhex("".join(groups[:count]))
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        begin = line.start(2) + len(" ".join(groups[:count])) + 1
        if re.match(re.escape(shown) + r"(?!\S)", line.string[begin : begin + LINE_BYTES + 1]):
            return part
    return data


def split_source(data: bytes) -> tuple[str, str, str]:
    """What stands before, inside (still escaped) and after the one string literal."""
    text = data.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    text = text.removesuffix("\n")
    first = text.find('"')
    if first < 0:
        raise FormatError("not a Pyth program of this kind: there is no string literal")
    at = first + 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise FormatError(f"the string literal that begins at offset {first} does not end")
    return text[:first], text[first + 1 : at], text[at + 1 :]


def unescape(literal: str) -> bytes:
    """What a string literal stands for; ``FormatError`` for escapes that Python refuses or beyond one byte."""
    out, at = [], 0
    while at < len(literal):
        match = _ESCAPE.match(literal, at)
        if match is None:
            if _BROKEN_ESCAPE.match(literal, at):
                raise FormatError(f"the string literal has an unusable escape {literal[at : at + 2]} at offset {at}")
            out.append(literal[at])
            at += 1
            continue
        out.append(_meaning(match))
        at = match.end()
    try:
        return "".join(out).encode("latin-1")
    except UnicodeEncodeError:
        raise FormatError("the string literal has a character beyond one byte") from None


def _meaning(match: re.Match[str]) -> str:
    body = match[1]
    if body is None:  # NUL becomes \0, which swallows octal digits that follow
        return chr(int("0" + match[0][1:], 8))
    if body == "\n":
        return ""
    if body in _SIMPLE:
        return _SIMPLE[body]
    return chr(int(body[1:], 16) if body[0] == "x" else int(body, 8))


def escape(payload: bytes) -> bytes:
    """The shortest literal for these bytes, without its quotes."""
    text = payload.decode("latin-1")
    out = ""  # from the end: whether a backslash is one depends on what follows it
    for index in range(len(text) - 1, -1, -1):
        out = _spelled(text[index], text[index - 1] if index else "", out) + out
    return out.replace("\n; end\n", "\n; end\\n").encode("latin-1")  # a line that would end the program


def _spelled(char: str, before: str, after: str) -> str:
    if char == '"':
        return '\\"'
    if char == "\r":
        return "\\r"
    if char == "\\":
        return "\\\\" if not after or after[0] in _BEGINS_ESCAPE else "\\"
    if char in _OCTAL and before == "\0":
        return f"\\{ord(char):03o}" if after[:1] in _OCTAL else f"\\{ord(char):o}"
    return char
