"""Static pages for the fleet and for each school, from what `status` and `verify` found."""
