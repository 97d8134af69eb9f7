"""What people see of units: words, times, filters, charts. Pure."""
