"""One household with all that can hang on it, for the tests of what persons may ask for."""

from sqlalchemy import Connection, MetaData, Text, cast, func, select, text

from geo.audit import run as audit
from geo.persons import correcting
from geo.scope import Scope
from tests import intake_world as world
from tests.intake_world import load

ID, OTHER = "019085001234", "019085009999"
MASKED = "•••••••••234"
WHY = "Chủ hộ đề nghị ngày 5/10"
H1 = ("01", "H1", None)


def officer(*communes: str, action: str = "person.correct") -> Scope:
    return Scope(communes=frozenset(communes), write=True, action=action, account_id=7)


def build(db: Connection) -> Connection:
    """One household with everything that can hang on it, and a neighbour."""
    load(
        db,
        "households",
        world.household(
            national_id=ID, village="Thôn 3", members=4, ethnicity="Thái", causes="no_land",
            lon=105.05, lat=21.01, accuracy_m=8, phone="0912345678",
        ),
        world.household("H2", head_name="Người khác", status="near_poor"),
    )  # fmt: skip
    load(db, "households", world.household(head_name="Tên khác", national_id=OTHER))
    load(db, "surveys", world.survey(1, device_id="máy-7", photo="nhà-H1.jpg", note="gần suối"))
    load(db, "surveys", world.survey(2, lon=105.15, surveyed_at="2026-10-01T09:30:00+07:00"))
    load(db, "surveys", world.survey(1, lat=21.02))
    load(db, "surveys", world.survey(3, household_code="H2", lon=105.15))
    load(db, "sites", world.site(recorded_address="Thôn 3, Xã An Hoà", due_on="2026-12-01"))
    load(db, "sites", world.site(stage="started", stage_on="2026-04-01"))
    db.execute(text("UPDATE boundary SET geom = ST_Translate(geom, 0.001, 0)"))
    audit.run(db)
    return db


def correct(conn: Connection, field: str, value: object, **options: object) -> object:
    return correcting.correct(conn, H1, field, value, WHY, **options)


def stored_texts(conn: Connection) -> str:
    """All rows of all tables as PostgreSQL writes them, bytes as hex and as text."""
    found = MetaData()
    found.reflect(conn, resolve_fks=False)
    texts = []
    for table in found.sorted_tables:
        rows = conn.execute(select(cast(func.row_to_json(table.table_valued()), Text))).scalars()
        texts += [str(row) for row in rows]
    return "\n".join(texts)
