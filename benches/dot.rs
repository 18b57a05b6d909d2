//! Message bodies, beside the search for a stuffed line alone and a copy of the same bytes.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use memchr::memmem::Finder;
use pop3_benches::message;
use pop3_benches::work::{each_chunk, wire};
use pop3_proto::codec::{DotDecoder, DotEncoder, LineEnding};

const OCTETS: usize = 1 << 20;

fn unstuff(c: &mut Criterion) {
    let wire = wire(OCTETS);
    let mut group = c.benchmark_group("body, unstuffed");
    group.throughput(Throughput::Bytes(wire.len() as u64));
    group.bench_function("pop3-proto, borrowed", |b| {
        let mut decoder = DotDecoder::new(LineEnding::CrLf);
        b.iter(|| {
            each_chunk(&mut decoder, black_box(&wire), |chunk| {
                black_box(chunk);
            });
        });
    });
    group.bench_function("pop3-proto, borrowed, in reads of 1,460", |b| {
        let mut decoder = DotDecoder::new(LineEnding::CrLf);
        b.iter(|| {
            for read in black_box(&wire).chunks(1460) {
                each_chunk(&mut decoder, read, |chunk| {
                    black_box(chunk);
                });
            }
        });
    });
    group.bench_function("pop3-proto, into a Vec", |b| {
        let mut decoder = DotDecoder::new(LineEnding::CrLf);
        let mut message = Vec::with_capacity(wire.len());
        b.iter(|| {
            message.clear();
            each_chunk(&mut decoder, black_box(&wire), |chunk| message.extend_from_slice(chunk));
            black_box(message.len())
        });
    });
    group.bench_function("memmem (stuffed lines only)", |b| {
        let finder = Finder::new(b"\r\n.");
        b.iter(|| finder.find_iter(black_box(&wire)).count());
    });
    group.bench_function("memcpy", |b| {
        let mut message = Vec::with_capacity(wire.len());
        b.iter(|| {
            message.clear();
            message.extend_from_slice(black_box(&wire));
            black_box(message.len())
        });
    });
    group.finish();
}

fn stuff(c: &mut Criterion) {
    let (crlf, lf) = (message(OCTETS, "\r\n"), message(OCTETS, "\n"));
    let mut group = c.benchmark_group("body, stuffed");
    group.throughput(Throughput::Bytes(crlf.len() as u64));
    group.bench_function("pop3-proto, CR LF in the store, as slices", |b| {
        b.iter(|| DotEncoder::new().encode(black_box(&crlf)).map(<[u8]>::len).sum::<usize>());
    });
    let mut out = BytesMut::with_capacity(2 * crlf.len());
    for (name, text) in [("CR LF", &crlf), ("LF", &lf)] {
        group.bench_function(format!("pop3-proto, {name} in the store, into a buffer"), |b| {
            b.iter(|| {
                out.clear();
                DotEncoder::new().encode_into(black_box(text), &mut out);
                black_box(out.len())
            });
        });
    }
    group.bench_function("memcpy", |b| {
        b.iter(|| {
            out.clear();
            out.extend_from_slice(black_box(&crlf));
            black_box(out.len())
        });
    });
    group.finish();
}

criterion_group!(benches, unstuff, stuff);
criterion_main!(benches);
