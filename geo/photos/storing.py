"""Photos in the database and beside it: stored with their survey or site, found, swept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from geo import paging, personal_ids, scope, sites, surveys
from geo.accounts import sealing
from geo.audit import due
from geo.audit_tables import photo
from geo.config import settings
from geo.errors import NotFoundError, RejectedError, UsageError
from geo.intake.session import Key
from geo.paging import Record
from geo.photos import exif, files
from geo.photos.reading import Photo
from geo.tables import STAGES, household

_TOLD = (
    *("photo_id", "province_code", "commune_code", "subject", "subject_id", "household_code"),
    *("stage", "file_name", "exif", "lon", "lat", "taken_at", "camera", "width", "height"),
    *("bytes", "sha256", "received_at", "demo"),
)
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Target:
    """What photos are of: a survey, or a stage of a site; stage is '' for surveys."""

    province_code: str
    commune_code: str
    subject: str
    subject_id: str
    household_code: str
    demo: bool
    stage: str = ""


@dataclass(frozen=True)
class Stored:
    """How many photos are new, and how many were stored already."""

    added: int
    unchanged: int


def of_survey(conn: Connection, survey_id: str, commune_code: str | None = None) -> Target:
    """A survey to store photos of; raises NotFoundError, ConflictError where the commune tells."""
    return _target("survey", str(survey_id), surveys.get(conn, survey_id, commune_code))


def of_site(
    conn: Connection, province_code: str, site_code: str, commune_code: str | None = None
) -> Target:
    """A site, of no stage; raises NotFoundError, ConflictError where the commune tells."""
    return _target("site", site_code, sites.get(conn, province_code, site_code, commune_code))


def of_stage(
    conn: Connection, province_code: str, site_code: str, stage: str, commune_code: str | None
) -> Target:
    """A stage of a site to store photos of; raises UsageError, NotFoundError, ConflictError."""
    if stage not in STAGES:
        raise UsageError(f"Name the stage of a site's photos: one of {', '.join(STAGES)}.")
    return replace(of_site(conn, province_code, site_code, commune_code), stage=stage)


def _target(subject: str, subject_id: str, found: Record) -> Target:
    return Target(
        found["province_code"],
        found["commune_code"],
        subject,
        str(found["survey_id"]) if subject == "survey" else subject_id,
        found["household_code"],
        found["demo"],
    )


def add(
    conn: Connection, target: Target, photos: Sequence[tuple[str, Photo]], written: list[str]
) -> Stored:
    """Store photos, each with the name that its sender gave it; known ones stay as they are.

    written: from files.gone_on_error, around the transaction. Raises RejectedError when there
    are too many, NotFoundError when the household has just gone.
    """
    _hold(conn, target)
    known = set(conn.scalars(select(photo.c.sha256).where(_of(target))))
    new = {one.sha256: (name, one) for name, one in photos if one.sha256 not in known}
    _check_count(conn, target, len(new))
    added = 0
    for name, one in new.values():
        photo_id = str(uuid4())
        written.append(photo_id)
        files.write(photo_id, one.content)
        stored = conn.execute(
            insert(photo).values(_row(target, photo_id, name, one)).on_conflict_do_nothing()
        )
        if not stored.rowcount:  # somebody else has just stored the same
            files.drop([photo_id])
        added += stored.rowcount
    if added:
        due.mark(conn, {(target.province_code, target.commune_code)})
    return Stored(added, len(photos) - added)


def _row(target: Target, photo_id: str, name: str, one: Photo) -> dict[str, object]:
    return {
        **vars(target),
        "photo_id": photo_id,
        "file_name": file_name(name),
        **{
            column: getattr(one, column)
            for column in ("sha256", "hash", "exif", "lon", "lat", "taken_at", "camera")
        },
        **{"width": one.width, "height": one.height, "bytes": len(one.content)},
    }


def file_name(given: str) -> str:
    """A sender's name of a file as it is kept: without folders and numbers of identity papers."""
    name = given.replace("\\", "/").rsplit("/", 1)[-1]
    return personal_ids.hidden(exif.plain(name))[:_LONGEST_NAME]


def _hold(conn: Connection, target: Target) -> None:
    """Keep the household from being removed or moved until the photos are stored with it."""
    held = conn.scalar(
        select(household.c.household_code)
        .where(
            household.c.province_code == target.province_code,
            household.c.commune_code == target.commune_code,
            household.c.household_code == target.household_code,
        )
        .with_for_update(read=True, key_share=True)
    )
    if held is None:
        raise NotFoundError(f"There is no {target.subject} {target.subject_id[:60]!r} any more.")


