"""Sealing of what must not be read from the database alone: national IDs, TOTP secrets."""

import hmac
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from geo.account_tables import key_check
from geo.accounts.keys import Keys, keys
from geo.errors import UnavailableError, UsageError

_VERSION = b"\x01"
_NONCE = 12
_FINGERPRINT = 16


def seal(plain: str, context: str) -> bytes:
    """Encrypt with AES-256-GCM; `context` (whose value this is) must be the same to open it."""
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + _cipher(keys().seal).encrypt(nonce, plain.encode(), context.encode())


def seals(plains: Sequence[str], contexts: Sequence[str]) -> list[bytes]:
    """Many at once, as `seal` does one; a million take a few seconds."""
    if not plains:
        return []
    encrypt = _cipher(keys().seal).encrypt
    nonces = os.urandom(_NONCE * len(plains))
    return [
        _VERSION + nonce + encrypt(nonce, plain.encode(), context.encode())
        for plain, context, nonce in zip(
            plains,
            contexts,
            (nonces[i : i + _NONCE] for i in range(0, len(nonces), _NONCE)),
            strict=True,
        )
    ]


def unseal(sealed: bytes, context: str) -> str:
    """What was sealed; raises UnavailableError for another key or context, or changed bytes."""
    nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    try:
        if sealed[:1] != _VERSION or len(nonce) != _NONCE:
            raise InvalidTag
        return _cipher(keys().seal).decrypt(nonce, body, context.encode()).decode()
    except InvalidTag:
        raise UnavailableError(
            "A sealed value cannot be opened: it was changed, or sealed with another keys file."
        ) from None


def fingerprint(plain: str) -> bytes:
    """16 bytes by which a sealed value is found again, of no use without the key."""
    return fingerprints((plain,))[0]


def fingerprints(plains: Iterable[str]) -> list[bytes]:
    """The fingerprint of each; a million take about two seconds."""
    key, digest = keys().fingerprint, hmac.digest
    return [digest(key, plain.encode(), "sha256")[:_FINGERPRINT] for plain in plains]


def check_keys(conn: Connection) -> None:
    """Remember the keys at their first use with a database, afterwards refuse any other ones.

    Raises UsageError. The session key is left out: it may be renewed, which signs everybody out.
    """
    ours = _check_values(keys())
    # The web server's role may not; the server has checked before it began.
    if conn.scalar(select(func.has_table_privilege(key_check.name, "INSERT"))):
        conn.execute(
            insert(key_check)
            .values([{"purpose": name, "check_value": value} for name, value in ours.items()])
            .on_conflict_do_nothing()
        )
    stored = conn.execute(select(key_check.c.purpose, key_check.c.check_value))
    known = {row.purpose: bytes(row.check_value) for row in stored}
    if any(ours.get(name) != value for name, value in known.items()):
        raise UsageError(
            "The keys file is not the one that this database was used with: what is sealed could "
            "not be opened. Bring the former file back (ANCU_KEYS names another place)."
        )


def _check_values(of: Keys) -> dict[str, bytes]:
    purposes = {"seal": of.seal, "fingerprint": of.fingerprint}
    return {
        name: hmac.digest(key, f"ancu key check {name}".encode(), "sha256")
        for name, key in purposes.items()
    }


@lru_cache(maxsize=4)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)
