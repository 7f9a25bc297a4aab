"""OGC API: Features (with CRS and filters) and Tiles over the records, below /ogc."""
