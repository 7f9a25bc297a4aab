"""The sketch covers what it should, tells what it is, and gives way to real boundaries."""

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity, box
from sqlalchemy import text

from geo import areas, boundaries, config
from geo.boundaries import sketch
from geo.boundaries.loading import LoadOptions
from geo.errors import UsageError
from tests.test_boundaries import HOME, square, write


def test_cells_of_one_label_are_one_area_and_borders_lie_half_way():
    points = np.array([[105.0, 21.0], [105.02, 21.0], [105.06, 21.0]])
    a, b = sketch.merged_cells(points, np.array(["a", "a", "b"], dtype=object), ["a", "b"])
    assert len(a.geoms) == len(b.geoms) == 1
    assert a.intersection(b).area == 0
    assert a.bounds[2] == pytest.approx(105.04, abs=1e-5)
    assert b.bounds[0] == pytest.approx(105.04, abs=1e-5)
    # 6 km beyond the outermost points the land ends.
    reach = 6.0 / (111.32 * np.cos(np.radians(21.0)))
    assert b.bounds[2] == pytest.approx(105.06 + reach, abs=1e-4)


def test_neighbours_that_are_not_wanted_still_shape_the_border():
    points = np.array([[105.0, 21.0], [105.04, 21.0]])
    (a,) = sketch.merged_cells(points, np.array(["a", "b"], dtype=object), ["a"])
    assert a.bounds[2] == pytest.approx(105.02, abs=1e-5)


def test_two_units_on_one_spot_do_not_break_the_sketch():
    points = np.array([[105.0, 21.0], [105.0, 21.0], [105.04, 21.0]])
    labels = np.array(["a", "b", "b"], dtype=object)
    a, b = sketch.merged_cells(points, labels, ["a", "b"])
    assert a.area > 0
    assert b.area > 0


places = st.tuples(st.integers(0, 60), st.integers(0, 60))


@settings(max_examples=40)
@given(st.lists(places, min_size=3, max_size=40, unique=True))
def test_cells_never_overlap_and_each_holds_its_points(grid):
    # Points on a lattice of about 1 km; lines of them are the hard case for Voronoi.
    points = np.array(grid) * 0.01 + [105.0, 21.0]
    labels = np.array([f"{x % 3}" for x, _ in grid], dtype=object)
    wanted = sorted(set(labels))
    cells = sketch.merged_cells(points, labels, wanted)
    assert shapely.is_valid(cells).all()
    total = shapely.union_all(cells).area
    assert shapely.area(cells).sum() == pytest.approx(total, rel=1e-4)
    for point, label in zip(points, labels, strict=True):
        assert shapely.contains_xy(cells[wanted.index(label)], *point)


def test_the_demo_provinces_are_sketched_whole(areas_conn):
    report = boundaries.load_sketch(areas_conn)
    assert (report.polygons, report.provinces, report.missing) == (256, ("08", "19", "46"), [])
    note = boundaries.current_source(areas_conn, "46")
    assert note.sketch
    assert note.accuracy_m == sketch.ACCURACY_M
    assert "Sketch" in note.source
    assert shapely.coverage_is_valid(boundaries.shapes(areas_conn).polygons)
    # Published areas: Thái Nguyên 8,375, Huế 4,947, Tuyên Quang 13,796 km².
    published, sketched = areas_conn.execute(
        text(
            "SELECT sum(a.area_km2), sum(b.area_km2) FROM boundary b JOIN area a USING (area_id) "
            "WHERE a.level = 'commune'"
        )
    ).one()
    assert sketched == pytest.approx(published, rel=0.05)


def test_real_boundaries_are_not_replaced_by_a_sketch(areas_conn, tmp_path):
    path = write(tmp_path, {code: square(corner) for code, corner in HOME.items()})
    real = boundaries.load(areas_conn, path, LoadOptions()).version
    with pytest.raises(UsageError, match="real boundaries: 19"):
        boundaries.load_sketch(areas_conn, ["19"])
    report = boundaries.load_sketch(areas_conn, ["19", "46"])
    assert report.provinces == ("46",)
    assert "Left alone, because they have real boundaries: 19." in report.notes
    assert set(boundaries.shapes(areas_conn, HOME).versions) == {real}


