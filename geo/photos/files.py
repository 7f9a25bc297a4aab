"""The files of photos: sealed, below the service's home, each found and opened only by its row."""

import hmac
import os
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from geo.accounts.keys import keys
from geo.config import settings
from geo.errors import NotFoundError, UnavailableError

_VERSION = b"\x01"
_NONCE = 12
_NAME = 40
YOUNG_S = 3600.0
"""A file younger than this may belong to a transaction that has not ended."""


def folder() -> Path:
    """Where the files are."""
    return settings().home / "photos"


def write(photo_id: str, content: bytes) -> None:
    """Keep a photo's bytes; the file appears whole or not at all. Raises UnavailableError."""
    name = _name(photo_id)
    nonce = os.urandom(_NONCE)
    sealed = _VERSION + nonce + _cipher(photo_id).encrypt(nonce, content, name.encode())
    path = _path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UnavailableError(f"The photo cannot be stored: {error.strerror}.") from None


def read(photo_id: str) -> bytes:
    """A photo's bytes; raises NotFoundError without its file, UnavailableError if it is changed."""
    name = _name(photo_id)
    try:
        sealed = _path(name).read_bytes()
    except OSError:
        raise NotFoundError("The file of this photo is missing.") from None
    nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    try:
        if sealed[:1] != _VERSION or len(nonce) != _NONCE:
            raise InvalidTag
        return _cipher(photo_id).decrypt(nonce, body, name.encode())
    except InvalidTag:
        raise UnavailableError(
            "The file of this photo cannot be opened: it was changed, or sealed with another keys "
            "file."
        ) from None


def there(photo_id: str) -> bool:
    """Whether a photo has its file."""
    return _path(_name(photo_id)).exists()


def drop(photo_ids: Iterable[str]) -> None:
    """Delete the files of photos whose rows are gone; one that is gone already is no error."""
    for photo_id in photo_ids:
        _path(_name(photo_id)).unlink(missing_ok=True)


@contextmanager
def gone_on_error() -> Iterator[list[str]]:
    """A list of photos being stored: should the block fail, their files are deleted again.

    Goes around the transaction, so that a commit that fails counts too.
    """
    written: list[str] = []
    try:
        yield written
    except BaseException:
        drop(written)
        raise


def strays(known: Collection[str], older_than_s: float = YOUNG_S) -> list[Path]:
    """Files that belong to none of the photos `known`, and what an interrupted write left."""
    names = {_name(photo_id) for photo_id in known}
    latest = time.time() - older_than_s
    found = (path for path in folder().glob("??/*") if path.name not in names)
    return sorted(path for path in found if path.stat().st_mtime <= latest)


def _path(name: str) -> Path:
    return folder() / name[:2] / name


def _name(photo_id: str) -> str:
    return hmac.digest(keys().fingerprint, f"photo {photo_id}".encode(), "sha256").hex()[:_NAME]


def _cipher(photo_id: str) -> AESGCM:
    """The photo's own key: without its row's number nobody makes it again."""
    return AESGCM(hmac.digest(keys().seal, f"photo {photo_id}".encode(), "sha256"))
