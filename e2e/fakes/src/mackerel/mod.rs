//! A fake Mackerel: the API of mackerel.io over a ground truth of hosts, roles, monitors and checks.
