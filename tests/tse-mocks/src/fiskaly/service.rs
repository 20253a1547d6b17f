//! What the service does with a request.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fiscal::log_message::Operation;
use serde_json::{Value, json};
use shared_protocol::ids::hex;

use super::{ADMIN_PIN, ADMIN_PUK, API_KEY, API_SECRET, Call, TSS};
use crate::double::{Fault, Refusal, Shared, lock};

struct Transaction {
    number: u64,
    client: String,
    revision: u64,
    state: String,
    body: Value,
}

/// What the protocol adds to the TSE inside.
pub struct Service {
    /// The inside.
    pub double: Shared,
    /// State of the TSS.
    pub state: String,
    /// How long a token is good for.
    pub token_for: Duration,
    /// How often an export is looked at before it is ready.
    pub export_turns: u32,
    /// How often somebody logged in with key and secret.
    pub logins: u32,
    tokens: BTreeMap<String, Instant>,
    admin: bool,
    wrong_pins: u32,
    pin: String,
    clients: BTreeMap<String, (String, bool)>,
    transactions: BTreeMap<String, Transaction>,
    /// How often each was looked at, and the transaction that it begins with.
    exports: BTreeMap<String, (u32, u64)>,
}

type Answer = (u16, Option<u64>, Value);

/// What the connection does with a request.
pub(super) enum Done {
    Answer(u16, Option<u64>, Bytes),
    Drop,
    Hang,
}

fn error(status: u16, code: &str) -> Answer {
    (
        status,
        None,
        json!({"status_code": status, "error": "refused", "code": code, "message": "a test double says so", "_env": "TEST"}),
    )
}

fn refused(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::UnknownClient => error(400, "E_CLIENT_NOT_FOUND"),
        Refusal::UnknownTransaction => error(404, "E_TX_NOT_FOUND"),
        Refusal::TooManyClients => error(400, "E_MADE_UP_CLIENT_LIMIT"),
        Refusal::TooManyOpen => error(400, "E_MADE_UP_TX_LIMIT"),
        Refusal::HasOpen => error(409, "E_MADE_UP_CLIENT_HAS_TX"),
        Refusal::Condition(_) => error(500, "E_MADE_UP_CONDITION"),
    }
}

impl Service {
    pub(super) fn new(double: Shared) -> Self {
        Self {
            double,
            state: "INITIALIZED".to_owned(),
            token_for: Duration::from_hours(24),
            export_turns: 2,
            logins: 0,
            tokens: BTreeMap::new(),
            admin: false,
            wrong_pins: 0,
            pin: ADMIN_PIN.to_owned(),
            clients: BTreeMap::new(),
            transactions: BTreeMap::new(),
            exports: BTreeMap::new(),
        }
    }

    pub(super) fn forget_tokens(&mut self) {
        self.tokens.clear();
    }

    pub(super) fn take(&mut self, call: &Call) -> Done {
        let fault = lock(&self.double).fault_at(&call.name());
        let (status, retry_after, value) = match fault {
            Some(Fault::DropBefore) => return Done::Drop,
            Some(Fault::HangBefore) => return Done::Hang,
            Some(Fault::Code(status)) => error(u16::try_from(status).unwrap_or(500), "E_PLANTED"),
            Some(Fault::Later(status, seconds)) => {
                let (status, _, value) = error(status, "E_PLANTED");
                (status, Some(seconds), value)
            }
            _ => match self.answer(call) {
                Ok(done) | Err(done) => done,
            },
        };
        match fault {
            Some(Fault::DropAfter) => Done::Drop,
            Some(Fault::HangAfter) => Done::Hang,
            Some(Fault::Garbage) => Done::Answer(status, None, Bytes::from_static(b"<html>gateway</html>")),
            _ => {
                let bytes = match &value {
                    // The file of an export is no JSON.
                    Value::String(encoded) => STANDARD.decode(encoded).unwrap_or_default(),
                    _ => value.to_string().into_bytes(),
                };
                Done::Answer(status, retry_after, Bytes::from(bytes))
            }
        }
    }

