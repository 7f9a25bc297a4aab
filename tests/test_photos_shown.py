"""Photos shown to whom they concern, on pages and by themselves, and gone with their household."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import Connection

from geo import moving
from geo.moving import Move
from geo.persons import record
from geo.photos import files
from tests import people, photo_world
from tests.page_data import words
from tests.persons_world import WHY
from tests.photo_world import API, ONE, SAID, TWO, kept, last, rows, send
from tests.pictures import WHEN, exif, jpeg, picture, saved
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


# ---- shown


def test_the_original_comes_as_it_was_sent(officer: FlaskClient, two: Connection) -> None:
    for content, kind in (
        (jpeg(said=SAID), "image/jpeg"),
        (saved(picture(2), "PNG"), "image/png"),
        (saved(picture(3), "WEBP"), "image/webp"),
    ):
        photo_id = send(officer, content, survey_id=ONE).get_json()["photos"][-1]["photo_id"]
        for path in (f"/photos/{photo_id}", f"{API}/{photo_id}"):
            answer = officer.get(path)
            assert (answer.data, answer.content_type) == (content, kind)


def test_a_picture_is_for_one_reader_and_runs_nothing(officer: FlaskClient) -> None:
    photo_id = send(officer, jpeg(), survey_id=ONE).get_json()["photos"][0]["photo_id"]
    for path in (f"/photos/{photo_id}", f"/photos/{photo_id}/small"):
        answer = officer.get(path)
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        again = officer.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["Cache-Control"] == "private, no-cache"


def test_the_thumbnail_is_small(officer: FlaskClient) -> None:
    photo_id = send(officer, jpeg(said=SAID), survey_id=ONE).get_json()["photos"][0]["photo_id"]
    for path in (f"/photos/{photo_id}/small", f"{API}/{photo_id}?small=true"):
        answer = officer.get(path)
        shown = Image.open(io.BytesIO(answer.data))
        assert (shown.size, shown.format, len(shown.getexif())) == ((320, 240), "JPEG", 0)


def test_looking_at_a_photo_is_logged_with_its_survey(
    officer: FlaskClient, two: Connection
) -> None:
    photo_id = send(officer, jpeg(), survey_id=ONE).get_json()["photos"][0]["photo_id"]
    officer.get(f"/photos/{photo_id}/small")
    entry = last(two)
    assert (entry["action"], entry["subject"], entry["subject_id"], entry["query"]) == (
        "records.read", "survey", ONE, "photo small",
    )  # fmt: skip


def test_a_photo_elsewhere_is_as_one_that_is_none(
    app: Flask, officer: FlaskClient, two: Connection
) -> None:
    photo_id = send(officer, jpeg(), survey_id=ONE).get_json()["photos"][0]["photo_id"]
    stranger = people.client(app, two, "officer@00102")
    for path in ("/photos/{}", "/photos/{}/small", API + "/{}"):
        hidden = stranger.get(path.format(photo_id))
        absent = stranger.get(path.format("9" * 8 + photo_id[8:]))
        assert hidden.status_code == absent.status_code == 404
    assert last(two)["outcome"] == "denied"
    assert stranger.get(f"{API}/no-uuid").status_code == 404


def test_a_missing_file_is_said_so(officer: FlaskClient) -> None:
    photo_id = send(officer, jpeg(), survey_id=ONE).get_json()["photos"][0]["photo_id"]
    files.drop([photo_id])
    answer = officer.get(f"{API}/{photo_id}")
    assert answer.status_code == 404 and "file of this photo is missing" in answer.text


# ---- pages


def test_the_survey_s_page_shows_what_each_photo_says(officer: FlaskClient) -> None:
    send(officer, jpeg(said=exif((105.05, 21.02), WHEN)), jpeg(2), survey_id=ONE)
    html = officer.get(f"/surveys/{ONE}").text
    said = words(html)
    assert "Ảnh (2)" in said and "chụp 30/09/2026 08:15" in said
    assert "cách điểm ghi nhận 1,1 km" in said
    assert "Ảnh không còn ghi nơi và lúc chụp" in said
    assert html.count('src="/photos/') == 2
    assert "2 photos" not in said
    assert "Photo files (JPEG" in words(officer.get(f"/surveys/{ONE}?lang=en").text)


def test_the_form_sends_and_says_so(officer: FlaskClient, two: Connection) -> None:
    path = f"/surveys/{ONE}/photos?commune=00101"
    answer = send(officer, jpeg(), path=path)
    assert answer.status_code == 303
    assert answer.location.endswith(f"/surveys/{ONE}?commune=00101")
    assert "Đã lưu 1 ảnh." in words(officer.get(answer.location).text)
    send(officer, jpeg(), path=path)
    assert "đã được lưu từ trước" in words(officer.get(answer.location).text)
    refused = send(officer, b"GIF89a", path=path)
    assert refused.status_code == 303
    said = words(officer.get(answer.location).text)
    assert "Chưa lưu ảnh nào. Không đọc được ảnh: tệp không phải JPEG" in said
    assert len(rows(two)) == 1


def test_a_site_s_form_names_the_stage(officer: FlaskClient, two: Connection) -> None:
    html = officer.get("/sites/01/S1").text
    assert '<option value="roof" selected>' in html
    answer = send(officer, jpeg(), path="/sites/01/S1/photos", stage="frame")
    assert answer.status_code == 303
    assert [one["stage"] for one in rows(two)] == ["frame"]
    assert "Xong khung, tường" in words(officer.get("/sites/01/S1").text)


def test_who_may_not_send_is_offered_no_form(app: Flask, two: Connection) -> None:
    html = people.client(app, two, "auditor@00101").get(f"/surveys/{ONE}").text
    assert 'type="file"' not in html and "Chưa có ảnh." in html


def test_names_of_files_stay_text(officer: FlaskClient) -> None:
    parts = [(io.BytesIO(jpeg()), "<img src=x onerror=alert(1)>.jpg")]
    officer.post(API, data={"survey_id": ONE, "photo": parts}, content_type="multipart/form-data")
    html = officer.get(f"/surveys/{ONE}").text
    assert "<img src=x" not in html and "&lt;img src=x" in html


# ---- with the household


def test_photos_move_with_their_household(officer: FlaskClient, two: Connection) -> None:
    send(officer, jpeg(), survey_id=ONE)
    moving.move(two, [Move("01", "00101", "H1", "00103")], "code")
    (one,) = rows(two)
    assert one["commune_code"] == "00103"
    assert files.read(one["photo_id"]) == jpeg()


def test_a_removed_household_s_photos_are_gone_and_others_stay(
    officer: FlaskClient, two: Connection
) -> None:
    for survey_id in (ONE, TWO):
        send(officer, jpeg(), survey_id=survey_id)
    form = {"province_code": "01", "site_code": "S1", "stage": "roof"}
    send(officer, jpeg(2), **form)
    answer = officer.post("/households/01/H1/remove", data={"reason": WHY, "confirm": "H2"})
    assert answer.status_code == 422 and len(kept()) == 3
    answer = officer.post("/households/01/H1/remove", data={"reason": WHY, "confirm": "H1"})
    assert answer.status_code == 303
    (left,) = rows(two)
    assert left["household_code"] == "H2" and files.read(left["photo_id"]) == jpeg()
    assert len(kept()) == 1


def test_a_person_s_record_lists_the_photos(officer: FlaskClient, two: Connection) -> None:
    send(officer, jpeg(said=SAID), survey_id=ONE)
    send(officer, jpeg(2), survey_id=TWO)
    made = record.record(two, "01", "H1")
    assert [one["camera"] for one in made["photos"]] == ["Redmi 12"]
    said = words(officer.get("/households/01/H1/record").text)
    assert "Ảnh (1)" in said and "Redmi 12" in said and "có nơi hoặc lúc chụp" in said
