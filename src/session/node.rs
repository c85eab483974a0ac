//! Node.js handlers in an embedded QuickJS: virtual time, seeded randomness, no files and no network. The AWS SDK calls the simulation.
//!
//! Every invocation gets a fresh context, so that the same code and event give the same answer at any time. A handler that never ends is
//! stopped after a fixed number of steps, not by a clock; one that takes more memory than its function has gets an error.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use md5::Md5;
use rquickjs::prelude::Func;
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Exception, Function, Runtime, TypedArray, Value as Js};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::engine::formats::compress;
use crate::engine::lambda::{HandlerAnswer, HandlerResult, Want};
use crate::engine::random::{Substream, unit};

use super::handlers::{Handled, call_of};

const PRELUDE: &str = include_str!("../../assets/handlers/node.js");
/// Checks of the interpreter (every ten thousand steps or so) before a handler counts as endless.
const PATIENCE: u32 = 30_000;
/// Timers that one invocation may run.
const TIMERS_MAX: u32 = 100_000;
/// Lines kept of what it prints, and characters of a line.
const LINES_MAX: usize = 1000;
const LINE_MAX: usize = 4000;
/// Bytes of the interpreter's stack.
const STACK: usize = 400 << 10;

/// Base64 as Node.js reads it: padding or none, both alphabets, white space.
fn base64_lenient(text: &str) -> Vec<u8> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
    );
    if let Ok(bytes) = STANDARD.decode(text) {
        return bytes;
    }
    let cleaned: String = text
        .chars()
        .filter_map(|c| match c {
            '-' => Some('+'),
            '_' => Some('/'),
            c if c.is_ascii_alphanumeric() || c == '+' || c == '/' => Some(c),
            _ => None,
        })
        .collect();
    LENIENT.decode(&cleaned).or_else(|_| LENIENT.decode(&cleaned[..cleaned.len().saturating_sub(1)])).unwrap_or_default()
}

