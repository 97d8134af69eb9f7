"""Who may do what: tokens of units, accounts of people."""
