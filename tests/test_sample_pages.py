"""Pages of verification samples: drawn, recorded, estimated, proved."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, func, select, text

from geo import metrics
from geo.audit import sample_proof, samples, sampling
from geo.audit_tables import audit_sample, audit_sample_item, revisit
from tests import people
from tests import records_world as world
from tests.admin_world import last_entry
from tests.page_data import PAYLOADS, words
from web.app import create_app

URL = "/audit/samples"


@dataclass
class Pages:
    conn: Connection
    app: object
    auditor: FlaskClient

    def browser(self, *held: str) -> FlaskClient:
        return people.client(self.app, self.conn, *held)

    def draw(self, **sent: str) -> int:
        """Draw with the form; the sample's id."""
        form = {"area": "00101", "method": "random", "size": "12", "at_least": "1", **sent}
        answer = self.auditor.post(URL, data=form)
        assert answer.status_code == 303, words(answer.text)
        return int(answer.headers["Location"].rpartition("/")[2])

    def rows(self, sample_id: int) -> list[dict]:
        return samples.items(self.conn, samples.get(self.conn, sample_id))

    def check(self, sample_id: int, row: dict, outcome: str, **sent: str) -> object:
        form = {
            "province": row["province_code"], "commune": row["commune_code"],
            "survey": row["subject_id"], "outcome": outcome, "was": row["outcome"] or "",
        }  # fmt: skip
        return self.auditor.post(f"{URL}/{sample_id}", data={**form, **sent})


def fill(conn: Connection) -> None:
    """Thirty surveys of three enumerators in 00101, three in 00201."""
    world.build(conn)
    for n in range(30):
        code = world.add_household(conn, head_name=f"Hộ {n:02}", village=f"Thôn {n % 3}")
        world.add_survey(conn, code, enumerator=("Lan", "Minh", "Nga")[n % 3], at=(105.1, 21.1))
    for _ in range(3):
        world.add_survey(conn, world.add_household(conn, "00201"), "00201", enumerator="Phú")
    metrics.recount(conn, set(world.PAIRS))


@pytest.fixture
def pages(conn: Connection, begin: Callable) -> Pages:
    fill(conn)
    app = create_app(begin)
    return Pages(conn, app, people.client(app, conn, "auditor@01"))


def test_without_surveys_the_page_says_how_to_begin(pages: Pages) -> None:
    assert "Chưa có phiếu nào ở địa bàn này." in words(pages.auditor.get(f"{URL}?area=00102").text)


def test_without_samples_the_page_says_what_they_are_for(pages: Pages) -> None:
    said = words(pages.auditor.get(f"{URL}?area=00101").text)
    assert "Địa bàn này chưa rút mẫu nào." in said
    assert "Trong 30 phiếu; nhiều nhất 2.000." in said


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "Cần kiểm tra khoảng 22 phiếu"),  # 5 % ± 5: 72.99 / (1 + 71.99 / 30) = 21.47
        ("&expected=50&margin=5", "Cần kiểm tra khoảng 28 phiếu"),
        ("&expected=12,5&margin=20", "Cần kiểm tra khoảng 8 phiếu"),
        ("&expected=0&margin=5", "Ghi hai tỷ lệ lớn hơn 0"),
        ("&expected=x&margin=5", "Ghi hai tỷ lệ lớn hơn 0"),
        ("&expected=nan&margin=inf", "Ghi hai tỷ lệ lớn hơn 0"),
    ],
)
def test_the_page_tells_how_many_to_draw(pages: Pages, query: str, said: str) -> None:
    assert said in words(pages.auditor.get(f"{URL}?area=00101{query}").text)