fn encode(text: &str, encoding: &str) -> Vec<u8> {
    match encoding.to_ascii_lowercase().as_str() {
        "base64" | "base64url" => base64_lenient(text),
        "hex" => (0..text.len() / 2).map_while(|at| text.get(at * 2..at * 2 + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect(),
        "latin1" | "binary" | "ascii" => text.chars().map(|c| c as u32 as u8).collect(),
        "utf16le" | "ucs2" | "ucs-2" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => text.as_bytes().to_vec(),
    }
}

fn decode(bytes: &[u8], encoding: &str) -> String {
    match encoding.to_ascii_lowercase().as_str() {
        "base64" => STANDARD.encode(bytes),
        "base64url" => STANDARD.encode(bytes).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned(),
        "hex" => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        "latin1" | "binary" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        "ascii" => bytes.iter().map(|byte| char::from(byte & 0x7f)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Bytes that came as characters below 256.
fn bytes_of(text: &str) -> Vec<u8> {
    text.chars().map(|c| c as u32 as u8).collect()
}

fn zlib(how: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    const LIMIT: usize = 256 << 20;
    match how {
        "gzip" => Some(compress::gzip(bytes)),
        "gunzip" | "unzip" => compress::gunzip(bytes, LIMIT),
        "deflateRaw" => Some(compress::deflate(bytes)),
        "inflateRaw" => compress::inflate(bytes, LIMIT),
        _ => None,
    }
}

/// An SDK call from JavaScript: the answer as JSON, `{"ok": …}` or `{"error": …}`.
fn sdk(asked: &Value, calls: &mut Vec<crate::api::Call>, world: &mut Handled<'_>) -> String {
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let answer = call_of(text("service"), text("operation"), &asked["params"]).and_then(|call| {
        let answer = world(&call);
        calls.push(call);
        answer
    });
    match answer {
        Ok(answer) => json!({"ok": answer}).to_string(),
        Err(error) => {
            json!({"error": {"code": error.code.name(), "message": error.message, "status": error.code.http_status(), "retryable": error.code.is_retryable()}}).to_string()
        }
    }
}

/// Runs a handler to its end.
pub fn run(want: &Want, file: &str, export: &str, world: &mut Handled<'_>) -> HandlerAnswer {
    let mut calls = Vec::new();
    let logs = Rc::new(RefCell::new(Vec::new()));
    let (result, slept_us) = inside(want, file, export, &mut calls, &logs, world);
    let logs = std::mem::take(&mut *logs.borrow_mut());
    HandlerAnswer { result, logs, slept_us, calls }
}

fn broken(message: impl Into<String>) -> HandlerResult {
    HandlerResult::Threw { kind: "Runtime.Unknown".to_owned(), message: message.into(), trace: Vec::new() }
}

fn inside(
    want: &Want,
    file: &str,
    export: &str,
    calls: &mut Vec<crate::api::Call>,
    logs: &Rc<RefCell<Vec<String>>>,
    world: &mut Handled<'_>,
) -> (HandlerResult, u64) {
    let Ok(runtime) = Runtime::new() else { return (broken("the interpreter could not be started"), 0) };
    runtime.set_memory_limit((want.memory as usize).clamp(32, 4096) << 20);
    runtime.set_max_stack_size(STACK);
    let steps = Rc::new(Cell::new(0u32));
    let counted = steps.clone();
    runtime.set_interrupt_handler(Some(Box::new(move || {
        counted.set(counted.get() + 1);
        counted.get() > PATIENCE
    })));
    let Ok(context) = Context::full(&runtime) else { return (broken("the interpreter could not be started"), 0) };
    let start_ms = want.now.millis();
    context.with(|ctx| {
        let outcome = set_up(&ctx, want, start_ms, logs).and_then(|()| {
            let begin: Function<'_> = ctx.globals().get("__begin")?;
            let about = json!({"requestId": want.request_id, "functionName": &*want.function, "arn": want.arn, "memory": want.memory, "timeout": want.timeout.as_millis()});
            let about: Js<'_> = ctx.json_parse(about.to_string())?;
            begin.call::<_, ()>((file, export, &*want.event, about))?;
            let (state, tick): (Function<'_>, Function<'_>) = (ctx.globals().get("__state")?, ctx.globals().get("__tick")?);
            let (take, answer): (Function<'_>, Function<'_>) = (ctx.globals().get("__take")?, ctx.globals().get("__answer")?);
            for _ in 0..TIMERS_MAX {
                while ctx.execute_pending_job() {
                    if steps.get() > PATIENCE {
                        return Ok(None);
                    }
                }
                let asked: String = take.call(())?;
                if !asked.is_empty() {
                    let asked: Value = serde_json::from_str(&asked).unwrap_or_default();
                    let text = sdk(&asked, calls, world);
                    answer.call::<_, ()>((asked["id"].as_f64().unwrap_or(0.0), text))?;
                    continue;
                }
                let settled: String = state.call(())?;
                if !settled.is_empty() {
                    return Ok(Some(settled));
                }
                let more: bool = tick.call(())?;
                let now: f64 = ctx.globals().get::<_, Function<'_>>("__now")?.call(())?;
                // What is left of the time-out is waited for no longer.
                if !more || now as u64 > start_ms + want.timeout.as_millis() {
                    return Ok(if more { None } else { Some("{\"returned\":\"null\"}".to_owned()) });
                }
            }
            Ok(None)
        });
        let caught = outcome.catch(&ctx);
        let now = ctx.globals().get::<_, Function<'_>>("__now").and_then(|now| now.call::<_, f64>(())).unwrap_or(start_ms as f64);
        let slept = (now as u64).saturating_sub(start_ms) * 1000;
        let result = match caught {
            _ if steps.get() > PATIENCE => HandlerResult::Endless,
            Ok(Some(text)) => settled(&text),
            Ok(None) => HandlerResult::Endless,
            Err(error) => {
                let text = match &error {
                    CaughtError::Exception(exception) => exception.message().unwrap_or_default(),
                    other => other.to_string(),
                };
                if text.contains("out of memory") {
                    HandlerResult::OutOfMemory
                } else {
                    HandlerResult::Threw { kind: "Error".to_owned(), message: text, trace: Vec::new() }
                }
            }
        };
        (result, slept)
    })
}

fn settled(text: &str) -> HandlerResult {
    let state: Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(returned) = state["returned"].as_str() {
        return HandlerResult::Returned(returned.to_owned());
    }
    let threw = &state["threw"];
    let text = |name: &str| threw[name].as_str().unwrap_or_default().to_owned();
    if text("errorMessage").contains("out of memory") {
        return HandlerResult::OutOfMemory;
    }
    let trace = threw["trace"].as_array().into_iter().flatten().filter_map(|line| line.as_str().map(str::to_owned)).collect();
    HandlerResult::Threw { kind: text("errorType"), message: text("errorMessage"), trace }
}

/// Host functions and the prelude.
fn set_up<'js>(ctx: &Ctx<'js>, want: &Want, start_ms: u64, logs: &Rc<RefCell<Vec<String>>>) -> rquickjs::Result<()> {
    let globals = ctx.globals();
    globals.set("__start", start_ms as f64)?;
    globals.set("__env", serde_json::to_string(&environment(want)).unwrap_or_default())?;
    globals.set("__files", serde_json::to_string(&*want.files).unwrap_or_default())?;
    let draws = Cell::new(0u64);
    let random = Substream::new(want.seed, &["Math.random"]);
    globals.set(
        "__random",
        Func::from(move || {
            draws.set(draws.get() + 1);
            unit(random.bits(draws.get()))
        }),
    )?;
    globals.set("__encode", Func::from(|ctx: Ctx<'js>, text: String, encoding: String| TypedArray::<u8>::new(ctx, encode(&text, &encoding))))?;
    globals.set("__decode", Func::from(|bytes: String, encoding: String| decode(&bytes_of(&bytes), &encoding)))?;
    globals.set(
        "__zlib",
        Func::from(|ctx: Ctx<'js>, how: String, bytes: String| match zlib(&how, &bytes_of(&bytes)) {
            Some(out) => TypedArray::<u8>::new(ctx, out),
            None => Err(Exception::throw_message(&ctx, "incorrect header check")),
        }),
    )?;
    globals.set(
        "__hash",
        Func::from(|ctx: Ctx<'js>, kind: String, bytes: String| {
            let bytes = bytes_of(&bytes);
            match kind.to_ascii_lowercase().as_str() {
                "md5" => TypedArray::<u8>::new(ctx, Md5::digest(bytes).to_vec()),
                "sha256" => TypedArray::<u8>::new(ctx, Sha256::digest(bytes).to_vec()),
                _ => Err(Exception::throw_message(&ctx, "Digest method not supported")),
            }
        }),
    )?;
    globals.set(
        "__compile",
        Func::from(|ctx: Ctx<'js>, name: String, text: String| {
            let mut options = rquickjs::context::EvalOptions::default();
            options.strict = false;
            options.filename = Some(name);
            ctx.eval_with_options::<Js<'js>, _>(text, options)
        }),
    )?;
    let logs = logs.clone();
    globals.set(
        "__print",
        Func::from(move |line: String| {
            let mut logs = logs.borrow_mut();
            if logs.len() < LINES_MAX {
                logs.push(line.chars().take(LINE_MAX).collect::<String>());
            }
        }),
    )?;
    ctx.eval::<(), _>(PRELUDE)
}

fn environment(want: &Want) -> std::collections::BTreeMap<String, String> {
    let mut environment = want.environment.clone();
    for (name, value) in
        [("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_LAMBDA_FUNCTION_NAME", &*want.function), ("TZ", "UTC")]
    {
        environment.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    environment
}
