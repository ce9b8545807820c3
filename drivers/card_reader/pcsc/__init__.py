"""A social security card in any PC/SC reader."""
