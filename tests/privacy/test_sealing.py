"""What is sealed is read with our keys only."""

from __future__ import annotations

import pytest

from callops.privacy.sealing import CannotUnseal, is_sealed, seal, unseal
from callops.sideband.packing import packed, unpacked

OLD, NEW = b"o" * 32, b"n" * 32
FRAMES = [(1, b'{"type":"session.created"}'), (2, b'{"text":"4111 1111 1111 1111"}')]


def test_what_was_sealed_comes_back_and_does_not_lie_there_readable(configure) -> None:
    configure(privacy_keys=(NEW,))
    sealed = seal(b"four one one one")

    assert is_sealed(sealed)
    assert b"four" not in sealed
    assert unseal(sealed) == b"four one one one"
    assert seal(b"four one one one") != sealed


def test_an_old_key_opens_what_it_sealed_while_the_new_one_seals(configure) -> None:
    configure(privacy_keys=(OLD,))
    before = seal(b"before")
    configure(privacy_keys=(NEW, OLD))
    after = seal(b"after")

    assert unseal(before) == b"before"
    configure(privacy_keys=(NEW,))
    assert unseal(after) == b"after"
    with pytest.raises(CannotUnseal, match="PRIVACY_KEY"):
        unseal(before)


def test_a_changed_value_is_not_opened(configure) -> None:
    configure(privacy_keys=(NEW,))
    sealed = bytearray(seal(b"words"))
    sealed[-1] ^= 1

    with pytest.raises(CannotUnseal):
        unseal(bytes(sealed))


def test_frames_are_sealed_and_those_from_before_sealing_are_still_read(configure) -> None:
    configure(privacy_keys=(NEW,))
    value = packed(FRAMES)

    assert is_sealed(value)
    assert list(unpacked(value)) == FRAMES
    assert list(unpacked(unseal(value))) == FRAMES
