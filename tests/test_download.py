"""Downloads from a server of the same layout, whatever goes wrong on the way."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import shapely
from shapely import box

from geo import boundaries, config
from geo.boundaries import download
from geo.boundaries.download import Network, Unit
from geo.errors import UnavailableError, UsageError

QUICK = Network(connect_s=0.5, read_s=0.3, attempts=3, pause_s=0.01, at_once=4)
PROVINCE = ("46", "Huế")
NAMES = {"19753": "Phong Điền", "19774": "Phong Thái", "19804": "Thuận An", "20014": "Hóa Châu"}
UNITS = [Unit(code, name, *PROVINCE) for code, name in NAMES.items()]


def document(unit: Unit, **change: object) -> bytes:
    i = list(NAMES).index(unit.code) if unit.code in NAMES else 0
    shape = box(107.5 + i / 100, 16.4, 107.51 + i / 100, 16.41)
    feature = {
        "type": "Feature",
        "id": unit.upstream_code,
        "geometry": json.loads(shapely.to_geojson(shape)),
        "properties": {"code": unit.upstream_code, "name": unit.name},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature | change]}).encode()


class Server(ThreadingHTTPServer):
    """Serves files by path; `faults` are what the first requests for a path get instead."""

    daemon_threads = True
    # A client that gave up is no error here.
    handle_error = lambda *_: None  # noqa: E731

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[object]] = {}
        self.asked: Counter[str] = Counter()
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/geojson"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.path.removeprefix("/geojson/")
        self.server.asked[path] += 1
        faults = self.server.faults.get(path, [])
        fault = faults.pop(0) if faults else None
        content = self.server.files.get(path)
        if fault == "hang":
            self.server.release.wait(5)
            return
        if isinstance(fault, int) or content is None:
            self.send_error(fault if isinstance(fault, int) else 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fault == "cut" else fault or content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    made.files = {unit.path: document(unit) for unit in UNITS}
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.release.set()
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("unit", "path"),
    [
        (("00004", "Ba Đình", "01", "Hà Nội"), "01_ha_noi/wards/00004_ba_dinh.geojson"),
        (
            ("00226", "Văn Miếu - Quốc Tử Giám", "01", "Hà Nội"),
            "01_ha_noi/wards/00226_van_mieu_quoc_tu_giam.geojson",
        ),
        (("24280", "Cư M'gar", "66", "Đắk Lắk"), "66_dak_lak/wards/24280_cu_mgar.geojson"),
        (("24184", "Ea H’Leo", "66", "Đắk Lắk"), "66_dak_lak/wards/24184_ea_hleo.geojson"),
        (("24934", "D'Ran", "68", "Lâm Đồng"), "68_lam_dong/wards/24934_dran.geojson"),
        (("06970", "Ba Chẽ", "22", "Quảng Ninh"), "22_quang_ninh/wards/06978_ba_che.geojson"),
        (("20014", "Hóa Châu", "46", "Huế"), "46_hue/wards/20014_hoa_chau.geojson"),
    ],
)
def test_the_path_follows_from_code_and_name(unit, path):
    assert Unit(*unit).path == path


def test_units_are_the_communes_of_the_provinces(areas_conn):
    found = download.units(areas_conn, ["46", "19", "46"])
    assert len(found) == 132
    assert found[0].province_name == "Huế"
    with pytest.raises(UsageError, match="No present province has the code 02"):
        download.units(areas_conn, ["02"])


def test_everything_is_fetched_once_and_counted(server, tmp_path):
    seen = []
    paths = download.fetch(UNITS, server.url, tmp_path, QUICK, lambda *now: seen.append(now))
    assert [p.relative_to(tmp_path).as_posix() for p in paths] == [u.path for u in UNITS]
    assert seen == [(n, 4) for n in range(5)]
    assert download.fetch(UNITS, server.url, tmp_path, QUICK) == paths
    assert set(server.asked.values()) == {1}
    assert not list(tmp_path.rglob("*.part"))
    polygons = download.polygons(UNITS, paths)
    assert polygons.codes == list(NAMES)
    assert set(polygons.parents) == {"46"}


@pytest.mark.parametrize(
    "faults",
    [[503, 503], [500, 429], ["cut", "cut"], ["hang"], [b"<html>busy</html>"], ["cut", 502]],
    ids=str,
)
@pytest.mark.parametrize("which", [0, 2])
def test_a_passing_fault_is_survived(server, tmp_path, faults, which):
    path = UNITS[which].path
    if isinstance(faults[0], bytes):
        whole = server.files[path]
        faults = [faults[0].ljust(len(whole))]
    server.faults[path] = list(faults)
    paths = download.fetch(UNITS, server.url, tmp_path, QUICK)
    assert all(p.exists() for p in paths)
    assert server.asked[path] == len(faults) + 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is no GeoJSON"),
        (b"<html>", "it is no GeoJSON"),
        (b"[1, 2]", "it is no GeoJSON"),
        (b'"text"', "it is no GeoJSON"),
        (b"[" * 100_000, "it is no GeoJSON"),
        (b'{"type":"FeatureCollection","features":[]}', "it holds no polygon"),
        (document(UNITS[1], geometry=None), "it is no GeoJSON"),
        (document(UNITS[1], geometry={"type": "Point", "coordinates": [107, 16]}), "no polygon"),
        (document(UNITS[1], id="00004"), "it holds the unit 00004"),
        (document(UNITS[1], properties={"name": "Ba Đình"}), "it holds 'Ba Đình'"),
        (
            document(UNITS[1], geometry=json.loads(shapely.to_geojson(box(16, 107, 17, 108)))),
            "it lies outside Viet Nam",
        ),
    ],
)
def test_a_wrong_file_is_never_kept(server, tmp_path, content, said):
    server.files[UNITS[1].path] = content
    with pytest.raises(UnavailableError, match=f"in 3 attempts: .*{said}"):
        download.fetch(UNITS, server.url, tmp_path, QUICK)
    assert not (tmp_path / UNITS[1].path).exists()
    assert not list(tmp_path.rglob("*.part"))


def test_a_missing_file_is_said_at_once_and_the_rest_is_kept(server, tmp_path):
    del server.files[UNITS[3].path]
    with pytest.raises(UnavailableError, match=r"Hóa Châu .20014. is not at .*goes on from there"):
        download.fetch(UNITS, server.url, tmp_path, QUICK)
    assert server.asked[UNITS[3].path] == 1
    assert (tmp_path / UNITS[0].path).exists()


def test_a_stopped_download_goes_on_where_it_was(server, tmp_path):
    first = tmp_path / UNITS[0].path
    first.parent.mkdir(parents=True)
    first.write_bytes(server.files[UNITS[0].path])
    broken = tmp_path / UNITS[1].path
    broken.write_bytes(server.files[UNITS[1].path][:100])
    download.fetch(UNITS, server.url, tmp_path, QUICK)
    assert server.asked == Counter({unit.path: 1 for unit in UNITS[1:]})


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://no-such-host.invalid/x"])
def test_without_a_network_it_says_so_and_what_to_do(tmp_path, url):
    with pytest.raises(UnavailableError, match=r"ANCU_BOUNDARIES.*ancu boundaries sketch"):
        download.fetch(UNITS, url, tmp_path, QUICK)


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://example.org/x", "http://"])
def test_an_address_that_is_none_is_refused(tmp_path, url):
    with pytest.raises(UsageError, match="ANCU_DOWNLOAD_URL"):
        download.fetch(UNITS, url, tmp_path, QUICK)


def test_a_download_is_loaded_as_one_version_with_its_source(
    areas_conn, server, tmp_path, monkeypatch
):
    wanted = download.units(areas_conn, ["46"])
    server.files = {unit.path: document(unit) for unit in wanted}
    for i, unit in enumerate(wanted):
        shape = box(107.4 + i / 100, 16.4, 107.41 + i / 100, 16.41)
        server.files[unit.path] = document(unit, geometry=json.loads(shapely.to_geojson(shape)))
    monkeypatch.setenv("ANCU_DOWNLOAD_URL", server.url)
    monkeypatch.setenv("ANCU_HOME", str(tmp_path))
    config.settings.cache_clear()
    try:
        report = boundaries.load_download(areas_conn, ["46"], network=QUICK)
        again = boundaries.load_download(areas_conn, ["46"], network=QUICK)
    finally:
        monkeypatch.undo()
        config.settings.cache_clear()
    assert (report.polygons, report.provinces, report.missing) == (40, ("46",), [])
    assert again.version is None
    note = boundaries.current_source(areas_conn, "46")
    assert (note.source, note.licence, note.sketch) == (server.url, "MIT", False)
    assert Path(tmp_path / "downloads" / wanted[0].path).exists()
