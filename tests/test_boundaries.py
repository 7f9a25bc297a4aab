"""Files of polygons become dated boundaries, whole or not at all, with what follows from them."""

from datetime import date
from pathlib import Path

import geopandas
import pytest
import shapely
from shapely import Point, Polygon, box
from sqlalchemy import insert, select, text

from geo import areas, boundaries
from geo.boundaries import checks as boundary_checks
from geo.boundaries.loading import LoadOptions
from geo.errors import RejectedError, UsageError
from geo.tables import boundary, household, survey

# Four communes of Thái Nguyên and one of its neighbour Tuyên Quang, each a square of about 11 km.
HOME = {
    "05443": (105.7, 21.5),
    "05455": (105.8, 21.5),
    "05467": (105.7, 21.6),
    "05482": (105.8, 21.6),
}
AWAY = {"01108": (105.6, 21.5)}


def square(corner: tuple[float, float], size: float = 0.1) -> Polygon:
    west, south = corner
    return box(west, south, round(west + size, 6), round(south + size, 6))


def same(one, other) -> bool:
    return one.symmetric_difference(other).area < 1e-9


def frame(shapes: dict[str, object], crs: object = 4326, **columns: object):
    return geopandas.GeoDataFrame(
        {"code": list(shapes), **columns}, geometry=list(shapes.values()), crs=crs
    )


def write(folder: Path, shapes: dict[str, object], name: str = "communes.parquet", **more) -> Path:
    path = folder / name
    made = frame(shapes, **more)
    if path.suffix == ".parquet":
        made.to_parquet(path)
    else:
        made.to_file(path)
    return path


@pytest.fixture
def home(tmp_path) -> Path:
    return write(tmp_path, {code: square(corner) for code, corner in HOME.items()})


def current(conn, code: str):
    area_id = areas.get(conn, code).area_id
    found = conn.execute(
        select(boundary.c.geom.ST_AsBinary()).where(
            boundary.c.area_id == area_id, boundary.c.superseded_at.is_(None)
        )
    ).scalar_one()
    return shapely.from_wkb(bytes(found))


@pytest.mark.parametrize("name", ["a.parquet", "a.gpkg", "a.geojson", "a.shp", "a.shp.zip"])
def test_every_format_gives_the_same_polygons(areas_conn, tmp_path, name):
    shapes = {code: square(corner) for code, corner in HOME.items()}
    path = write(tmp_path, shapes, name)
    report = boundaries.load(areas_conn, path, LoadOptions(source="a survey", licence="CC0"))
    assert (report.polygons, report.provinces, report.repaired) == (4, ("19",), [])
    loaded = boundaries.shapes(areas_conn)
    assert loaded.codes == tuple(sorted(HOME))
    for code, polygon in zip(loaded.codes, loaded.polygons, strict=True):
        assert same(polygon, shapes[code])
    assert set(loaded.accuracy_m) == {25.0}
    assert set(loaded.versions) == {report.version}


def test_area_agrees_with_the_database(areas_conn, home):
    boundaries.load(areas_conn, home, LoadOptions())
    rows = areas_conn.execute(
        text("SELECT area_km2, ST_Area(geom::geography) / 1e6 FROM boundary")
    ).all()
    assert len(rows) == 6
    for ours, postgis in rows:
        # Straight lines in degrees and geodesics differ by about 1e-6 of such a square.
        assert ours == pytest.approx(postgis, rel=1e-5)


def test_provinces_and_country_are_the_union_of_communes(areas_conn, home):
    boundaries.load(areas_conn, home, LoadOptions())
    whole = box(105.7, 21.5, 105.9, 21.7)
    assert same(current(areas_conn, "19"), whole)
    assert same(current(areas_conn, "VN"), whole)


def test_loading_one_province_leaves_the_others_alone(areas_conn, tmp_path, home):
    first = boundaries.load(areas_conn, home, LoadOptions()).version
    away = write(tmp_path, {c: square(p) for c, p in AWAY.items()}, "away.parquet")
    second = boundaries.load(areas_conn, away, LoadOptions(accuracy_m=5)).version
    loaded = boundaries.shapes(areas_conn)
    assert dict(zip(loaded.codes, loaded.versions, strict=True)) == (
        dict.fromkeys(HOME, first) | dict.fromkeys(AWAY, second)
    )
    assert loaded.accuracy_m[loaded.index("01108")] == 5
    assert same(
        current(areas_conn, "VN"),
        box(105.6, 21.5, 105.9, 21.7).difference(box(105.6, 21.6, 105.7, 21.7)),
    )


