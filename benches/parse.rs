//! Command lines and listing lines, beside other parsers and the search for the line end alone.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use memchr::memchr;
use pop3_benches::work::each_line;
use pop3_benches::{COMMAND_COUNT, COMMANDS, scan_listing, unique_id_listing};
use pop3_proto::codec::{Command, LineEnding, LineEndingPolicy, ScanListing, UniqueIdListing};
use sawp::parser::{Direction, Parse};

fn each_line_end(mut input: &[u8]) {
    while let Some(at) = memchr(b'\n', input) {
        black_box(at);
        input = &input[at + 1..];
    }
}

fn commands(c: &mut Criterion) {
    let mut group = c.benchmark_group("commands");
    group.throughput(Throughput::Elements(COMMAND_COUNT));
    group.bench_function("pop3-proto", |b| {
        b.iter(|| {
            each_line(LineEndingPolicy::Either, black_box(COMMANDS), |line| {
                let _ = black_box(Command::parse(line));
            });
        });
    });
    group.bench_function("pop3-codec", |b| {
        b.iter(|| {
            let mut input = black_box(COMMANDS);
            while let Ok((rest, command)) = pop3_codec::parse::command(input) {
                black_box(command);
                input = rest;
            }
        });
    });
    group.bench_function("sawp-pop3", |b| {
        let parser = sawp_pop3::POP3 {};
        b.iter(|| {
            let mut input = black_box(COMMANDS);
            while let Ok((rest, Some(command))) = parser.parse(input, Direction::ToServer) {
                black_box(command);
                if rest.is_empty() {
                    break;
                }
                input = rest;
            }
        });
    });
    group.bench_function("httparse (request line)", |b| {
        b.iter(|| {
            for _ in 0..COMMAND_COUNT {
                let mut headers = [httparse::EMPTY_HEADER; 1];
                let _ = black_box(httparse::Request::new(&mut headers).parse(black_box(b"GET /mail/12345 HTTP/1.1\r\n\r\n")));
            }
        });
    });
    group.bench_function("memchr (line ends only)", |b| b.iter(|| each_line_end(black_box(COMMANDS))));
    group.finish();
}

/// Each command by itself, its line end found, too.
fn each_command(c: &mut Criterion) {
    let mut group = c.benchmark_group("commands, one by one");
    group.throughput(Throughput::Elements(64));
    each_line(LineEndingPolicy::Either, COMMANDS, |line| {
        let text = [line, b"\r\n"].concat().repeat(64);
        group.bench_function(format!("pop3-proto, {}", String::from_utf8_lossy(line)), |b| {
            b.iter(|| {
                each_line(LineEndingPolicy::Either, black_box(&text), |line| {
                    let _ = black_box(Command::parse(line));
                });
            });
        });
    });
    group.finish();
}

fn listings(c: &mut Criterion) {
    const ENTRIES: u32 = 10_000;
    const CRLF: LineEndingPolicy = LineEndingPolicy::Fixed(LineEnding::CrLf);
    let (list, uidl) = (scan_listing(ENTRIES), unique_id_listing(ENTRIES));

    let mut group = c.benchmark_group("LIST lines");
    group.throughput(Throughput::Elements(ENTRIES.into()));
    group.bench_function("pop3-proto", |b| {
        b.iter(|| {
            each_line(CRLF, black_box(&list), |line| {
                let _ = black_box(ScanListing::parse(line));
            });
        });
    });
    let whole = [&b"+OK\r\n"[..], &list, b".\r\n"].concat();
    group.bench_function("pop3-codec", |b| b.iter(|| black_box(pop3_codec::parse::response_list_all(black_box(&whole)).is_ok())));
    group.bench_function("memchr (line ends only)", |b| b.iter(|| each_line_end(black_box(&list))));
    group.finish();

    let mut group = c.benchmark_group("UIDL lines");
    group.throughput(Throughput::Elements(ENTRIES.into()));
    group.bench_function("pop3-proto", |b| {
        b.iter(|| {
            each_line(CRLF, black_box(&uidl), |line| {
                let _ = black_box(UniqueIdListing::parse(line));
            });
        });
    });
    let whole = [&b"+OK\r\n"[..], &uidl, b".\r\n"].concat();
    group.bench_function("pop3-codec", |b| b.iter(|| black_box(pop3_codec::parse::response_uidl_all(black_box(&whole)).is_ok())));
    group.bench_function("memchr (line ends only)", |b| b.iter(|| each_line_end(black_box(&uidl))));
    group.finish();
}

criterion_group!(benches, commands, each_command, listings);
criterion_main!(benches);
