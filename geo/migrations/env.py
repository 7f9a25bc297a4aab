"""Runs the migrations on the connection that `geo.schema` hands over."""

from alembic import context
from geoalchemy2 import alembic_helpers

from geo.all_tables import metadata

connection = context.config.attributes["connection"]


def include_object(
    item: object, name: str | None, type_: str, reflected: bool, compare_to: object
) -> bool:
    """Leave PostGIS's own tables alone."""
    if type_ == "table" and reflected and name == "spatial_ref_sys":
        return False
    return alembic_helpers.include_object(item, name, type_, reflected, compare_to)


context.configure(
    connection=connection,
    target_metadata=metadata,
    include_object=include_object,
    render_item=alembic_helpers.render_item,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
