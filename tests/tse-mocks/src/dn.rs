//! A double of Diebold Nixdorf's web service for its USB and LAN units: a WebSocket with `STX json ETX LF` frames.
//!
//! Known of the real one: the frames, `PingPong` as request number, passwords in base64, the commands of the login, of tills and transactions, and the
//! codes up to 34 and 5017. Not known, and made up here as the adapter expects it: the parameters of `Export`, `UpdateTime` and `PerformSelfTest`, and
//! how the conditions of the unit itself (no time, no self-test, full, expired, out of use) are answered.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fiscal::tse::Curve;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Map, Value, json};
use shared_protocol::ids::hex;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::double::{Double, Fault, Logged, Make, Refusal, Shared, lock};

/// The password of the one who registers tills.
pub const ADMIN_PASSWORD: &str = "adm-91734";
/// The password of the one who sets the time and signs.
pub const TIME_ADMIN_PASSWORD: &str = "tim-28465";
/// A unit blocks after so many wrong passwords.
const WRONG_MAX: u32 = 3;
/// Bytes of an export in one answer.
const CHUNK: usize = 4_096;

/// A double that runs until it is dropped.
pub struct DnMock {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its inside.
    pub double: Shared,
    runtime: Option<Runtime>,
}

impl DnMock {
    /// Starts one.
    #[expect(clippy::expect_used, reason = "a test without its double fails")]
    pub fn start(make: Make) -> Self {
        let runtime = crate::runtime();
        let double = Arc::new(Mutex::new(Double::new(make, Curve::BrainpoolP384)));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::clone(&double);
        runtime.spawn(async move {
            let signing = Arc::new(tokio::sync::Mutex::new(()));
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, Arc::clone(&shared), Arc::clone(&signing)));
            }
        });
        Self {
            address,
            double,
            runtime: Some(runtime),
        }
    }

    /// Its address as the adapter takes it.
    pub fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// A fault at the next call of a command.
    pub fn fault(&self, command: &str, fault: Fault) {
        lock(&self.double).faults.push_back((command.to_owned(), fault));
    }
}

impl Drop for DnMock {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn connection(stream: TcpStream, shared: Shared, signing: Arc<tokio::sync::Mutex<()>>) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let inner = text.strip_prefix('\u{2}').and_then(|text| text.strip_suffix("\u{3}\n"));
        let request = inner.and_then(|json| serde_json::from_str::<Map<String, Value>>(json).ok());
        let Some(request) = request else {
            return;
        };
        let command = request
            .get("Command")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let fault = lock(&shared).fault_at(&command);
        let mut answer = match fault {
            Some(Fault::DropBefore) => return,
            Some(Fault::HangBefore) => continue,
            Some(Fault::Code(code)) => error(code, "planted by a test"),
            _ => {
                if command.ends_with("Transaction") || command == "UpdateTime" {
                    let _one_at_a_time = signing.lock().await;
                    let delay = lock(&shared).make.signature;
                    tokio::time::sleep(delay).await;
                    act(&mut lock(&shared), &command, &request)
                } else {
                    act(&mut lock(&shared), &command, &request)
                }
            }
        };
        match fault {
            Some(Fault::DropAfter) => return,
            Some(Fault::HangAfter) => continue,
            _ => {}
        }
        answer.insert("Command".to_owned(), json!(command));
        let mut ping = request.get("PingPong").cloned().unwrap_or(Value::Null);
        if fault == Some(Fault::WrongPing) {
            ping = json!(ping.as_u64().unwrap_or(0).wrapping_sub(1));
        }
        answer.insert("PingPong".to_owned(), ping);
        let text = if fault == Some(Fault::Garbage) {
            "\u{2}{\"Command\":\"Finish".to_owned()
        } else {
            format!("\u{2}{}\u{3}\n", Value::Object(answer))
        };
        if socket.send(Message::text(text)).await.is_err() {
            return;
        }
    }
}

