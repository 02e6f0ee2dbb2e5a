"""From a hand-written nginx to an inventory: what of it an entry can say, and what not, told line by line."""
