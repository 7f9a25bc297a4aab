"""the pyramid of map tiles"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'

_SQL = Path(__file__).parents[2] / 'sql'


def upgrade() -> None:
    op.create_table('tile_square',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), nullable=False),
    sa.Column('layer', sa.Text(), nullable=False),
    sa.Column('level', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('square', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('class', sa.Text(), nullable=False),
    sa.Column('records', sa.Integer(), nullable=False),
    sa.Column('flagged', sa.Integer(), nullable=False),
    sa.Column('lon_sum', sa.Float(), nullable=False),
    sa.Column('lat_sum', sa.Float(), nullable=False),
    sa.CheckConstraint("layer IN ('surveys', 'households', 'sites', 'findings')", name=op.f('tile_square_layer_ck')),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'layer', 'level', 'square', 'class', name=op.f('tile_square_pk')),
    postgresql_with={'fillfactor': 80}
    )
    op.create_index('tile_square_ix', 'tile_square', ['layer', 'level', 'square'], unique=False)
    op.create_table('tile_day',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), nullable=False),
    sa.Column('square', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('scale', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('block', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('inside', sa.Integer(), nullable=False),
    sa.Column('uncertain', sa.Integer(), nullable=False),
    sa.Column('outside', sa.Integer(), nullable=False),
    sa.Column('unlocated', sa.Integer(), nullable=False),
    sa.Column('inside_flagged', sa.Integer(), nullable=False),
    sa.Column('uncertain_flagged', sa.Integer(), nullable=False),
    sa.Column('outside_flagged', sa.Integer(), nullable=False),
    sa.Column('unlocated_flagged', sa.Integer(), nullable=False),
    sa.Column('lon_sum', sa.Float(), nullable=False),
    sa.Column('lat_sum', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'square', 'scale', 'block', name=op.f('tile_day_pk')),
    postgresql_with={'fillfactor': 80}
    )
    op.create_index('tile_day_ix', 'tile_day', ['scale', 'block', 'square'], unique=False)
    op.create_table('tile_choice',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), nullable=False),
    sa.Column('layer', sa.Text(), nullable=False),
    sa.Column('scale', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('block', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('square', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('class', sa.Text(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('records', sa.Integer(), nullable=False),
    sa.Column('flagged', sa.Integer(), nullable=False),
    sa.Column('held', sa.Integer(), nullable=False),
    sa.Column('lon_sum', sa.Float(), nullable=False),
    sa.Column('lat_sum', sa.Float(), nullable=False),
    sa.CheckConstraint("layer IN ('households', 'sites', 'survey_findings', 'site_findings')", name=op.f('tile_choice_layer_ck')),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'layer', 'scale', 'block', 'square', 'rule', 'class', 'verdict', 'state', name=op.f('tile_choice_pk')),
    postgresql_with={'fillfactor': 80}
    )
    op.create_index('tile_choice_ix', 'tile_choice', ['layer', 'scale', 'block', 'square', 'rule'], unique=False)
    op.add_column('finding', sa.Column('cell', sa.BigInteger(), nullable=True))
    op.create_index('finding_cell_ix', 'finding', ['cell'], unique=False, postgresql_include=['province_code', 'commune_code', 'subject', 'subject_id', 'rule', 'severity', 'state', 'blameless'], postgresql_where=sa.text('cell IS NOT NULL'))
    op.add_column('commune_counter', sa.Column('last_survey', sa.DateTime(timezone=True), nullable=True))
    op.execute((_SQL / 'tile_security.sql').read_text())


def downgrade() -> None:
    op.drop_index('finding_cell_ix', table_name='finding')
    op.drop_column('finding', 'cell')
    op.drop_column('commune_counter', 'last_survey')
    op.drop_index('tile_choice_ix', table_name='tile_choice')
    op.drop_table('tile_choice')
    op.drop_index('tile_day_ix', table_name='tile_day')
    op.drop_table('tile_day')
    op.drop_index('tile_square_ix', table_name='tile_square')
    op.drop_table('tile_square')
