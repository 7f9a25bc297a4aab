"""Accounts: who may do what, where; how they sign in; who looked at what."""
