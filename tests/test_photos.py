"""Photos sent, kept sealed, compared with each other; what is refused leaves nothing."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, func, select, text

from geo import moving
from geo.audit import together
from geo.audit_tables import audit_due
from geo.config import settings
from geo.errors import NotFoundError, RejectedError, UnavailableError, UsageError
from geo.moving import Move
from geo.photos import files, reading, storing
from geo.scope import OPERATOR, Scope, bind
from geo.tables import finding
from tests import intake_world as world
from tests import people, photo_world
from tests.intake_world import load
from tests.persons_world import officer as clerk
from tests.photo_world import API, HOUSE, ONE, OTHERS, SAID, TWO, kept, last, rows, send
from tests.pictures import exif, jpeg, picture, saved
from web.app import create_app


@pytest.fixture
def two(db: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    yield from photo_world.build(db, tmp_path, monkeypatch)


@pytest.fixture
def app(two: Connection, begin: Callable) -> Flask:
    return create_app(begin)


@pytest.fixture
def officer(app: Flask, two: Connection) -> FlaskClient:
    return people.client(app, two, "officer@00101")


# ---- sent


def test_a_photo_is_stored_with_what_it_says(officer: FlaskClient, two: Connection) -> None:
    content = jpeg(said=SAID)
    answer = send(officer, content, survey_id=ONE)
    assert answer.status_code == 201
    told = answer.get_json()
    assert (told["added"], told["unchanged"]) == (1, 0)
    (one,) = rows(two)
    assert told["photos"][0]["photo_id"] == one["photo_id"]
    assert told["photos"][0]["taken_at"].startswith("2026-09-30T01:15:00")
    assert (one["province_code"], one["commune_code"], one["household_code"]) == (
        "01", "00101", "H1",
    )  # fmt: skip
    assert (one["subject"], one["subject_id"], one["stage"]) == ("survey", ONE, "")
    assert (one["lon"], one["lat"]) == pytest.approx(HOUSE)
    assert one["taken_at"] == datetime(2026, 9, 30, 1, 15, tzinfo=UTC)
    assert (one["camera"], one["exif"], one["file_name"]) == ("Redmi 12", "present", "ảnh 1.jpg")
    assert (one["width"], one["height"], one["bytes"]) == (640, 480, len(content))
    assert one["hash"] == reading.read(content).hash
    assert files.read(one["photo_id"]) == content


def test_sending_marks_the_commune_and_is_logged(officer: FlaskClient, two: Connection) -> None:
    send(officer, jpeg(), jpeg(2), survey_id=ONE)
    marked = select(audit_due.c.province_code, audit_due.c.commune_code)
    assert [tuple(row) for row in two.execute(marked)] == [("01", "00101")]
    entry = last(two)
    assert (entry["action"], entry["subject"], entry["subject_id"]) == (
        "surveys.send",
        "survey",
        ONE,
    )
    assert (entry["commune_code"], entry["rows"], entry["outcome"]) == ("00101", 2, "allowed")


def test_the_same_file_again_changes_nothing(officer: FlaskClient, two: Connection) -> None:
    send(officer, jpeg(), survey_id=ONE)
    before, names = rows(two), kept()
    two.execute(text("DELETE FROM audit_due"))
    again = send(officer, jpeg(), jpeg(), survey_id=ONE)
    assert (again.status_code, again.get_json()["unchanged"]) == (200, 2)
    assert (rows(two), kept()) == (before, names)
    assert two.scalar(select(func.count()).select_from(audit_due)) == 0


def test_one_file_for_two_stages_is_two_photos(officer: FlaskClient, two: Connection) -> None:
    for stage in ("frame", "roof"):
        form = {"province_code": "01", "site_code": "S1", "stage": stage}
        assert send(officer, jpeg(), **form).status_code == 201
    assert [one["stage"] for one in rows(two)] == ["frame", "roof"]
    assert len(kept()) == 2
    listed = officer.get(f"{API}?province_code=01&site_code=S1").get_json()["items"]
    assert [one["stage"] for one in listed] == ["frame", "roof"]


BAD = {
    "no photo at all": ({"survey_id": ONE}, (), 400, "no part `photo`"),
    "of nothing": ({}, (jpeg(),), 400, "Name a survey by survey_id, or a site"),
    "of both": ({"survey_id": ONE, "province_code": "01", "site_code": "S1"}, (jpeg(),), 400,
                "Name a survey by survey_id, or a site"),
    "of a site of no province": ({"site_code": "S1"}, (jpeg(),), 400, "Name a survey"),
    "of a site without a stage": ({"province_code": "01", "site_code": "S1"}, (jpeg(),), 400,
                                  "Name the stage"),
    "of no stage that is": ({"province_code": "01", "site_code": "S1", "stage": "cellar"},
                            (jpeg(),), 400, "stage"),
    "with an unknown field": ({"survey_id": ONE, "colour": "red"}, (jpeg(),), 400, "colour"),
    "of no survey": ({"survey_id": ONE[:-1] + "9"}, (jpeg(),), 404, "There is no survey"),
    "of another commune's": ({"survey_id": OTHERS}, (jpeg(),), 404, "There is no survey"),
    "damaged": ({"survey_id": ONE}, (jpeg()[:1000],), 422, "damaged or cut off"),
    "one of two damaged": ({"survey_id": ONE}, (jpeg(), b"GIF89a"), 422, "Nothing was stored"),
    "too many": ({"survey_id": ONE}, (jpeg(),) * 11, 422, "at most 10 photos"),
}  # fmt: skip


@pytest.mark.parametrize(("form", "contents", "status", "said"), BAD.values(), ids=BAD)
def test_what_is_refused_leaves_nothing(
    officer: FlaskClient, two: Connection, form: dict, contents: tuple, status: int, said: str
) -> None:
    answer = send(officer, *contents, **form)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert said in answer.text
    assert (rows(two), kept()) == ([], [])


def test_a_refused_file_is_named(officer: FlaskClient) -> None:
    problems = send(officer, jpeg(), b"GIF89a", survey_id=ONE).get_json()["problems"]
    assert [one["reason"].split(":")[0] for one in problems] == ["ảnh 2.jpg"]


def test_there_is_a_limit_of_photos_for_each(
    officer: FlaskClient, two: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANCU_PHOTOS_EACH", "3")
    settings.cache_clear()
    assert send(officer, jpeg(1), jpeg(2), survey_id=ONE).status_code == 201
    answer = send(officer, jpeg(2), jpeg(3), jpeg(4), survey_id=ONE)
    assert answer.status_code == 422
    assert "There are 2 photos of this survey; 2 more would be above the limit of 3" in answer.text
    assert len(rows(two)) == len(kept()) == 2


@pytest.mark.parametrize(
    ("role", "survey", "site"),
    [("enumerator@00101", 201, 403), ("supervisor@00101", 403, 403), ("officer@00102", 404, 404)],
)
def test_who_may_send(app: Flask, two: Connection, role: str, survey: int, site: int) -> None:
    browser = people.client(app, two, role)
    assert send(browser, jpeg(), survey_id=ONE).status_code == survey
    form = {"province_code": "01", "site_code": "S1", "stage": "roof"}
    assert send(browser, jpeg(), **form).status_code == site


def test_a_survey_id_of_two_communes_needs_the_commune(
    app: Flask, two: Connection, begin: Callable
) -> None:
    with begin(clerk("00102", action="surveys.send")) as conn:
        load(conn, "surveys", world.survey(1, household_code="H3", lon=105.15))
    browser = people.client(app, two, "officer@01")
    answer = send(browser, jpeg(), survey_id=ONE)
    assert answer.status_code == 409 and "00101, 00102" in answer.text
    assert send(browser, jpeg(), survey_id=ONE, commune_code="00102").status_code == 201
    assert [one["household_code"] for one in rows(two)] == ["H3"]
    assert officer_sees(browser, survey_id=ONE, commune_code="00101") == []


def officer_sees(browser: FlaskClient, **query: str) -> list[dict]:
    return browser.get(API, query_string=query).get_json()["items"]


def test_names_of_files_are_kept_without_folders_and_ids() -> None:
    assert storing.file_name("C:\\anh\\019085001234.jpg") == "•••••••••234.jpg"
    assert storing.file_name("../../etc/pass\0wd\u202e.jpg") == "pass wd .jpg"
    assert len(storing.file_name("x" * 500)) == 200


# ---- kept


def test_a_file_is_sealed_and_only_its_owner_s(officer: FlaskClient, two: Connection) -> None:
    content = jpeg(said=SAID)
    send(officer, content, survey_id=ONE)
    (path,) = files.folder().glob("??/*")
    stored = path.read_bytes()
    assert content[:20] not in stored and b"Redmi" not in stored
    assert path.stat().st_mode & 0o077 == 0
    (one,) = rows(two)
    assert one["photo_id"] not in str(path) and one["sha256"][:8] not in str(path)


def test_two_seals_of_one_content_differ(two: Connection) -> None:
    for name in ("a" * 8, "b" * 8):
        files.write(name, b"content")
    one, other = (path.read_bytes() for path in files.folder().glob("??/*"))
    assert one[13:] != other[13:]
    assert files.read("a" * 8) == files.read("b" * 8) == b"content"


@pytest.mark.parametrize("at", [0, 1, 20, -1])
def test_a_changed_file_is_not_shown(officer: FlaskClient, two: Connection, at: int) -> None:
    send(officer, jpeg(), survey_id=ONE)
    (path,) = files.folder().glob("??/*")
    stored = bytearray(path.read_bytes())
    stored[at] ^= 1
    path.write_bytes(stored)
    photo_id = rows(two)[0]["photo_id"]
    with pytest.raises(UnavailableError, match="cannot be opened: it was changed"):
        files.read(photo_id)
    assert officer.get(f"/photos/{photo_id}/small").status_code == 503


def test_a_file_in_another_s_place_is_not_shown(two: Connection) -> None:
    files.write("a", b"one")
    (first,) = files.folder().glob("??/*")
    files.write("b", b"two")
    (second,) = set(files.folder().glob("??/*")) - {first}
    second.write_bytes(first.read_bytes())
    with pytest.raises(UnavailableError):
        files.read("b")


def test_when_storing_fails_the_file_goes_too(two: Connection) -> None:
    target = storing.of_survey(two, ONE)
    with pytest.raises(RuntimeError), files.gone_on_error() as written, two.begin_nested():
        storing.add(two, target, [("a.jpg", reading.read(jpeg()))], written)
        assert len(kept()) == 1
        raise RuntimeError
    assert (rows(two), kept()) == ([], [])


def test_a_household_that_has_just_gone_takes_no_photo(two: Connection) -> None:
    target = storing.of_survey(two, ONE)
    moving.move(two, [Move("01", "00101", "H1", "00103")], "code")
    with pytest.raises(NotFoundError, match="any more"), files.gone_on_error() as written:
        storing.add(two, target, [("a.jpg", reading.read(jpeg()))], written)


def test_sweeping_deletes_only_what_is_nobody_s_and_old(two: Connection) -> None:
    target = storing.of_survey(two, ONE)
    storing.add(two, target, [("a.jpg", reading.read(jpeg()))], [])
    files.write("gone", b"x")
    (files.folder() / "aa").mkdir(exist_ok=True)
    (files.folder() / "aa" / ".new-1").write_bytes(b"broken off")
    assert storing.sweep(two).deleted == []  # all is young
    for path in files.folder().glob("??/*"):
        os.utime(path, (1e9, 1e9))
    with pytest.raises(UsageError, match="2 files belong to no photo of this database"):
        storing.sweep(two)
    swept = storing.sweep(two, everything=True)
    assert len(swept.deleted) == 2 and swept.missing == []
    assert len(kept()) == 1
    (one,) = rows(two)
    files.drop([one["photo_id"]])
    assert storing.sweep(two).missing == [one["photo_id"]]


def test_with_other_keys_nothing_is_swept(two: Connection) -> None:
    storing.add(two, storing.of_survey(two, ONE), [("a.jpg", reading.read(jpeg()))], [])
    storing.sweep(two)
    two.execute(text("UPDATE key_check SET check_value = sha256('other')"))
    with pytest.raises(UsageError, match="not the one that this database was used with"):
        storing.sweep(two, everything=True)
    assert len(kept()) == 1


def test_only_the_operator_sweeps(two: Connection) -> None:
    bind(two, Scope(provinces=frozenset({"01"}), write=True))
    with pytest.raises(UsageError, match="Only the operator"):
        storing.sweep(two)
    bind(two, OPERATOR)


# ---- audited


def test_the_pass_over_a_province_compares_photos(officer: FlaskClient, two: Connection) -> None:
    """The same picture for two households, one of them saved anew and taken 5 days before."""
    send(officer, jpeg(said=exif((105.05, 21.03), "2026:09:25 08:15:00")), survey_id=ONE)
    send(officer, saved(picture().resize((320, 240)), "JPEG", quality=50), survey_id=TWO)
    together.run(two, "01")
    found = two.execute(
        select(finding.c.subject_id, finding.c.rule, finding.c.evidence, finding.c.group_key).where(
            finding.c.rule.like("photo%")
        )
    ).all()
    assert {(one.subject_id, one.rule) for one in found} == {
        (ONE, "photo_elsewhere"), (ONE, "photo_other_time"), (ONE, "photo_reused"),
        (TWO, "photo_reused"), (TWO, "photo_stripped"),
    }  # fmt: skip
    evidence = {(one.subject_id, one.rule): one.evidence for one in found}
    assert evidence[ONE, "photo_elsewhere"]["distance_m"] == pytest.approx(2214, rel=0.01)
    assert evidence[ONE, "photo_other_time"]["apart_s"] == 5 * 86_400
    assert evidence[ONE, "photo_reused"]["households"] == 1
    groups = {one.group_key for one in found if one.rule == "photo_reused"}
    assert len(groups) == 1 and str(groups.pop()).startswith("photo_reused:")


def test_too_many_is_no_half(two: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANCU_PHOTOS_EACH", "1")
    settings.cache_clear()
    target = storing.of_survey(two, ONE)
    photos = [(f"{n}.jpg", reading.read(jpeg(n))) for n in (1, 2)]
    with pytest.raises(RejectedError, match="limit of 1"), files.gone_on_error() as written:
        storing.add(two, target, photos, written)
    assert (rows(two), kept()) == ([], [])
