"""the audit: cases, decisions, revisits, samples, photos, known places, address fixes"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'

_SQL = Path(__file__).parents[2] / 'sql'


def upgrade() -> None:
    op.create_table('address_fix',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), server_default='', nullable=False),
    sa.Column('fix_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('example', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('households', sa.Integer(), server_default='0', nullable=False),
    sa.Column('fixed_by', sa.BigInteger(), nullable=True),
    sa.Column('fixed_by_name', sa.Text(), server_default='', nullable=False),
    sa.Column('fixed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('undone_by', sa.BigInteger(), nullable=True),
    sa.Column('undone_by_name', sa.Text(), server_default='', nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'fix_id', name=op.f('address_fix_pk'))
    )
    op.create_index('address_fix_key_ix', 'address_fix', ['key'], unique=False)
    op.create_table('audit_decision',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), server_default='', nullable=False),
    sa.Column('decision_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('batch', sa.UUID(as_uuid=False), nullable=True),
    sa.Column('decided_by', sa.BigInteger(), nullable=True),
    sa.Column('decided_by_name', sa.Text(), server_default='', nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint("decision IN ('confirmed', 'explained', 'repaired', 'revisit', 'reopened')", name=op.f('audit_decision_decision_ck')),
    sa.CheckConstraint("subject IN ('survey', 'site')", name=op.f('audit_decision_subject_ck')),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'decision_id', name=op.f('audit_decision_pk'))
    )
    op.create_index('audit_decision_subject_ix', 'audit_decision', ['province_code', 'commune_code', 'subject', 'subject_id'], unique=False)
    op.create_table('audit_due',
    sa.Column('due_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), server_default='', nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('due_id', 'province_code', 'commune_code', name=op.f('audit_due_pk'))
    )
    op.create_table('audit_item',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), server_default='', nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('case_key', sa.Text(), nullable=False),
    sa.Column('risk', sa.Float(), nullable=False),
    sa.Column('parts', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
    sa.Column('rules', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('counted', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('state', sa.Text(), server_default='open', nullable=False),
    sa.Column('household_code', sa.Text(), nullable=False),
    sa.Column('enumerator', sa.Text(), nullable=True),
    sa.Column('device_id', sa.Text(), nullable=True),
    sa.Column('happened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('distance_m', sa.Float(), nullable=True),
    sa.Column('demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint("state IN ('open', 'confirmed', 'explained', 'repaired', 'revisit')", name=op.f('audit_item_state_ck')),
    sa.CheckConstraint("subject IN ('survey', 'site')", name=op.f('audit_item_subject_ck')),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'subject', 'subject_id', name=op.f('audit_item_pk'))
    )
    op.create_index('audit_item_case_ix', 'audit_item', ['province_code', 'case_key'], unique=False)
    op.create_index('audit_item_demo_ix', 'audit_item', ['demo'], unique=False, postgresql_where=sa.text('demo'))
    op.create_index('audit_item_queue_ix', 'audit_item', ['state', 'risk'], unique=False)
    op.create_table('audit_sample',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), server_default='', nullable=False),
    sa.Column('sample_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('area_code', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('method', sa.Text(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('at_least', sa.Integer(), server_default='0', nullable=False),
    sa.Column('seed', sa.Text(), nullable=False),
    sa.Column('seed_basis', sa.Text(), nullable=False),
    sa.Column('frame_size', sa.Integer(), nullable=False),
    sa.Column('frame_sha256', sa.Text(), nullable=False),
    sa.Column('frame', sa.LargeBinary(), nullable=False),
    sa.Column('strata', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('drawn_by', sa.BigInteger(), nullable=True),
    sa.Column('drawn_by_name', sa.Text(), server_default='', nullable=False),
    sa.Column('drawn_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint("method IN ('random', 'stratified', 'weighted')", name=op.f('audit_sample_method_ck')),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'sample_id', name=op.f('audit_sample_pk')),
    sa.UniqueConstraint('province_code', 'commune_code', 'area_code', 'number', name=op.f('audit_sample_province_code_commune_code_area_code_number_uq'))
    )
    op.create_table('audit_sample_item',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), server_default='', nullable=False),
    sa.Column('sample_id', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.Text(), server_default='survey', nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('household_code', sa.Text(), nullable=False),
    sa.Column('stratum', sa.Text(), server_default='', nullable=False),
    sa.Column('inclusion', sa.Float(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('checked_by', sa.BigInteger(), nullable=True),
    sa.Column('checked_by_name', sa.Text(), server_default='', nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint("outcome IN ('match', 'mismatch', 'unreachable')", name=op.f('audit_sample_item_outcome_ck')),
    sa.CheckConstraint('inclusion > 0 AND inclusion <= 1', name=op.f('audit_sample_item_inclusion_ck')),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'sample_id', 'subject', 'subject_id', name=op.f('audit_sample_item_pk'))
    )
    op.create_index('audit_sample_item_sample_ix', 'audit_sample_item', ['sample_id'], unique=False)
    op.create_table('known_place',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), server_default='', nullable=False),
    sa.Column('place_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('lon', sa.Float(), nullable=False),
    sa.Column('lat', sa.Float(), nullable=False),
    sa.Column('radius_m', sa.Float(), server_default='50', nullable=False),
    sa.Column('source', sa.Text(), server_default='', nullable=False),
    sa.Column('demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint('radius_m > 0', name=op.f('known_place_radius_m_ck')),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'place_id', name=op.f('known_place_pk'))
    )
    op.create_table('photo',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), server_default='', nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('stage', sa.Text(), server_default='', nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('photo_id', sa.UUID(as_uuid=False), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('household_code', sa.Text(), nullable=False),
    sa.Column('file_name', sa.Text(), server_default='', nullable=False),
    sa.Column('hash', sa.BigInteger(), nullable=True),
    sa.Column('exif', sa.Text(), nullable=False),
    sa.Column('lon', sa.Float(), nullable=True),
    sa.Column('lat', sa.Float(), nullable=True),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('camera', sa.Text(), nullable=True),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('bytes', sa.Integer(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint("exif IN ('present', 'stripped', 'none')", name=op.f('photo_exif_ck')),
    sa.CheckConstraint("stage IN ('', 'proposed', 'verified', 'approved', 'started', 'foundation', 'frame', 'roof', 'completed', 'accepted', 'handed_over')", name=op.f('photo_stage_ck')),
    sa.CheckConstraint("subject IN ('survey', 'site')", name=op.f('photo_subject_ck')),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'subject', 'subject_id', 'stage', 'sha256', name=op.f('photo_pk'))
    )
    op.create_index('photo_id_ix', 'photo', ['photo_id'], unique=False)
    op.create_index('photo_household_ix', 'photo', ['province_code', 'commune_code', 'household_code'], unique=False)
    op.create_table('revisit',
    sa.Column('province_code', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), server_default='', nullable=False),
    sa.Column('revisit_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('household_code', sa.Text(), nullable=False),
    sa.Column('survey_id', sa.UUID(as_uuid=False), nullable=True),
    sa.Column('enumerator', sa.Text(), server_default='', nullable=False),
    sa.Column('sample_id', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('asked_by', sa.BigInteger(), nullable=True),
    sa.Column('asked_by_name', sa.Text(), server_default='', nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('withdrawn_by', sa.BigInteger(), nullable=True),
    sa.Column('withdrawn_by_name', sa.Text(), server_default='', nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.PrimaryKeyConstraint('province_code', 'commune_code', 'revisit_id', name=op.f('revisit_pk'))
    )
    op.create_index('revisit_household_ix', 'revisit', ['province_code', 'commune_code', 'household_code'], unique=False)
    op.add_column('finding', sa.Column('group_key', sa.Text(), nullable=True))
    op.add_column('finding', sa.Column('blameless', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('site_stage', sa.Column('lon', sa.Float(), nullable=True))
    op.add_column('site_stage', sa.Column('lat', sa.Float(), nullable=True))
    op.add_column('site_stage', sa.Column('accuracy_m', sa.Float(), nullable=True))
    op.add_column('survey', sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('site', sa.Column('as_sent', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column('survey', sa.Column('as_sent', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column('verdict_history', sa.Column('reason', sa.Text(), server_default='', nullable=False))
    op.execute((_SQL / 'audit_security.sql').read_text())
    op.execute((_SQL / 'sample_seed.sql').read_text())


def downgrade() -> None:
    op.drop_column('verdict_history', 'reason')
    op.drop_column('survey', 'as_sent')
    op.drop_column('site', 'as_sent')
    op.drop_column('survey', 'sent_at')
    op.drop_column('site_stage', 'accuracy_m')
    op.drop_column('site_stage', 'lat')
    op.drop_column('site_stage', 'lon')
    op.drop_column('finding', 'blameless')
    op.drop_column('finding', 'group_key')
    op.drop_index('revisit_household_ix', table_name='revisit')
    op.drop_table('revisit')
    op.drop_index('photo_id_ix', table_name='photo')
    op.drop_index('photo_household_ix', table_name='photo')
    op.drop_table('photo')
    op.drop_table('known_place')
    op.drop_index('audit_sample_item_sample_ix', table_name='audit_sample_item')
    op.drop_table('audit_sample_item')
    op.drop_table('audit_sample')
    op.execute('DROP FUNCTION audit_sample_seed')
    op.drop_index('audit_item_queue_ix', table_name='audit_item')
    op.drop_index('audit_item_demo_ix', table_name='audit_item', postgresql_where=sa.text('demo'))
    op.drop_index('audit_item_case_ix', table_name='audit_item')
    op.drop_table('audit_item')
    op.drop_table('audit_due')
    op.drop_index('audit_decision_subject_ix', table_name='audit_decision')
    op.drop_table('audit_decision')
    op.drop_index('address_fix_key_ix', table_name='address_fix')
    op.drop_table('address_fix')
