#!/usr/bin/env python3
"""Which test runs over which driver: prints the matrix, and fails on a hole that has no reason here."""
import pathlib, re, sys

root = pathlib.Path(__file__).resolve().parent
DRIVERS = ["pop3-tokio", "pop3-blocking", "pop3-async-std"]
REASONS = {
    ("dropped_futures_leave_a_session_consistent_or_dead", "pop3-blocking"): "nothing can be dropped in its middle",
    ("a_flush_that_was_cancelled_is_made_up_for", "pop3-blocking"): "nothing can be cancelled",
    ("a_flush_that_was_cancelled_is_made_up_for", "pop3-async-std"): "no paused clock; dropped futures show it",
    ("a_flush_that_fails_sends_no_command_twice", "pop3-tokio"): "an interrupted flush is the operating system's; dropped futures show it",
    ("a_flush_that_fails_sends_no_command_twice", "pop3-async-std"): "an interrupted flush is the operating system's; dropped futures show it",
    ("h40_replies_to_guesses_are_delayed_and_delay_no_other_session", "pop3-blocking"): "no paused clock; that it waits shows in the test of who holds up nobody",
    ("h40_replies_to_guesses_are_delayed_and_delay_no_other_session", "pop3-async-std"): "no paused clock; that it waits shows in the test of who holds up nobody",
    ("a_session_without_pauses_leaves_threads_to_others", "pop3-blocking"): "each session has a thread of its own",
    ("a_session_without_pauses_leaves_threads_to_others", "pop3-async-std"): "its pool cannot be made small",
    ("h36_a_message_that_is_read_too_slowly_ends_the_session", "pop3-blocking"): "no paused clock; crates/pop3-driver/tests/server.rs shows it",
    ("h36_a_message_that_is_read_too_slowly_ends_the_session", "pop3-async-std"): "no paused clock; crates/pop3-driver/tests/server.rs shows it",
    ("h35_a_refused_login_and_no_pause_after_it_give_no_more_time", "pop3-blocking"): "every read there may wait, so none is done without the deadline",
    ("h35_a_refused_login_and_no_pause_after_it_give_no_more_time", "pop3-async-std"): "no paused clock; crates/pop3-driver/tests/server.rs shows it",
    ("a_pipelined_session_is_answered_in_order_by_a_store_that_waits", "pop3-blocking"): "it serves blocking stores only",
    ("a_pipelined_session_is_answered_in_order_by_a_store_that_waits", "pop3-async-std"): "crates/pop3-futures/tests/async_store.rs shows an async store on smol",
    ("a_store_denies_a_login_with_a_code_and_a_text_of_its_own", "pop3-blocking"): "it serves blocking stores only",
    ("a_store_denies_a_login_with_a_code_and_a_text_of_its_own", "pop3-async-std"): "crates/pop3-futures/tests/async_store.rs shows an async store on smol",
    ("four_hundred_logins_that_wait_hold_no_threads", "pop3-blocking"): "it serves blocking stores only",
    ("four_hundred_logins_that_wait_hold_no_threads", "pop3-async-std"): "crates/pop3-futures/tests/async_store.rs shows an async store on smol",
    ("h35_a_login_that_a_store_never_answers_ends_with_the_login_deadline", "pop3-blocking"): "it serves blocking stores only",
    ("h35_a_login_that_a_store_never_answers_ends_with_the_login_deadline", "pop3-async-std"): "crates/pop3-futures/tests/async_store.rs shows an async store on smol",
    ("the_future_of_a_session_is_small", "pop3-blocking"): "its sessions are threads",
    ("the_future_of_a_session_is_small", "pop3-async-std"): "the same methods make the future; tokio's test shows its size",
    ("a_call_that_waits_is_ended_from_another_thread", "pop3-tokio"): "a future that is dropped ends a call",
    ("a_call_that_waits_is_ended_from_another_thread", "pop3-async-std"): "a future that is dropped ends a call",
    ("a_stream_that_does_not_block_is_reported_as_such", "pop3-tokio"): "its streams do not block",
    ("a_stream_that_does_not_block_is_reported_as_such", "pop3-async-std"): "its streams do not block",
}

tests = {}
for driver in DRIVERS:
    for path in sorted((root / driver / "tests").glob("*.rs")):
        for name in re.findall(r"#\[\w*(?:::)?test[^\n]*\]\n(?:async )?fn (\w+)", path.read_text()):
            tests.setdefault((path.stem, name), set()).add(driver)
holes = []
for (file, name), drivers in sorted(tests.items()):
    marks = []
    for driver in DRIVERS:
        if driver in drivers:
            marks.append("yes")
        elif (name, driver) in REASONS:
            marks.append("-")
        else:
            marks.append("HOLE")
            holes.append(f"{name} is missing in {driver}")
    print(f"{file + ' ' + name:<100} {' '.join(f'{mark:<5}' for mark in marks)}")
print(f"{len(tests)} tests; columns: {', '.join(DRIVERS)}; -: a reason is in {pathlib.Path(__file__).name}")
if holes:
    sys.exit("\n".join(holes))