def test_a_new_polygon_supersedes_the_old_one_and_keeps_it(areas_conn, tmp_path, home):
    boundaries.load(areas_conn, home, LoadOptions())
    smaller = write(tmp_path, {"05443": square((105.7, 21.5), 0.05)}, "one.parquet")
    report = boundaries.load(areas_conn, smaller, LoadOptions())
    area_id = areas.get(areas_conn, "05443").area_id
    kept = areas_conn.execute(
        select(boundary.c.version, boundary.c.superseded_at.is_(None))
        .where(boundary.c.area_id == area_id)
        .order_by(boundary.c.version)
    ).all()
    assert [now for _, now in kept] == [False, True]
    assert kept[1].version == report.version
    # The province is again the union of what is current, three old squares and the small one.
    assert current(areas_conn, "19").area == pytest.approx(0.0325)


def test_the_same_file_again_changes_nothing(areas_conn, home):
    options = LoadOptions(source="s")
    assert boundaries.load(areas_conn, home, options).version is not None
    again = boundaries.load(areas_conn, home, options)
    assert again.version is None
    assert again.lines() == ["s is loaded already; nothing changed."]
    assert boundaries.load(areas_conn, home, LoadOptions(source="s", accuracy_m=9)).version


def test_an_invalid_polygon_is_repaired_and_said(areas_conn, tmp_path):
    bow = Polygon([(105.7, 21.5), (105.8, 21.6), (105.8, 21.5), (105.7, 21.6)])
    report = boundaries.load(areas_conn, write(tmp_path, {"05443": bow}), LoadOptions())
    assert len(report.repaired) == 1
    assert "05443" in report.repaired[0]
    assert "Self-intersection" in report.repaired[0]
    stored = current(areas_conn, "05443")
    assert stored.is_valid
    assert stored.area == pytest.approx(0.005)


OTHER = square((105.8, 21.5))
BAD_ROWS = [
    ({"05443": None}, "it has no geometry"),
    ({"05443": Polygon()}, "its geometry is empty"),
    ({"05443": Point(105.7, 21.5)}, "it is a Point, not a polygon"),
    ({"": square((105.7, 21.5))}, "it has no code"),
    ({"99999": square((105.7, 21.5))}, "no present commune has this code"),
    ({"01105": square((105.7, 21.5))}, "before 2025-07-01"),
    ({"05443": square((21.5, 105.7))}, "outside Viet Nam"),
    ({"05443": box(21.5, 105.7, 21.6, 105.8)}, "latitude and longitude are swapped"),
    ({"05443": square((2.3, 48.8))}, "it lies outside Viet Nam"),
    ({"05443": Polygon([(105, 21), (105, 21), (105, 21)])}, "nothing is left of it"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_ROWS)
def test_a_row_that_cannot_be_used_refuses_the_whole_file(areas_conn, tmp_path, bad, reason):
    path = write(tmp_path, {"05455": OTHER} | bad)
    with pytest.raises(RejectedError) as refused:
        boundaries.load(areas_conn, path, LoadOptions())
    assert [line for line, _ in refused.value.problems] == [2]
    assert reason in refused.value.problems[0][1]
    assert boundaries.shapes(areas_conn).codes == ()


def test_a_code_that_occurs_twice_is_refused_with_both_rows(areas_conn, tmp_path):
    path = tmp_path / "twice.parquet"
    geopandas.GeoDataFrame(
        {"code": ["05443", "05443"]}, geometry=[OTHER, square((105.7, 21.5))], crs=4326
    ).to_parquet(path)
    with pytest.raises(RejectedError) as refused:
        boundaries.load(areas_conn, path, LoadOptions())
    assert refused.value.problems == [(2, "05443: its code is also that of row 1")]


def test_a_file_without_coordinate_system_is_refused(areas_conn, tmp_path):
    with pytest.raises(RejectedError, match="does not say its coordinate system"):
        boundaries.load(areas_conn, write(tmp_path, {"05443": OTHER}, crs=None), LoadOptions())


def test_vn2000_is_transformed_and_said(areas_conn, tmp_path):
    path = tmp_path / "vn2000.gpkg"
    frame({"05443": OTHER}).to_crs(9213).to_file(path)
    report = boundaries.load(areas_conn, path, LoadOptions())
    assert any("VN-2000" in note and "WGS 84" in note for note in report.notes)
    there = current(areas_conn, "05443")
    assert there.hausdorff_distance(OTHER) < 1e-6


@pytest.mark.parametrize(
    ("name", "content", "error", "said"),
    [
        ("none.geojson", None, UsageError, "is not a file"),
        ("table.csv", b"code\n1\n", UsageError, "of no kind that can be read"),
        ("broken.parquet", b"PAR1 and then nothing", RejectedError, "cannot be read"),
        ("broken.geojson", b"{", RejectedError, "cannot be read"),
        ("broken.gpkg", b"SQLite", RejectedError, "cannot be read"),
        ("broken.zip", b"PK", RejectedError, "cannot be read"),
        (
            "empty.geojson",
            b'{"type":"FeatureCollection","features":[]}',
            UsageError,
            "--code-column",
        ),
    ],
)
def test_a_file_that_is_none_is_refused_in_plain_words(
    areas_conn, tmp_path, name, content, error, said
):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=said):
        boundaries.load(areas_conn, path, LoadOptions())


