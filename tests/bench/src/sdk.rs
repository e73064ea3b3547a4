//! The SDK in Rust with its blocking client, with which the other languages are compared. Uses as much of the protocol of
//! `worker.py` as `languages.py` needs.

use proxymesh::{Settings, blocking::Client};
use std::{
    collections::{HashMap, hash_map::Entry},
    error::Error,
    hint::black_box,
    io::{self, BufRead as _, Write as _},
    time::Instant,
};

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let mut clients = HashMap::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let ["sequential", base_url, "1", calls] = *line.split(' ').collect::<Vec<_>>() else {
            return Err("not sequential BASE_URL 1 CALLS".into());
        };
        let client = match clients.entry(base_url.to_owned()) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(none) => {
                let settings = Settings::new().username("user").password("pass").base_url(base_url);
                none.insert(Client::new(settings)?)
            }
        };
        let mut each = Vec::new();
        for _ in 0..calls.parse::<usize>()? {
            let start = Instant::now();
            let account = client.sub_accounts().get("x")?;
            black_box((account.username.len(), account.active, account.monthly_bandwidth));
            each.push(start.elapsed());
        }
        each.sort_unstable();
        let median = each.get(each.len() / 2).ok_or("no calls")?;
        writeln!(io::stdout(), r#"{{"p50_us": {}}}"#, median.as_secs_f64() * 1e6)?;
    }
    Ok(())
}
