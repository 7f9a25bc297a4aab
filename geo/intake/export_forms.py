"""What an export of the stored records holds, to compare rows with that come back from one."""

from sqlalchemy import select

from geo import paging, scope
from geo.export_columns import RECORDS, plain
from geo.intake.batches import Batch, prepare
from geo.intake.records import KEYS
from geo.intake.session import Intake, Key, one_of
from geo.tables import survey


def forms(intake: Intake, kind: str, batch: Batch) -> dict[Key, str]:
    """The fingerprints of the batch's exported records, as they would come in an export of now.

    Only of stored records that the sender sees; nothing for rows that are of no export.
    """
    if not any(batch.exported):
        return {}
    codes = [c for c, yes in zip(batch.column(KEYS[kind]), batch.exported, strict=True) if yes]
    of = RECORDS[kind]
    stored = [column for column in of.table.c if column.name not in ("geom", "cell")]
    among = survey.c.survey_id.in_(codes) if kind == "surveys" else of.key == one_of(codes)
    query = select(*stored, *paging.position(of.table)).where(
        scope.within(intake.conn, of.table), among, ~of.table.c.removed
    )
    # What the audit found is no content.
    columns = tuple(column for column in of.columns if column.name in query.selected_columns)
    rows = [
        {name: value for name, value in row._mapping.items() if value not in (None, "")}
        for row in intake.conn.execute(plain(columns, query))
    ]
    made = prepare(kind, list(enumerate(rows)))
    return {
        (
            str(rows[line].get("province_code", "")),
            str(rows[line].get("commune_code", "")),
            str(rows[line][KEYS[kind]]),
        ): made.hashes[i]
        for i, line in enumerate(made.lines)
    }
