"""`ancu photos` as it is typed: folders, ZIPs, mappings, and files that nobody has."""

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from api.cli import main
from geo import config, db, schema
from geo.audit_tables import photo
from geo.photos import files, reading, storing
from geo.scope import OPERATOR
from tests import intake_world as world
from tests.intake_world import load
from tests.pictures import jpeg, saved
from tests.pictures import picture as drawn

ONE, TWO, THREE, FOUR = (str(world.survey(n)["survey_id"]) for n in (1, 2, 3, 4))
Command = Callable[..., Result]


@pytest.fixture(scope="module")
def filled(make_database: Callable[..., str]) -> str:
    url = make_database()
    with db.transaction(url, scope=OPERATOR) as conn:
        schema.migrate(conn)
        world.build(conn)
        load(conn, "households", world.household(), world.household("H2"))
        load(
            conn, "surveys",
            world.survey(1, photo="HỘ-1.JPG"),
            world.survey(2, household_code="H2", photo="DCIM/100/ho-2.png"),
            world.survey(3, household_code="H2", photo="IMG_1.jpg"),
            world.survey(4, photo="IMG_1.jpg", surveyed_at="2026-10-01T08:00:00+07:00"),
        )  # fmt: skip
        load(conn, "sites", world.site())
    db.engine(url).dispose()
    return url


@pytest.fixture
def url(make_database: Callable[..., str], filled: str) -> str:
    return make_database(filled)


