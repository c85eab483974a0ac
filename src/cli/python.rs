//! Python handlers in the machine's own python3: a process an invocation, JSON lines both ways, killed when it does not end.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::engine::lambda::{HandlerAnswer, HandlerResult, Want};
use crate::session::handlers::{Handled, Runner, call_of};

const DRIVER: &str = include_str!("../../assets/handlers/python.py");
/// Real time that a handler may be silent.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of one line at most: the payload limit and what surrounds it.
const LINE_MAX: usize = 16 << 20;

/// Starts python3 for each invocation.
#[derive(Debug, Default)]
pub(super) struct Python;

fn failed(kind: &str, message: impl Into<String>) -> HandlerAnswer {
    let result = HandlerResult::Threw { kind: kind.to_owned(), message: message.into(), trace: Vec::new() };
    HandlerAnswer { result, logs: Vec::new(), slept_us: 0, calls: Vec::new() }
}

impl Runner for Python {
    fn run(&mut self, want: &Want, file: &str, function: &str, world: &mut Handled<'_>) -> HandlerAnswer {
        let started = Command::new("python3").args(["-I", "-c", DRIVER]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                return failed("Runtime.Unavailable", format!("python3 could not be started ({error}): install it, or use a Node.js handler"));
            }
        };
        let answer = talk(&mut child, want, file, function, world);
        // It has ended by itself, or must end now.
        let _ = child.kill();
        let _ = child.wait();
        answer
    }
}

fn talk(child: &mut Child, want: &Want, file: &str, function: &str, world: &mut Handled<'_>) -> HandlerAnswer {
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return failed("Runtime.Unavailable", "python3 has no pipes");
    };
    let (sender, lines) = channel();
    // The thread ends with the process: its pipe closes.
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        loop {
            let mut line = Vec::new();
            match std::io::Read::take(&mut output, LINE_MAX as u64).read_until(b'\n', &mut line) {
                Ok(length) if length > 0 => {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
                _ => return,
            }
        }
    });
    let mut environment = want.environment.clone();
    for (name, value) in
        [("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_LAMBDA_FUNCTION_NAME", &*want.function), ("TZ", "UTC")]
    {
        environment.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    let job = json!({
        "env": environment,
        "files": *want.files,
        "file": file,
        "function": function,
        "event": serde_json::from_str::<Value>(&want.event).unwrap_or_default(),
        "now_ms": want.now.millis(),
        "context": {"requestId": want.request_id, "functionName": &*want.function, "arn": want.arn, "memory": want.memory, "timeout": want.timeout.as_millis()},
    });
    let mut calls = Vec::new();
    if writeln!(input, "{job}").and_then(|()| input.flush()).is_err() {
        return failed("Runtime.ExitError", "python3 ended at once");
    }
    loop {
        let line = match lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return HandlerAnswer { result: HandlerResult::Endless, logs: Vec::new(), slept_us: 0, calls },
            Err(RecvTimeoutError::Disconnected) => {
                return HandlerAnswer { calls, ..failed("Runtime.ExitError", "Runtime exited without providing a reason") };
            }
        };
        let Ok(message) = serde_json::from_slice::<Value>(&line) else {
            return HandlerAnswer { calls, ..failed("Runtime.ExitError", "the handler wrote over its own pipe, or answered more than 6 MB") };
        };
        if let Some(asked) = message.get("call") {
            let text = |name: &str| asked[name].as_str().unwrap_or_default();
            let answer = call_of(text("service"), text("operation"), &asked["params"]).and_then(|call| {
                let answer = world(&call);
                calls.push(call);
                answer
            });
            let reply = match answer {
                Ok(answer) => json!({"ok": answer}),
                Err(error) => json!({"error": {"code": error.code.name(), "message": error.message, "status": error.code.http_status()}}),
            };
            if writeln!(input, "{reply}").and_then(|()| input.flush()).is_err() {
                return HandlerAnswer { calls, ..failed("Runtime.ExitError", "python3 ended while it called a service") };
            }
            continue;
        }
        let texts = |value: &Value| value.as_array().into_iter().flatten().filter_map(|line| line.as_str().map(str::to_owned)).collect::<Vec<_>>();
        let result = if let Some(text) = message["returned"].as_str() {
            HandlerResult::Returned(text.to_owned())
        } else if message["memory"] == true {
            HandlerResult::OutOfMemory
        } else {
            let threw = &message["threw"];
            let text = |name: &str| threw[name].as_str().unwrap_or_default().to_owned();
            HandlerResult::Threw { kind: text("errorType"), message: text("errorMessage"), trace: texts(&threw["trace"]) }
        };
        let slept_us = (message["slept"].as_f64().unwrap_or(0.0) * 1e6) as u64;
        return HandlerAnswer { result, logs: texts(&message["logs"]), slept_us, calls };
    }
}
