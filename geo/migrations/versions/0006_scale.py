"""what several servers need: numbers of areas and boundary versions in 64 bits, for Citus"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'

_COLUMNS = (
    ('area', 'area_id'),
    ('area_successor', 'old_area_id'),
    ('area_successor', 'new_area_id'),
    ('area_shape', 'area_id'),
    ('boundary', 'area_id'),
    ('boundary', 'version'),
    ('boundary_version', 'version'),
    ('household', 'recorded_area_id'),
)


def _become(before: sa.types.TypeEngine, after: sa.types.TypeEngine) -> None:
    for table, column in _COLUMNS:
        op.alter_column(table, column, existing_type=before, type_=after)


def upgrade() -> None:
    _become(sa.Integer(), sa.BigInteger())


def downgrade() -> None:
    _become(sa.BigInteger(), sa.Integer())
