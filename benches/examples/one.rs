//! Runs one workload once: `one NUMBER SIZE`; for profilers.
fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse().expect("a number"));
    let (number, size) = (args.next().unwrap_or(2), args.next().unwrap_or(10_000));
    println!("{}", quorumscope_benches::workloads::run(number, size));
}
