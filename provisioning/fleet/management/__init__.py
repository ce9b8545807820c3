"""hawkBit's management interface (``/rest/v1``), for programs: software, sets, what terminals get and how it went."""