fn error(code: u32, why: &str) -> Map<String, Value> {
    object(json!({"Status": "error", "Code": code, "Desc": why}))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn ok() -> Map<String, Value> {
    object(json!({"Status": "ok"}))
}

fn refused(refusal: Refusal) -> Map<String, Value> {
    match refusal {
        Refusal::UnknownClient => error(19, "JSON_CODE_ERROR_CLIENT_NOT_REGISTERED"),
        Refusal::TooManyOpen => error(21, "JSON_CODE_MAX_PARALLEL_TRANSACTIONS_REACHED"),
        Refusal::TooManyClients => error(23, "JSON_CODE_MAX_REGISTERED_CLIENTS_REACHED"),
        Refusal::HasOpen => error(24, "JSON_CODE_ERROR_CLIENT_HAS_UNFINISHED_TRANSACTIONS"),
        Refusal::UnknownTransaction => error(5017, "ERROR_NO_ORDER"),
        // The number is made up; the real one is not known.
        Refusal::Condition(name) => error(5_900, &format!("ERROR_{name}")),
    }
}

/// Whether the password is right, or the answer that it is not.
fn password(double: &mut Double, request: &Map<String, Value>, expected: &str) -> Result<(), Map<String, Value>> {
    if double.conditions.blocked || double.wrong_passwords >= WRONG_MAX {
        return Err(error(32, "JSON_CODE_ERROR_PARAMETER_USER_BLOCKED"));
    }
    let given = request.get("Password").and_then(Value::as_str);
    let given = given.ok_or_else(|| error(3, "JSON_CODE_PARAMETER_MISSING"))?;
    let decoded = STANDARD.decode(given);
    let decoded = decoded.map_err(|_| error(9, "JSON_CODE_PARAMETER_INVALID_BASE64"))?;
    if decoded != expected.as_bytes() {
        double.wrong_passwords += 1;
        return Err(error(30, "JSON_CODE_ERROR_PARAMETER_PASSWORD_WRONG"));
    }
    double.wrong_passwords = 0;
    Ok(())
}

fn act(double: &mut Double, command: &str, request: &Map<String, Value>) -> Map<String, Value> {
    match answer(double, command, request) {
        Ok(answer) | Err(answer) => answer,
    }
}

fn answer(
    double: &mut Double,
    command: &str,
    request: &Map<String, Value>,
) -> Result<Map<String, Value>, Map<String, Value>> {
    let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| request.get(name).and_then(Value::as_u64);
    let missing = || error(3, "JSON_CODE_PARAMETER_MISSING");
    match command {
        "PingPong" | "SetDefaultClientID" | "ExportAbort" => Ok(ok()),
        "GetDeviceInfo" => {
            let serial = hex(&double.info().serial);
            Ok(object(
                json!({"Status": "ok", "DeviceInfo": {"SerialNumber": serial, "TimeFormat": "UnixTime"}}),
            ))
        }
        "GetDeviceStatus" => {
            let mut status = object(json!({"Status": "ok", "Parameters": {
                "SignatureAlgorithm": double.info().curve.algorithm(),
                "TSEDescription": "test double of tse-mocks, not certified",
            }}));
            if request.contains_key("Password") {
                password(double, request, ADMIN_PASSWORD)?;
                status.insert("ClientIDs".to_owned(), json!(double.clients));
            }
            Ok(status)
        }
        "GetDeviceData" => {
            let value = match text("Name") {
                "PublicKey" => double.info().public_key.clone(),
                "Certificates" => double.certificate(),
                _ => return Err(error(4, "JSON_CODE_PARAMETER_INVALID")),
            };
            let written = match text("Format") {
                "Base64" => STANDARD.encode(&value),
                _ => hex(&value),
            };
            Ok(object(
                json!({"Status": "ok", "Name": text("Name"), "Value": written, "Length": value.len()}),
            ))
        }
        "PerformSelfTest" => {
            password(double, request, ADMIN_PASSWORD)?;
            double.conditions.untested = false;
            Ok(ok())
        }
        "UpdateTime" => {
            password(double, request, TIME_ADMIN_PASSWORD)?;
            text("Time")
                .parse::<jiff::Timestamp>()
                .map_err(|_| error(4, "JSON_CODE_PARAMETER_INVALID"))?;
            double.conditions.clock_unset = false;
            Ok(ok())
        }
        "RegisterClientID" | "DeregisterClientID" => {
            password(double, request, ADMIN_PASSWORD)?;
            let client = text("ClientID");
            let fits = |c: char| c.is_ascii_alphanumeric() || "()+,-.:? ".contains(c);
            if client.is_empty() || client.len() > 30 || !client.chars().all(fits) {
                return Err(error(4, "JSON_CODE_PARAMETER_INVALID"));
            }
            let done = if command == "RegisterClientID" {
                double.register(client)
            } else {
                double.deregister(client)
            };
            match done {
                Ok(true) => Ok(ok()),
                Ok(false) => Err(error(5, "JSON_CODE_COMMAND_CANNOT_BE_PROCESSED")),
                Err(refusal) => Err(refused(refusal)),
            }
        }
        "StartTransaction" => {
            password(double, request, TIME_ADMIN_PASSWORD)?;
            let client = text("ClientID");
            let begun = double.start(client).map_err(refused)?;
            let mut answer = signed(double, &begun);
            answer.insert("TransactionNumber".to_owned(), json!(begun.transaction));
            Ok(answer)
        }
        "FinishTransaction" => {
            password(double, request, TIME_ADMIN_PASSWORD)?;
            let transaction = number("TransactionNumber").ok_or_else(missing)?;
            let done = double.finish(text("ClientID"), transaction, text("Typ"), text("Data"));
            let done = done.map_err(refused)?;
            Ok(signed(double, &done))
        }
        "Export" => {
            password(double, request, ADMIN_PASSWORD)?;
            let from = number("TransactionNumberStart").unwrap_or(0);
            let to = number("TransactionNumberEnd").unwrap_or(u64::MAX);
            let tar = double.export(from, to);
            let offset = usize::try_from(number("Offset").unwrap_or(0)).unwrap_or(usize::MAX);
            let rest = tar
                .get(offset..)
                .ok_or_else(|| error(4, "JSON_CODE_PARAMETER_INVALID"))?;
            let chunk = rest.get(..CHUNK.min(rest.len())).unwrap_or_default();
            Ok(object(
                json!({"Status": "ok", "Value": STANDARD.encode(chunk), "Length": chunk.len(), "Total": tar.len()}),
            ))
        }
        _ => Err(error(2, "JSON_CODE_COMMAND_UNSUPPORTED")),
    }
}

fn signed(double: &Double, logged: &Logged) -> Map<String, Value> {
    let second = i64::try_from(logged.time_s).unwrap_or(0);
    let time = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    object(json!({
        "Status": "ok",
        "SerialNumber": hex(&double.info().serial),
        "SignatureCounter": logged.counter,
        "Signature": hex(&logged.signature),
        // With an offset, as a unit that stands in Germany writes it.
        "LogTime": time.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(2))).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    }))
}
