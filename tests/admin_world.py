"""The world of the administrators' pages: two provinces, and administrators of three levels."""

from dataclasses import dataclass

from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select, update

from geo.account_tables import access_log, account, account_role
from geo.tables import area
from geo.text import fold
from tests import page_data, people
from web.app import create_app

FOREIGN = (
    ("24", "province", "Tỉnh Bắc Ninh", "VN", "24"),
    ("07001", "commune", "Xã Yên Thế", "24", "24"),
    ("07002", "commune", "Xã Đức Xuân", "24", "24"),
)


@dataclass
class World:
    """The application with accounts; logins tell role and area, such as `admin.19`."""

    conn: Connection
    app: object
    ids: dict[str, int]

    def browser(self, login: str) -> FlaskClient:
        return people.client(self.app, self.conn, account_id=self.ids[login])


def build(conn: Connection, begin) -> World:
    page_data.add_areas(conn)
    for code, level, full_name, parent, province in FOREIGN:
        kind, _, name = full_name.partition(" ")
        conn.execute(
            insert(area).values(
                code=code, level=level, name=name, full_name=full_name, kind=kind,
                parent_code=parent, province_code=province, name_key=name.lower(),
            )
        )  # fmt: skip
    for row in conn.execute(select(area.c.area_id, area.c.name)).all():
        same = area.c.area_id == row.area_id
        conn.execute(update(area).where(same).values(name_key=fold(row.name)))
    ids = {}
    for code in ("VN", "19", "24", "05001", "05002"):
        for role in ("administrator", "officer"):
            login = f"{'admin' if role == 'administrator' else role}.{code.lower()}"
            ids[login] = people.add(conn, f"{role}@{code}", login=login)
    ids["officer.07001"] = people.add(conn, "officer@07001", login="officer.07001")
    ids["both"] = people.add(conn, "officer@05001", "officer@07001", login="both")
    put(conn, ids["both"], full_name="Hai Nơi")
    return World(conn, create_app(begin), ids)


def put(conn: Connection, account_id: int, **values: object) -> None:
    """Change columns of an account."""
    conn.execute(update(account).where(account.c.account_id == account_id).values(values))


def held(conn: Connection, account_id: int) -> set[str]:
    """The roles of an account, such as officer@19."""
    rows = conn.execute(
        select(account_role.c.role, account_role.c.area_code).where(
            account_role.c.account_id == account_id
        )
    )
    return {f"{row.role}@{row.area_code}" for row in rows}


def last_entry(conn: Connection) -> dict:
    """The newest entry of the access log."""
    query = select(access_log).order_by(access_log.c.entry_id.desc()).limit(1)
    return dict(conn.execute(query).mappings().one())
