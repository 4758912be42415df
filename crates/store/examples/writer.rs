//! Measures the writer: rows a second in large commits, and single-row commits a second from one and
//! from many callers. Run with `cargo run --release -p allclear-store --example writer --features testing`.

use std::time::{Duration, Instant};

use allclear_store::{Db, Kind, Migration, OpenOptions, Table, Val, Write};

static MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "log",
    sql: "create table log (seq {SEQ}, stream text not null, version bigint not null, at bigint not null, body text not null, unique (stream, version));",
    sqlite: "",
    postgres: "",
}];
static LOG: Table = Table {
    name: "log",
    columns: &[("stream", Kind::Text), ("version", Kind::Int), ("at", Kind::Int), ("body", Kind::Text)],
    key: &["stream", "version"],
};
/// How long each measurement runs.
const LENGTH: Duration = Duration::from_secs(4);

fn row(stream: String, version: i64) -> Write {
    let body = r#"{"kind":"opened","labels":{"severity":"critical","service":"checkout"},"title":"latency above 2 s"}"#;
    Write::Insert { table: &LOG, row: vec![Val::Text(stream), version.into(), 1_700_000_000_000_000_i64.into(), body.into()] }
}

#[allow(clippy::disallowed_methods)] // A measurement needs the time.
async fn measure(db: &Db, label: &str, callers: usize, rows: i64) {
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (db, label) = (db.clone(), label.to_owned());
            tokio::spawn(async move {
                let (mut version, mut worst) = (0, Duration::ZERO);
                while began.elapsed() < LENGTH {
                    let asked = Instant::now();
                    let writes = (0..rows).map(|offset| row(format!("{label}-{caller}"), version + offset)).collect();
                    db.commit(writes).await.expect("the measurement's own rows do not collide");
                    version += rows;
                    worst = worst.max(asked.elapsed());
                }
                (version, worst)
            })
        })
        .collect();
    let (mut total, mut worst) = (0, Duration::ZERO);
    for task in tasks {
        let (done, slowest) = task.await.expect("a caller does not panic");
        total += done;
        worst = worst.max(slowest);
    }
    let rate = total as f64 / began.elapsed().as_secs_f64();
    println!(
        "{label:<10} {callers:>5} callers × {rows:>5} rows a commit: {rate:>9.0} rows/s, {:>9.0} commits/s, slowest {worst:.1?}",
        rate / rows as f64
    );
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let dir = tempfile::tempdir_in(".").expect("the working folder can be written");
    let options = || OpenOptions::new(MIGRATIONS, &[]);
    let mut all = vec![("sqlite", format!("sqlite:{}", dir.path().join("bench.db").display()))];
    match allclear_store::testing::fresh_database().await {
        Ok(url) => all.push(("postgres", url)),
        Err(why) => println!("no PostgreSQL: {why}"),
    }
    for (label, url) in all {
        let db = Db::open(&url, options()).await.expect("the database opens");
        for (callers, rows) in [(1, 1), (64, 1), (512, 1), (1, 1000), (4, 5000)] {
            measure(&db, &format!("{label}{callers}x{rows}"), callers, rows).await;
        }
        db.close().await;
    }
}
