"""Network devices and their drivers: where frames leave the wire and where they go back to it.

A NIC has descriptor rings, interrupts and a NAPI poll (`nic`, `nic_rx`, `nic_tx`); a veth pair, a tun device and the
loopback hand over packets without any of these. Drivers know `core` and the entry of the receive path in `rx`; they know no
protocol and no socket.
"""
