"""The audit: runs the rules, ranks the cases, and keeps what auditors decide."""