    fn answer(&mut self, call: &Call) -> Result<Answer, Answer> {
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        if path == ["auth"] {
            return self.auth(call);
        }
        let is_known = |token: &String| self.tokens.get(token).is_some_and(|until| *until > Instant::now());
        if !call.token.as_ref().is_some_and(is_known) {
            return Err(error(401, "E_UNAUTHORIZED"));
        }
        if path.get(1) != Some(&TSS) {
            return Err(error(404, "E_TSS_NOT_FOUND"));
        }
        match (call.method.as_str(), path.get(2..).unwrap_or_default()) {
            ("PUT", []) => {
                let mut tss = self.tss();
                if self.state == "CREATED"
                    && let Some(tss) = tss.as_object_mut()
                {
                    tss.insert("admin_puk".to_owned(), json!(ADMIN_PUK));
                }
                Ok((200, None, tss))
            }
            ("GET", []) => Ok((200, None, self.tss())),
            ("PATCH", []) => self.patch_state(call.text("state")),
            ("PATCH", ["admin"]) => {
                if call.text("admin_puk") != ADMIN_PUK {
                    return Err(error(401, "E_MADE_UP_PUK"));
                }
                call.text("new_admin_pin").clone_into(&mut self.pin);
                Ok((200, None, json!({})))
            }
            ("POST", ["admin", "auth"]) => self.admin_auth(call.text("admin_pin")),
            ("POST", ["admin", "logout"]) => {
                self.admin = false;
                Ok((200, None, json!({})))
            }
            ("GET", ["client"]) => {
                let all = self.clients.keys().filter_map(|id| self.client(id)).collect();
                Ok((200, None, page(all, call)))
            }
            ("GET", ["client", id]) => self
                .client(id)
                .map(|client| (200, None, client))
                .ok_or_else(|| error(404, "E_CLIENT_NOT_FOUND")),
            ("PUT" | "PATCH", ["client", id]) => self.change_client(id, call),
            ("GET", ["tx"]) => self.list(call),
            ("GET", ["tx", id]) => {
                let id = self.resolve(id).ok_or_else(|| error(404, "E_TX_NOT_FOUND"))?;
                Ok((200, None, self.transaction(&id)))
            }
            ("PUT", ["tx", id]) => self.put_transaction(id, call),
            ("PUT", ["export", id]) => {
                let from = call
                    .query
                    .split('&')
                    .find_map(|part| part.strip_prefix("start_transaction_number="));
                let from = from.and_then(|from| from.parse().ok()).unwrap_or(0);
                self.exports.insert((*id).to_owned(), (0, from));
                Ok((200, None, json!({"_id": id, "state": "PENDING"})))
            }
            ("GET", ["export", id]) => {
                let (turns, _) = self
                    .exports
                    .get_mut(*id)
                    .ok_or_else(|| error(404, "E_EXPORT_NOT_FOUND"))?;
                *turns += 1;
                let state = if *turns > self.export_turns {
                    "COMPLETED"
                } else {
                    "WORKING"
                };
                Ok((200, None, json!({"_id": id, "state": state})))
            }
            ("GET", ["export", id, "file"]) => {
                let from = self.exports.get(*id).map_or(0, |(_, from)| *from);
                let tar = lock(&self.double).export(from, u64::MAX);
                Ok((200, None, Value::String(STANDARD.encode(tar))))
            }
            _ => Err(error(404, "E_MADE_UP_PATH")),
        }
    }