def test_a_draw_is_listed_logged_and_proved(pages: Pages) -> None:
    sample_id = pages.draw(method="stratified", size="9", at_least="2")
    entry = last_entry(pages.conn)
    made = samples.get(pages.conn, sample_id)
    assert (entry["subject"], entry["subject_id"]) == ("sample", str(sample_id))
    assert (entry["province_code"], entry["commune_code"], entry["rows"]) == ("01", "00101", 9)
    assert entry["reason"] == f"drawn: stratified, 9 of 30, seed {made['seed']}"
    assert (made["method"], made["size"], made["at_least"]) == ("stratified", 9, 2)
    assert f"entry {entry['entry_id'] - 1}\n" in made["seed_basis"]
    assert sample_proof.verify(pages.conn, sample_id, log=True).problems == []
    said = words(pages.auditor.get(f"{URL}?area=01").text)
    assert "Mẫu số 1 Xã 00101 Phân tầng theo điều tra viên" in said and "9 trên 30 0" in said
    assert "1 khớp, 2 không khớp" in words(pages.auditor.get(f"{URL}/{sample_id}").text)


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"size": "31"}, 422, "Ở đây chỉ có 30 phiếu; hãy rút ít hơn."),
        ({"size": ""}, 422, "Rút từ 1 đến 2000 phiếu."),
        ({"size": "-3"}, 422, "“-3” không phải là số nguyên."),
        ({"size": "²"}, 422, "“²” không phải là số nguyên."),
        ({"size": "9" * 30}, 422, "không phải là số nguyên"),
        ({"method": "handpicked"}, 422, "Cách rút mẫu là một trong"),
        ({"method": ""}, 422, "Cách rút mẫu là một trong"),
        ({"method": "stratified", "size": "2"}, 422, "Có 3 điều tra viên"),
        ({"area": "00201"}, 403, "không thuộc địa bàn"),
        ({"area": "VN"}, 403, "không thuộc địa bàn"),
        ({"area": ""}, 422, "Chọn địa bàn."),
        ({"area": "<b>"}, 422, "“<b>”"),
    ],
)
def test_what_cannot_be_drawn_is_said_beside_the_form(
    pages: Pages, sent: dict, status: int, said: str
) -> None:
    form = {"area": "00101", "method": "random", "size": "5", "at_least": "1", **sent}
    answer = pages.auditor.post(URL, data=form)
    assert answer.status_code == status
    assert "Chưa lưu." in words(answer.text)
    if status == 422:
        assert said in words(answer.text)
    assert pages.conn.scalar(select(func.count()).select_from(audit_sample)) == 0


def test_what_was_found_is_recorded_and_the_next_survey_offered(pages: Pages) -> None:
    sample_id = pages.draw()
    first, second, *_ = pages.rows(sample_id)
    answer = pages.check(sample_id, first, "mismatch", note="nhà đã dời")
    assert answer.headers["Location"] == f"{URL}/{sample_id}?after={first['subject_id']}#next"
    entry = last_entry(pages.conn)
    assert entry["reason"] == f"visit {first['subject_id']}: waiting → mismatch"
    assert (entry["subject_id"], entry["commune_code"]) == (str(sample_id), "00101")
    html = pages.auditor.get(answer.headers["Location"]).text
    (chosen,) = re.findall(r'<tr data-visit id="next">(.*?)</tr>', html, re.S)
    assert second["subject_id"] in chosen
    assert 'value="nhà đã dời"' in html and 'value="mismatch" class="button mismatch"' in html
    assert pages.conn.scalar(select(func.count(revisit.c.withdrawn_at))) == 1


def test_what_was_recorded_can_be_taken_back(pages: Pages) -> None:
    sample_id = pages.draw()
    pages.check(sample_id, pages.rows(sample_id)[0], "match")
    pages.check(sample_id, pages.rows(sample_id)[0], "")
    assert pages.rows(sample_id)[0]["outcome"] is None
    assert last_entry(pages.conn)["reason"].endswith(": match → waiting")
    assert pages.conn.scalar(select(func.count(revisit.c.withdrawn_at))) == 0
    for outcome in ("match", "mismatch", ""):
        pages.check(sample_id, pages.rows(sample_id)[0], outcome)
    assert pages.conn.scalar(select(func.count(revisit.c.withdrawn_at))) == 0


def test_two_who_record_the_same_visit_do_not_overwrite_each_other(pages: Pages) -> None:
    sample_id = pages.draw()
    row = pages.rows(sample_id)[0]
    pages.check(sample_id, row, "match")
    answer = pages.check(sample_id, row, "mismatch")
    assert answer.status_code == 409
    assert "Có người vừa ghi kết quả của phiếu này" in words(answer.text)
    assert pages.rows(sample_id)[0]["outcome"] == "match"