def test_a_real_file_takes_the_place_of_the_sketch(areas_conn, tmp_path):
    boundaries.load_sketch(areas_conn, ["19"])
    path = write(tmp_path, {"05443": box(105.8, 21.5, 105.9, 21.6)})
    version = boundaries.load(areas_conn, path, LoadOptions()).version
    assert list(boundaries.shapes(areas_conn, ["05443"]).versions) == [version]
    assert len(boundaries.shapes(areas_conn).codes) == len(areas.children(areas_conn, "19"))


@pytest.mark.parametrize("codes", [["99"], ["19", "02"], [], ["x' OR 1=1"]])
def test_an_unknown_province_is_refused(areas_conn, codes):
    with pytest.raises(UsageError, match="No present province"):
        sketch.polygons(areas_conn, codes)


@pytest.mark.country
def test_the_stated_accuracy_is_what_the_real_borders_show(areas_conn, country_file):
    """68 % of the real borders of each demo province are within 1 σ of the sketched ones."""
    frame = geopandas.read_parquet(country_file, columns=["code", "province_code", "geometry"])
    for province in sketch.DEMO_PROVINCES:
        drawn = sketch.polygons(areas_conn, [province])
        real = frame[frame.province_code == province].set_index("code").geometry
        middle = np.radians(real.total_bounds[1::2].mean())
        metres = np.array([111_320 * np.cos(middle), 110_600])
        off = []
        for code, shape in zip(drawn.codes, drawn.shapes, strict=True):
            line = affinity.scale(shape.boundary, *metres, origin=(0, 0))
            border = affinity.scale(real[code].boundary, *metres, origin=(0, 0))
            along = shapely.line_interpolate_point(border, np.arange(0, border.length, 500))
            shapely.prepare(line)
            off.append(shapely.distance(line, along))
        assert np.percentile(np.concatenate(off), 68.27) <= sketch.ACCURACY_M


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Settings from a clean environment; call it with the variables to set."""

    def set_to(**variables: str) -> None:
        for name in ("ANCU_BOUNDARIES", "ANCU_DOWNLOAD_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("ANCU_HOME", str(tmp_path / "home"))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        config.settings.cache_clear()

    yield set_to
    monkeypatch.undo()
    config.settings.cache_clear()


def test_first_start_without_a_network_sketches_and_says_so(
    areas_conn, environment, monkeypatch, tmp_path
):
    monkeypatch.setattr("geo.boundaries.loading._SHIPPED", tmp_path)
    # Nothing listens on the discard port.
    environment(ANCU_DOWNLOAD_URL="http://127.0.0.1:9/x")
    said = boundaries.ensure(areas_conn)
    assert "127.0.0.1 does not answer" in said
    assert "A sketch takes their place" in said
    assert boundaries.current_source(areas_conn).sketch
    assert boundaries.ensure(areas_conn) == ""


def test_first_start_loads_the_file_that_is_named(areas_conn, environment, tmp_path):
    path = write(tmp_path, {code: square(corner) for code, corner in HOME.items()})
    boundaries.load_sketch(areas_conn, ["19"])
    environment(ANCU_BOUNDARIES=str(path))
    assert boundaries.ensure(areas_conn).startswith("Loaded 4 commune polygons")
    assert set(boundaries.shapes(areas_conn, HOME).accuracy_m) == {25.0}


def test_first_start_loads_what_lies_in_the_projects_folder(
    areas_conn, environment, monkeypatch, tmp_path
):
    environment()
    (tmp_path / "README.md").write_text("sources")
    write(tmp_path, {"05443": square(HOME["05443"])}, "a.parquet")
    write(tmp_path, {"05455": square(HOME["05455"])}, "b.gpkg")
    monkeypatch.setattr("geo.boundaries.loading._SHIPPED", tmp_path)
    boundaries.ensure(areas_conn)
    assert boundaries.shapes(areas_conn).codes == ("05443", "05455")
    assert boundaries.ensure(areas_conn) == ""


@pytest.mark.parametrize("there", [True, False])
def test_a_setting_that_leads_to_no_file_is_refused(areas_conn, environment, tmp_path, there):
    folder = tmp_path / "empty"
    if there:
        folder.mkdir()
    environment(ANCU_BOUNDARIES=str(folder))
    with pytest.raises(UsageError, match="ANCU_BOUNDARIES names"):
        boundaries.ensure(areas_conn)
