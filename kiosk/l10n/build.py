"""``python -m kiosk.l10n.build``: compile the Chinese catalog for the terminal's image."""

from kiosk.l10n.catalog import MO, compile_po

if __name__ == "__main__":
    MO.write_bytes(compile_po())
