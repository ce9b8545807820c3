"""A terminal becomes known, keeps its certificate, and loses it: docs/fleet.md, \"Enrolment\"."""
