"""The audit report as it is read: text of the PDF, cells of the workbook, exact figures."""

import io
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import Connection, insert, select, update

from api.cli import main
from geo import areas, config, db, schema
from geo.account_tables import access_log
from geo.audit import decisions, items
from geo.audit.actors import By
from geo.audit.repairs import Key
from geo.audit_tables import audit_sample, audit_sample_item
from geo.errors import RejectedError, UnavailableError, UsageError
from geo.report import gather, pdf, writing
from geo.report.gather import Asked
from geo.scope import OPERATOR
from geo.tables import household, survey
from tests import page_data, people
from tests.page_data import INSIDE, OUTSIDE, UNCERTAIN
from web import assets
from web.app import create_app

LAN = By(7, "Lan")
OF_OUTSIDE = Key("survey", "19", "05001", OUTSIDE)


@pytest.fixture(scope="module", autouse=True)
def fonts() -> None:
    if assets.missing():
        assets.copy()


@pytest.fixture
def world(conn: Connection) -> Connection:
    page_data.add_areas(conn)
    page_data.add_records(conn)
    return conn


@pytest.fixture
def client(world: Connection, begin: Callable) -> FlaskClient:
    return people.client(create_app(begin), world, "supervisor@19")


def made(
    conn: Connection, format: str, language: str = "vi", code: str = "19", **days: date
) -> bytes:
    out = io.BytesIO()
    asked = Asked(areas.get(conn, code), **days)
    writing.write(conn, asked, "Hoàng Thị Lan", format, language, out)
    return out.getvalue()


def printed(body: bytes) -> str:
    """The PDF's text with white space made single."""
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    return " ".join(text.split())


def sheets(body: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(body))
    return {sheet.title: [tuple(row) for row in sheet.values] for sheet in book}


def below(rows: list[tuple[Any, ...]], head: str) -> list[tuple[Any, ...]]:
    """The rows of a sheet below its columns' heads."""
    return rows[next(i for i, row in enumerate(rows) if row[0] == head) + 1 :]


def test_the_printed_report_says_what_where_by_whom_and_on_which_ground(world: Connection) -> None:
    said = printed(made(world, "pdf"))
    assert said.startswith("Báo cáo kiểm tra vị trí khảo sát: Tỉnh Thái Nguyên")
    assert "Địa bàn Tỉnh Thái Nguyên (19)" in said
    assert "Kỳ báo cáo toàn bộ dữ liệu đến nay" in said
    assert "Người lập Hoàng Thị Lan" in said
    assert "thử, sai số khoảng 25 m" in said
    assert "4 phiếu, phiếu mới nhất nhận lúc" in said
    assert "inside_probability = 0,95" in said
    assert "đặt khác mặc định: không có" in said


def test_the_printed_figures_are_those_of_the_records(world: Connection) -> None:
    said = printed(made(world, "pdf"))
    assert "Khớp địa bàn 1 25 % 0" in said
    assert "Lệch địa bàn 1 25 % 0" in said
    assert "Tổng số 4 100 % 1" in said
    assert "Lệch địa bàn Vị trí so với địa bàn nặng 1 0 1 0" in said
    assert "3 trường hợp gồm 3 phiếu và nhà có cảnh báo." in said
    assert "−5,2 km" in said
    assert "Điểm nằm ngoài địa bàn ghi nhận, cách ranh giới 5,2 km" in said


def test_pages_are_numbered_and_there_is_room_to_sign(world: Connection) -> None:
    reader = PdfReader(io.BytesIO(made(world, "pdf")))
    number = len(reader.pages)
    for n, page in enumerate(reader.pages, start=1):
        assert f"Trang {n}/{number}" in page.extract_text()
        assert "Dữ liệu thử nghiệm" not in page.extract_text()
    assert "THỦ TRƯỞNG ĐƠN VỊ" in reader.pages[-1].extract_text()


@pytest.mark.parametrize(
    ("language", "title"),
    [("vi", "Báo cáo kiểm tra vị trí khảo sát"), ("en", "Audit report on survey locations")],
)
def test_the_document_tells_its_language_and_title(
    world: Connection, language: str, title: str
) -> None:
    reader = PdfReader(io.BytesIO(made(world, "pdf", language)))
    assert reader.trailer["/Root"]["/Lang"] == language
    assert reader.metadata is not None
    assert reader.metadata.title == f"{title}: Tỉnh Thái Nguyên"


def test_english_has_english_words_and_numbers(world: Connection) -> None:
    said = printed(made(world, "pdf", "en"))
    assert "Outside 1 25 % 0" in said
    assert "−5.2 km" in said
    assert "HEAD OF THE OFFICE" in said


