"""Tables of counts per commune, kept with every write; see geo.metrics."""

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, Table, Text

from geo.tables import KINDS, STAGES, metadata

commune_counter = Table(
    "commune_counter",
    metadata,
    Column("province_code", Text, primary_key=True),
    Column("commune_code", Text, primary_key=True),
    Column("households", Integer, nullable=False, server_default="0"),
    Column("poor", Integer, nullable=False, server_default="0"),
    Column("near_poor", Integer, nullable=False, server_default="0"),
    Column("rated", Integer, nullable=False, server_default="0"),
    Column("surveyed", Integer, nullable=False, server_default="0"),
    Column("verified", Integer, nullable=False, server_default="0"),
    Column("poor_surveyed", Integer, nullable=False, server_default="0"),
    Column("surveys", Integer, nullable=False, server_default="0"),
    Column("inside", Integer, nullable=False, server_default="0"),
    Column("uncertain", Integer, nullable=False, server_default="0"),
    Column("outside", Integer, nullable=False, server_default="0"),
    Column("unlocated", Integer, nullable=False, server_default="0"),
    Column("last_survey", DateTime(timezone=True)),
    # The later of that and of the last stage of a site.
    Column("last_activity", DateTime(timezone=True)),
    *(
        Column(f"{kind}_{stage}", Integer, nullable=False, server_default="0")
        for kind in KINDS
        for stage in STAGES
    ),
    Column("cost_planned", BigInteger, nullable=False, server_default="0"),
    Column("cost_paid", BigInteger, nullable=False, server_default="0"),
)

commune_revision = Table(
    "commune_revision",
    metadata,
    Column("province_code", Text, primary_key=True),
    Column("commune_code", Text, primary_key=True),
    # Grows with every change of what figures and tiles of the commune show; its row is the lock
    # of all who count the commune.
    Column("revision", BigInteger, nullable=False),
    # Rows are renewed where they stand, and all of them are read at every look.
    postgresql_with={"fillfactor": "50"},
)

site_due = Table(
    "site_due",
    metadata,
    Column("province_code", Text, primary_key=True),
    Column("commune_code", Text, primary_key=True),
    Column("due_on", Date, primary_key=True),
    Column("unfinished", Integer, nullable=False),
)
