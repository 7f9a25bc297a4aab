"""A small world to draw verification samples in, and what a request does when it draws."""

from sqlalchemy import Connection

from geo import areas, trail
from geo.areas import Area
from geo.audit import samples
from geo.audit.actors import By
from geo.audit.sampling import Plan
from geo.paging import Record
from geo.trail import Entry
from tests import records_world as world

LAN = By(7, "Lan")
RANDOM = Plan("random", 6)


def build(conn: Connection) -> Connection:
    """Twenty surveys of three enumerators in 00101, five of one in 00102, three in province 02."""
    world.build(conn)
    for n in range(20):
        code = world.add_household(conn, village=f"Thôn {n % 3}")
        world.add_survey(conn, code, enumerator=("Lan", "Minh", "Minh", "Nga")[n % 4])
    for _ in range(5):
        world.add_survey(conn, world.add_household(conn, "00102"), "00102", enumerator="Oanh")
    for _ in range(3):
        world.add_survey(conn, world.add_household(conn, "00201"), "00201", enumerator="Phú")
    enter(conn, "something before")
    return conn


def enter(conn: Connection, reason: str, sample: Record | None = None) -> None:
    """An entry of the log, such as a request leaves that draws."""
    about = {"subject": "sample", "subject_id": str(sample["sample_id"])} if sample else {}
    trail.append(conn, Entry("session", "audit.decide", reason=reason, **about))


def drawn(conn: Connection, code: str = "00101", plan: Plan = RANDOM) -> Record:
    """A draw with its entry."""
    made = samples.draw(conn, area(conn, code), plan, LAN)
    enter(conn, "drawn", made)
    return made


def area(conn: Connection, code: str) -> Area:
    return areas.get(conn, code)


def key_of(item: Record) -> tuple[str, str, str]:
    return item["province_code"], item["commune_code"], item["subject_id"]
