"""Files sent through the upload page, and addresses that lead nowhere: what people read there."""

import io
import re
from collections.abc import Callable
from datetime import datetime
from html import unescape

import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import Connection

from tests import intake_world as world
from tests import people
from web.app import create_app


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    world._area(conn, "VN", "country", "Nước Việt Nam", None, None)
    world.build(conn)
    return people.client(create_app(begin), conn)


def upload(
    client: FlaskClient, kind: str, name: str, content: bytes | str, lang: str = "vi"
) -> tuple[int, str]:
    data = content.encode() if isinstance(content, str) else content
    client.set_cookie("lang", lang)
    sent = {"kind": kind, "file": (io.BytesIO(data), name)}
    answer = client.post("/import", data=sent, follow_redirects=True)
    text = re.sub(r"<script.*?</script>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return answer.status_code, " ".join(unescape(text).split())


def csv_of(*rows: dict[str, object]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, *([row.get(name, "") for name in columns] for row in rows)]
    quoted = ('"' + str(cell).replace('"', '""') + '"' for line in lines for cell in line)
    cells = list(quoted)
    width = len(columns)
    return "\n".join(",".join(cells[i : i + width]) for i in range(0, len(cells), width)) + "\n"


def home(**changed: object) -> str:
    return csv_of(world.household(**changed))


def visit(**changed: object) -> str:
    return csv_of(world.survey(**changed))


def book(*lines: list[object]) -> bytes:
    made = Workbook()
    for line in lines:
        made.active.append(line)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


HEAD = "household_code,head_name,recorded_address\n"
BAD: dict[str, tuple[str, bytes | str, str, str]] = {
    "empty": (
        "hộ.csv",
        "",
        "hộ.csv trống: không có dòng tiêu đề, cũng không có dòng dữ liệu nào.",
        "hộ.csv is empty: it has no header and no rows.",
    ),
    "header only": (
        "hộ.csv",
        HEAD,
        "hộ.csv không có dòng dữ liệu nào: chỉ thấy dòng tiêu đề.",
        "hộ.csv holds no row: only its header was found.",
    ),
    "column missing": (
        "hộ.csv",
        "household_code,tên\nH1,An\n",
        "hộ.csv thiếu cột head_name, recorded_address; các cột hiện có: household_code, tên.",
        "hộ.csv lacks the columns head_name, recorded_address; it has household_code, tên.",
    ),
    "header doubled": (
        "hộ.csv",
        "a,b,a\n1,2,3\n",
        "Dòng tiêu đề ghi trùng tên cột: a. Mỗi tên chỉ giữ một cột.",
        "The header names a column more than once: a. Keep one of each.",
    ),
    "wrong encoding": (
        "hộ.csv",
        HEAD.encode() + b"H1,Nguy\xd4n V\xa8n S\xacn,x\xb7 Ho\xb5 B\xd7nh\n",
        "hộ.csv không phải UTF-8 (dòng 2); có vẻ là TCVN3 (ABC). Hãy lưu lại thành “CSV UTF-8” "
        "rồi nhập lại.",
        "hộ.csv is not UTF-8 (line 2); it looks like TCVN3 (ABC). Save it as “CSV UTF-8” and "
        "import it again.",
    ),
    "quote open": (
        "hộ.csv",
        HEAD + 'H1,"An,x\n',
        "hộ.csv không đọc tiếp được từ dòng 2: dấu ngoặc kép mở ở đây nhưng không được đóng",
        "hộ.csv breaks off at line 2: a quote is opened here and never closed",
    ),
    "more cells than names": (
        "hộ.csv",
        HEAD + "H1,An,Thôn 3, Xã An Hoà\n",
        "dòng có nhiều ô hơn số tên cột ở dòng tiêu đề; hãy đặt trong ngoặc kép ô nào chứa dấu "
        "phân cách",
        "the row has more cells than the header has names; put quotes around a cell that holds "
        "the delimiter",
    ),
    "pdf": (
        "hộ.pdf",
        b"%PDF-1.7",
        "hộ.pdf là tệp PDF; cần chính bảng dữ liệu, dạng XLSX hoặc CSV.",
        "hộ.pdf is a PDF; the table itself is needed, as XLSX or CSV.",
    ),
    "picture": (
        "hộ.png",
        b"\x89PNG",
        "hộ.png là tệp ảnh; cần bảng dữ liệu, dạng XLSX hoặc CSV.",
        "hộ.png is a picture.",
    ),
    "old excel": (
        "hộ.xls",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "hộ.xls là sổ Excel kiểu cũ (.xls); hãy lưu lại thành .xlsx hoặc CSV UTF-8.",
        "hộ.xls is an old Excel workbook (.xls); save it as .xlsx or CSV UTF-8.",
    ),
    "truncated xlsx": (
        "hộ.xlsx",
        book(["a"], [1])[:300],
        "hộ.xlsx không phải sổ XLSX đọc được: tệp bị hỏng, bị cắt hoặc có mật khẩu. Hãy mở bằng "
        "Excel rồi lưu lại.",
        "hộ.xlsx is not a readable XLSX workbook: it is damaged, cut off or protected by a "
        "password. Open it in Excel and save it again.",
    ),
    "json list": (
        "hộ.json",
        "[1]",
        "hộ.json là danh sách JSON; cần một FeatureCollection của GeoJSON.",
        "hộ.json is a JSON list; a GeoJSON FeatureCollection is needed.",
    ),
    "cut json": (
        "hộ.geojson",
        '{"features": [{"type": ',
        "hộ.geojson không đọc được sau đối tượng số 0: thiếu giá trị, tệp bị hỏng hoặc bị cắt.",
        "hộ.geojson cannot be read behind feature 0: Expecting value, the file is damaged or cut "
        "off.",
    ),
    "blank name": (
        "hộ.csv",
        HEAD + "H1,,Xã An Hoà\nH2,An,Xã An Hoà\n",
        "hộ.csv: 1 trên 2 dòng không lưu được. Chưa lưu dòng nào.",
        "hộ.csv: 1 of 2 rows cannot be stored. Nothing was stored.",
    ),
    "blank name's reason": (
        "hộ.csv",
        HEAD + "H1,,Xã An Hoà\n",
        "2 head_name: chưa có giá trị",
        "2 head_name: is missing",
    ),
    "status": (
        "hộ.csv",
        home(status="nghèo"),
        "status: “nghèo” không thuộc các giá trị poor (nghèo), near_poor (cận nghèo), average "
        "(trung bình), none (không)",
        "status: “nghèo” is not one of 'poor', 'near_poor', 'average' or 'none'",
    ),
    "members": (
        "hộ.csv",
        home(members="bốn", status_year=1900),
        "members: “bốn” không phải là số nguyên; status_year: “1900” nhỏ hơn 1990",
        "members: “bốn” is not a whole number; status_year: “1900” is less than 1990",
    ),
    "cause": (
        "hộ.csv",
        home(causes="no_land;lười"),
        "causes: “lười” không phải mã nguyên nhân; các mã: no_land,",
        "causes: “lười” is no cause; known: no_land,",
    ),
    "commune": (
        "hộ.csv",
        home(commune_code="99999"),
        "commune_code: “99999” không phải mã xã hiện nay, cũng không phải mã xã cũ; để trống nếu "
        "không biết",
        "commune_code: “99999” is neither a present nor a former commune; leave it blank when "
        "it is not known",
    ),
    "province contradicts": (
        "hộ.csv",
        home(province_code="02"),
        "province_code: “02” mâu thuẫn với xã: xã này thuộc tỉnh 01",
        "province_code: “02” contradicts the commune, which is in province 01",
    ),
    "twice": (
        "hộ.csv",
        csv_of(world.household(), world.household(head_name="Khác")),
        "3 H1 trùng với dòng 2 nhưng khác nội dung; chỉ giữ một dòng",
        "3 H1 is also on line 2, with other content; keep one of them",
    ),
    "swapped": (
        "hộ.csv",
        home(lon=21.5, lat=105.8),
        "2 lon 21,5 và lat 105,8 có vẻ bị đảo: lon phải trong khoảng 102–118.",
        "2 lon 21.5 and lat 105.8 look swapped: lon is the one of 102 to 118.",
    ),
    "zero": (
        "phiếu.csv",
        visit(lon=0, lat=0),
        "Điểm là 0, 0, như thiết bị ghi khi chưa bắt được vị trí: hãy để trống lon và lat.",
        "The point is 0, 0, as a device writes without a fix: leave lon and lat empty.",
    ),
    "half a point": (
        "phiếu.csv",
        visit(lon=None),
        "có lat nhưng thiếu lon: ghi cả hai hoặc để trống cả hai.",
        "lon is missing where lat is given: give both or neither.",
    ),
    "abroad": (
        "hộ.csv",
        home(lon=2.35, lat=48.9),
        "lon 2,35, lat 48,9 nằm ngoài Việt Nam (lon 102–118, lat 6–24): hãy sửa điểm hoặc cột crs.",
        "lon 2.35, lat 48.9 lies outside Viet Nam (lon 102 to 118, lat 6 to 24): correct the "
        "point or its crs.",
    ),
    "not a number": (
        "phiếu.csv",
        visit(lon="kinh độ", lat="nan"),
        "lon: “kinh độ” không phải là số; lat: nan không phải là số hữu hạn; để trống ô khi chưa "
        "biết",
        "lon: “kinh độ” is not a number; lat: nan is not a finite number; leave the cell blank "
        "when unknown",
    ),
    "crs": (
        "phiếu.csv",
        visit(crs="VN2000"),
        "crs: “VN2000” không phải hệ toạ độ dùng được ở đây: hãy ghi EPSG: và số hiệu, ví dụ "
        "EPSG:4326 hoặc EPSG:9213.",
        "crs: 'VN2000' is no reference system that can be used here: write EPSG: and its number, "
        "such as EPSG:4326 or EPSG:9213.",
    ),
    "no zone": (
        "phiếu.csv",
        visit(surveyed_at="2026-09-30T08:15:00"),
        "surveyed_at: “2026-09-30T08:15:00” thiếu múi giờ; hãy viết là 2026-09-30T08:15:00+07:00",
        "surveyed_at: “2026-09-30T08:15:00” has no zone; write it as 2026-09-30T08:15:00+07:00",
    ),
    "future": (
        "phiếu.csv",
        visit(surveyed_at="2126-09-30T08:15:00+07:00"),
        "surveyed_at: 2126-09-30T08:15:00+07:00 ở tương lai",
        "surveyed_at: 2126-09-30T08:15:00+07:00 lies in the future",
    ),
    "not a uuid": (
        "phiếu.csv",
        visit(survey_id="17"),
        "survey_id: “17” không phải UUID, ví dụ 0f8fad5b-d9cb-469f-a165-70867728950e",
        "survey_id: “17” is not a UUID, such as 0f8fad5b-d9cb-469f-a165-70867728950e",
    ),
    "unknown household": (
        "phiếu.csv",
        visit(household_code="H9"),
        "household_code: chưa có hộ “H9”; hãy nhập danh sách hộ trước",
        "household_code: there is no household “H9”; import the households first",
    ),
    "a value that would run": (
        "phiếu.csv",
        visit(lon="<img src=x onerror=alert(1)>"),
        "lon: “<img src=x onerror=alert(1)>” không phải là số",
        "lon: “<img src=x onerror=alert(1)>” is not a number",
    ),
}


@pytest.mark.parametrize(("name", "content", "vietnamese", "english"), BAD.values(), ids=BAD)
def test_a_refused_file_is_explained_in_the_page_s_language(
    client: FlaskClient, name: str, content: bytes | str, vietnamese: str, english: str
) -> None:
    kind = "surveys" if name.startswith("phiếu") else "households"
    status, said = upload(client, kind, name, content)
    assert status == 422
    assert vietnamese in said
    assert english not in said
    status, said = upload(client, kind, name, content, "en")
    assert status == 422
    assert english in said


def test_notes_and_kept_copies_are_vietnamese(client: FlaskClient) -> None:
    assert upload(client, "households", "hộ.csv", home())[0] == 200
    _, said = upload(client, "households", "hộ.csv", home(head_name="Khác"))
    assert "hộ này đã lưu với nội dung khác" in said
    assert "nội dung khác" in client.get("/households/01/H1").text
    columns = list(world.survey())
    row = world.survey(surveyed_at=datetime(2026, 9, 30, 8, 15)).values()
    status, said = upload(client, "surveys", "phiếu.xlsx", book(columns, list(row)))
    assert status == 200
    assert "surveyed_at không có múi giờ, hiểu là giờ Việt Nam (1)" in said


@pytest.mark.parametrize(
    ("url", "vietnamese", "english"),
    [
        (
            "/progress/ZZ",
            "Không có đơn vị hành chính nào mang mã “ZZ”.",
            "There is no area with the code 'ZZ'.",
        ),
        ("/households/01/H9", "Không có hộ “H9” ở tỉnh “01”.", "There is no household 'H9'"),
        ("/sites/01/S9", "Không có nhà “S9” ở tỉnh “01”.", "There is no site 'S9'"),
        ("/audit?cursor=x", "Con trỏ trang không thuộc danh sách này", "The cursor is not one"),
    ],
)
def test_error_pages_are_vietnamese(
    client: FlaskClient, url: str, vietnamese: str, english: str
) -> None:
    assert vietnamese in unescape(client.get(url).text)
    client.set_cookie("lang", "en")
    assert english in unescape(client.get(url).text)


def test_programs_are_answered_in_english(client: FlaskClient) -> None:
    assert "There is no area" in client.get("/api/v1/areas/ZZ").get_json()["detail"]
