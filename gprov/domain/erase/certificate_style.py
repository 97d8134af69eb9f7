"""Style sheet of the page of a certificate, for screen and A4 or Letter paper."""

from __future__ import annotations

STYLE = """
body { font: 10.5pt/1.4 "DejaVu Sans", "Liberation Sans", Arial, sans-serif; color: #111; max-width: 52rem;
  margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.6em; margin: 0 0 .4em; border-bottom: 3px solid #111; }
h2 { font-size: 1.15em; margin: 1.4em 0 .3em; break-after: avoid; }
h3 { font-size: 1em; margin: .9em 0 .2em; break-after: avoid; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .15em .6em .15em 0; border-bottom: 1px solid #ccc;
  overflow-wrap: anywhere; }
table:not(.grid) th { width: 16rem; font-weight: normal; color: #555; }
.grid th { border-bottom: 1px solid #555; font-weight: 600; white-space: nowrap; }
tr { break-inside: avoid; }
code, pre { font: 9pt "DejaVu Sans Mono", "Liberation Mono", monospace; overflow-wrap: anywhere;
  white-space: pre-wrap; }
pre { border: 1px solid #ccc; padding: .5em; }
.authority { border: 1px solid #555; padding: .5em .8em; }
.verdict { padding: .6em .8em; border: 2px solid; font-size: 1.1em; }
.erased { color: #14532d; }
.partial, .incomplete { color: #8a4b00; }
.failed { color: #9b1c1c; }
.check { break-inside: avoid; }
.blank td { height: 2.2em; border-bottom: 1px solid #111; }
@media print { body { margin: 0; max-width: none; font-size: 9.5pt; } @page { margin: 16mm; } }
"""