@pytest.fixture
def ancu(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Command]:
    """ancu("add", …) runs `ancu photos`."""
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("ANCU_HOME", str(tmp_path / "home"))
    config.settings.cache_clear()
    yield lambda *typed: CliRunner().invoke(main, ["photos", *map(str, typed)])
    db.engine(None).dispose()
    db.engine.cache_clear()
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos of surveys, one of no survey, one broken, and what is no photo."""
    made = tmp_path / "photos"
    (made / "ngày 1").mkdir(parents=True)
    (made / "ngày 1" / "hộ-1.jpg").write_bytes(jpeg(1))
    (made / "HO-2.PNG").write_bytes(saved(drawn(2), "PNG"))
    (made / "nobody.jpg").write_bytes(jpeg(3))
    (made / "notes.txt").write_text("x")
    (made / ".hidden.jpg").write_bytes(jpeg(4))
    return made


def stored(url: str) -> list[tuple[str, str, str]]:
    columns = (photo.c.subject_id, photo.c.stage, photo.c.file_name)
    with db.transaction(url, scope=OPERATOR) as conn:
        return sorted(tuple(row) for row in conn.execute(select(*columns)))


def test_files_find_their_surveys_by_name(ancu: Command, url: str, folder: Path) -> None:
    done = ancu("add", folder)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == (
        "2 added, 0 known already, 1 refused; 2 files are no photos."
    )
    assert "nobody.jpg: no survey names this photo, and no mapping does" in done.stderr
    assert stored(url) == [(ONE, "", "hộ-1.jpg"), (TWO, "", "HO-2.PNG")]
    again = ancu("add", folder)
    assert "0 added, 2 known already, 1 refused" in again.stdout
    assert len(list(files.folder().glob("??/*"))) == 2


def zipped(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    return path


def test_a_zip_is_read_without_unpacking(ancu: Command, url: str, tmp_path: Path) -> None:
    entries = {
        "../../hộ-1.jpg": jpeg(1),
        "a/ho-2.png": jpeg(2)[:500],
        "__MACOSX/._ho-2.png": b"x",
    }
    done = ancu("add", zipped(tmp_path / "all.zip", entries))
    assert done.exit_code == 1
    assert "1 added, 0 known already, 1 refused; 1 files are no photos." in done.stdout
    assert "a/ho-2.png: The photo cannot be read" in done.stderr
    assert stored(url) == [(ONE, "", "hộ-1.jpg")]
    assert not list(tmp_path.parent.glob("hộ-1.jpg"))


def test_a_file_that_unpacks_to_more_than_allowed_is_refused(
    ancu: Command, url: str, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("hộ-1.jpg", b"\xff\xd8\xff" + bytes(30 * 1024 * 1024))
    done = ancu("add", tmp_path / "bomb.zip")
    assert done.exit_code == 1 and "larger than 20 MB" in done.stderr
    assert stored(url) == []


def test_one_name_for_two_files_or_surveys_needs_a_mapping(
    ancu: Command, url: str, tmp_path: Path
) -> None:
    made = tmp_path / "set"
    for name, number in (("a/HỘ-1.jpg", 1), ("b/hộ-1.jpg", 2), ("IMG_1.jpg", 3)):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(jpeg(number))
    done = ancu("add", made)
    assert done.exit_code == 1 and stored(url) == []
    assert done.stderr.count("several files have this name") == 2
    assert "IMG_1.jpg: several surveys name this photo" in done.stderr
    mapping = tmp_path / "mapping.csv"
    mapping.write_text(
        "file,survey_id,province_code,site_code,stage,commune_code\n"
        f"a/hộ-1.jpg,{ONE},,,,\n"
        "B\\HỘ-1.JPG,,01,S1,roof,00101\n"
        f"img_1.jpg,{THREE},,,,00101\n",
        encoding="utf-8",
    )
    done = ancu("add", made, "--mapping", mapping)
    assert done.exit_code == 0, done.stderr
    assert stored(url) == [
        (ONE, "", "HỘ-1.jpg"), (THREE, "", "IMG_1.jpg"), ("S1", "roof", "hộ-1.jpg"),
    ]  # fmt: skip


def test_rows_of_a_mapping_without_a_file_are_listed(
    ancu: Command, url: str, folder: Path, tmp_path: Path
) -> None:
    mapping = tmp_path / "mapping.csv"
    names = [f"Mất {n:02}.jpg" for n in range(23)]
    mapping.write_text(
        "file,survey_id\n" + "".join(f"{name},{ONE}\n" for name in names), encoding="utf-8"
    )
    done = ancu("add", folder, "--mapping", mapping)
    assert done.exit_code == 1
    assert "23 files of the mapping are not there:" in done.stderr
    assert "  mất 00.jpg\n" in done.stderr and "mất 20.jpg" not in done.stderr
    assert "… and 3 more." in done.stderr


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("x.jpg,,,\n", "line 2: name a file, and either a survey_id or a site_code"),
        (f"x.jpg,{ONE},S1,roof\n", "either a survey_id or a site_code"),
        (f",{ONE},,\n", "name a file"),
        (f"x.jpg,{ONE},,\nX.jpg,{TWO},,\n", "line 3: x.jpg is named twice"),
    ],
)
def test_a_mapping_that_says_nothing_clear_is_refused(
    ancu: Command, url: str, folder: Path, tmp_path: Path, rows: str, said: str
) -> None:
    mapping = tmp_path / "mapping.csv"
    mapping.write_text("file,survey_id,site_code,stage\n" + rows)
    done = ancu("add", folder, "--mapping", mapping)
    assert done.exit_code == 1 and said in done.stderr
    assert stored(url) == []


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("no-uuid,,", "'no-uuid' is not the id of a survey"),
        (f"{ONE[:-1]}9,,", "There is no survey"),
        (",S9,roof", "There is no site"),
        (",S1,cellar", "Name the stage"),
    ],
)
def test_what_a_mapping_leads_to_must_be_there(
    ancu: Command, url: str, folder: Path, tmp_path: Path, told: str, said: str
) -> None:
    mapping = tmp_path / "mapping.csv"
    mapping.write_text(f"file,survey_id,site_code,stage,province_code\nnobody.jpg,{told},01\n")
    done = ancu("add", folder, "--mapping", mapping)
    assert done.exit_code == 1 and f"nobody.jpg: {said}" in done.stderr
    assert len(stored(url)) == 2


@pytest.mark.parametrize(
    ("make", "code", "said"),
    [
        (lambda path: path, 2, "There is no folder or file"),
        (lambda path: path.write_bytes(b"PK\x03\x04junk"), 1, "no folder and no ZIP"),
        (lambda path: path.write_bytes(b""), 1, "no folder and no ZIP"),
    ],
)
def test_a_source_that_cannot_be_read(
    ancu: Command, tmp_path: Path, make: Callable[[Path], object], code: int, said: str
) -> None:
    path = tmp_path / "all.zip"
    make(path)
    done = ancu("add", path)
    assert (done.exit_code, said in done.stderr) == (code, True)


def test_links_out_of_the_folder_are_not_followed(ancu: Command, url: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(jpeg(1))
    made = tmp_path / "set"
    made.mkdir()
    (made / "hộ-1.jpg").symlink_to(secret)
    assert "0 added" in ancu("add", made).stdout
    assert stored(url) == []


def test_an_encrypted_entry_is_refused(ancu: Command, tmp_path: Path) -> None:
    plain = zipped(tmp_path / "all.zip", {"ho-2.png": jpeg(1)}).read_bytes()
    marked = bytearray(plain)
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        marked[marked.index(sign) + at] |= 1
    (tmp_path / "all.zip").write_bytes(marked)
    done = ancu("add", tmp_path / "all.zip")
    assert done.exit_code == 1 and "damaged, encrypted" in done.stderr
    assert zipfile.is_zipfile(io.BytesIO(marked))


def test_one_photo_sent_twice_at_once_is_stored_once(ancu: Command, url: str) -> None:
    one = reading.read(jpeg(1))
    ready = Barrier(4)

    def send() -> int:
        with files.gone_on_error() as written, db.transaction(url, scope=OPERATOR) as conn:
            target = storing.of_survey(conn, ONE)
            ready.wait(10)
            return storing.add(conn, target, [("a.jpg", one)], written).added

    with ThreadPoolExecutor(4) as senders:
        added = [sent.result() for sent in [senders.submit(send) for _ in range(4)]]
    db.engine(url).dispose()
    assert sorted(added) == [0, 0, 0, 1]
    (path,) = files.folder().glob("??/*")
    with db.transaction(url, scope=OPERATOR) as conn:
        photo_id = conn.scalar(select(photo.c.photo_id))
    assert files.read(str(photo_id)) == one.content and path.exists()


def test_sweeping(ancu: Command, url: str, folder: Path) -> None:
    ancu("add", folder)
    files.write("nobody", b"x")
    for path in files.folder().glob("??/*"):
        os.utime(path, (1e9, 1e9))
    done = ancu("sweep")
    assert (done.exit_code, done.stdout) == (0, "1 files deleted that no photo had.\n")
    for path in files.folder().glob("??/*"):
        path.unlink()
    done = ancu("sweep")
    assert done.exit_code == 1 and "2 photos lack their file" in done.stderr
