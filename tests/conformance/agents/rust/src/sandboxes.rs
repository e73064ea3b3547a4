//! Starts and stops sandboxes for the runner. Each request is one line of JSON. All sandboxes end with the process.

use proxymesh_sandbox::{Plan, Sandbox};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::{self, BufRead as _},
};

pub(crate) fn serve() {
    let mut sandboxes = HashMap::new();
    for line in io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = if let Some(options) = question.get("start") {
            match start(options) {
                Ok(sandbox) => {
                    let url = sandbox.base_url().to_owned();
                    sandboxes.insert(url.clone(), sandbox);
                    json!({ "url": url })
                }
                Err(error) => json!({ "error": error.to_string() }),
            }
        } else {
            drop(sandboxes.remove(question["stop"].as_str().unwrap()));
            json!({})
        };
        println!("{answer}");
    }
}

fn start(options: &Value) -> Result<Sandbox, proxymesh_sandbox::Error> {
    let mut builder = Sandbox::builder();
    for (name, value) in options.as_object().unwrap() {
        let text = || value.as_str().unwrap();
        builder = match name.as_str() {
            "username" => builder.username(text()),
            "password" => builder.password(text()),
            "plan" => builder.plan(text().parse::<Plan>().unwrap()),
            "port" => builder.port(u16::try_from(value.as_u64().unwrap()).unwrap()),
            "proxies" => builder.proxies(value.as_bool().unwrap()),
            other => panic!("there is no option {other}"),
        };
    }
    builder.start()
}
