"""What must not be readable in the database by itself: sealed with a key that does not lie there.

AES-256-GCM. A sealed value says by which key (`Config.privacy_keys`): the first one seals, the others still open what
was sealed before a change of keys.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from callops.core.config import config

MARK: Final = b"\x01"
"""The first byte of a sealed value; no compressed value begins with it."""
_NAME_BYTES: Final = 4
_NONCE_BYTES: Final = 12


class CannotUnseal(Exception):
    """The value was sealed with a key that is not among ours, or it was changed."""

    def __init__(self) -> None:
        super().__init__(
            "This was sealed with another key. Put the key it was sealed with after the first in PRIVACY_KEY."
        )


def seal(value: bytes) -> bytes:
    """The value, unreadable without our keys; different each time."""
    key = config().privacy_keys[0]
    nonce = os.urandom(_NONCE_BYTES)
    return b"".join((MARK, _name(key), nonce, _cipher(key).encrypt(nonce, value, MARK)))


def unseal(sealed: bytes) -> bytes:
    """What was sealed. Raises `CannotUnseal`."""
    name, rest = sealed[1 : 1 + _NAME_BYTES], sealed[1 + _NAME_BYTES :]
    for key in config().privacy_keys:
        if _name(key) == name:
            try:
                return _cipher(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], MARK)
            except InvalidTag as wrong:
                raise CannotUnseal from wrong
    raise CannotUnseal


def is_sealed(value: bytes) -> bool:
    """Whether `unseal` is the way to read it."""
    return value.startswith(MARK)


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


@lru_cache(maxsize=16)
def _name(key: bytes) -> bytes:
    """How a sealed value names its key without telling anything of it."""
    return hashlib.sha256(b"callops key name" + key).digest()[:_NAME_BYTES]
