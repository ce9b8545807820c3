"""``python -m offline_queue verify | statement DAY | audit FILE``."""

import sys

from kiosk.records.books import main

sys.exit(main())