@pytest.mark.parametrize("accuracy", [0, -1, float("nan"), float("inf"), 1e9])
def test_an_impossible_accuracy_is_refused(areas_conn, home, accuracy):
    with pytest.raises(UsageError, match="--accuracy-m"):
        boundaries.load(areas_conn, home, LoadOptions(accuracy_m=accuracy))


def test_layers_and_columns_are_chosen_by_name(areas_conn, tmp_path):
    path = tmp_path / "two.gpkg"
    made = frame({"05443": OTHER}).rename(columns={"code": "id_xa"})
    made.to_file(path, layer="one")
    made.to_file(path, layer="two")
    with pytest.raises(UsageError, match="choose one by --layer: one, two"):
        boundaries.load(areas_conn, path, LoadOptions())
    with pytest.raises(UsageError, match="Its columns: id_xa"):
        boundaries.load(areas_conn, path, LoadOptions(layer="one"))
    with pytest.raises(UsageError, match="there is no such column"):
        boundaries.load(areas_conn, path, LoadOptions(layer="one", code_column="x"))
    with pytest.raises(UsageError, match="has no layer three"):
        boundaries.load(areas_conn, path, LoadOptions(layer="three"))
    options = LoadOptions(layer="two", code_column="ID_XA")
    assert boundaries.load(areas_conn, path, options).polygons == 1


def test_numeric_codes_get_their_zeros_back(areas_conn, tmp_path):
    path = tmp_path / "numbers.gpkg"
    geopandas.GeoDataFrame({"code": [5443]}, geometry=[OTHER], crs=4326).to_file(path)
    report = boundaries.load(areas_conn, path, LoadOptions())
    assert boundaries.shapes(areas_conn).codes == ("05443",)
    assert "Column code holds numbers; they were read as 5-digit codes." in report.notes


def test_an_unknown_code_with_a_known_name_becomes_another_code(areas_conn, tmp_path):
    ba_che = square((107.25, 21.25))
    path = write(tmp_path, {"06978": ba_che}, full_name=["Xã Ba Chẽ"], province_code=["22"])
    report = boundaries.load(areas_conn, path, LoadOptions())
    assert any("ATTENTION" in note and "06978" in note for note in report.notes)
    assert areas.get(areas_conn, "06978").code == "06970"
    assert boundaries.shapes(areas_conn).codes == ("06970",)
    elsewhere = write(
        tmp_path, {"06990": ba_che}, "b.parquet", full_name=["Xã Ba Chẽ"], province_code=["20"]
    )
    with pytest.raises(RejectedError, match="have no area"):
        boundaries.load(areas_conn, elsewhere, LoadOptions())


def test_with_a_first_day_an_unknown_code_is_a_new_area(areas_conn, tmp_path):
    path = write(tmp_path, {"99998": OTHER}, full_name=["Phường Mới"], province_code=["19"])
    day = date(2026, 3, 1)
    boundaries.load(areas_conn, path, LoadOptions(valid_from=day))
    made = areas.get(areas_conn, "99998")
    assert (made.kind, made.name, made.parent_code, made.valid_from) == ("Phường", "Mới", "19", day)
    assert made in areas.children(areas_conn, "19")


