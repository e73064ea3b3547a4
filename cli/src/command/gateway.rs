//! `proxymesh gateway`

use crate::{
    context::Context,
    failure::{Failure, Status},
    output::{Column, Output, Record, column},
    signals::catch_signals,
    terminal,
};
use clap::Args;
use proxymesh_gateway::{Access, Error, Options, Policy, PortPolicy, blocking::Gateway};
use serde::Serialize;
use std::{
    env,
    fs::File,
    io::{self, Write},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
    sync::{atomic::Ordering, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How often it checks whether a signal has arrived.
const LOOK: Duration = Duration::from_millis(50);
const PASSWORD: &str = "PROXYMESH_GATEWAY_PASSWORD";

/// Let any program use the account's proxies through one local address
#[derive(Args)]
#[command(after_help = "\
Serves HTTP and SOCKS5 on each port until SIGINT or SIGTERM:

  proxymesh gateway --port 8080=rotate --port 8081=country:DE
  curl --proxy http://127.0.0.1:8081 https://example.com/

A policy is rotate, country:DE, session:NAME, or country:DE,session:NAME. The
policy \"username\" takes it from the proxy username that the client sends, such
as country-DE-session-42. If PROXYMESH_GATEWAY_PASSWORD is set, clients must
send it as the proxy password.")]
pub(crate) struct GatewayCommand {
    /// A port and its policy, may be repeated; port 0 picks a free one
    #[arg(long = "port", value_name = "PORT=POLICY", default_value = "0=rotate")]
    ports: Vec<Port>,
    /// The address to listen on; other than loopback, it needs a password
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Serve /metrics and /status on this port
    #[arg(long, value_name = "PORT")]
    control: Option<u16>,
    /// Append a line of JSON for each connection that has ended; - is stderr
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Send the proxies no credentials, because this machine's IP is authorised
    #[arg(long)]
    no_credentials: bool,
    /// Pass on connections to private networks
    #[arg(long)]
    allow_private: bool,
    /// How many proxies to try for a connection
    #[arg(long, value_name = "N", default_value_t = 3)]
    tries: u32,
    /// How long to look for a proxy that accepts a connection
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    budget: u64,
    /// How long a connection may be idle
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    idle: u64,
    /// How many connections may be open
    #[arg(long, value_name = "N", default_value_t = 2048)]
    max_connections: usize,
    /// How long open connections may go on after SIGINT or SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,
}

/// A port and its policy, as they are written.
#[derive(Clone)]
struct Port {
    number: u16,
    policy: PortPolicy,
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, policy) = text.split_once('=').unwrap_or((text, "rotate"));
        let number =
            number.parse().map_err(|_| "write a port and a policy, such as 8080=rotate".to_owned())?;
        let policy = match policy {
            "username" => PortPolicy::ByUsername,
            policy => PortPolicy::Fixed(Policy::parse(policy).map_err(|error| error.to_string())?),
        };
        Ok(Self { number, policy })
    }
}

/// Where the gateway listens.
#[derive(Serialize)]
struct Listening {
    url: String,
    policy: String,
}

impl Record for Listening {
    const COLUMNS: &'static [Column] = &[column("url", "URL"), column("policy", "POLICY")];
}

impl GatewayCommand {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let ended = catch_signals()?;
        let mut writing = None;
        let mut options = Options::new()
            .credentials(!self.no_credentials)
            .allow_private(self.allow_private)
            .tries(self.tries)
            .budget(Duration::from_secs(self.budget))
            .idle(Duration::from_secs(self.idle))
            .max_connections(self.max_connections);
        for port in &self.ports {
            options = options.port((self.host, port.number), port.policy.clone());
        }
        if let Some(port) = self.control {
            options = options.control(SocketAddr::from(([127, 0, 0, 1], port)));
        }
        if let Ok(password) = env::var(PASSWORD)
            && !password.is_empty()
        {
            options = options.password(password);
        }
        if let Some(path) = &self.log {
            let (log, thread) = logger(path)?;
            options = options.log(log);
            writing = Some(thread);
        }
        let sender = context.sender(false)?;
        let gateway = Gateway::start(sender.client(), options).map_err(|error| {
            let status = match error {
                Error::NeedsPassword(_) => Status::Usage,
                _ => Status::Failed,
            };
            Failure::new(status, error.to_string())
        })?;
        sender.progress.hide();
        let mut output = Output::new(context.format());
        for (address, port) in gateway.addresses().iter().zip(&self.ports) {
            let policy = match &port.policy {
                PortPolicy::Fixed(policy) => policy.to_string(),
                PortPolicy::ByUsername => "username".to_owned(),
            };
            output.row(Listening { url: format!("http://{address}"), policy })?;
        }
        output.end::<Listening>()?;
        if let Some(control) = gateway.control() {
            terminal::say(&format!("http://{control}/status and http://{control}/metrics"));
        }
        while !ended.load(Ordering::Relaxed) {
            thread::sleep(LOOK);
        }
        terminal::say("waiting for open connections; Ctrl-C ends them");
        gateway.stop(Duration::from_secs(self.grace));
        if let Some(thread) = writing {
            // The last lines
            let _ = thread.join();
        }
        Ok(())
    }
}

/// Writes the access log on a thread of its own, so that a slow disk does not delay the connections.
fn logger(path: &Path) -> Result<(impl Fn(&Access) + Send + Sync + 'static, JoinHandle<()>), Failure> {
    let mut file: Box<dyn Write + Send> = if path == Path::new("-") {
        Box::new(io::stderr())
    } else {
        let opened = File::options().create(true).append(true).open(path);
        Box::new(opened.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?)
    };
    let (sender, lines) = mpsc::channel::<Vec<u8>>();
    let thread = thread::spawn(move || {
        for line in lines {
            let _ = file.write_all(&line);
        }
    });
    let log = move |access: &Access| {
        let Ok(mut line) = serde_json::to_vec(access) else { return };
        line.push(b'\n');
        let _ = sender.send(line);
    };
    Ok((log, thread))
}
