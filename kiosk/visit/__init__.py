"""A visit, from the card going in to the card taken; and whether anybody is served now."""
