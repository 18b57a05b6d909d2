//! Whole sessions of both machines in memory.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pop3_benches::message;
use pop3_benches::pair::Pair;
use pop3_proto::client::requests;
use pop3_proto::codec::MessageNumber;

fn sessions(c: &mut Criterion) {
    let small = message(1600, "\n");
    let mut group = c.benchmark_group("session");
    group.throughput(Throughput::Elements(1));
    group.bench_function("greeting, USER, PASS, STAT, QUIT", |b| {
        b.iter(|| {
            let mut pair = Pair::new(&small, 20);
            pair.login();
            black_box(pair.run(requests::stat()));
            pair.run(requests::quit());
        });
    });
    group.bench_function("RETR of 1.6 kB", |b| {
        let mut pair = Pair::new(&small, 1);
        pair.login();
        b.iter(|| pair.retrieve(MessageNumber::FIRST));
    });
    group.finish();

    let large = message(5_000_000, "\n");
    let mut group = c.benchmark_group("session, large");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(large.len() as u64));
    group.bench_function("RETR of 5 MB", |b| {
        let mut pair = Pair::new(&large, 1);
        pair.login();
        b.iter(|| pair.retrieve(MessageNumber::FIRST));
    });
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("UIDL of 10,000", |b| {
        let mut pair = Pair::new(&small, 10_000);
        pair.login();
        b.iter(|| black_box(pair.run(requests::uidl())).len());
    });
    group.finish();
}

criterion_group!(benches, sessions);
criterion_main!(benches);
