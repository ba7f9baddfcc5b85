"""How fast Wireside is: `make bench` measures and prints it; nothing here is a timed test."""
