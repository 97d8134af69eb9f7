"""Packets of Crystalfontz displays CFA-631 and CFA-635 (data sheets, "Host Communications"): codec without policy."""