@pytest.mark.parametrize(
    ("code", "name", "parent", "said"),
    [
        ("9999", "Xã Mới", "19", "has 5 digits"),
        ("99998", "", "19", "needs a name"),
        ("99998", "Xã Mới", "02", "province '02' is unknown"),
        ("99998", "Xã Mới", "", "province '' is unknown"),
    ],
)
def test_a_new_area_needs_code_name_and_province(areas_conn, tmp_path, code, name, parent, said):
    path = write(tmp_path, {code: OTHER}, full_name=[name], province_code=[parent])
    with pytest.raises(RejectedError) as refused:
        boundaries.load(areas_conn, path, LoadOptions(valid_from=date(2026, 3, 1)))
    assert said in refused.value.problems[0][1]


def test_doubts_about_name_province_and_place_are_said(areas_conn, tmp_path):
    path = write(
        tmp_path, {"05443": square((108.0, 16.0))}, full_name=["Xã Khác"], province_code=["46"]
    )
    notes = " ".join(boundaries.load(areas_conn, path, LoadOptions()).notes)
    assert "'Xã Khác'" in notes
    assert "in '46', not 19" in notes
    assert "more than about 50 km" in notes


def test_provinces_can_be_loaded_themselves(areas_conn, tmp_path):
    path = write(tmp_path, {"19": square((105.5, 21.5), 0.5)})
    assert boundaries.load(areas_conn, path, LoadOptions(level="province")).polygons == 1
    assert current(areas_conn, "19").area == pytest.approx(0.25)
    assert boundaries.shapes(areas_conn).codes == ()


def test_stored_surveys_make_the_report_ask_for_an_audit(areas_conn, home, tmp_path):
    assert not boundaries.load(areas_conn, home, LoadOptions()).judge_again
    common = {"province_code": "19", "household_code": "1", "content_hash": ""}
    areas_conn.execute(
        insert(household),
        common | {"head_name": "A", "recorded_address": "", "search_key": ""},
    )
    areas_conn.execute(
        insert(survey),
        common
        | {
            "survey_id": "00000000-0000-4000-8000-000000000001",
            "surveyed_at": "2026-01-01T00:00:00Z",
            "enumerator": "B",
        },
    )
    again = boundaries.load(areas_conn, home, LoadOptions(accuracy_m=7))
    assert again.lines()[-1].endswith("run `ancu audit run`.")


def test_the_source_note_tells_the_worst_of_what_is_current(areas_conn, home, tmp_path):
    assert boundaries.current_source(areas_conn) is None
    boundaries.load(areas_conn, home, LoadOptions(source="good", licence="MIT", accuracy_m=3))
    boundaries.load_sketch(areas_conn, ["08"])
    assert boundaries.current_source(areas_conn, "19").accuracy_m == 3
    whole = boundaries.current_source(areas_conn)
    assert (whole.sketch, whole.accuracy_m) == (True, 1800)
    assert boundaries.current_source(areas_conn, "46") is None


def test_shapes_of_some_codes_are_only_those(areas_conn, home):
    boundaries.load(areas_conn, home, LoadOptions())
    assert boundaries.shapes(areas_conn, ["05467", "05443", "99999"]).codes == ("05443", "05467")
    everything = boundaries.shapes(areas_conn)
    assert boundaries.shapes(areas_conn) is everything
    assert (
        boundaries.shapes(areas_conn, ["05467"]).polygons[0]
        is everything.polygons[everything.index("05467")]
    )


@pytest.mark.country
def test_the_whole_country_loads_whole(areas_conn, country_file):
    report = boundaries.load(areas_conn, country_file, LoadOptions())
    assert (report.polygons, len(report.provinces), report.missing) == (3321, 34, [])
    loaded = boundaries.shapes(areas_conn)
    assert len(loaded.codes) == 3321
    assert boundaries.load(areas_conn, country_file, LoadOptions()).version is None
    found = boundary_checks.check(areas_conn)
    assert len(found.overlaps) == 8
    assert sum(o.area_m2 for o in found.overlaps) / 1e6 == pytest.approx(10.8, abs=0.05)
    assert sum(g.area_m2 for g in found.gaps) / 1e6 == pytest.approx(0.06, abs=0.005)
