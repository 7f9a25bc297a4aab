"""Is a point where its address says: the verdict, the rules' findings, and both made anew."""
