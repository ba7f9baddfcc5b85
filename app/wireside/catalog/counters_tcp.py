"""The Tcp and TcpExt groups of SNMP counters, named exactly as `nstat` names them."""

from __future__ import annotations

from wireside.catalog.kinds import Counter

# fmt: off
INPUT, OUTPUT, TIMER = "net/ipv4/tcp_input.c", "net/ipv4/tcp_output.c", "net/ipv4/tcp_timer.c"
IPV4, TCP, MINISOCKS = "net/ipv4/tcp_ipv4.c", "net/ipv4/tcp.c", "net/ipv4/tcp_minisocks.c"


class Tcp:
    """Group Tcp of /proc/net/snmp (RFC 4022, with the deviations Linux has)."""

    ActiveOpens = Counter("TcpActiveOpens", "Connections this host tried to open with connect().", f"{OUTPUT} tcp_connect()")
    PassiveOpens = Counter("TcpPassiveOpens", "Connections that arrived at a listener and finished their handshake.", f"{MINISOCKS} tcp_create_openreq_child()")
    AttemptFails = Counter("TcpAttemptFails", "Handshakes that failed, on either side.", f"{TCP} tcp_done()")
    EstabResets = Counter("TcpEstabResets", "Established connections that ended without an orderly close, by a reset from either side.", f"{TCP} tcp_set_state()")
    CurrEstab = Counter("TcpCurrEstab", "Connections that are ESTABLISHED or CLOSE-WAIT right now; a gauge, so nstat leaves it out.", f"{TCP} tcp_set_state()")
    InSegs = Counter("TcpInSegs", "TCP packets handed to TCP by IP, bad ones included.", f"{IPV4} tcp_v4_rcv()")
    OutSegs = Counter("TcpOutSegs", "TCP segments sent; Linux includes retransmissions here.", f"{OUTPUT} __tcp_transmit_skb()")
    RetransSegs = Counter("TcpRetransSegs", "Segments sent again because they seemed lost, SYNs included.", f"{OUTPUT} __tcp_retransmit_skb()")
    InErrs = Counter("TcpInErrs", "TCP packets thrown away because they were malformed or damaged.", f"{IPV4} tcp_v4_rcv()")
    OutRsts = Counter("TcpOutRsts", "Resets sent.", f"{IPV4} tcp_v4_send_reset()")
    InCsumErrors = Counter("TcpInCsumErrors", "TCP packets whose checksum was wrong; they get no answer.", f"{IPV4} tcp_v4_rcv()")


