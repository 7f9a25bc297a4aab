"""What geo says in English is Vietnamese on pages: nothing is left out, values stay as they are."""

import ast
import io
import re
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from datetime import time as clock
from html import unescape
from itertools import chain
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from sqlalchemy import Connection

from geo.intake.batches import prepare
from geo.intake.records import MODELS
from tests import intake_world as world
from web.app import create_app
from web.messages import CATALOGUE, Template, in_words

ROOT = Path(__file__).parent.parent
# Here every text is said to the person who sends a file; there only what errors are raised with.
SAYS_ALL = ("geo/intake/*.py", "geo/geometry.py")
SAYS_ERRORS = (
    *(f"geo/{name}.py" for name in ("areas", "copying", "db", "findings", "households")),
    *(f"geo/{name}.py" for name in ("paging", "sites", "surveys", "targeting")),
    "geo/boundaries/reading.py",
)
# SQL and patterns; what libraries' messages are recognised by; names; parts that are dropped or
# that the template of a whole message holds.
NOT_SAID = re.compile(
    r"SELECT |ANALYZE |\\d|field larger|unexpected end|expected after|TCVN3|^the row$"
    r"|^ in province "
)


SWITCHED = {
    "{v}: {v} of {v} rows cannot be stored{v}. Nothing was stored.",
    " or more; reading stopped there",
    "there is no household “{v}”{v}; import the households first",
    "There is no area with the code {v}{v}.",
    "“{v}” is expected and ",
    "the file ends",
    "Windows-1252 or another 8-bit encoding",
}
"""Messages that are put together of texts, and these: the catalogue has them whole."""


