"""The IP layer on the way out: routes to a device, addresses a socket may have, and the ICMP errors that we send."""