def test_a_sample_is_abandoned_and_kept(pages: Pages) -> None:
    sample_id = pages.draw()
    pages.check(sample_id, pages.rows(sample_id)[0], "match")
    assert "11 hộ của mẫu còn trong danh sách khảo sát lại" in words(
        pages.auditor.get(f"{URL}/{sample_id}").text
    )
    assert pages.auditor.post(f"{URL}/{sample_id}/abandon").status_code == 303
    assert last_entry(pages.conn)["reason"] == "abandoned: 11 visits not made"
    assert pages.conn.scalar(select(func.count(revisit.c.withdrawn_at))) == 12
    said = words(pages.auditor.get(f"{URL}/{sample_id}").text)
    assert "Đã thôi yêu cầu đến các hộ còn lại của mẫu này." in said
    again = pages.auditor.post(f"{URL}/{sample_id}/abandon")
    assert (again.status_code, "Không còn hộ nào" in words(again.text)) == (409, True)
    assert pages.check(sample_id, pages.rows(sample_id)[1], "match").status_code == 303
    for row in pages.rows(sample_id)[:2]:  # recorded before and after
        assert pages.check(sample_id, row, "").status_code == 303
    assert pages.conn.scalar(select(func.count(revisit.c.withdrawn_at))) == 12


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"survey": "00000000-0000-4000-8000-00000000dead"}, 404),
        ({"survey": "' OR 1=1"}, 404),
        ({"commune": "00102"}, 404),
        ({"outcome": "perhaps"}, 400),
        ({"note": "x" * 501}, 422),
    ],
)
def test_what_cannot_be_recorded_is_said(pages: Pages, sent: dict, status: int) -> None:
    sample_id = pages.draw()
    answer = pages.check(sample_id, pages.rows(sample_id)[0], **{"outcome": "match", **sent})
    assert answer.status_code == status
    assert {row["outcome"] for row in pages.rows(sample_id)} == {None}


def test_the_estimate_is_said_without_overstating(pages: Pages) -> None:
    sample_id = pages.draw()
    said = words(pages.auditor.get(f"{URL}/{sample_id}").text)
    assert "chưa nói được gì về tỷ lệ không khớp" in said
    outcomes = ["match"] * 8 + ["mismatch"] * 2 + ["unreachable"]
    for row, outcome in zip(pages.rows(sample_id), outcomes, strict=False):
        pages.check(sample_id, row, outcome)
    said = words(pages.auditor.get(f"{URL}/{sample_id}").text)
    assert "Đã kiểm tra 10 trên 12 phiếu của mẫu; 2 phiếu không khớp." in said
    # scipy: 2 of 10 from 30 is not rejected for 2 to 15 mismatches.
    assert "ước lượng là 20,0 %; với độ tin cậy 95 %, tỷ lệ thật từ 6,7 % đến 50,0 %." in said
    assert "Còn 1 phiếu chưa kiểm tra: đây mới là kết quả tạm tính" in said
    assert "1 phiếu không gặp được hộ. Nếu tất cả đều khớp" in said
    assert "quá ít để nói" in said
    english = words(pages.auditor.get(f"{URL}/{sample_id}?lang=en").text)
    assert "the true rate is from 6.7 % to 50.0 %." in english


@pytest.mark.parametrize(("show", "rows"), [("", 12), ("waiting", 10), ("match", 2), ("x", 12)])
def test_the_list_shows_what_is_asked_for(pages: Pages, show: str, rows: int) -> None:
    sample_id = pages.draw()
    for row in pages.rows(sample_id)[:2]:
        pages.check(sample_id, row, "match")
    html = pages.auditor.get(f"{URL}/{sample_id}?show={show}").text
    assert len(re.findall("<tr data-visit", html)) == rows


def test_a_long_list_has_pages_and_the_print_has_all(pages: Pages) -> None:
    for n in range(60):
        world.add_survey(pages.conn, world.add_household(pages.conn, head_name=f"Thêm {n}"))
    sample_id = pages.draw(size="80")
    seen: list[str] = []
    for number, rows in ((1, 50), (2, 30), (99, 30)):
        html = pages.auditor.get(f"{URL}/{sample_id}?page={number}").text
        found = re.findall(r'"survey" value="([^"]+)"', html)
        assert len(found) == rows
        seen += found if number < 99 else []
    assert len(set(seen)) == 80
    printed = pages.auditor.get(f"{URL}/{sample_id}?print=1").text
    assert len(re.findall("<tr data-visit", printed)) == 80
    assert '<form class="visit"' not in printed and printed.count("☐ Khớp") == 80


def test_the_proof_is_shown_with_what_anyone_can_compute(pages: Pages) -> None:
    sample_id = pages.draw()
    world.add_survey(pages.conn, world.add_household(pages.conn))
    html = pages.auditor.get(f"{URL}/{sample_id}/proof").text
    said = words(html)
    assert "Đúng. Tính lại" in said and "1 phiếu đến sau khi rút" in said
    made = samples.get(pages.conn, sample_id)
    assert made["seed"] in html and made["seed_basis"] in html
    assert f"ancu audit sample verify {sample_id}" in said


