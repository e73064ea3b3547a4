//! `proxymesh sandbox`

use clap::Args;
use proxymesh_sandbox::{Plan, cli};
use std::{process::ExitCode, time::Duration};

/// Run an emulation of the service, to try the commands without an account
#[derive(Args)]
#[command(after_help = "\
Prints \"listening on http://127.0.0.1:PORT\", and serves until SIGINT or SIGTERM.
The password is parent-password, or that of PROXYMESH_SANDBOX_PASSWORD.

  export PROXYMESH_BASE_URL=http://127.0.0.1:PORT
  export PROXYMESH_USERNAME=parent PROXYMESH_PASSWORD=parent-password")]
pub(crate) struct Sandbox {
    /// The address to listen on; other than loopback, it needs a password of your own
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The parent account's username
    #[arg(long, value_name = "NAME", default_value = "parent")]
    username: String,
    /// trial, 10, 20, 50 or 100; sets the limits on tokens, sub-accounts and proxies
    #[arg(long, default_value_t)]
    plan: Plan,
    /// Run the proxies as well, each on a free port
    #[arg(long)]
    proxies: bool,
    /// The monthly limit of the account; once it is reached, the proxies return 509
    #[arg(long, value_name = "GB", default_value_t = 0)]
    monthly_limit: u32,
    /// Close connections that have been idle for this long
    #[arg(long, value_name = "SECONDS")]
    keep_alive: Option<u64>,
    /// Also stop when stdin ends
    #[arg(long)]
    until_eof: bool,
}

impl Sandbox {
    pub(crate) fn run(self) -> ExitCode {
        let builder = proxymesh_sandbox::Sandbox::builder()
            .host(self.host)
            .port(self.port)
            .username(self.username)
            .plan(self.plan)
            .proxies(self.proxies)
            .monthly_limit(self.monthly_limit)
            .keep_alive(self.keep_alive.map(Duration::from_secs));
        ExitCode::from(cli::serve(builder, self.until_eof, "proxymesh sandbox"))
    }
}
