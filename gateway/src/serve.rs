//! One connection of a client: what it speaks, what it wants, and whether it may have it.

use crate::{
    access::{self, Given, PortPolicy},
    head::{self, Body, Head},
    plain,
    policy::Policy,
    record::{Access, Counters, Log},
    refusal::Refusal,
    socks::{self, Ended},
    target::Target,
    tunnel::{Meter, pass},
    upstream::{Opened, Upstream},
};
use proxymesh::secrecy::SecretString;
use std::{sync::atomic::Ordering, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long a client that was refused may go on sending.
const LINGER: Duration = Duration::from_secs(2);

/// What the connections of a gateway share.
pub(crate) struct Shared {
    pub(crate) upstream: Upstream,
    pub(crate) password: Option<SecretString>,
    pub(crate) allow_private: bool,
    pub(crate) idle: Duration,
    pub(crate) counters: Counters,
    pub(crate) log: Option<Log>,
}

impl Shared {
    /// Serves one connection to its end.
    pub(crate) async fn serve(&self, mut client: TcpStream, port: &PortPolicy) {
        self.counters.open.fetch_add(1, Ordering::Relaxed);
        let mut ended = Ending { shared: self, access: Access::begin(), meter: Meter::default() };
        let Ending { access, meter, .. } = &mut ended;
        let _ = client.set_nodelay(true);
        let mut first = [0];
        let read = timeout(Duration::from_secs(30), client.read_exact(&mut first)).await;
        if !matches!(read, Ok(Ok(_))) {
            return;
        }
        if first == [5] {
            self.socks(&mut client, port, access, meter).await;
        } else if let Err(refusal) = self.http(&mut client, first.to_vec(), port, access, meter).await {
            note(access, &refusal);
            if client.write_all(refusal.response().as_bytes()).await.is_ok()
                && client.shutdown().await.is_ok()
            {
                // Closing the connection at once would reset it, and the client might not see the response.
                let mut sink = tokio::io::sink();
                let _ = timeout(LINGER, tokio::io::copy(&mut (&mut client).take(1 << 20), &mut sink)).await;
            }
        }
    }

    async fn socks(&self, client: &mut TcpStream, port: &PortPolicy, access: &mut Access, meter: &Meter) {
        "SOCKS5".clone_into(&mut access.method);
        let check = |given: Option<Given<'_>>| access::policy(port, self.password.as_ref(), given);
        let (target, policy) = match socks::request(client, check).await {
            Ok(request) => request,
            Err(Ended::Gone) => return,
            Err(Ended::Refused(refusal)) => return note(access, &refusal),
        };
        match self.open(&target, &policy, access).await {
            Ok(mut opened) => {
                if socks::answer(client, 0).await.is_ok() {
                    self.pass(client, &mut opened, meter).await;
                }
            }
            Err(refusal) => {
                note(access, &refusal);
                let _ = socks::answer(client, socks::code_of(&refusal)).await;
            }
        }
    }

    async fn http(
        &self,
        client: &mut TcpStream,
        seen: Vec<u8>,
        port: &PortPolicy,
        access: &mut Access,
        meter: &Meter,
    ) -> Result<(), Refusal> {
        let Some((head, early)) = head::read(client, seen).await? else { return Ok(()) };
        access.method.clone_from(&head.method);
        let credentials = head.header("proxy-authorization").and_then(access::basic);
        let given = credentials.as_ref().map(|(username, password)| Given { username, password });
        if head.method != "CONNECT" && !head.target.contains("://") {
            let reason = "this is a proxy: set it as the HTTP or SOCKS5 proxy of a program";
            return Err(Refusal::new(400, reason));
        }
        let policy = access::policy(port, self.password.as_ref(), given)?;
        if head.headers.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with("x-proxymesh-")) {
            let reason = "the gateway sets the headers X-ProxyMesh-…: choose the exit with the port or the proxy username";
            return Err(Refusal::new(400, reason));
        }
        if head.method == "CONNECT" {
            return self.connect(client, &head, early, &policy, access, meter).await;
        }
        let Some(target) = plain::target(&head.target) else {
            return Err(Refusal::new(400, "the URL is not an http URL with a host; for https, use CONNECT"));
        };
        access.target = Some(target.to_string());
        access.policy = Some(policy.to_string());
        self.allow(&target)?;
        let request = plain::Request { head: &head, target: &target, early };
        plain::forward(client, request, &policy, &self.upstream, meter, self.idle, access).await
    }

    async fn connect(
        &self,
        client: &mut TcpStream,
        head: &Head,
        early: Vec<u8>,
        policy: &Policy,
        access: &mut Access,
        meter: &Meter,
    ) -> Result<(), Refusal> {
        if head.body != Body::None {
            return Err(Refusal::new(400, "a CONNECT request has no body"));
        }
        let target = Target::parse(&head.target, None)
            .ok_or_else(|| Refusal::new(400, "the target of CONNECT is not a host and a port"))?;
        let mut opened = self.open(&target, policy, access).await?;
        let mut answer = String::from("HTTP/1.1 200 Connection established\r\n");
        if let Some(ip) = &opened.exit_ip {
            answer.push_str(&format!("X-ProxyMesh-IP: {ip}\r\n"));
        }
        answer.push_str(&format!("X-ProxyMesh-Proxy: {}\r\n\r\n", opened.proxy.name()));
        if client.write_all(answer.as_bytes()).await.is_err()
            || opened.stream.write_all(&early).await.is_err()
        {
            return Ok(());
        }
        meter.sent.fetch_add(early.len() as u64, Ordering::Relaxed);
        self.pass(client, &mut opened, meter).await;
        Ok(())
    }

    async fn open(&self, target: &Target, policy: &Policy, access: &mut Access) -> Result<Opened, Refusal> {
        access.target = Some(target.to_string());
        access.policy = Some(policy.to_string());
        self.allow(target)?;
        let opened = self.upstream.tunnel(policy, target).await?;
        access.opened();
        access.status = Some(200);
        access.proxy = Some(opened.proxy.name().to_owned());
        access.exit_ip.clone_from(&opened.exit_ip);
        Ok(opened)
    }

    async fn pass(&self, client: &mut TcpStream, opened: &mut Opened, meter: &Meter) {
        let _ = opened.stream.set_nodelay(true);
        if client.write_all(&opened.early).await.is_err() {
            return;
        }
        meter.received.fetch_add(opened.early.len() as u64, Ordering::Relaxed);
        pass(client, &mut opened.stream, meter, self.idle).await;
    }

    /// Refuses a target in a private network.
    fn allow(&self, target: &Target) -> Result<(), Refusal> {
        if target.is_private() && !self.allow_private {
            let reason = "the target is in a private network; if you mean one that the proxies can reach, allow private targets";
            return Err(Refusal::new(403, reason));
        }
        Ok(())
    }
}

fn note(access: &mut Access, refusal: &Refusal) {
    access.status = Some(refusal.status);
    access.reason = Some(refusal.reason.clone());
    if refusal.proxy.is_some() {
        access.proxy.clone_from(&refusal.proxy);
    }
}

/// Counts and logs a connection when it ends, also if its task is cancelled.
struct Ending<'a> {
    shared: &'a Shared,
    access: Access,
    meter: Meter,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.access.end(&self.meter);
        self.shared.counters.count(&self.access);
        self.shared.counters.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(log) = &self.shared.log {
            log(&self.access);
        }
    }
}
