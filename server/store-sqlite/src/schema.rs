//! The tables, as numbered steps. A step that was released is never changed; a new one is added at the end.
//!
//! Times and counters of other machines are any 64 bits; they are stored as the signed number with the same bits and nothing sorts by them.

/// `Gros`, in the header of every database of this program.
pub const APPLICATION_ID: i32 = 0x4772_6f73;

/// The format this program writes.
pub const FORMAT: u32 = 8;

const _: () = assert!(STEPS.len() == FORMAT as usize, "each step leads to the next format");

/// Step n leads from format n to n + 1.
pub(crate) const STEPS: &[&str] = &[
    BOOKS,
    SUMS,
    SIGNING,
    OFFICE,
    PURSES,
    TSES,
    FISCAL_OFFICE,
    FINDINGS_IN_GERMAN,
];

/// What a commit writes.
///
/// - `journal.record` is what the chain hash covers, byte for byte; `posting` and `reverses` repeat two of its fields because they must be
///   unique. `order_id` is empty (not null) where it is the posting's id.
/// - `balance.floor` is the net: the rule has decided before.
/// - `lot` begins with event and asset, so that the few assets that have lots are found without reading them.
const BOOKS: &str = "
CREATE TABLE fact (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE terminal (
    no INTEGER PRIMARY KEY,
    event BLOB NOT NULL CHECK (length(event) = 16),
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    till INTEGER NOT NULL,
    key_algorithm INTEGER NOT NULL,
    key BLOB NOT NULL,
    state INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    previous_seq INTEGER NOT NULL,
    previous_head BLOB NOT NULL CHECK (length(previous_head) = 32),
    device TEXT NOT NULL,
    registered_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE slot (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    event BLOB NOT NULL CHECK (length(event) = 16),
    till INTEGER NOT NULL,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    expires_at_ms INTEGER NOT NULL,
    confirm INTEGER NOT NULL,
    state INTEGER NOT NULL,
    key_algorithm INTEGER,
    key BLOB,
    device TEXT,
    code TEXT,
    terminal BLOB,
    CHECK (state = 0 OR (state = 1 AND key_algorithm IS NOT NULL AND key IS NOT NULL AND device IS NOT NULL AND code IS NOT NULL)
        OR (state = 2 AND length(terminal) = 16))
) STRICT, WITHOUT ROWID;

CREATE TABLE chain (
    terminal INTEGER NOT NULL REFERENCES terminal,
    epoch INTEGER NOT NULL,
    branch INTEGER NOT NULL,
    previous_seq INTEGER NOT NULL,
    previous_head BLOB NOT NULL CHECK (length(previous_head) = 32),
    first_seq INTEGER NOT NULL CHECK (first_seq >= 1),
    last_seq INTEGER NOT NULL CHECK (last_seq >= first_seq - 1),
    head BLOB NOT NULL CHECK (length(head) = 32),
    PRIMARY KEY (terminal, epoch, branch)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    no INTEGER PRIMARY KEY CHECK (no >= 1),
    posting BLOB,
    reverses BLOB,
    terminal INTEGER REFERENCES terminal,
    epoch INTEGER,
    branch INTEGER,
    seq INTEGER,
    status INTEGER,
    order_id BLOB,
    day INTEGER,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    record BLOB NOT NULL,
    raw BLOB,
    head_algorithm INTEGER,
    head_signature BLOB,
    CHECK ((head_algorithm IS NULL) = (head_signature IS NULL) AND (terminal IS NOT NULL OR head_signature IS NULL)),
    CHECK ((terminal IS NULL) = (raw IS NULL) AND (terminal IS NULL OR seq >= 1))
) STRICT;
CREATE UNIQUE INDEX journal_posting ON journal (posting) WHERE posting IS NOT NULL;
CREATE UNIQUE INDEX journal_reverses ON journal (reverses) WHERE reverses IS NOT NULL;
CREATE UNIQUE INDEX journal_place ON journal (terminal, epoch, branch, seq) WHERE terminal IS NOT NULL;
CREATE TRIGGER journal_keeps_rows BEFORE DELETE ON journal BEGIN
    SELECT RAISE(ABORT, 'nothing is taken out of the journal');
END;
CREATE TRIGGER journal_keeps_content BEFORE UPDATE ON journal BEGIN
    SELECT RAISE(ABORT, 'nothing is changed in the journal');
END;

CREATE TABLE balance (
    event BLOB NOT NULL CHECK (length(event) = 16),
    account BLOB NOT NULL,
    asset INTEGER NOT NULL,
    balance INTEGER NOT NULL,
    floor INTEGER,
    PRIMARY KEY (event, account, asset),
    CHECK (floor IS NULL OR balance >= floor)
) STRICT, WITHOUT ROWID;

CREATE TABLE lot (
    event BLOB NOT NULL CHECK (length(event) = 16),
    asset INTEGER NOT NULL,
    account BLOB NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    remaining INTEGER NOT NULL CHECK (remaining > 0),
    PRIMARY KEY (event, asset, account, expires_at_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE cases (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    stake INTEGER NOT NULL,
    terminal INTEGER REFERENCES terminal,
    no INTEGER REFERENCES journal,
    opened_at_ms INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE INDEX cases_kind ON cases (kind, stake);

CREATE TABLE stream_version (
    event BLOB NOT NULL CHECK (length(event) = 16),
    stream INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (event, stream, generation, rev)
) STRICT, WITHOUT ROWID;

CREATE TABLE stream_item (
    event BLOB NOT NULL CHECK (length(event) = 16),
    stream INTEGER NOT NULL,
    key BLOB NOT NULL,
    generation INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    value BLOB,
    PRIMARY KEY (event, stream, key, generation, rev)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER stream_version_keeps_rows BEFORE DELETE ON stream_version BEGIN
    SELECT RAISE(ABORT, 'old revisions are kept');
END;
CREATE TRIGGER stream_item_keeps_rows BEFORE DELETE ON stream_item BEGIN
    SELECT RAISE(ABORT, 'old revisions are kept');
END;
CREATE TRIGGER stream_item_keeps_content BEFORE UPDATE ON stream_item BEGIN
    SELECT RAISE(ABORT, 'old revisions are kept');
END;
";

/// What follows the journal behind a cursor; all of it can be made again from the journal.
///
/// Sums are 128-bit numbers, most significant byte first: turnover of hostile amounts must not stop the projection.
const SUMS: &str = "
CREATE TABLE cursor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    no INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO cursor VALUES (1, 0, zeroblob(32));

CREATE TABLE account_sum (
    event BLOB NOT NULL,
    account BLOB NOT NULL,
    asset INTEGER NOT NULL,
    sum BLOB NOT NULL CHECK (length(sum) = 16),
    PRIMARY KEY (event, account, asset)
) STRICT, WITHOUT ROWID;

CREATE TABLE turnover (
    event BLOB NOT NULL,
    till INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    sum BLOB NOT NULL CHECK (length(sum) = 16),
    PRIMARY KEY (event, till, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE booked_order (
    no INTEGER PRIMARY KEY,
    event BLOB NOT NULL,
    day INTEGER,
    kind INTEGER NOT NULL,
    till INTEGER NOT NULL,
    cashier INTEGER NOT NULL,
    taxpayer INTEGER NOT NULL,
    holder BLOB,
    closed_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX booked_order_holder ON booked_order (holder) WHERE holder IS NOT NULL;

CREATE TABLE order_line (
    no INTEGER NOT NULL,
    line INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    article INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    unit_price INTEGER NOT NULL,
    tax INTEGER NOT NULL,
    rate INTEGER NOT NULL,
    PRIMARY KEY (no, line)
) STRICT, WITHOUT ROWID;
";

/// What was signed. A transaction that ended is never changed, and of an order only that it was signed after all.
const SIGNING: &str = "
CREATE TABLE tse (
    no INTEGER PRIMARY KEY,
    serial BLOB NOT NULL CHECK (length(serial) = 32),
    name TEXT NOT NULL,
    public_key BLOB NOT NULL,
    algorithm TEXT NOT NULL,
    certified INTEGER NOT NULL,
    taxpayer INTEGER NOT NULL
) STRICT;

CREATE TABLE tse_transaction (
    tse INTEGER NOT NULL REFERENCES tse,
    transaction_no INTEGER NOT NULL,
    client TEXT NOT NULL,
    cart BLOB NOT NULL CHECK (length(cart) = 16),
    started_s INTEGER NOT NULL,
    start_counter INTEGER NOT NULL,
    start_signature BLOB NOT NULL,
    finished_s INTEGER,
    counter INTEGER,
    process_type TEXT,
    process_data TEXT,
    signature BLOB,
    PRIMARY KEY (tse, transaction_no),
    CHECK ((finished_s IS NULL) = (counter IS NULL) AND (finished_s IS NULL) = (process_type IS NULL)
        AND (finished_s IS NULL) = (process_data IS NULL) AND (finished_s IS NULL) = (signature IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX tse_transaction_open ON tse_transaction (tse, transaction_no) WHERE finished_s IS NULL;
CREATE TRIGGER tse_transaction_keeps_rows BEFORE DELETE ON tse_transaction BEGIN
    SELECT RAISE(ABORT, 'what was signed is kept');
END;
CREATE TRIGGER tse_transaction_ends_once BEFORE UPDATE ON tse_transaction WHEN OLD.finished_s IS NOT NULL AND (
        OLD.finished_s IS NOT NEW.finished_s OR OLD.counter IS NOT NEW.counter OR OLD.process_type IS NOT NEW.process_type
        OR OLD.process_data IS NOT NEW.process_data OR OLD.signature IS NOT NEW.signature) BEGIN
    SELECT RAISE(ABORT, 'what was signed is kept');
END;

CREATE TABLE outage (
    id INTEGER PRIMARY KEY,
    tse INTEGER REFERENCES tse,
    client TEXT,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER,
    reason TEXT NOT NULL
) STRICT;

CREATE TABLE signing (
    no INTEGER PRIMARY KEY REFERENCES journal,
    state INTEGER NOT NULL,
    tse INTEGER NOT NULL REFERENCES tse,
    transaction_no INTEGER,
    outage INTEGER REFERENCES outage,
    CHECK ((state = 3) = (transaction_no IS NULL) AND (state = 1 OR outage IS NOT NULL))
) STRICT;
CREATE INDEX signing_unsigned ON signing (no) WHERE state = 3;
CREATE INDEX signing_state ON signing (state);
CREATE TRIGGER signing_keeps_rows BEFORE DELETE ON signing BEGIN
    SELECT RAISE(ABORT, 'how an order came off is kept');
END;
CREATE TRIGGER signing_late_only BEFORE UPDATE ON signing WHEN NOT (
        OLD.state = NEW.state AND OLD.tse = NEW.tse AND OLD.transaction_no IS NEW.transaction_no AND OLD.outage IS NEW.outage
        OR OLD.state = 3 AND NEW.state = 2 AND OLD.outage IS NEW.outage) BEGIN
    SELECT RAISE(ABORT, 'how an order came off is kept');
END;
";

/// What the office does, and what it asks for in parts.
///
/// - The projections begin anew at the first journal row: lists need what is not in them yet (totals of orders, hours). A server makes them
///   again while it waits for orders, and says how far it is.
/// - `total` is a number, or 16 bytes where 64 bits do not hold it.
/// - Hours tell between which journal numbers their orders are. Orders of an evening or a cashier are found that way without an index.
/// - `case_state` follows the newest note of each case.
/// - Most orders are sales (1) and top-ups (4): a walk back from the newest finds them, no index is kept. The indexes of tills and of other
///   kinds carry what lists are filtered by, so that what does not fit is passed over without a look at the order.
/// - Nearly all orders are signed when they are made (1): they are counted as they come, and only the others have an index.
/// - `tse_counter` is where a TSE's numbers stand. A look at all of its transactions would take seconds after a million of them.
const OFFICE: &str = "
DROP TABLE turnover;
DROP TABLE booked_order;
DELETE FROM order_line;
DELETE FROM account_sum;
UPDATE cursor SET no = 0, hash = zeroblob(32);

CREATE TABLE turnover (
    event BLOB NOT NULL,
    till INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    sum BLOB NOT NULL CHECK (length(sum) = 16),
    first_no INTEGER NOT NULL,
    last_no INTEGER NOT NULL,
    PRIMARY KEY (event, till, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_hour (
    event BLOB NOT NULL,
    hour_ms INTEGER NOT NULL,
    till INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    cashier INTEGER NOT NULL,
    day INTEGER NOT NULL,
    orders INTEGER NOT NULL,
    total ANY NOT NULL,
    first_no INTEGER NOT NULL,
    last_no INTEGER NOT NULL,
    PRIMARY KEY (event, hour_ms, till, kind, cashier, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE booked_order (
    no INTEGER PRIMARY KEY,
    event BLOB NOT NULL,
    day INTEGER,
    kind INTEGER NOT NULL,
    till INTEGER NOT NULL,
    cashier INTEGER NOT NULL,
    taxpayer INTEGER NOT NULL,
    holder BLOB,
    closed_at_ms INTEGER NOT NULL CHECK (closed_at_ms >= 0),
    total ANY NOT NULL
) STRICT;
CREATE INDEX booked_order_holder ON booked_order (holder) WHERE holder IS NOT NULL;
CREATE INDEX booked_order_till ON booked_order (till, no, kind, cashier, closed_at_ms);
CREATE INDEX booked_order_kind ON booked_order (kind, no, till, cashier, closed_at_ms, day) WHERE kind NOT IN (1, 4);

CREATE TABLE signing_count (
    state INTEGER PRIMARY KEY,
    orders INTEGER NOT NULL
) STRICT;
INSERT INTO signing_count VALUES (1, 0), (2, 0), (3, 0);
UPDATE signing_count SET orders = (SELECT count(*) FROM signing WHERE signing.state = signing_count.state);
DROP INDEX signing_state;
CREATE INDEX signing_exception ON signing (state) WHERE state <> 1;
CREATE TRIGGER signing_counts_new AFTER INSERT ON signing BEGIN
    UPDATE signing_count SET orders = orders + 1 WHERE state = NEW.state;
END;
CREATE TRIGGER signing_counts_late AFTER UPDATE ON signing WHEN OLD.state <> NEW.state BEGIN
    UPDATE signing_count SET orders = orders - 1 WHERE state = OLD.state;
    UPDATE signing_count SET orders = orders + 1 WHERE state = NEW.state;
END;

CREATE TABLE tse_counter (
    tse INTEGER PRIMARY KEY REFERENCES tse,
    transaction_no INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    time_s INTEGER NOT NULL
) STRICT;
INSERT INTO tse_counter SELECT tse, max(transaction_no), max(max(start_counter, coalesce(counter, 0))),
    max(max(started_s, coalesce(finished_s, 0))) FROM tse_transaction GROUP BY tse;

CREATE TABLE office_user (
    name TEXT PRIMARY KEY,
    role INTEGER NOT NULL,
    password TEXT NOT NULL,
    active INTEGER NOT NULL,
    changed_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE office_session (
    token BLOB PRIMARY KEY CHECK (length(token) = 32),
    user TEXT NOT NULL REFERENCES office_user,
    opened_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE case_state (
    id INTEGER PRIMARY KEY REFERENCES cases,
    kind INTEGER NOT NULL,
    stake INTEGER NOT NULL,
    state INTEGER NOT NULL,
    owner TEXT
) STRICT;
INSERT INTO case_state SELECT id, kind, stake, 1, NULL FROM cases;
CREATE INDEX case_state_kind ON case_state (kind);
CREATE INDEX case_state_state ON case_state (state);
CREATE INDEX case_state_owner ON case_state (owner) WHERE owner IS NOT NULL;

CREATE TABLE case_note (
    id INTEGER PRIMARY KEY,
    case_id INTEGER NOT NULL REFERENCES cases,
    at_ms INTEGER NOT NULL,
    by TEXT NOT NULL,
    state INTEGER NOT NULL,
    owner TEXT,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX case_note_case ON case_note (case_id);
CREATE TRIGGER case_note_keeps_rows BEFORE DELETE ON case_note BEGIN
    SELECT RAISE(ABORT, 'what was said about a case is kept');
END;
CREATE TRIGGER case_note_keeps_content BEFORE UPDATE ON case_note BEGIN
    SELECT RAISE(ABORT, 'what was said about a case is kept');
END;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    by TEXT NOT NULL,
    what TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_object ON audit (object);
CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'nothing is taken out of the audit log');
END;
CREATE TRIGGER audit_keeps_content BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'nothing is changed in the audit log');
END;
";

/// What is known of wristbands with a purse. `gap_since_ms` is empty where nothing is missing or a case tells of it.
const PURSES: &str = "
CREATE TABLE purse (
    event BLOB NOT NULL CHECK (length(event) = 16),
    tag BLOB NOT NULL CHECK (length(tag) BETWEEN 4 AND 10),
    gap_since_ms INTEGER CHECK (gap_since_ms >= 0),
    content BLOB NOT NULL,
    PRIMARY KEY (event, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX purse_gap ON purse (event, gap_since_ms) WHERE gap_since_ms IS NOT NULL;
";

/// Several TSEs of a taxpayer, and which till was with which. Orders come off in any order: `signing_progress` says up to where all have. Closings, and
/// what is in none yet: an order once it came off, a transaction that ended unless it signed an order.
const TSES: &str = "
ALTER TABLE tse ADD COLUMN link TEXT NOT NULL DEFAULT '';
ALTER TABLE tse ADD COLUMN time_format TEXT NOT NULL DEFAULT 'unixTime';
ALTER TABLE tse ADD COLUMN valid_until_ms INTEGER;
ALTER TABLE tse ADD COLUMN clients_max INTEGER NOT NULL DEFAULT 4294967295;
ALTER TABLE tse ADD COLUMN signature_ms INTEGER NOT NULL DEFAULT 1;

CREATE TABLE tse_certificate (
    tse INTEGER NOT NULL REFERENCES tse,
    place INTEGER NOT NULL,
    der BLOB NOT NULL,
    PRIMARY KEY (tse, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE tse_client (
    client TEXT NOT NULL,
    taxpayer INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    tse INTEGER NOT NULL REFERENCES tse,
    until_ms INTEGER,
    PRIMARY KEY (client, taxpayer, from_ms, tse)
) STRICT, WITHOUT ROWID;
CREATE INDEX tse_client_now ON tse_client (client) WHERE until_ms IS NULL;
CREATE TRIGGER tse_client_keeps_rows BEFORE DELETE ON tse_client BEGIN
    SELECT RAISE(ABORT, 'which till was with which TSE is kept');
END;

CREATE TABLE signing_progress (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    no INTEGER NOT NULL
) STRICT;
INSERT INTO signing_progress SELECT 1, coalesce(max(no), 0) FROM signing;

ALTER TABLE signing ADD COLUMN doubt INTEGER;
CREATE INDEX signing_doubt ON signing (tse, doubt) WHERE doubt IS NOT NULL;
DROP TRIGGER signing_late_only;
CREATE TRIGGER signing_late_only BEFORE UPDATE ON signing WHEN NOT (
        OLD.state = NEW.state AND OLD.tse = NEW.tse AND OLD.transaction_no IS NEW.transaction_no AND OLD.outage IS NEW.outage
        AND OLD.doubt IS NEW.doubt
        OR OLD.state = 3 AND NEW.state IN (2, 3) AND OLD.outage IS NEW.outage) BEGIN
    SELECT RAISE(ABORT, 'how an order came off is kept');
END;

CREATE TABLE closing (
    id INTEGER PRIMARY KEY,
    client TEXT NOT NULL,
    taxpayer INTEGER NOT NULL,
    till INTEGER NOT NULL,
    z_no INTEGER NOT NULL,
    day INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    supplement INTEGER NOT NULL,
    first_receipt INTEGER NOT NULL,
    receipts INTEGER NOT NULL,
    UNIQUE (client, taxpayer, z_no)
) STRICT;
CREATE TABLE closing_item (
    closing INTEGER NOT NULL REFERENCES closing,
    receipt INTEGER NOT NULL,
    order_no INTEGER,
    tse INTEGER,
    transaction_no INTEGER,
    PRIMARY KEY (closing, receipt),
    CHECK ((order_no IS NULL) <> (transaction_no IS NULL) AND (tse IS NULL) = (transaction_no IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX closing_item_order ON closing_item (order_no) WHERE order_no IS NOT NULL;
CREATE UNIQUE INDEX closing_item_transaction ON closing_item (tse, transaction_no) WHERE transaction_no IS NOT NULL;
CREATE TRIGGER closing_keeps_rows BEFORE DELETE ON closing BEGIN
    SELECT RAISE(ABORT, 'a closing is kept');
END;
CREATE TRIGGER closing_keeps_content BEFORE UPDATE ON closing BEGIN
    SELECT RAISE(ABORT, 'a closing is kept');
END;
CREATE TRIGGER closing_item_keeps_rows BEFORE DELETE ON closing_item BEGIN
    SELECT RAISE(ABORT, 'a closing is kept');
END;
CREATE TRIGGER closing_item_keeps_content BEFORE UPDATE ON closing_item BEGIN
    SELECT RAISE(ABORT, 'a closing is kept');
END;

CREATE TABLE unclosed_order (
    no INTEGER PRIMARY KEY
) STRICT;
INSERT INTO unclosed_order SELECT no FROM signing;
CREATE TRIGGER signing_is_unclosed AFTER INSERT ON signing BEGIN
    INSERT INTO unclosed_order VALUES (NEW.no);
END;
CREATE TABLE unclosed_transaction (
    tse INTEGER NOT NULL,
    transaction_no INTEGER NOT NULL,
    PRIMARY KEY (tse, transaction_no)
) STRICT, WITHOUT ROWID;
INSERT INTO unclosed_transaction SELECT tse, transaction_no FROM tse_transaction WHERE finished_s IS NOT NULL
    EXCEPT SELECT tse, transaction_no FROM signing WHERE transaction_no IS NOT NULL;
CREATE TRIGGER tse_transaction_new_is_unclosed AFTER INSERT ON tse_transaction WHEN NEW.finished_s IS NOT NULL BEGIN
    INSERT INTO unclosed_transaction VALUES (NEW.tse, NEW.transaction_no);
END;
CREATE TRIGGER tse_transaction_is_unclosed AFTER UPDATE ON tse_transaction WHEN OLD.finished_s IS NULL AND NEW.finished_s IS NOT NULL BEGIN
    INSERT INTO unclosed_transaction VALUES (NEW.tse, NEW.transaction_no);
END;
CREATE TRIGGER signing_new_has_transaction AFTER INSERT ON signing WHEN NEW.transaction_no IS NOT NULL BEGIN
    DELETE FROM unclosed_transaction WHERE tse = NEW.tse AND transaction_no = NEW.transaction_no;
END;
CREATE TRIGGER signing_has_transaction AFTER UPDATE ON signing WHEN NEW.transaction_no IS NOT NULL BEGIN
    DELETE FROM unclosed_transaction WHERE tse = NEW.tse AND transaction_no = NEW.transaction_no;
END;
CREATE TRIGGER closing_item_is_closed AFTER INSERT ON closing_item BEGIN
    DELETE FROM unclosed_order WHERE no = NEW.order_no;
    DELETE FROM unclosed_transaction WHERE tse = NEW.tse AND transaction_no = NEW.transaction_no;
END;
";

/// What people want of TSEs (tills moved, TSEs taken out of service), exports, and what was said about taxes: choices, dates, notifications, versions of
/// the program. The last row of a key holds.
const FISCAL_OFFICE: &str = "
CREATE TABLE tse_wish (
    client TEXT NOT NULL,
    taxpayer INTEGER NOT NULL,
    tse INTEGER NOT NULL REFERENCES tse,
    pinned INTEGER NOT NULL,
    asked_at_ms INTEGER NOT NULL,
    by TEXT NOT NULL,
    PRIMARY KEY (client, taxpayer)
) STRICT, WITHOUT ROWID;

CREATE TABLE tse_retired (
    tse INTEGER PRIMARY KEY REFERENCES tse,
    at_ms INTEGER NOT NULL,
    by TEXT NOT NULL,
    why TEXT NOT NULL,
    forced INTEGER NOT NULL,
    done_ms INTEGER,
    left_open INTEGER NOT NULL
) STRICT;
CREATE TRIGGER tse_retired_keeps_rows BEFORE DELETE ON tse_retired BEGIN
    SELECT RAISE(ABORT, 'a TSE that is out of service stays so');
END;
CREATE TRIGGER tse_retired_ends_once BEFORE UPDATE ON tse_retired WHEN NOT (
        OLD.at_ms = NEW.at_ms AND OLD.by = NEW.by AND OLD.why = NEW.why AND OLD.forced = NEW.forced
        AND (OLD.done_ms IS NULL OR OLD.done_ms IS NEW.done_ms AND OLD.left_open = NEW.left_open)) BEGIN
    SELECT RAISE(ABORT, 'a TSE that is out of service stays so');
END;

CREATE TABLE export (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    taxpayer INTEGER,
    tse INTEGER,
    from_day INTEGER NOT NULL,
    until_day INTEGER NOT NULL,
    version TEXT NOT NULL,
    staff_names INTEGER NOT NULL,
    by TEXT NOT NULL,
    asked_at_ms INTEGER NOT NULL,
    state INTEGER NOT NULL,
    ended_at_ms INTEGER,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 BLOB CHECK (length(sha256) = 32),
    parts INTEGER NOT NULL,
    items INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    warnings INTEGER NOT NULL,
    says TEXT NOT NULL,
    deleted_at_ms INTEGER,
    deleted_by TEXT
) STRICT;
CREATE TRIGGER export_keeps_rows BEFORE DELETE ON export BEGIN
    SELECT RAISE(ABORT, 'what was exported is kept in mind');
END;
CREATE TRIGGER export_keeps_what_was_asked BEFORE UPDATE ON export WHEN NOT (
        OLD.kind = NEW.kind AND OLD.taxpayer IS NEW.taxpayer AND OLD.tse IS NEW.tse AND OLD.from_day = NEW.from_day
        AND OLD.until_day = NEW.until_day AND OLD.version = NEW.version AND OLD.staff_names = NEW.staff_names AND OLD.by = NEW.by
        AND OLD.asked_at_ms = NEW.asked_at_ms AND (OLD.deleted_at_ms IS NULL OR OLD.deleted_at_ms IS NEW.deleted_at_ms AND OLD.deleted_by IS NEW.deleted_by)
        AND (OLD.state = 1 OR OLD.state = NEW.state AND OLD.ended_at_ms IS NEW.ended_at_ms AND OLD.file = NEW.file AND OLD.bytes = NEW.bytes
            AND OLD.sha256 IS NEW.sha256 AND OLD.parts = NEW.parts AND OLD.items = NEW.items AND OLD.errors = NEW.errors
            AND OLD.warnings = NEW.warnings AND OLD.says = NEW.says)) BEGIN
    SELECT RAISE(ABORT, 'an export that ended stays as it is');
END;
CREATE TABLE export_finding (
    export INTEGER NOT NULL REFERENCES export,
    no INTEGER NOT NULL,
    error INTEGER NOT NULL,
    code TEXT NOT NULL,
    place TEXT NOT NULL,
    what TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (export, no)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER export_finding_keeps_rows BEFORE DELETE ON export_finding BEGIN
    SELECT RAISE(ABORT, 'what was found in an export is kept');
END;
CREATE TRIGGER export_finding_keeps_content BEFORE UPDATE ON export_finding BEGIN
    SELECT RAISE(ABORT, 'what was found in an export is kept');
END;

CREATE TABLE tax (
    id INTEGER PRIMARY KEY,
    event BLOB NOT NULL CHECK (length(event) = 16),
    at_ms INTEGER NOT NULL,
    by TEXT,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;
CREATE INDEX tax_event ON tax (event);
CREATE TRIGGER tax_keeps_rows BEFORE DELETE ON tax BEGIN
    SELECT RAISE(ABORT, 'what was said about taxes is kept');
END;
CREATE TRIGGER tax_keeps_content BEFORE UPDATE ON tax BEGIN
    SELECT RAISE(ABORT, 'what was said about taxes is kept');
END;
";

/// What was found in exports, in German: none in rows of before.
const FINDINGS_IN_GERMAN: &str = "
ALTER TABLE export_finding ADD COLUMN told_de TEXT;
";