def test_tampering_is_said_in_the_page_s_language(pages: Pages) -> None:
    sample_id = pages.draw()
    pages.conn.execute(text("UPDATE audit_sample SET seed = repeat('0', 64)"))
    said = words(pages.auditor.get(f"{URL}/{sample_id}/proof").text)
    assert "Không đúng." in said
    assert "hạt giống không phải là mã băm của các dòng làm ra nó" in said


def test_the_files_hold_the_sample_and_its_frame(pages: Pages) -> None:
    sample_id = pages.draw()
    row = pages.rows(sample_id)[0]
    pages.check(sample_id, row, "mismatch", note="=1+1")
    answer = pages.auditor.get(f"{URL}/{sample_id}/file.csv")
    found = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    answer.close()
    assert len(found) == 12
    assert found[0]["key"] == sampling.key(row["subject_id"]) and found[0]["outcome"] == "mismatch"
    assert not found[0]["note"].startswith("=")
    frame = pages.auditor.get(f"{URL}/{sample_id}/frame.txt")
    assert sampling.digest(frame.text) == samples.get(pages.conn, sample_id)["frame_sha256"]
    assert "attachment" in frame.headers["Content-Disposition"]
    entry = last_entry(pages.conn)
    assert (entry["action"], entry["rows"], entry["subject_id"]) == (
        "audit.read", 30, str(sample_id),
    )  # fmt: skip


def test_who_only_looks_is_offered_nothing_to_record_or_draw(pages: Pages) -> None:
    sample_id = pages.draw()
    looking = pages.browser("supervisor@00101")
    assert looking.get(f"{URL}/{sample_id}").status_code == 200
    assert 'class="visit"' not in looking.get(f"{URL}/{sample_id}").text
    assert "Cách rút" in looking.get(URL).text and "<h2>Rút mẫu</h2>" not in looking.get(URL).text
    assert looking.post(URL, data={"area": "00101"}).status_code == 403
    assert looking.post(f"{URL}/{sample_id}", data={}).status_code == 403
    for who in ("enumerator@00101", "officer@00101"):
        audited = pages.browser(who)
        for path in ("", f"/{sample_id}", f"/{sample_id}/file.csv", f"/{sample_id}/frame.txt"):
            assert audited.get(URL + path).status_code == 403
        assert URL not in audited.get("/revisits?area=00101").text


@pytest.mark.parametrize("who", ["auditor@00102", "auditor@02", "administrator@VN"])
def test_samples_of_elsewhere_do_not_exist(pages: Pages, who: str) -> None:
    sample_id = pages.draw(area="01")
    other = pages.browser(who)
    wanted = 403 if who.startswith("admin") else 404
    for path in ("", "/proof", "/file.csv", "/frame.txt"):
        assert other.get(f"{URL}/{sample_id}{path}").status_code == wanted
    row = pages.rows(sample_id)[0]
    form = {"province": "01", "commune": "00101", "survey": row["subject_id"], "outcome": "match"}
    assert other.post(f"{URL}/{sample_id}", data=form).status_code == wanted
    assert pages.rows(sample_id)[0]["outcome"] is None


@pytest.mark.parametrize("number", ["0", "999999999", "99999999999999999999999"])
def test_a_sample_that_is_not_there_is_not_found(pages: Pages, number: str) -> None:
    assert pages.auditor.get(f"{URL}/{number}").status_code == 404


def test_names_from_data_stay_text(pages: Pages) -> None:
    for payload in PAYLOADS:
        code = world.add_household(pages.conn, head_name=payload, recorded_address=payload)
        world.add_survey(pages.conn, code, enumerator=payload)
    sample_id = pages.draw(size="36")
    for row in pages.rows(sample_id):
        pages.check(sample_id, row, "match", note=PAYLOADS[2])
    for query in ("", "?print=1", "/proof"):
        html = pages.auditor.get(f"{URL}/{sample_id}{query}").text
        assert "<img src=x" not in html and "<script>document.title" not in html
    assert PAYLOADS[2] in words(pages.auditor.get(f"{URL}/{sample_id}?print=1").text)


def test_a_removed_household_stays_without_a_name(pages: Pages) -> None:
    sample_id = pages.draw()
    row = pages.rows(sample_id)[0]
    pages.conn.execute(
        audit_sample_item.update()
        .where(audit_sample_item.c.subject_id == row["subject_id"])
        .values(subject_id="removed-1", household_code="removed-1")
    )
    html = pages.auditor.get(f"{URL}/{sample_id}").text
    assert "Đã xoá theo yêu cầu của chủ thể dữ liệu" in words(html)
    assert html.count('class="visit"') == 11


# ---- the command ----
