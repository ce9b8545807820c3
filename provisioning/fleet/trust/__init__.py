"""Whom a city's terminals believe after their enrolment: each list, signed by two people, vouches for the next."""