def test_the_workbook_has_every_case_with_typed_cells(world: Connection) -> None:
    found = sheets(made(world, "xlsx"))
    cases = below(found["Trường hợp đáng ngờ nhất"], "STT")
    assert [(row[3], row[6], row[7]) for row in cases] == [
        ("H0", "Lệch địa bàn", -5190.4),
        ("H3", "Chưa định vị", None),
        ("H2", "Chưa chắc chắn", 10.4),
    ]
    assert cases[0][10].isoformat() == "2026-10-05T08:30:00"
    assert cases[0][14] == OUTSIDE
    assert below(found["Kết luận vị trí"], "Kết luận")[-1] == ("Tổng số", 4, 1, 1)
    assert ("ANCU_TRAVEL_KMH", "120.0", "120.0") in found["Ngưỡng và thiết lập"]


def test_the_workbook_runs_nothing_that_data_hold(world: Connection) -> None:
    world.execute(update(household).values(head_name="=HYPERLINK(1)\x00".replace("\0", "\x1b")))
    book = openpyxl.load_workbook(io.BytesIO(made(world, "xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.value for cell in cells if cell.data_type == "f"] == []
    assert "'=HYPERLINK(1)" in {cell.value for cell in cells}


def test_hostile_and_endless_texts_are_printed_as_text(world: Connection) -> None:
    world.execute(update(household).values(head_name="<b>x</b>\n\u202e**y** 𓀀 " + "dài " * 500))
    said = printed(made(world, "pdf"))
    assert "<b>x</b>" in said
    assert "**y**" in said
    assert "…" in said


def test_a_period_holds_its_surveys_only(world: Connection) -> None:
    world.execute(
        update(survey).where(survey.c.survey_id == UNCERTAIN).values(
            surveyed_at="2026-10-31T16:59:59Z"  # the last second of October in Viet Nam
        )
    )  # fmt: skip
    items.renew(world, "19")
    days = {"since": date(2026, 10, 6), "until": date(2026, 10, 31)}
    found = sheets(made(world, "xlsx", **days))
    assert [row[3] for row in below(found["Trường hợp đáng ngờ nhất"], "STT")] == ["H2"]
    assert below(found["Kết luận vị trí"], "Kết luận")[-1] == ("Tổng số", 1, 1, 0)
    assert any(
        "từ ngày 06/10/2026 đến hết ngày 31/10/2026" in str(row[1]) for row in found["Báo cáo"]
    )
    later = sheets(made(world, "xlsx", since=date(2026, 11, 1)))
    assert later["Trường hợp đáng ngờ nhất"][-1][0] == "Không có trường hợp nào."


def test_decisions_and_visits_are_told_with_who_and_why(world: Connection) -> None:
    decisions.decide(world, [OF_OUTSIDE], "revisit", "Đến lại nhà", LAN, due_on=date(2026, 12, 1))
    found = sheets(made(world, "xlsx"))
    told = below(found["Kết luận của người kiểm tra"], "Lúc")
    assert [row[1:6] for row in told] == [
        ("Lan", "Yêu cầu khảo sát lại", "H0", "Xã Ba Bể", "Đến lại nhà")
    ]
    visits = below(found["Khảo sát lại"], "Yêu cầu lúc")
    assert [(row[1], row[2], row[7].date()) for row in visits] == [("Lan", "H0", date(2026, 12, 1))]
    assert "1 lần được yêu cầu trong kỳ: 0 đã làm, 1 chưa làm." in printed(made(world, "pdf"))


def test_samples_are_told_with_rate_and_interval(world: Connection) -> None:
    place = {"province_code": "19", "demo": False}
    sample_id = world.execute(
        insert(audit_sample)
        .values(
            **place, area_code="19", method="random", size=2, frame_size=4, frame_sha256="x",
            frame=b"x", strata={"": 4}, drawn_by_name="Lan",
        )
        .returning(audit_sample.c.sample_id)
    ).scalar_one()  # fmt: skip
    for subject_id, outcome in ((OUTSIDE, "mismatch"), (INSIDE, "match")):
        world.execute(
            insert(audit_sample_item).values(
                **place, commune_code="05001", sample_id=sample_id, subject_id=subject_id,
                household_code="H0", inclusion=0.5, outcome=outcome,
            )
        )  # fmt: skip
    row = below(sheets(made(world, "xlsx"))["Mẫu kiểm chứng"], "Rút lúc")[0]
    # One of two checked is wrong, of four in all: one to three of the four are.
    assert row[1:10] == ("Lan", "Ngẫu nhiên đơn giản", 2, 4, 2, 1, 0.5, 0.25, 0.75)


def test_the_data_code_changes_with_a_verdict_and_only_then(world: Connection) -> None:
    def code() -> str:
        return str(gather.gather(world, Asked(areas.get(world, "19")), "").data["digest"])

    first = code()
    assert code() == first
    assert len(first) == 64
    world.execute(update(survey).where(survey.c.survey_id == INSIDE).values(verdict="outside"))
    assert code() != first


def test_demo_data_are_said_to_be_so_on_every_page(conn: Connection) -> None:
    page_data.add_areas(conn)
    page_data.add_records(conn, demo=True)
    for page in PdfReader(io.BytesIO(made(conn, "pdf"))).pages:
        assert "Dữ liệu thử nghiệm, không có thật." in page.extract_text()
    for rows in sheets(made(conn, "xlsx")).values():
        assert any("Dữ liệu thử nghiệm" in str(row[0]) for row in rows)


def test_an_area_without_records_has_a_report_too(world: Connection) -> None:
    said = printed(made(world, "pdf", code="05002"))
    assert "Không có cảnh báo nào." in said
    assert "Tổng số 0 – 0" in said


@pytest.mark.parametrize(
    ("days", "message"),
    [({"since": date(2026, 2, 1), "until": date(2026, 1, 1)}, "after the last one")],
)
def test_days_that_cannot_be_are_refused(
    world: Connection, days: dict[str, date], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Asked(areas.get(world, "19"), **days)


@pytest.mark.parametrize(("format", "language"), [("docx", "vi"), ("pdf", "fr")])
def test_other_formats_and_languages_are_refused(
    world: Connection, format: str, language: str
) -> None:
    with pytest.raises(UsageError, match="is none of"):
        made(world, format, language)


def test_too_large_an_area_is_refused(world: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MOST_SURVEYS", 3)
    with pytest.raises(RejectedError, match="at most 3 surveys, these are 4"):
        made(world, "pdf")


def test_missing_fonts_are_told(
    world: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pdf, "FONTS", tmp_path)
    with pytest.raises(UnavailableError, match="make setup"):
        made(world, "pdf")


def test_the_page_gives_both_files_and_logs_them(client: FlaskClient, world: Connection) -> None:
    html = client.get("/audit?area=19&since=2026-10-01").text
    for format, kind in writing.FORMATS.items():
        assert f"/audit/report.{format}?area=19&amp;since=2026-10-01" in html
        with client.get(f"/audit/report.{format}?area=19") as answer:
            assert answer.status_code == 200
            assert answer.mimetype == kind
            assert f"ancu-report-19.{format}" in answer.headers["Content-Disposition"]
    columns = [access_log.c[name] for name in ("action", "subject", "outcome")]
    rows = world.execute(select(*columns).where(access_log.c.subject == "report")).all()
    assert [tuple(row) for row in rows] == [("records.export", "report", "allowed")] * 2


def test_the_page_speaks_the_chosen_language(client: FlaskClient) -> None:
    with client.get("/audit/report.pdf?area=19&lang=en") as answer:
        assert printed(answer.data).startswith("Audit report on survey locations")


@pytest.mark.parametrize(
    ("role", "area", "status"),
    [
        ("planner@19", "19", 403),
        ("supervisor@05001", "19", 403),
        ("supervisor@05001", "05001", 200),
    ],
)
def test_only_who_may_export_the_area_gets_it(
    world: Connection, begin: Callable, role: str, area: str, status: int
) -> None:
    other = people.client(create_app(begin), world, role)
    with other.get(f"/audit/report.xlsx?area={area}") as answer:
        assert answer.status_code == status


def test_days_in_the_wrong_order_are_told_in_words(client: FlaskClient) -> None:
    answer = client.get("/audit/report.pdf?area=19&since=2026-02-01&until=2026-01-01")
    assert answer.status_code == 400
    assert "Ngày đầu ở sau ngày cuối." in answer.text


@pytest.fixture
def url(
    make_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    made_url = make_database()
    with db.transaction(made_url, scope=OPERATOR) as conn:
        schema.migrate(conn)
        page_data.add_areas(conn)
        page_data.add_records(conn)
    db.engine(made_url).dispose()
    db.engine.cache_clear()  # what a test before asked without an address lies elsewhere
    monkeypatch.setenv("DATABASE_URL", made_url)
    monkeypatch.setenv("ANCU_HOME", str(tmp_path / "home"))
    config.settings.cache_clear()
    yield made_url
    db.engine(None).dispose()
    db.engine.cache_clear()
    monkeypatch.undo()
    config.settings.cache_clear()


def test_the_command_writes_the_report_and_logs_it(url: str, tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    done = CliRunner().invoke(
        main, ["audit", "report", "19", str(out), "--since", "2026-10-01", "--language", "en"]
    )
    assert done.exit_code == 0, done.output
    assert f"rows in {out}" in done.output
    assert "Period from 01/10/2026" in printed(out.read_bytes())
    with db.transaction(url, scope=OPERATOR) as conn:
        row = conn.execute(select(access_log).where(access_log.c.subject == "report")).one()
    assert (row.via, row.action, row.subject_id) == ("command", "records.export", "19")


def test_the_command_refuses_other_endings(url: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["audit", "report", "19", str(tmp_path / "report.doc")])
    assert done.exit_code == 2
    assert "must end in .pdf or .xlsx." in done.output
    assert list(tmp_path.glob("report*")) == []
