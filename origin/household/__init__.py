"""Households: for whom a person books besides themselves."""