def said_in(path: Path, everything: bool) -> Iterator[str]:
    """The texts of two words and more that a module's people meet; values as {v}."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }

    def visit(node: ast.AST, said: bool) -> Iterator[str]:
        if id(node) in docs:
            return
        named = isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Error")
        said = said or named
        inner: Iterator[ast.AST] = ast.iter_child_nodes(node)
        text = None
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(v.value if isinstance(v, ast.Constant) else "{v}" for v in node.values)
            inner = (v.value for v in node.values if isinstance(v, ast.FormattedValue))
        words = re.findall(r"[^\W\d_]+", (text or "").replace("{v}", ""))
        if said and text and len(words) > 1 and " " in text.strip():
            yield re.sub(r"^[a-z_]+: (?=.)", "", text)
        yield from chain.from_iterable(visit(child, said) for child in inner)

    return visit(tree, everything)


def all_said() -> set[str]:
    found: set[str] = set()
    for patterns, everything in ((SAYS_ALL, True), (SAYS_ERRORS, False)):
        for pattern in patterns:
            paths = list(ROOT.glob(pattern))
            assert paths, pattern
            found.update(*(said_in(path, everything) for path in paths))
    return {text for text in found if not NOT_SAID.search(text)}


def catalogue() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale="vi") if m.id}


def bare(text: str) -> str:
    return re.sub(r"\{\w+\}", "{v}", text)


def test_every_message_has_vietnamese() -> None:
    known = [bare(text) for text in catalogue()]
    missing = [
        said
        for said in sorted(all_said())
        if not {bare(said), f"{{v}} is {said}."} & set(known)  # a file “is a PDF …”
        and not (said in SWITCHED and any(said_by(said, text) for text in known))
    ]
    assert not missing


def said_by(said: str, text: str) -> bool:
    """Whether a template holds this part, or is one form of this message."""
    return said in text or Template.of(said).values(text) is not None


# What libraries say inside a message of ours.
FOREIGN = re.compile("^(Input should be|Unable to parse|Expecting |Unterminated )")


def test_no_vietnamese_is_left_behind_by_a_message_that_is_gone() -> None:
    said = [Template.of(text) for text in all_said()]
    ours = [text for text in catalogue() if not FOREIGN.match(text)]
    gone = [
        text
        for text in ours
        if not any(one.values(text) is not None for one in said)
        and not any(bare(one) in bare(text) for one in all_said() if len(one) > 8)
    ]
    assert not gone


def test_translations_use_only_values_that_the_message_has() -> None:
    for text, translation in catalogue().items():
        assert translation
        assert set(re.findall(r"\{\w+\}", translation)) <= set(re.findall(r"\{\w+\}", text)), text


@pytest.mark.parametrize(
    ("english", "vietnamese"),
    [
        (
            "lon 21.5 and lat 105.8 look swapped: lon is the one of 102 to 118.",
            "lon 21,5 và lat 105,8 có vẻ bị đảo: lon phải trong khoảng 102–118.",
        ),
        (
            "lon: “21.5.1” is not a number; lat: nan is not a finite number; leave the cell "
            "blank when unknown; head_name: is missing",
            "lon: “21.5.1” không phải là số; lat: nan không phải là số hữu hạn; để trống ô khi "
            "chưa biết; head_name: chưa có giá trị",
        ),
        ("lon: “1; 2” is not a number", "lon: “1; 2” không phải là số"),
        (
            "members: “a; is missing” is not a whole number",
            "members: “a; is missing” không phải là số nguyên",
        ),
        (
            "crs: EPSG:1 is not a reference system that PROJ knows.",
            "crs: EPSG:1 không phải hệ tọa độ mà PROJ biết: hãy xem lại số hiệu.",
        ),
        (
            "household_code: there is no household “H; 9” in province 19; import the households "
            "first",
            "household_code: chưa có hộ “H; 9” ở tỉnh 19; hãy nhập danh sách hộ trước",
        ),
        (
            "f.csv: 1000 of 40000 rows cannot be stored or more; reading stopped there. "
            "Nothing was stored.",
            "f.csv: ít nhất 1000 trên 40000 dòng đã đọc không lưu được nên dừng đọc tại đó. "
            "Chưa lưu dòng nào.",
        ),
        (
            "the site has reached roof; frame lies before it",
            "nhà này đã đến giai đoạn roof; frame là giai đoạn trước đó",
        ),
        (
            "stage: “x” is not one of a, b",
            "stage: “x” không thuộc các giá trị a, b",
        ),
        ("what nobody has ever said; nor this", "what nobody has ever said; nor this"),
        ("Chọn một tệp.", "Chọn một tệp."),
        ("", ""),
    ],
)
def test_messages_are_vietnamese_in_words(english: str, vietnamese: str) -> None:
    assert in_words(english, "vi") == vietnamese
    assert in_words(english, "en") == english


@given(st.text(max_size=30), st.text(max_size=30))
def test_values_come_through_whole(value: str, other: str) -> None:
    english = f"“{value}” exists in the provinces “{other}”; add the column province_code"
    vietnamese = f"có hộ “{value}” ở nhiều tỉnh: “{other}”; hãy thêm cột province_code"
    if "exists in" not in value + other and "; " not in value + other:
        assert in_words(english, "vi") == vietnamese


@given(st.text(max_size=200))
def test_any_text_gives_text(text: str) -> None:
    assert isinstance(in_words(text, "vi"), str)


@pytest.mark.parametrize(
    "hostile",
    [
        "is missing; " * 20_000,
        "a: " * 100_000,
        "x breaks off at line 1: " * 10_000,
        ", the file is damaged or cut off" * 10_000,
        "; ".join(["x" * 20_000] * 59),
        "f lacks the column " + " ; it has " * 30_000,
    ],
    ids=["joined", "prefixed", "nested", "nested behind", "wide", "repeated"],
)
def test_no_message_takes_long(hostile: str) -> None:
    before = time.process_time()
    assert in_words(hostile, "vi")
    assert time.process_time() - before < 2


ODD: list[object] = [
    [1], {"a": 1}, True, 10**400, 1e300, -5, 1.5, float("nan"), float("inf"), "x" * 1000, "x", "-1",
    "1e999", datetime(1700, 1, 1), date(1800, 1, 1), clock(3), b"x", "\ud800", "a\0b", ["x"], None,
    "2026-13-01", "0001-01-01T00:00:00+07:00", "9999-12-31T23:59:59-12:00",
]  # fmt: skip


@pytest.mark.parametrize("kind", MODELS)
def test_whatever_is_wrong_with_a_value_is_said_in_vietnamese(kind: str) -> None:
    row = {"households": world.household, "surveys": world.survey, "sites": world.site}[kind]()
    columns = [*MODELS[kind].model_fields, "extra"]
    rows = [row | {column: value} for column in columns for value in ODD]
    refused = prepare(kind, list(enumerate(rows))).rejected
    assert len(refused) > len(rows) / 3
    assert {one.reason for one in refused if in_words(one.reason, "vi") == one.reason} == set()


# Whole files, through the page


@pytest.fixture
def client(conn: Connection, begin: Callable) -> FlaskClient:
    world._area(conn, "VN", "country", "Nước Việt Nam", None, None)
    world.build(conn)
    return create_app(begin).test_client()


def upload(
    client: FlaskClient, kind: str, name: str, content: bytes | str, lang: str = "vi"
) -> tuple[int, str]:
    data = content.encode() if isinstance(content, str) else content
    client.set_cookie("lang", lang)
    answer = client.post("/import", data={"kind": kind, "file": (io.BytesIO(data), name)})
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
        "commune_code: “99999” không phải mã xã hiện nay, cũng không phải mã xã cũ; để trống thì "
        "xã được xác định theo địa chỉ",
        "commune_code: “99999” is neither a present nor a former commune; leave it blank to go by "
        "the address",
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
        "phiếu.csv",
        visit(lon=21.5, lat=105.8),
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
        "phiếu.csv",
        visit(lon=2.35, lat=48.9),
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
        "crs: “VN2000” không phải hệ tọa độ dùng được ở đây: hãy ghi EPSG: và số hiệu, ví dụ "
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