    fn auth(&mut self, call: &Call) -> Result<Answer, Answer> {
        let by_refresh = call.text("refresh_token");
        let is_right = call.text("api_key") == API_KEY && call.text("api_secret") == API_SECRET;
        if !is_right && !self.tokens.contains_key(by_refresh) {
            return Err(error(401, "E_UNAUTHORIZED"));
        }
        self.logins += u32::from(is_right);
        let (access, refresh) = (
            format!("token-{}", self.tokens.len()),
            format!("refresh-{}", self.tokens.len()),
        );
        self.tokens.insert(access.clone(), Instant::now() + self.token_for);
        self.tokens.insert(refresh.clone(), Instant::now() + 2 * self.token_for);
        let seconds = self.token_for.as_secs();
        Ok((
            200,
            None,
            json!({"access_token": access, "access_token_expires_in": seconds, "refresh_token": refresh, "refresh_token_expires_in": 2 * seconds}),
        ))
    }

    fn tss(&self) -> Value {
        let double = lock(&self.double);
        let info = double.info();
        json!({
            "_id": TSS, "_type": "TSS", "_env": "TEST", "_version": "tse-mocks",
            "description": "test double of tse-mocks, not certified",
            "state": if double.conditions.disabled { "DISABLED" } else { self.state.as_str() },
            "certificate": STANDARD.encode(double.certificate()),
            "serial_number": hex(&info.serial),
            "public_key": STANDARD.encode(&info.public_key),
            "signature_algorithm": info.curve.algorithm(),
            "signature_timestamp_format": "unixTime",
            "transaction_data_encoding": "UTF-8",
            "max_number_registered_clients": double.make.clients_max,
            "max_number_active_transactions": double.make.open_max,
        })
    }

    fn patch_state(&mut self, to: &str) -> Result<Answer, Answer> {
        let may = match (self.state.as_str(), to) {
            ("CREATED", "UNINITIALIZED") => true,
            ("UNINITIALIZED", "INITIALIZED") | ("INITIALIZED", "DISABLED") => self.admin,
            _ => false,
        };
        if !may {
            return Err(error(409, "E_MADE_UP_TSS_STATE"));
        }
        to.clone_into(&mut self.state);
        Ok((200, None, self.tss()))
    }

    fn admin_auth(&mut self, pin: &str) -> Result<Answer, Answer> {
        if lock(&self.double).conditions.blocked || self.wrong_pins >= 3 {
            return Err(error(423, "E_MADE_UP_PIN_BLOCKED"));
        }
        if pin != self.pin {
            self.wrong_pins += 1;
            lock(&self.double).wrong_passwords += 1;
            return Err(error(401, "E_MADE_UP_PIN"));
        }
        self.admin = true;
        Ok((200, None, json!({})))
    }

    fn client(&self, id: &str) -> Option<Value> {
        let (serial, registered) = self.clients.get(id)?;
        let state = if *registered { "REGISTERED" } else { "DEREGISTERED" };
        Some(json!({"_id": id, "_type": "CLIENT", "serial_number": serial, "state": state}))
    }

    fn change_client(&mut self, id: &str, call: &Call) -> Result<Answer, Answer> {
        if !self.admin {
            return Err(error(401, "E_MADE_UP_ADMIN"));
        }
        let serial = match self.clients.get(id) {
            Some((serial, _)) => serial.clone(),
            None if call.method == Method::PUT => call.text("serial_number").to_owned(),
            None => return Err(error(404, "E_CLIENT_NOT_FOUND")),
        };
        let registered = call.text("state") != "DEREGISTERED";
        let mut double = lock(&self.double);
        let done = if registered {
            double.register(&serial)
        } else {
            double.deregister(&serial)
        };
        drop(double);
        done.map_err(refused)?;
        self.clients.insert(id.to_owned(), (serial, registered));
        Ok((200, None, self.client(id).unwrap_or(Value::Null)))
    }

    fn list(&self, call: &Call) -> Result<Answer, Answer> {
        if !call.query.contains("states[]=ACTIVE") && !call.query.contains("states%5B%5D=ACTIVE") {
            return Err(error(400, "E_FAILED_SCHEMA_VALIDATION"));
        }
        let active = self.transactions.iter().filter(|(_, tx)| tx.state == "ACTIVE");
        let all = active.map(|(id, _)| self.transaction(id)).collect();
        Ok((200, None, page(all, call)))
    }

