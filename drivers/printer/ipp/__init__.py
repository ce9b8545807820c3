"""Page printers that speak IPP."""
