"""Collections of features as the OGC's standards ask for them: what they hold, how it is found."""
