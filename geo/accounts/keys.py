"""The service's secret keys: one file that only its owner may read, made once and kept."""

import base64
import binascii
import json
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from geo.config import settings
from geo.errors import UsageError

_BYTES = 32


@dataclass(frozen=True, repr=False)
class Keys:
    """Three independent keys of 256 bits.

    session signs cookies and forms, seal encrypts, fingerprint makes what is sealed findable.
    """

    session: bytes
    seal: bytes
    fingerprint: bytes


def path() -> Path:
    """Where the keys are: ANCU_KEYS, else keys.json in the service's home."""
    return settings().keys or settings().home / "keys.json"


def keys() -> Keys:
    """The keys, read once; raises UsageError that names `ancu keys make` when there are none."""
    return read(path())


@lru_cache(maxsize=4)
def read(file: Path) -> Keys:
    """The keys of one file; raises UsageError when it is missing, damaged or open to others."""
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            content = opened.read()
    except FileNotFoundError:
        raise UsageError(
            f"There is no keys file {file}. Make one with `ancu keys make`, or bring back the one "
            "that the database was used with."
        ) from None
    except OSError as error:
        raise UsageError(f"The keys file {file} cannot be read: {error.strerror}.") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            f"The keys file {file} is open to other users of this machine: chmod 600 {file}"
        )
    return _parsed(content, file)


def make(file: Path) -> bool:
    """Write new random keys where there is no file yet; False when one stands there already.

    The file appears whole or not at all, and is its owner's only from the first byte on.
    """
    if file.exists():
        return False
    made = {field.name: secrets.token_bytes(_BYTES) for field in fields(Keys)}
    text = json.dumps({name: base64.b64encode(key).decode() for name, key in made.items()})
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return _write_new(file, text + "\n")
    except OSError as error:
        raise UsageError(f"The keys file {file} cannot be written: {error.strerror}.") from None


def _write_new(file: Path, text: str) -> bool:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".keys-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(name, file)  # unlike a rename it does not replace what another process just made
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
    return True


def _parsed(content: bytes, file: Path) -> Keys:
    names = [field.name for field in fields(Keys)]
    try:
        stored = json.loads(content)
        found = {name: base64.b64decode(stored[name], validate=True) for name in names}
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise _damaged(file) from None
    if any(len(key) != _BYTES for key in found.values()) or len(set(found.values())) < len(names):
        raise _damaged(file)
    return Keys(**found)


def _damaged(file: Path) -> UsageError:
    wanted = ", ".join(field.name for field in fields(Keys))
    return UsageError(
        f"The keys file {file} is damaged: it must hold {wanted}, {_BYTES} bytes each in base64. "
        "Bring back a copy; a new one does not open what the old one sealed."
    )
