//! Does one piece of work so many times, for `benches/budget.py`: `work INDEX ROUNDS` prints its name, its units and what one round
//! allocates. Without arguments it prints the units of all.

use allocation_counter::measure;
use pop3_benches::work::ALL;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|word| word.parse().expect("INDEX ROUNDS")).collect();
    let [index, rounds] = numbers[..] else {
        return ALL.iter().for_each(|work| println!("{}", work.units));
    };
    let work = &ALL[index];
    let mut run = (work.prepare)();
    // Buffers grow in the first round.
    run();
    let counted = measure(&mut run);
    for _ in 0..rounds {
        run();
    }
    println!("{}\t{}", work.name, counted.count_total);
}
