"""What a request holds: arguments, bodies, pages, date ranges."""
