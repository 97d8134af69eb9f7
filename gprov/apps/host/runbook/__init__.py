"""The operator's runbook: what each text that a unit can show means, and what to do. Its pages are in docs/runbook."""
