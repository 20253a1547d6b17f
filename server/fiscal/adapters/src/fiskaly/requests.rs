//! Questions to the service that more than one call of the trait has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fiscal::tse::{Document, Finished, Started, TransactionKey, Tse as _, TseError};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::api::Fault;
use super::wire::{Client, List, Transaction, Tss};
use super::{Fiskaly, Open, ids};

/// Rows of a list in one answer.
const PAGE: usize = 100;

impl Fiskaly {
    pub(super) fn call<T: DeserializeOwned>(
        &mut self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Fault> {
        let path = format!("/tss/{}{path}", self.settings.tss);
        let value = self.api.call(method, &path, body)?;
        serde_json::from_value(value).map_err(|_| Fault::Unknown("the answer cannot be read".to_owned()))
    }

    pub(super) fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Fault> {
        self.call(&Method::GET, path, None)
    }

    /// Prepared, and not over.
    pub(super) fn ready(&mut self, now_ms: u64) -> Result<(), TseError> {
        if self.info.is_none() {
            self.prepare(now_ms)?;
        }
        let until = self.info.as_ref().and_then(|info| info.valid_until_ms);
        match until {
            Some(until) if until < now_ms => Err(TseError::CertificateExpired),
            _ => Ok(()),
        }
    }

    pub(super) fn all<T: DeserializeOwned>(&mut self, path: &str, max: usize) -> Result<Vec<T>, Fault> {
        let mut all = Vec::new();
        // A service that does not know `offset` would give the first page for ever.
        while all.len() <= max {
            let glue = if path.contains('?') { '&' } else { '?' };
            let page: List<T> = self.get(&format!("{path}{glue}limit={PAGE}&offset={}", all.len()))?;
            let is_last = page.data.len() < PAGE;
            all.extend(page.data);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    pub(super) fn active(&mut self) -> Result<Vec<Transaction>, Fault> {
        let max = self.info.as_ref().map_or(2_000, |info| info.limits.open_max);
        let mut all: Vec<Transaction> = self.all("/tx?states[]=ACTIVE", usize::try_from(max).unwrap_or(2_000))?;
        all.sort_by_key(|transaction| transaction.number);
        all.dedup_by_key(|transaction| transaction.number);
        Ok(all)
    }

    /// Does something that only the admin may.
    pub(super) fn as_admin<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let denied = |why: String| Fault::Failed(TseError::AccessDenied(why));
        if let Some(why) = &self.locked_out {
            return Err(denied(format!(
                "{why}; it is not sent again, so that it is not blocked"
            )));
        }
        let path = format!("/tss/{}/admin", self.settings.tss);
        let body = json!({"admin_pin": self.admin_pin.expose()});
        let (login, logout) = (format!("{path}/auth"), format!("{path}/logout"));
        let mut request = self.api.request(&Method::POST, &login, Some(&body));
        request.shows_pin = true;
        match self.api.ask(request) {
            Ok(_) => {}
            Err(Fault::Refused(refusal)) if matches!(refusal.status, 401 | 403 | 423) => {
                let why = format!("HTTP {} {} for the admin's PIN", refusal.status, refusal.code);
                self.locked_out = Some(why.clone());
                return Err(denied(why));
            }
            Err(fault) => return Err(fault),
        }
        let done = act(self);
        if let Err(fault) = self.api.call(&Method::POST, &logout, Some(&json!({}))) {
            tracing::debug!(?fault, "the admin stays logged in until the service ends it");
        }
        done
    }

    pub(super) fn client(&mut self, id: &str) -> Result<Option<Client>, Fault> {
        match self.get(&format!("/client/{id}")) {
            Ok(client) => Ok(Some(client)),
            Err(fault) if fault.is(404) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Remembers what is open, so that its end needs no question.
    pub(super) fn note(&mut self, transaction: &Transaction, key: Option<(TransactionKey, Started)>) {
        let open = Open {
            id: transaction.id.clone(),
            client: transaction.client_serial_number.clone(),
            revision: transaction.latest_revision,
            key,
        };
        self.open.insert(transaction.number, open);
    }

    /// Where a start was refused: what the reason is.
    pub(super) fn why_no_start(&mut self, fault: Fault, client: &str) -> TseError {
        if fault.is_code("E_CLIENT_NOT_FOUND") {
            return TseError::UnknownClient(client.to_owned());
        }
        if let Fault::Refused(_) = &fault {
            // The code for "too many" is not known, so they are counted.
            let max = self.info.as_ref().map_or(u32::MAX, |info| info.limits.open_max);
            if self
                .active()
                .is_ok_and(|all| u32::try_from(all.len()).unwrap_or(u32::MAX) >= max)
            {
                return TseError::TooManyOpen;
            }
            if let Err(error) = self.check_state() {
                return error;
            }
        }
        fault.into_error()
    }

    pub(super) fn check_state(&mut self) -> Result<Tss, TseError> {
        let tss: Tss = self.get("").map_err(Fault::into_error)?;
        match tss.state.as_str() {
            "INITIALIZED" => Ok(tss),
            "DISABLED" | "DELETED" | "DEFECTIVE" => Err(TseError::Disabled),
            other => Err(TseError::Unavailable(format!(
                "the TSS is not set up, its state is {other}"
            ))),
        }
    }

    /// Ends a transaction with this revision.
    pub(super) fn put_end(&mut self, number: u64, document: Document<'_>) -> Result<Transaction, Fault> {
        let gone = || Fault::Failed(TseError::UnknownTransaction(number));
        let open = self.open.get(&number).ok_or_else(gone)?;
        let path = format!("/tx/{}?tx_revision={}", open.id, open.revision + 1);
        let body = json!({
            "state": "FINISHED",
            "client_id": ids::client(&self.settings.tss, &open.client),
            "schema": {"raw": {
                "process_type": document.process_type,
                "process_data": STANDARD.encode(document.process_data),
            }},
        });
        self.call(&Method::PUT, &path, Some(&body))
    }

    /// What the service has of a transaction, where it is open for this till; its end, where it has ended so; and an error else.
    pub(super) fn look(&mut self, client: &str, number: u64, data: &str) -> Result<Option<Finished>, TseError> {
        let unknown = || TseError::UnknownTransaction(number);
        let found: Result<Transaction, Fault> = self.get(&format!("/tx/{number}"));
        let found = match found {
            Ok(found) => found,
            Err(fault) if fault.is(404) => return Err(unknown()),
            Err(fault) => return Err(fault.into_error()),
        };
        if found.client_serial_number != client {
            return Err(unknown());
        }
        if found.is_open() {
            self.note(&found, None);
            return Ok(None);
        }
        self.open.remove(&number);
        match found.ended() {
            Some((said, finished)) if said == data => Ok(Some(finished)),
            _ => Err(unknown()),
        }
    }
}
