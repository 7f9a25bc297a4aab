"""All tables in one metadata: whoever imports this has every module of tables loaded."""

from geo import account_tables, audit_tables, counter_tables, shape_tables, tile_tables
from geo.tables import metadata

__all__ = [
    "account_tables",
    "audit_tables",
    "counter_tables",
    "metadata",
    "shape_tables",
    "tile_tables",
]
