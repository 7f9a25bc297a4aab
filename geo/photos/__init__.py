"""Photos of visits and building stages: read, kept sealed, compared with each other."""
