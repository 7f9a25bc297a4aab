"""Records and areas for the tests of /ogc: a few with all sorts of values, and many others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from flask import Flask
from flask.testing import FlaskClient
from geoalchemy2.shape import from_shape
from shapely import MultiPolygon, box
from sqlalchemy import Connection, insert, select, text, update

from geo import boundaries, cells, db
from geo.accounts import store, tokens
from geo.scope import OPERATOR
from geo.tables import area, boundary, boundary_version, household, survey
from tests import people, records_world
from web.app import create_app

MANY = 2_300
SQUARES = {"00101": (105.0, 21.0), "00102": (105.1, 21.0), "00201": (106.45, 20.45)}
"""The south-western corners of the communes, squares of 0.1°."""
ODD = ("a/b//c", "50% đúng?", "<script>alert(1)</script>", "x.y & z#1", "'; DROP TABLE survey")
"""Household codes as nobody should make them."""


@dataclass(frozen=True)
class Service:
    """An application over a database of its own, and tokens of those who may ask it."""

    app: Flask
    url: str
    ids: dict[str, str]
    token: str
    planner: str

    @contextmanager
    def owner(self) -> Iterator[Connection]:
        """A transaction that sees all."""
        with db.transaction(self.url, scope=OPERATOR) as conn:
            yield conn

    def rows(self, statement: str, **values: object) -> list[dict[str, Any]]:
        """What a plain statement finds."""
        with self.owner() as conn:
            return [dict(row) for row in conn.execute(text(statement), values).mappings()]

    def client(self, token: str | None = None) -> FlaskClient:
        """Somebody who asks with a token, by default of one with the whole country."""
        made = self.app.test_client()
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token or self.token}"
        return made


@contextmanager
def service(make_database: Callable[..., str], template_url: str) -> Iterator[Service]:
    """The world in a database of its own, served."""
    url = make_database(template_url)
    app = create_app(lambda scope: db.served(scope, url))
    with db.transaction(url, scope=OPERATOR) as conn:
        ids = records_world.fill(conn)
        _boundaries(conn)
        _many(conn)
        _odd(conn)
        _removed(conn, ids)
        conn.execute(
            text(
                "INSERT INTO finding (province_code, commune_code, subject, subject_id, rule, "
                "severity) VALUES ('01', '00101', 'site', :id, 'site_far', 2)"
            ),
            {"id": ids["site"]},
        )
        secret = token(conn, "records.read", *people.EVERYTHING)
        planner = token(conn, "figures.read", "planner@00101")
    yield Service(app, url, ids, secret, planner)
    db.engine(url).dispose()


def token(conn: Connection, action: str, *held: str) -> str:
    """A token of a new account with these roles."""
    user = store.user_of(conn, people.add(conn, *held))
    return tokens.make(conn, user, "Máy", [action], 7)[1]


def _boundaries(conn: Connection) -> None:
    version = conn.execute(
        insert(boundary_version).returning(boundary_version.c.version),
        {"source": "squares", "accuracy_m": 10.0},
    ).scalar_one()
    for code, (west, south) in SQUARES.items():
        area_id = conn.execute(select(area.c.area_id).where(area.c.code == code)).scalar_one()
        shape = MultiPolygon([box(west, south, west + 0.1, south + 0.1)])
        conn.execute(
            insert(boundary),
            {
                "area_id": area_id,
                "version": version,
                "geom": from_shape(shape, srid=4326),
                "area_km2": 115.0,
            },
        )
    boundaries.draw(conn)


def _many(conn: Connection) -> None:
    chance = np.random.default_rng(5)
    lon, lat = 105.0 + chance.random(MANY) * 0.1, 21.0 + chance.random(MANY) * 0.1
    statuses = ("poor", "near_poor", "average", "none", None)
    rows = [
        {
            "province_code": "01",
            "commune_code": "00101",
            "household_code": f"M{number:05}",
            "head_name": f"Người {number % 7}",
            "recorded_address": "Thôn 2",
            "members": number % 9 + 1,
            "status": statuses[number % 5],
            "geom": records_world.point(float(lon[number]), float(lat[number])),
            "cell": cell,
            "search_key": "",
            "content_hash": "x",
        }
        for number, cell in enumerate(cells.stored(lon, lat))
    ]
    conn.execute(insert(household), rows)


def _odd(conn: Connection) -> None:
    for number, code in enumerate(ODD):
        records_world.add_household(
            conn, "00102", household_code=code, head_name=code, at=(105.15, 21.01 + number / 100)
        )


def _removed(conn: Connection, ids: dict[str, str]) -> None:
    """A household and a survey that nobody may meet again."""
    ids["gone"] = records_world.add_household(conn, head_name="Đã xoá", at=(105.02, 21.02))
    ids["gone survey"] = records_world.add_survey(conn, ids["gone"], at=(105.02, 21.02))
    records_world.add_finding(conn, ids["gone survey"], "outside")
    for table, name, key in (
        (household, "household_code", ids["gone"]),
        (survey, "survey_id", ids["gone survey"]),
    ):
        conn.execute(update(table).where(table.c[name] == key).values(removed=True))
