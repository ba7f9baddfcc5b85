"""UDP: a receive queue with a limit, and a send that never waits for the other end."""