class TcpExt:
    """Group TcpExt of /proc/net/netstat: what Linux counts beyond the MIB."""

    # The listener and the handshake
    SyncookiesSent = Counter("TcpExtSyncookiesSent", "SYN-ACKs sent with a cookie in place of a remembered request.", "net/ipv4/syncookies.c __cookie_v4_init_sequence()")
    SyncookiesRecv = Counter("TcpExtSyncookiesRecv", "Final ACKs that carried a valid SYN cookie.", "net/ipv4/syncookies.c cookie_v4_check()")
    SyncookiesFailed = Counter("TcpExtSyncookiesFailed", "ACKs to a listener that carried no valid SYN cookie.", "net/ipv4/syncookies.c cookie_v4_check()")
    EmbryonicRsts = Counter("TcpExtEmbryonicRsts", "Half-open connections (SYN-RECV) ended by a reset or a bad SYN.", f"{MINISOCKS} tcp_check_req()")
    ListenOverflows = Counter("TcpExtListenOverflows", "Times a listener's accept queue was full when a SYN or a final ACK came.", f"{INPUT} tcp_conn_request(), {IPV4} tcp_v4_syn_recv_sock()")
    ListenDrops = Counter("TcpExtListenDrops", "SYNs and final ACKs a listener dropped, for any reason; includes ListenOverflows.", "include/net/tcp.h tcp_listendrop()")
    TCPReqQFullDoCookies = Counter("TcpExtTCPReqQFullDoCookies", "SYNs that found the SYN queue full and were answered with a cookie.", f"{INPUT} tcp_syn_flood_action()")
    TCPReqQFullDrop = Counter("TcpExtTCPReqQFullDrop", "SYNs dropped because the SYN queue was full and cookies are off.", f"{INPUT} tcp_syn_flood_action()")
    TCPDeferAcceptDrop = Counter("TcpExtTCPDeferAcceptDrop", "Bare final ACKs ignored because the listener waits for data (TCP_DEFER_ACCEPT).", f"{MINISOCKS} tcp_check_req()")
    TCPMigrateReqSuccess = Counter("TcpExtTCPMigrateReqSuccess", "Half-open or unaccepted connections moved to another listener of the SO_REUSEPORT group.", "net/ipv4/inet_connection_sock.c inet_csk_listen_stop()")
    TCPMigrateReqFailure = Counter("TcpExtTCPMigrateReqFailure", "Connections that could not be moved when their listener closed.", "net/ipv4/inet_connection_sock.c inet_csk_listen_stop()")
    TCPSynRetrans = Counter("TcpExtTCPSynRetrans", "SYNs and SYN-ACKs sent again.", f"{OUTPUT} __tcp_retransmit_skb(), tcp_rtx_synack()")
    TSEcrRejected = Counter("TcpExtTSEcrRejected", "Final ACKs refused because they echo a timestamp this host never sent.", f"{MINISOCKS} tcp_check_req()", since="6.15")

    # TIME-WAIT
    TW = Counter("TcpExtTW", "Connections that entered TIME-WAIT (or the waiting form of FIN-WAIT-2) for more than 4 s.", "net/ipv4/inet_timewait_sock.c __inet_twsk_schedule()")
    TWRecycled = Counter("TcpExtTWRecycled", "TIME-WAIT entries taken over by a new outgoing connection.", "net/ipv4/inet_hashtables.c __inet_check_established()")
    TWKilled = Counter("TcpExtTWKilled", "Connections that entered TIME-WAIT for 4 s or less.", "net/ipv4/inet_timewait_sock.c __inet_twsk_schedule()")
    TCPTimeWaitOverflow = Counter("TcpExtTCPTimeWaitOverflow", "Connections that skipped TIME-WAIT because tcp_max_tw_buckets was reached.", f"{MINISOCKS} tcp_time_wait()")
    PAWSTimewait = Counter("TcpExtPAWSTimewait", "Packets for a TIME-WAIT entry whose timestamp was too old.", f"{MINISOCKS} tcp_timewait_state_process()", since="6.16")

    # Receiving: which path a segment took
    TCPHPHits = Counter("TcpExtTCPHPHits", "Data segments that took the fast path (header prediction).", f"{INPUT} tcp_rcv_established()")
    TCPPureAcks = Counter("TcpExtTCPPureAcks", "ACKs without data that took the slow path.", f"{INPUT} tcp_ack()")
    TCPHPAcks = Counter("TcpExtTCPHPAcks", "ACKs that took the fast path (header prediction).", f"{INPUT} tcp_ack()")
    TCPRcvCoalesce = Counter("TcpExtTCPRcvCoalesce", "Segments merged into the packet before them in the receive queue.", f"{INPUT} tcp_try_coalesce()")
    TCPBacklogCoalesce = Counter("TcpExtTCPBacklogCoalesce", "Segments merged into the packet before them in the socket backlog.", f"{IPV4} tcp_add_backlog()")
    TCPBacklogDrop = Counter("TcpExtTCPBacklogDrop", "Segments dropped because the socket was locked by its program and its backlog was full.", f"{IPV4} tcp_add_backlog()")
    PFMemallocDrop = Counter("TcpExtPFMemallocDrop", "Packets dropped because they used the kernel's last memory reserve.", "net/core/filter.c sk_filter_trim_cap()")
    TCPMinTTLDrop = Counter("TcpExtTCPMinTTLDrop", "Packets dropped because their TTL was below the socket's IP_MINTTL.", f"{IPV4} tcp_v4_rcv()")
    TCPOFOQueue = Counter("TcpExtTCPOFOQueue", "Segments kept in the out-of-order queue because something before them is missing.", f"{INPUT} tcp_data_queue_ofo()")
    TCPOFODrop = Counter("TcpExtTCPOFODrop", "Out-of-order segments dropped for lack of receive memory.", f"{INPUT} tcp_data_queue_ofo()")
    TCPOFOMerge = Counter("TcpExtTCPOFOMerge", "Segments in the out-of-order queue that repeated bytes already there.", f"{INPUT} tcp_data_queue_ofo()")
    BusyPollRxPackets = Counter("TcpExtBusyPollRxPackets", "Packets a program fetched by polling the NIC itself.", "net/core/dev.c busy_poll_stop()")

    # Receiving: memory and window
    PruneCalled = Counter("TcpExtPruneCalled", "Times a socket was over its receive buffer and tried to make room.", f"{INPUT} tcp_prune_queue()")
    RcvPruned = Counter("TcpExtRcvPruned", "Times a segment was refused because no room could be made in the receive buffer.", f"{INPUT} tcp_prune_queue()")
    OfoPruned = Counter("TcpExtOfoPruned", "Times the out-of-order queue was thrown away to free receive memory.", f"{INPUT} tcp_prune_ofo_queue()")
    TCPRcvCollapsed = Counter("TcpExtTCPRcvCollapsed", "Packets copied together in the receive queue to save memory.", f"{INPUT} tcp_collapse_one()")
    TCPRcvQDrop = Counter("TcpExtTCPRcvQDrop", "In-order segments dropped because the receive buffer was full.", f"{INPUT} tcp_data_queue()")
    TCPZeroWindowDrop = Counter("TcpExtTCPZeroWindowDrop", "Segments dropped because they came while the window was zero.", f"{INPUT} tcp_data_queue()")
    TCPFromZeroWindowAdv = Counter("TcpExtTCPFromZeroWindowAdv", "Times the advertised window opened again from zero.", f"{OUTPUT} tcp_select_window()")
    TCPToZeroWindowAdv = Counter("TcpExtTCPToZeroWindowAdv", "Times the advertised window went to zero.", f"{OUTPUT} tcp_select_window()")
    TCPWantZeroWindowAdv = Counter("TcpExtTCPWantZeroWindowAdv", "Times the window should have been zero but an earlier promise had to be kept.", f"{OUTPUT} tcp_select_window()")
    BeyondWindow = Counter("TcpExtBeyondWindow", "Segments that reached past the advertised window.", f"{INPUT} tcp_sequence(), tcp_data_queue()", since="6.17")
    TCPMemoryPressures = Counter("TcpExtTCPMemoryPressures", "Times TCP as a whole went over the middle value of tcp_mem.", f"{TCP} tcp_enter_memory_pressure()")
    TCPMemoryPressuresChrono = Counter("TcpExtTCPMemoryPressuresChrono", "Milliseconds TCP has spent under memory pressure.", f"{TCP} tcp_leave_memory_pressure()")

    # Receiving: checks
    PAWSActive = Counter("TcpExtPAWSActive", "Answers to our SYN refused because their timestamp was wrong.", f"{INPUT} tcp_rcv_synsent_state_process()")
    PAWSEstab = Counter("TcpExtPAWSEstab", "Segments refused because their timestamp was older than one seen before.", f"{INPUT} tcp_validate_incoming()")
    PAWSOldAck = Counter("TcpExtPAWSOldAck", "Late pure ACKs ignored because of their old timestamp.", f"{INPUT} tcp_validate_incoming()", since="6.14")
    TCPChallengeACK = Counter("TcpExtTCPChallengeACK", "ACKs sent to ask whether a suspicious RST, SYN or ACK was meant.", f"{INPUT} tcp_send_challenge_ack()")
    TCPSYNChallenge = Counter("TcpExtTCPSYNChallenge", "SYNs that came on an existing connection and were answered with a challenge ACK.", f"{INPUT} tcp_validate_incoming()")
    TCPACKSkippedSynRecv = Counter("TcpExtTCPACKSkippedSynRecv", "Answers withheld by the rate limit: a repeated SYN in SYN-RECV.", f"{INPUT} tcp_oow_rate_limited()")
    TCPACKSkippedPAWS = Counter("TcpExtTCPACKSkippedPAWS", "Answers withheld by the rate limit: a segment with an old timestamp.", f"{INPUT} tcp_oow_rate_limited()")
    TCPACKSkippedSeq = Counter("TcpExtTCPACKSkippedSeq", "Answers withheld by the rate limit: a segment outside the window, such as a window probe.", f"{INPUT} tcp_oow_rate_limited()")
    TCPACKSkippedFinWait2 = Counter("TcpExtTCPACKSkippedFinWait2", "Answers withheld by the rate limit: a segment for a waiting FIN-WAIT-2 entry.", f"{INPUT} tcp_oow_rate_limited()")
    TCPACKSkippedTimeWait = Counter("TcpExtTCPACKSkippedTimeWait", "Answers withheld by the rate limit: a segment for a TIME-WAIT entry.", f"{INPUT} tcp_oow_rate_limited()")
    TCPACKSkippedChallenge = Counter("TcpExtTCPACKSkippedChallenge", "Challenge ACKs withheld by the rate limit.", f"{INPUT} tcp_send_challenge_ack()")
    OutOfWindowIcmps = Counter("TcpExtOutOfWindowIcmps", "ICMP errors ignored because they quote a sequence number not in flight.", f"{IPV4} tcp_v4_err()")
    LockDroppedIcmps = Counter("TcpExtLockDroppedIcmps", "ICMP errors ignored because a program had the socket locked.", f"{IPV4} tcp_v4_err()")
    IPReversePathFilter = Counter("TcpExtIPReversePathFilter", "Packets dropped because answers to their source would leave by another device.", "net/ipv4/ip_input.c ip_rcv_finish_core()")

    # Acknowledging
    DelayedACKs = Counter("TcpExtDelayedACKs", "ACKs sent by the delayed-ACK timer.", f"{TIMER} tcp_delack_timer_handler()")
    DelayedACKLocked = Counter("TcpExtDelayedACKLocked", "Delayed ACKs put off further because a program had the socket locked.", f"{TIMER} tcp_delack_timer()")
    DelayedACKLost = Counter("TcpExtDelayedACKLost", "Segments that came twice, so an ACK was probably late or lost; ACKs become quick.", f"{INPUT} tcp_send_dupack()")
    TCPAckCompressed = Counter("TcpExtTCPAckCompressed", "Duplicate ACKs not sent because they were merged into one (SACK compression).", f"{INPUT} __tcp_ack_snd_check()")
    TCPDSACKOldSent = Counter("TcpExtTCPDSACKOldSent", "D-SACKs sent to report a segment that had already been acknowledged.", f"{INPUT} tcp_dsack_set()")
    TCPDSACKOfoSent = Counter("TcpExtTCPDSACKOfoSent", "D-SACKs sent to report a repeated out-of-order segment.", f"{INPUT} tcp_dsack_set()")

    # Sending
    TCPOrigDataSent = Counter("TcpExtTCPOrigDataSent", "Data segments sent for the first time.", f"{OUTPUT} tcp_event_new_data_sent()")
    TCPDelivered = Counter("TcpExtTCPDelivered", "Sent segments known to have arrived.", f"{INPUT} tcp_newly_delivered()")
    TCPDeliveredCE = Counter("TcpExtTCPDeliveredCE", "Sent segments that arrived with a congestion mark.", f"{INPUT} tcp_newly_delivered()")
    TCPAutoCorking = Counter("TcpExtTCPAutoCorking", "Small segments held back because an earlier one had not left the host yet.", f"{TCP} tcp_push()")
    TCPWinProbe = Counter("TcpExtTCPWinProbe", "Probes sent to ask whether a closed window has opened.", f"{OUTPUT} tcp_write_wakeup()")
    TCPKeepAlive = Counter("TcpExtTCPKeepAlive", "Keepalive probes sent.", f"{OUTPUT} tcp_write_wakeup()")
    TCPWqueueTooBig = Counter("TcpExtTCPWqueueTooBig", "Times a segment was not split because the send queue was far over its limit.", f"{OUTPUT} tcp_fragment()")

    # Losing and recovering
    TCPTimeouts = Counter("TcpExtTCPTimeouts", "Retransmission timeouts, of SYNs and SYN-ACKs too.", f"{TIMER} tcp_retransmit_timer()")
    TCPLossProbes = Counter("TcpExtTCPLossProbes", "Tail loss probes: the last segment sent again early to provoke an ACK.", f"{OUTPUT} tcp_send_loss_probe()")
    TCPLossProbeRecovery = Counter("TcpExtTCPLossProbeRecovery", "Losses that a tail loss probe repaired on its own.", f"{INPUT} tcp_process_tlp_ack()")
    TCPFastRetrans = Counter("TcpExtTCPFastRetrans", "Segments sent again without waiting for a timeout.", f"{OUTPUT} tcp_xmit_retransmit_queue()")
    TCPSlowStartRetrans = Counter("TcpExtTCPSlowStartRetrans", "Segments sent again after a timeout, in slow start.", f"{OUTPUT} tcp_xmit_retransmit_queue()")
    TCPLostRetransmit = Counter("TcpExtTCPLostRetransmit", "Retransmitted segments that were lost again.", f"{INPUT} tcp_mark_skb_lost()")
    TCPRetransFail = Counter("TcpExtTCPRetransFail", "Retransmissions that failed inside the host.", f"{OUTPUT} tcp_retransmit_skb()")
    TCPSpuriousRtxHostQueues = Counter("TcpExtTCPSpuriousRtxHostQueues", "Retransmissions skipped because the original had not left the host yet.", f"{OUTPUT} skb_still_in_host_queue()")
    TCPRenoRecovery = Counter("TcpExtTCPRenoRecovery", "Fast recoveries entered without SACK.", f"{INPUT} tcp_enter_recovery()")
    TCPSackRecovery = Counter("TcpExtTCPSackRecovery", "Fast recoveries entered with SACK.", f"{INPUT} tcp_enter_recovery()")
    TCPRenoRecoveryFail = Counter("TcpExtTCPRenoRecoveryFail", "Recoveries without SACK that ended in a timeout.", f"{TIMER} tcp_retransmit_timer()")
    TCPSackRecoveryFail = Counter("TcpExtTCPSackRecoveryFail", "Recoveries with SACK that ended in a timeout.", f"{TIMER} tcp_retransmit_timer()")
    TCPRenoFailures = Counter("TcpExtTCPRenoFailures", "Timeouts in the disorder state, without SACK.", f"{TIMER} tcp_retransmit_timer()")
    TCPSackFailures = Counter("TcpExtTCPSackFailures", "Timeouts in the disorder state, with SACK.", f"{TIMER} tcp_retransmit_timer()")
    TCPLossFailures = Counter("TcpExtTCPLossFailures", "Timeouts while already repairing a timeout.", f"{TIMER} tcp_retransmit_timer()")
    TCPSACKReneging = Counter("TcpExtTCPSACKReneging", "Receivers that took back bytes they had reported with SACK.", f"{INPUT} tcp_enter_loss()")
    TCPSACKReorder = Counter("TcpExtTCPSACKReorder", "Reorderings noticed by SACK.", f"{INPUT} tcp_check_sack_reordering()")
    TCPRenoReorder = Counter("TcpExtTCPRenoReorder", "Reorderings noticed without SACK.", f"{INPUT} tcp_check_reno_reordering()")
    TCPTSReorder = Counter("TcpExtTCPTSReorder", "Reorderings noticed by timestamps.", f"{INPUT} tcp_process_tlp_ack(), tcp_try_undo_partial()")
    TCPSACKDiscard = Counter("TcpExtTCPSACKDiscard", "SACK blocks ignored because they made no sense.", f"{INPUT} tcp_sacktag_write_queue()")
    TCPSackShifted = Counter("TcpExtTCPSackShifted", "SACKed bytes moved to the packet before them in the send queue.", f"{INPUT} tcp_shifted_skb()")
    TCPSackMerged = Counter("TcpExtTCPSackMerged", "SACKed packets merged whole into the packet before them.", f"{INPUT} tcp_shifted_skb()")
    TCPSackShiftFallback = Counter("TcpExtTCPSackShiftFallback", "SACKed packets that could not be merged.", f"{INPUT} tcp_shift_skb_data()")
    TCPDSACKRecv = Counter("TcpExtTCPDSACKRecv", "D-SACKs received: a segment we sent again had arrived already.", f"{INPUT} tcp_dsack_seen()")
    TCPDSACKOfoRecv = Counter("TcpExtTCPDSACKOfoRecv", "D-SACKs received for out-of-order segments.", f"{INPUT} tcp_check_dsack()")
    TCPDSACKRecvSegs = Counter("TcpExtTCPDSACKRecvSegs", "Segments that D-SACKs reported as received twice.", f"{INPUT} tcp_dsack_seen()")
    TCPDSACKIgnoredOld = Counter("TcpExtTCPDSACKIgnoredOld", "D-SACKs ignored because they speak of bytes long gone.", f"{INPUT} tcp_sacktag_write_queue()")
    TCPDSACKIgnoredNoUndo = Counter("TcpExtTCPDSACKIgnoredNoUndo", "D-SACKs ignored because nothing could be undone.", f"{INPUT} tcp_sacktag_write_queue()")
    TCPDSACKIgnoredDubious = Counter("TcpExtTCPDSACKIgnoredDubious", "D-SACKs ignored because they report more than was sent again.", f"{INPUT} tcp_sacktag_write_queue()")
    TCPFullUndo = Counter("TcpExtTCPFullUndo", "Slow-downs taken back after everything proved delivered.", f"{INPUT} tcp_try_undo_recovery()")
    TCPPartialUndo = Counter("TcpExtTCPPartialUndo", "Slow-downs taken back in the middle of a recovery.", f"{INPUT} tcp_try_undo_partial()")
    TCPDSACKUndo = Counter("TcpExtTCPDSACKUndo", "Slow-downs taken back because D-SACKs showed every retransmission was needless.", f"{INPUT} tcp_try_undo_dsack()")
    TCPLossUndo = Counter("TcpExtTCPLossUndo", "Slow-downs after a timeout taken back: the timeout was needless.", f"{INPUT} tcp_try_undo_loss()")
    TCPSpuriousRTOs = Counter("TcpExtTCPSpuriousRTOs", "Timeouts that F-RTO found to be needless.", f"{INPUT} tcp_try_undo_loss()")
    TcpTimeoutRehash = Counter("TcpExtTcpTimeoutRehash", "Times a timeout chose a new hash, hoping for another path through the network.", f"{TIMER} tcp_write_timeout()")
    TcpDuplicateDataRehash = Counter("TcpExtTcpDuplicateDataRehash", "Times repeated data made the receiver choose a new hash for its ACKs.", f"{INPUT} tcp_rcv_spurious_retrans()")

    # Congestion control
    TCPHystartTrainDetect = Counter("TcpExtTCPHystartTrainDetect", "Times HyStart ended slow start because ACKs came in a long train.", "net/ipv4/tcp_cubic.c hystart_update()")
    TCPHystartTrainCwnd = Counter("TcpExtTCPHystartTrainCwnd", "Sum of cwnd at those moments.", "net/ipv4/tcp_cubic.c hystart_update()")
    TCPHystartDelayDetect = Counter("TcpExtTCPHystartDelayDetect", "Times HyStart ended slow start because the round-trip time grew.", "net/ipv4/tcp_cubic.c hystart_update()")
    TCPHystartDelayCwnd = Counter("TcpExtTCPHystartDelayCwnd", "Sum of cwnd at the moments the round-trip time grew.", "net/ipv4/tcp_cubic.c hystart_update()")

    # Ending
    TCPAbortOnData = Counter("TcpExtTCPAbortOnData", "Connections reset because data came after close(), or by SO_LINGER with 0 s.", f"{INPUT} tcp_rcv_state_process(), {TCP} __tcp_close()")
    TCPAbortOnClose = Counter("TcpExtTCPAbortOnClose", "Connections reset because close() found unread data.", f"{TCP} __tcp_close()")
    TCPAbortOnMemory = Counter("TcpExtTCPAbortOnMemory", "Connections reset because there were too many orphans or too little memory.", f"{TCP} __tcp_close(), {TIMER} tcp_out_of_resources()")
    TCPAbortOnTimeout = Counter("TcpExtTCPAbortOnTimeout", "Connections given up because the peer did not answer in time.", f"{TIMER} tcp_write_err()")
    TCPAbortOnLinger = Counter("TcpExtTCPAbortOnLinger", "Connections dropped at FIN-WAIT-2 because of TCP_LINGER2 below zero.", f"{TCP} __tcp_close()")
    TCPAbortFailed = Counter("TcpExtTCPAbortFailed", "Resets that could not be sent.", f"{OUTPUT} tcp_send_active_reset()")
# fmt: on