def _check_count(conn: Connection, target: Target, more: int) -> None:
    most = settings().photos_each
    of_all_stages = (
        photo.c.province_code == target.province_code,
        photo.c.commune_code == target.commune_code,
        photo.c.subject == target.subject,
        photo.c.subject_id == target.subject_id,
    )
    held = conn.scalar(select(func.count()).select_from(photo).where(*of_all_stages)) or 0
    if held + more > most:
        raise RejectedError(
            f"There are {held} photos of this {target.subject}; {more} more would be above the "
            f"limit of {most} (ANCU_PHOTOS_EACH)."
        )


def _of(target: Target) -> ColumnElement[bool]:
    return and_(
        photo.c.province_code == target.province_code,
        photo.c.commune_code == target.commune_code,
        photo.c.subject == target.subject,
        photo.c.subject_id == target.subject_id,
        photo.c.stage == target.stage,
    )


def get(conn: Connection, photo_id: str) -> Record:
    """What is known of one photo; raises NotFoundError."""
    try:
        wanted = str(UUID(photo_id))
    except ValueError:
        wanted = ""
    found = (
        conn.execute(select_photos().where(scope.within(conn, photo), photo.c.photo_id == wanted))
        .mappings()
        .first()
        if wanted
        else None
    )
    if found is None:
        raise NotFoundError(f"There is no photo {photo_id[:40]!r}.")
    return paging.plain(found)


def listing(conn: Connection, subject: str, key: tuple[str, str, str]) -> list[Record]:
    """The photos of a survey or site (province, commune, id): by stage, as they came in."""
    return _found(conn, key, photo.c.subject == subject, photo.c.subject_id == key[2])


def of_household(conn: Connection, key: Key) -> list[Record]:
    """The photos of a household's surveys and sites."""
    return _found(conn, key, photo.c.household_code == key[2])


def ids_of_household(
    conn: Connection, province_code: str, household_code: str, commune_code: str | None
) -> list[str]:
    """The photos whose files must go once the household's removal is committed."""
    found = conn.scalars(
        select(photo.c.photo_id).where(
            scope.within(conn, photo),
            photo.c.province_code == province_code,
            photo.c.household_code == household_code,
            *([] if commune_code is None else [photo.c.commune_code == commune_code]),
        )
    )
    return [str(one) for one in found]


def _found(conn: Connection, key: Key, *which: ColumnElement[bool]) -> list[Record]:
    found = conn.execute(
        select_photos()
        .where(
            scope.within(conn, photo),
            photo.c.province_code == key[0],
            photo.c.commune_code == key[1],
            *which,
        )
        .order_by(
            photo.c.subject,
            photo.c.subject_id,
            func.array_position(cast(STAGES, ARRAY(Text)), photo.c.stage).nulls_first(),
            photo.c.received_at,
            photo.c.taken_at.nulls_last(),
            photo.c.file_name,
            photo.c.sha256,
        )
    )
    return [paging.plain(row) for row in found.mappings()]


def select_photos() -> Select:
    """The columns of a listing."""
    return select(*(photo.c[name] for name in _TOLD))


@dataclass(frozen=True)
class Swept:
    """Files that no photo had, now deleted, and the photos whose file is missing."""

    deleted: list[Path]
    missing: list[str]


def sweep(
    conn: Connection, older_than_s: float = files.YOUNG_S, *, everything: bool = False
) -> Swept:
    """Delete files of photos that are not stored (any more).

    Raises UsageError without the operator's scope or with other keys than the database's, and,
    unless `everything`, where most files would go: then the database is likely the wrong one.
    """
    if not scope.of(conn).everything:
        raise UsageError("Only the operator sees all photos and can sweep their files.")
    sealing.check_keys(conn)  # other keys make other names: all files would be strays
    known = [str(one) for one in conn.scalars(select(photo.c.photo_id))]
    missing = [one for one in known if not files.there(one)]
    strays = files.strays(known, older_than_s)
    if len(strays) > len(known) - len(missing) and not everything:
        raise UsageError(
            f"{len(strays)} files belong to no photo of this database, more than do. If it is the "
            "right one, delete them by --all."
        )
    for path in strays:
        path.unlink(missing_ok=True)
    return Swept(strays, missing)
