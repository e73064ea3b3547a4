//! The agent for Rust: `proxymesh-conformance async|blocking`. `../../README.md` describes the protocol.
//! `proxymesh-conformance sandboxes` serves the runner's sandboxes.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a request that it does not know ends the agent, and the case fails"
)]

mod objects;
mod sandboxes;

use objects::Object;
use proxymesh::{
    Client, Error, Options, Result,
    binding::{self, SettingParts},
    blocking, testing,
};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    env,
    io::{self, BufRead as _},
    thread,
};
use tokio::runtime::Runtime;

/// An async or blocking client.
enum Kind {
    Async(Client),
    Blocking(blocking::Client),
}

struct Agent {
    runtime: Option<Runtime>,
    clients: HashMap<String, Kind>,
    objects: HashMap<String, Object>,
}

fn main() {
    let runtime = match env::args().nth(1).as_deref() {
        Some("sandboxes") => return sandboxes::serve(),
        Some("async") => Some(Runtime::new().unwrap()),
        Some("blocking") => None,
        _ => panic!("usage: proxymesh-conformance async|blocking|sandboxes"),
    };
    let mut agent = Agent { runtime, clients: HashMap::new(), objects: HashMap::new() };
    for line in io::stdin().lock().lines() {
        let answer = agent.answer(&serde_json::from_str(&line.unwrap()).unwrap());
        println!("{answer}");
    }
}

impl Agent {
    fn answer(&mut self, question: &Value) -> Value {
        let text = |name: &str| question[name].as_str().unwrap();
        if question.get("open").is_some() {
            match self.open(question["settings"].as_object().unwrap()) {
                Ok(client) => drop(self.clients.insert(text("open").to_owned(), client)),
                Err(error) => return json!({ "error": told(&error) }),
            }
        } else if question.get("call").is_some() {
            if let Some(result) = self.of_object(question) {
                return json!({ "results": [one(result)] });
            }
            let times = question.get("at_once").map_or(1, |times| times.as_u64().unwrap());
            let (client, call, args) =
                (&self.clients[text("client")], text("call"), question["args"].as_object().unwrap());
            let results = options(question.get("options"))
                .and_then(|options| self.results(client, options, call, args, times))
                .unwrap_or_else(|error| vec![one(Err(error))]);
            return json!({ "results": results });
        } else if question.get("reset").is_some() {
            self.objects.clear();
            self.clients.clear();
        } else {
            panic!("unknown: {question}");
        }
        json!({})
    }

    /// Makes a call that creates an object or is one of an object's, or that needs no client.
    fn of_object(&mut self, question: &Value) -> Option<Result<Value>> {
        let (call, args) = (question["call"].as_str().unwrap(), question["args"].as_object().unwrap());
        let name = question.get("object").map_or("main", |name| name.as_str().unwrap());
        let runtime = self.runtime.as_ref();
        if call.starts_with("proxy.") {
            return Some(objects::of_proxy(runtime, call, args));
        }
        if call.starts_with("pool.") {
            return Some(objects::of_pool(runtime, &self.objects[name], call, args));
        }
        if ["lease.release", "follower.close"].contains(&call) {
            let object = self.objects.remove(name).unwrap();
            return Some(objects::end(runtime, object));
        }
        let client = &self.clients[question["client"].as_str().unwrap()];
        let created = objects::create(runtime, client, call, args)?;
        Some(created.map(|(object, value)| {
            self.objects.insert(name.to_owned(), object);
            value
        }))
    }

    fn open(&self, given: &Map<String, Value>) -> Result<Kind> {
        let mut parts = SettingParts::default();
        for (name, value) in given {
            let text = || value.as_str().unwrap().to_owned();
            match name.as_str() {
                "username" => parts.username = Some(text()),
                "password" => parts.password = Some(text().into()),
                "token" => parts.token = Some(text().into()),
                "base_url" => parts.base_url = Some(text()),
                "timeout" => parts.timeout = value.as_f64(),
                "connect_timeout" => parts.connect_timeout = value.as_f64(),
                "max_retries" => parts.max_retries = value.as_i64(),
                "max_connections" => parts.max_connections = value.as_i64(),
                "ca_file" => parts.ca_file = Some(text().into()),
                "share_state" => parts.share_state = Some(value.as_bool().unwrap()),
                "trust_env" => parts.trust_env = value.as_bool().unwrap(),
                other => panic!("there is no setting {other}"),
            }
        }
        let settings = parts.check()?;
        Ok(match self.runtime {
            Some(_) => Kind::Async(Client::new(settings)?),
            None => Kind::Blocking(blocking::Client::new(settings)?),
        })
    }

    /// Makes the call as many times at once as requested.
    fn results(
        &self,
        client: &Kind,
        options: Options,
        call: &str,
        args: &Map<String, Value>,
        times: u64,
    ) -> Result<Vec<Value>> {
        Ok(match client {
            Kind::Async(client) => {
                let client = client.with_options(options)?;
                let runtime = self.runtime.as_ref().unwrap();
                let tasks: Vec<_> = (0..times)
                    .map(|_| {
                        let (client, call, args) = (client.clone(), call.to_owned(), args.clone());
                        runtime.spawn(async move { testing::asynchronous(&client, &call, &args).await })
                    })
                    .collect();
                tasks.into_iter().map(|task| one(runtime.block_on(task).unwrap())).collect()
            }
            Kind::Blocking(client) => {
                let client = client.with_options(options)?;
                thread::scope(|scope| {
                    let threads: Vec<_> =
                        (0..times).map(|_| scope.spawn(|| testing::blocking(&client, call, args))).collect();
                    threads.into_iter().map(|thread| one(thread.join().unwrap())).collect()
                })
            }
        })
    }
}

fn one(result: Result<Value>) -> Value {
    match result {
        Ok(value) => json!({ "value": value }),
        Err(error) => json!({ "error": told(&error) }),
    }
}

fn options(given: Option<&Value>) -> Result<Options> {
    let (mut timeout, mut max_retries) = (None, None);
    for (name, value) in given.and_then(Value::as_object).into_iter().flatten() {
        match name.as_str() {
            "timeout" => timeout = value.as_f64(),
            "max_retries" => max_retries = value.as_i64(),
            other => panic!("there is no option {other}"),
        }
    }
    binding::options(timeout, max_retries)
}

/// All fields of the error.
fn told(error: &Error) -> Value {
    let mut told = Map::from_iter([
        ("kind".to_owned(), json!(error.kind())),
        ("text".to_owned(), json!(error.to_string())),
        ("call".to_owned(), json!(error.call())),
    ]);
    let mut add = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    if let Error::Validation { field, .. } = error {
        add("field", json!(field));
    }
    if let Some(refusal) = error.refusal() {
        add("field_errors", json!(refusal.field_errors));
        add("retry_after", json!(refusal.retry_after.map(|wait| wait.as_secs_f64())));
    } else if let Some(wait) = error.retry_after() {
        add("retry_after", json!(wait.as_secs_f64()));
    }
    if let Some(status) = error.status() {
        add("status", json!(status));
    }
    if let Some(reason) = error.reason() {
        add("reason", json!(reason));
    }
    if let Some(body) = error.body() {
        add("body", json!(body));
    }
    if let Some(attempts) = error.attempts() {
        add("attempts", json!(attempts));
    }
    if let Some(recovery_hint) = error.recovery_hint() {
        add("recovery_hint", json!(recovery_hint));
    }
    Value::Object(told)
}
