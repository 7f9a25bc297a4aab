"""Versions of figures: what names them, so that nobody is sent again what he has."""

from sqlalchemy import Connection, func, select, true

from geo import areas, boundaries, metrics, scope
from geo.areas import Area
from geo.counter_tables import commune_revision


def figures(conn: Connection, area: Area) -> str:
    """What names the figures of an area and of its children as the transaction sees them today.

    Another one as soon as any of them may have changed. Raises UsageError for an area that has
    ended.
    """
    within = areas.scope(area, commune_revision)
    own = scope.of(conn)
    seen = "whole"
    if not own.covers(area.province_code, area.commune_code):
        # What is hidden elsewhere depends on small numbers anywhere, and on what is one's own.
        within = true()
        seen = repr((own.figures_elsewhere, sorted(own.provinces), sorted(own.communes)))
    count, revisions = conn.execute(
        select(func.count(), func.sum(commune_revision.c.revision)).where(within)
    ).one()
    # With the version of the boundaries, so that a database made anew never repeats an old name.
    return f"{count} {revisions} {metrics.today()} {boundaries.version(conn)} {seen}"
