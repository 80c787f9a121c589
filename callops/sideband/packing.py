"""How frames lie in the database: JSON lines, compressed with a dictionary of what every frame is made of.

A batch of live speech holds a handful of frames; by itself that is too little text to compress, so the words that all
frames share are given beforehand (`frame_words.txt`). They are part of the format and never change: what was packed
with other words cannot be read, and zlib says so. What was packed is sealed: what the transcript must not show stands
in the frames as it was said.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from callops.privacy.sealing import is_sealed, seal, unseal

LEVEL: Final = 3

_WORDS: Final = Path(__file__).with_name("frame_words.txt").read_bytes()
"""What is likeliest stands last, where zlib finds it cheapest."""


def packed(frames: Sequence[tuple[int, bytes]]) -> bytes:
    """The frames, each (unix ms, JSON text on one line), as one value."""
    lines = b"\n".join([b'{"t":%d,"f":%b}' % frame for frame in frames])
    press = zlib.compressobj(LEVEL, zdict=_WORDS)
    return seal(press.compress(lines) + press.flush())


def unpacked(value: bytes) -> Iterator[tuple[int, bytes]]:
    """The frames of one value, in order. Raises `CannotUnseal` when our keys do not open it."""
    pressed = unseal(value) if is_sealed(value) else value  # values from before sealing are read for good
    for line in zlib.decompressobj(zdict=_WORDS).decompress(pressed).splitlines():
        stored = _line.decode(line)
        yield stored.t, bytes(stored.f)


class _Line(msgspec.Struct):
    t: int
    f: msgspec.Raw


_line = msgspec.json.Decoder(_Line)
