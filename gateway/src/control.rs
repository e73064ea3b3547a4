//! The control port: `/metrics` for OpenMetrics, `/status` in JSON. It only answers, it changes nothing.

use crate::{head, refusal::Refusal, serve::Shared};
use serde_json::json;
use std::{fmt::Write as _, net::SocketAddr, sync::atomic::Ordering};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

/// Answers one request. A web page cannot read the answer: its requests have an `Origin`, or name another host.
pub(crate) async fn serve(mut client: TcpStream, address: SocketAddr, shared: &Shared) {
    let response = match head::read(&mut client, Vec::new()).await {
        Ok(None) => return,
        Ok(Some((head, _))) => respond(&head, address, shared).unwrap_or_else(|refusal| refusal.response()),
        Err(refusal) => refusal.response(),
    };
    if client.write_all(response.as_bytes()).await.is_ok() {
        let _ = client.shutdown().await;
    }
}

fn respond(head: &head::Head, address: SocketAddr, shared: &Shared) -> Result<String, Refusal> {
    let host = head.header("host").map(|host| String::from_utf8_lossy(host).to_ascii_lowercase());
    let known = [address.to_string(), format!("localhost:{}", address.port())];
    // The name of a page's own host can be made to resolve to this machine.
    if !host.is_some_and(|host| known.contains(&host)) {
        return Err(Refusal::new(403, "the Host header is not the address of this port"));
    }
    if ["origin", "sec-fetch-site"].iter().any(|name| head.header(name).is_some_and(|value| value != b"none"))
    {
        return Err(Refusal::new(403, "web pages may not read this"));
    }
    if head.method != "GET" {
        return Err(Refusal::new(405, "only GET is supported"));
    }
    let (kind, text) = match head.target.as_str() {
        "/metrics" => ("application/openmetrics-text; version=1.0.0; charset=utf-8", metrics(shared)),
        "/status" => ("application/json", status(shared)),
        _ => return Err(Refusal::new(404, "there are /metrics and /status")),
    };
    let length = text.len();
    Ok(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{text}"
    ))
}

fn metrics(shared: &Shared) -> String {
    let counters = &shared.counters;
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, String)]| {
        let _ = writeln!(text, "# TYPE {name} {kind}\n# HELP {name} {help}");
        let suffix = if kind == "counter" { "_total" } else { "" };
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{suffix}{labels} {value}");
        }
    };
    let one = |value: u64| vec![(String::new(), value.to_string())];
    let load = |counter: &std::sync::atomic::AtomicU64| one(counter.load(Ordering::Relaxed));
    family(
        "proxymesh_gateway_connections_open",
        "gauge",
        "Connections of clients that are open.",
        &load(&counters.open),
    );
    let ended: Vec<_> = counters
        .ended()
        .into_iter()
        .map(|((kind, status), count)| {
            (format!("{{kind=\"{kind}\",status=\"{status}\"}}"), count.to_string())
        })
        .collect();
    family("proxymesh_gateway_connections", "counter", "Connections that have ended.", &ended);
    family(
        "proxymesh_gateway_connections_over_limit",
        "counter",
        "Connections that were closed because too many were open.",
        &load(&counters.refused_full),
    );
    family(
        "proxymesh_gateway_sent_bytes",
        "counter",
        "Bytes to targets, of ended connections.",
        &load(&counters.sent),
    );
    let received = load(&counters.received);
    family(
        "proxymesh_gateway_received_bytes",
        "counter",
        "Bytes from targets, of ended connections.",
        &received,
    );
    let stats = shared.upstream.pool().stats();
    let by_proxy = |value: &dyn Fn(&proxymesh::ProxyStats) -> String| -> Vec<_> {
        stats.iter().map(|stats| (format!("{{proxy=\"{}\"}}", stats.proxy.name()), value(stats))).collect()
    };
    let successes = by_proxy(&|stats| stats.successes.to_string());
    family(
        "proxymesh_gateway_proxy_successes",
        "counter",
        "Connections that the proxy accepted.",
        &successes,
    );
    let failures = by_proxy(&|stats| stats.failures.to_string());
    family(
        "proxymesh_gateway_proxy_failures",
        "counter",
        "Connections that the proxy refused or failed.",
        &failures,
    );
    let cooling = by_proxy(&|stats| stats.cooling.unwrap_or_default().as_secs_f64().to_string());
    family(
        "proxymesh_gateway_proxy_cooling_seconds",
        "gauge",
        "How long the proxy is still left out.",
        &cooling,
    );
    text.push_str("# EOF\n");
    text
}

fn status(shared: &Shared) -> String {
    let counters = &shared.counters;
    let number = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let ended: Vec<_> = counters
        .ended()
        .into_iter()
        .map(|((kind, status), count)| json!({"kind": kind, "status": status, "count": count}))
        .collect();
    let proxies: Vec<_> = shared
        .upstream
        .pool()
        .stats()
        .into_iter()
        .map(|stats| {
            json!({
                "proxy": stats.proxy.name(),
                "handed_out": stats.handed_out,
                "successes": stats.successes,
                "failures": stats.failures,
                "latency_ms": stats.latency.map(|latency| latency.as_secs_f64() * 1000.0),
                "cooling_seconds": stats.cooling.map(|cooling| cooling.as_secs_f64()),
            })
        })
        .collect();
    let mut text = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "connections": {"open": number(&counters.open), "over_limit": number(&counters.refused_full), "ended": ended},
        "bytes": {"sent": number(&counters.sent), "received": number(&counters.received)},
        "proxies": proxies,
    })
    .to_string();
    text.push('\n');
    text
}
