"""display shapes of areas in several resolutions"""

from pathlib import Path

import geoalchemy2
import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'

_SQL = Path(__file__).parents[2] / 'sql'


def upgrade() -> None:
    op.create_table('area_shape',
    sa.Column('area_id', sa.Integer(), nullable=False),
    sa.Column('resolution', sa.SmallInteger(), nullable=False),
    sa.Column('geom', geoalchemy2.types.Geometry(geometry_type='MULTIPOLYGON', srid=4326, spatial_index=False), nullable=False),
    sa.Column('label', geoalchemy2.types.Geometry(geometry_type='POINT', srid=4326, spatial_index=False), nullable=False),
    sa.Column('cell', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['area_id'], ['area.area_id'], name=op.f('area_shape_area_id_fk')),
    sa.PrimaryKeyConstraint('area_id', 'resolution', name=op.f('area_shape_pk'))
    )
    op.create_index('area_shape_geom_ix', 'area_shape', ['geom'], unique=False, postgresql_using='gist')
    op.create_index('area_shape_cell_ix', 'area_shape', ['resolution', 'cell'], unique=False)
    # Drawn anew from the boundaries at the next start (geo.boundaries.ensure).
    op.drop_index('boundary_display_ix', table_name='boundary')
    op.drop_column('boundary', 'display')
    op.create_index('boundary_geom_ix', 'boundary', ['geom'], unique=False, postgresql_using='gist', postgresql_where=sa.text('superseded_at IS NULL'))
    op.execute((_SQL / 'shape_rights.sql').read_text())


def downgrade() -> None:
    op.drop_index('boundary_geom_ix', table_name='boundary')
    op.add_column('boundary', sa.Column('display', geoalchemy2.types.Geometry(geometry_type='MULTIPOLYGON', srid=4326, spatial_index=False), nullable=True))
    op.execute('UPDATE boundary SET display = geom')
    op.alter_column('boundary', 'display', nullable=False)
    op.create_index('boundary_display_ix', 'boundary', ['display'], unique=False, postgresql_using='gist')
    op.drop_table('area_shape')
