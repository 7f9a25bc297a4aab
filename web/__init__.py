"""Pages for people, built on api and geo."""
