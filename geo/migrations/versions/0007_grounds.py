"""what the rights of a session or token rest on, asked at every request"""

from pathlib import Path

from alembic import op

revision = '0007'
down_revision = '0006'

_SQL = Path(__file__).parents[2] / 'sql'


def upgrade() -> None:
    op.get_bind().exec_driver_sql((_SQL / 'account_grounds.sql').read_text('utf-8').replace('%', '%%'))


def downgrade() -> None:
    op.execute('DROP FUNCTION account_grounds')
