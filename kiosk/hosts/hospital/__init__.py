"""The hospital whose lobby this is: bills and their claims, payment notices, deposits, the debt register."""
