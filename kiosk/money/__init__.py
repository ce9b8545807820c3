"""Steps that move money, each with its commits in the order of the money rules. Services compose them."""
