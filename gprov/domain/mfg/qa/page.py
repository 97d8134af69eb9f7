"""The standard template of QA documents: one page for screen and paper (A4 or Letter), readable in black and white."""

from __future__ import annotations

from functools import cache

from gprov.domain.mfg.qa.template import QaTemplate, parse_template

STANDARD_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>QA of {{serial}}</title>
<style>
body { font: 10pt/1.35 "DejaVu Sans", "Liberation Sans", Arial, sans-serif; color: #000; background: #fff;
  max-width: 56rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5em; margin: 0 0 .2em; border-bottom: 3px solid #000; }
h2 { font-size: 1.1em; margin: 1.3em 0 .3em; break-after: avoid; }
.result { border: 2px solid #000; padding: .5em .8em; font-size: 1.1em; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .15em .6em .15em 0; border-bottom: 1px solid #999;
  overflow-wrap: anywhere; }
table.pairs th { width: 15rem; font-weight: normal; }
table.list th { border-bottom: 1px solid #000; }
.nowrap { white-space: nowrap; }
td.hash { font: 8pt "DejaVu Sans Mono", "Liberation Mono", monospace; }
tr { break-inside: avoid; }
p.none { margin: .2em 0; }
.exceeded { font-weight: bold; text-decoration: underline; }
.sign { break-inside: avoid; }
.sign th { width: 10rem; height: 2.6em; vertical-align: bottom; border-bottom: 1px solid #000; }
.sign td { border-bottom: 1px solid #000; }
.page { display: none; }
@media print {
  body { margin: 0; padding: 0; max-width: none; font-size: 9pt; }
  @page { margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; } }
  .sheet { display: table; width: 100%; }
  .page { display: table-header-group; break-inside: avoid; font-size: 8pt; text-align: right; }
  .content { display: table-row-group; }
}
</style>
</head>
<body>
<div class="sheet">
<div class="page">QA of {{serial}}, {{platform}}</div>
<div class="content">
<h1>QA of {{serial}}</h1>
<p class="result"><b>{{result}}</b></p>
<h2>Unit</h2>
{{identity}}
<h2>Provisioning</h2>
{{run}}
<h2>Hardware</h2>
{{hardware}}
<h2>Hardware specification</h2>
{{specification}}
<h2>Firmware</h2>
{{firmware}}
<h2>Disks</h2>
{{disks}}
<h2>Network interfaces</h2>
{{interfaces}}
<h2>Burn-in</h2>
{{burn_in}}
<h2>Files on RECOVERY</h2>
{{files}}
<h2>Steps</h2>
{{steps}}
<h2>Passwords</h2>
{{credentials}}
<section class="sign">
<h2>Release</h2>
<table>
<tr><th>Tested by</th><td></td><th>Released by</th><td></td></tr>
<tr><th>Date</th><td></td><th>Date</th><td></td></tr>
<tr><th>Signature</th><td></td><th>Signature</th><td></td></tr>
</table>
</section>
</div>
</div>
</body>
</html>
"""


@cache
def standard_template() -> QaTemplate:
    return parse_template("standard template", STANDARD_PAGE.encode())
