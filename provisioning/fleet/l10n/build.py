"""``python -m provisioning.fleet.l10n.build``: compile the console's Chinese catalog."""

from provisioning.fleet.l10n.catalog import MO, compile_po

if __name__ == "__main__":
    MO.write_bytes(compile_po())
