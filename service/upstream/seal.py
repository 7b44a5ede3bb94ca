"""What waits in the database is closed to whoever reads the file: AES-GCM, packed first.

    UnreadableError     sealed with a key that is no longer set, or tampered with

Spec: https://csrc.nist.gov/pubs/sp/800/38/d/final
"""

import secrets
import zlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12  # bytes
SHORTEST = 16  # characters of a key that are worth calling one
_FAST = 1  # zlib's level: it is read once


class UnreadableError(Exception):
    """No key that is set opens it."""


class Seal:
    def __init__(self, keys: Sequence[str]) -> None:
        """The first closes, any opens: a new key is put in front of the old one."""
        self._ciphers = [AESGCM(_derived(key)) for key in keys]

    def close(self, content: bytes, label: str) -> bytes:
        """label: what it must be opened as, so that rows cannot be exchanged."""
        nonce = secrets.token_bytes(NONCE)
        packed = zlib.compress(content, _FAST)
        return nonce + self._ciphers[0].encrypt(nonce, packed, label.encode())

    def open(self, sealed: bytes, label: str) -> bytes:
        """Raises UnreadableError."""
        for cipher in self._ciphers:
            try:
                packed = cipher.decrypt(sealed[:NONCE], sealed[NONCE:], label.encode())
            except (InvalidTag, ValueError):
                continue
            return zlib.decompress(packed)
        raise UnreadableError("sealed with another POINTSMAN_SECRET_KEY")


def _derived(key: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"pointsman upstream").derive(key.encode())
