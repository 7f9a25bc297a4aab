"""a narrow table of the communes' revisions: to add them up, at every look, reads a tenth"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'

_SQL = Path(__file__).parents[2] / 'sql'


def upgrade() -> None:
    op.create_table('commune_revision',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), nullable=False),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', name=op.f('commune_revision_pk')),
    postgresql_with={'fillfactor': '50'}
    )
    op.execute((_SQL / 'revision_security.sql').read_text('utf-8'))


def downgrade() -> None:
    op.drop_table('commune_revision')
