"""Known places come in from files with the commune they lie in, and audits see them."""

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, NullPool, create_engine, select

from api.cli import main
from geo import config, known_places, schema
from geo.audit_tables import audit_due, known_place
from geo.db import engine
from geo.errors import NotFoundError, RejectedError, UsageError
from tests import intake_world as world

HEADER = "name,kind,lon,lat,radius_m,source\n"
OFFICE = "UBND xã An Hoà,office,105.05,21.05,80,sở\n"
MARKET = "Chợ,market,106.05,21.05,,\n"


@pytest.fixture
def csv(tmp_path):
    def write(*lines, header=HEADER):
        path = tmp_path / "địa điểm.csv"
        path.write_text(header + "".join(lines), "utf-8")
        return path

    return write


def test_places_are_stored_in_the_commune_that_holds_them(db: Connection, csv) -> None:
    report = known_places.load(db, csv(OFFICE, MARKET))
    assert (report.places, report.replaced) == (2, 0)
    found = [
        (p["province_code"], p["commune_code"], p["name"], p["radius_m"], p["source"])
        for p in known_places.listed(db)
    ]
    assert found == [
        ("01", "00101", "UBND xã An Hoà", 80.0, "sở"),
        ("02", "00201", "Chợ", 50.0, ""),
    ]
    due = select(audit_due.c.province_code, audit_due.c.commune_code)
    assert set(db.execute(due).all()) == {("01", "00101"), ("02", "00201")}


def test_a_place_of_the_same_name_is_replaced(db: Connection, csv) -> None:
    known_places.load(db, csv(OFFICE, MARKET))
    report = known_places.load(db, csv(OFFICE.replace("105.05", "105.06")))
    assert (report.places, report.replaced) == (1, 1)
    assert sorted(db.scalars(select(known_place.c.lon))) == [105.06, 106.05]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Chợ,market,105.05,,,\n", "lat: is missing"),
        (",market,105.05,21.05,,\n", "name: is missing"),
        ("Chợ,,105.05,21.05,,\n", "kind: is missing"),
        ("Chợ,market,đông,21.05,,\n", "lon: “đông” is not a number"),
        ("Chợ,market,105.05,21.05,0,\n", "radius_m: is not above 0 and at most 1000"),
        ("Chợ,market,105.05,21.05,1001,\n", "radius_m: is not above 0 and at most 1000"),
        ("Chợ,market,105.05,22.05,,\n", "no commune with a boundary holds this point"),
        ("Chợ,market,21.05,105.05,,\n",
         "lon 21.05 and lat 105.05 look swapped: lon is the one of 102 to 118."),
        (f"{'x' * 201},market,105.05,21.05,,\n", "name: is longer than 200 characters"),
        ("Chợ,market,105.05,21.05,,,x\n", "the row has more cells than the header has names"),
    ],
)  # fmt: skip
def test_one_bad_place_refuses_the_file(db: Connection, csv, line, reason) -> None:
    with pytest.raises(RejectedError) as caught:
        known_places.load(db, csv(OFFICE, line))
    assert caught.value.problems == [(3, reason)]
    assert known_places.listed(db) == []


def test_files_without_places_are_refused(db: Connection, csv, tmp_path) -> None:
    with pytest.raises(RejectedError, match="holds no place"):
        known_places.load(db, csv())
    with pytest.raises(UsageError):
        known_places.load(db, tmp_path / "none.csv")


def test_a_place_is_taken_out_by_its_number(db: Connection, csv) -> None:
    known_places.load(db, csv(OFFICE, MARKET))
    first = known_places.listed(db)[0]
    assert known_places.remove(db, first["place_id"])["name"] == "UBND xã An Hoà"
    assert [p["name"] for p in known_places.listed(db)] == ["Chợ"]
    with pytest.raises(NotFoundError):
        known_places.remove(db, first["place_id"])


@pytest.fixture
def ancu(make_database, monkeypatch, tmp_path):
    """The commands on a database of their own with the small world in it."""
    url = make_database()
    made = create_engine(url, poolclass=NullPool)
    with made.begin() as conn:
        schema.migrate(conn)
        world.build(conn)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("ANCU_HOME", str(tmp_path / "home"))
    config.settings.cache_clear()
    yield lambda *args: CliRunner().invoke(main, ["places", *args])
    engine(None).dispose()
    engine.cache_clear()
    monkeypatch.undo()
    config.settings.cache_clear()


def test_the_commands_load_list_and_remove(ancu, csv) -> None:
    loaded = ancu("load", str(csv(OFFICE)))
    assert (loaded.exit_code, loaded.stdout.splitlines()[0]) == (
        0,
        "Places: 1, of them replaced: 0",
    )
    listed = ancu("list")
    number, rest = listed.stdout.split("\t", 1)
    assert rest == "00101\toffice\tUBND xã An Hoà\t105.050000, 21.050000\t80 m (sở)\n"
    assert "Removed: UBND xã An Hoà" in ancu("remove", number).stdout
    gone = ancu("remove", number)
    assert (gone.exit_code, "There is no known place" in gone.output) == (1, True)