    /// By its name or its number.
    fn resolve(&self, id: &str) -> Option<String> {
        if self.transactions.contains_key(id) {
            return Some(id.to_owned());
        }
        let number = id.parse::<u64>().ok()?;
        let found = self.transactions.iter().find(|(_, tx)| tx.number == number);
        found.map(|(id, _)| id.clone())
    }

    fn transaction(&self, id: &str) -> Value {
        let Some(tx) = self.transactions.get(id) else {
            return Value::Null;
        };
        let double = lock(&self.double);
        let (started, ended) = (
            double.of(tx.number, Operation::Start),
            double.of(tx.number, Operation::Finish),
        );
        let last = ended.or(started);
        json!({
            "_id": id, "_type": "TRANSACTION", "_env": "TEST", "_version": "tse-mocks",
            "number": tx.number, "state": tx.state, "tss_id": TSS,
            "tss_serial_number": hex(&double.info().serial),
            "client_id": tx.client, "client_serial_number": last.map(|logged| logged.client.clone()),
            "revision": tx.revision, "latest_revision": tx.revision,
            "time_start": started.map(|logged| logged.time_s), "time_end": ended.map(|logged| logged.time_s),
            "log": {"timestamp": last.map(|logged| logged.time_s), "timestamp_format": "unixTime"},
            "signature": {
                "value": last.map(|logged| STANDARD.encode(&logged.signature)),
                "algorithm": double.info().curve.algorithm(),
                "counter": last.map(|logged| logged.counter.to_string()),
                "public_key": STANDARD.encode(&double.info().public_key),
            },
            "schema": tx.body.get("schema").cloned().unwrap_or(Value::Null),
        })
    }

    fn put_transaction(&mut self, id: &str, call: &Call) -> Result<Answer, Answer> {
        let revision: u64 = call
            .query("tx_revision")
            .parse()
            .map_err(|_| error(400, "E_FAILED_SCHEMA_VALIDATION"))?;
        if let Some(known) = self.transactions.get(id) {
            if known.revision == revision && known.body == call.body {
                return Ok((200, None, self.transaction(id)));
            }
            if known.revision + 1 != revision || known.state != "ACTIVE" {
                return Err(error(409, "E_MADE_UP_REVISION"));
            }
        } else if revision != 1 {
            return Err(error(404, "E_TX_NOT_FOUND"));
        }
        let client = call.text("client_id").to_owned();
        let serial = match self.clients.get(&client) {
            Some((serial, true)) => serial.clone(),
            _ => return Err(error(400, "E_CLIENT_NOT_FOUND")),
        };
        let mut double = lock(&self.double);
        let state = call.text("state").to_owned();
        let done = match (state.as_str(), self.transactions.get(id)) {
            ("ACTIVE", None) => double.start(&serial),
            ("FINISHED" | "CANCELLED", Some(known)) => {
                let raw = call.body.pointer("/schema/raw");
                let of = |name: &str| {
                    raw.and_then(|raw| raw.get(name))
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                };
                let data = STANDARD.decode(of("process_data")).unwrap_or_default();
                let data = String::from_utf8_lossy(&data).into_owned();
                double.finish(&serial, known.number, of("process_type"), &data)
            }
            _ => return Err(error(409, "E_MADE_UP_STATE")),
        };
        drop(double);
        let done = done.map_err(refused)?;
        let transaction = Transaction {
            number: done.transaction,
            client,
            revision,
            state,
            body: call.body.clone(),
        };
        self.transactions.insert(id.to_owned(), transaction);
        Ok((200, None, self.transaction(id)))
    }
}

fn page(all: Vec<Value>, call: &Call) -> Value {
    let count = all.len();
    let limit = call.query("limit").parse().unwrap_or(100);
    let data: Vec<Value> = all
        .into_iter()
        .skip(call.query("offset").parse().unwrap_or(0))
        .take(limit)
        .collect();
    json!({"data": data, "count": count, "_type": "LIST", "_env": "TEST", "_version": "tse-mocks"})
}
