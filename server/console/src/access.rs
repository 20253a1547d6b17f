//! Who may call what. This is the only place where a path becomes a route: what has no row here cannot be called.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use pages::{Preferences, guard, preferences};
use store::Role;
use sync::server::Peer;

use crate::context::Context;
use crate::fault::Fault;
use crate::frame::Page;
use crate::{
    audit, batches, cases, closings, dashboard, exporting, import, judging, live, login, order, orders, purse,
    registration, reports, search, session, tax, terminals, tse, users, wristband,
};

const EVERYBODY: &[Role] = &[Role::Admin, Role::Finance, Role::Crew];
const BOOKS: &[Role] = &[Role::Admin, Role::Finance];
const DEVICES: &[Role] = &[Role::Admin, Role::Crew];
const ADMIN: &[Role] = &[Role::Admin];

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Without a login.
    Anyone,
    /// Users with one of these roles.
    Roles(&'static [Role]),
}

impl Who {
    /// Whether a role is among them.
    pub fn includes(self, role: Role) -> bool {
        match self {
            Self::Anyone => true,
            Self::Roles(roles) => roles.contains(&role),
        }
    }
}

/// What somebody without a session gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page: the way to the login, and back afterwards.
    Page,
    /// Something a program asks for: 401.
    Data,
    /// A change: the way to the login; nothing was changed.
    Change,
}

/// A row of the table.
pub struct Endpoint {
    /// GET or POST.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub who: Who,
    /// What it is.
    pub kind: Kind,
    route: MethodRouter<Arc<Context>>,
}

type Route = MethodRouter<Arc<Context>>;

fn page(path: &'static str, roles: &'static [Role], route: Route) -> Endpoint {
    row(Method::GET, path, Who::Roles(roles), Kind::Page, route)
}

fn data(path: &'static str, roles: &'static [Role], route: Route) -> Endpoint {
    row(Method::GET, path, Who::Roles(roles), Kind::Data, route)
}

fn change(path: &'static str, roles: &'static [Role], route: Route) -> Endpoint {
    row(Method::POST, path, Who::Roles(roles), Kind::Change, route)
}

const fn row(method: Method, path: &'static str, who: Who, kind: Kind, route: Route) -> Endpoint {
    Endpoint {
        method,
        path,
        who,
        kind,
        route,
    }
}

/// Every endpoint of the console.
#[rustfmt::skip]
pub fn table() -> Vec<Endpoint> {
    vec![
        row(Method::GET, "/login", Who::Anyone, Kind::Page, get(login::page)),
        row(Method::POST, "/login", Who::Anyone, Kind::Change, post(login::log_in)),
        change("/logout",                     EVERYBODY, post(login::log_out)),
        page("/account",                      EVERYBODY, get(login::account)),
        change("/account/password",           EVERYBODY, post(login::change_password)),
        page("/",                             EVERYBODY, get(dashboard::page)),
        page("/tv",                           EVERYBODY, get(dashboard::tv)),
        data("/live/dashboard",               EVERYBODY, get(live::dashboard)),
        data("/live/tv",                      EVERYBODY, get(live::dashboard)),
        data("/live/terminals",               EVERYBODY, get(live::terminals)),
        data("/live/tse",                     EVERYBODY, get(live::tses)),
        data("/live/registrations",           DEVICES,   get(live::registrations)),
        page("/search",                       EVERYBODY, get(search::page)),
        page("/orders",                       EVERYBODY, get(orders::page)),
        data("/orders.csv",                   BOOKS,     get(orders::csv)),
        page("/orders/{order}",               EVERYBODY, get(order::page)),
        page("/terminals",                    EVERYBODY, get(terminals::page)),
        page("/terminals/{terminal}",         EVERYBODY, get(terminals::detail)),
        change("/terminals/{terminal}/lock",   DEVICES,  post(terminals::lock)),
        change("/terminals/{terminal}/unlock", DEVICES,  post(terminals::unlock)),
        change("/terminals/{terminal}/logout", DEVICES,  post(terminals::log_out)),
        page("/import",                       BOOKS,     get(import::page)),
        change("/import",                     BOOKS,     post(import::upload).layer(import::room())),
        page("/import/{import}",              BOOKS,     get(import::look)),
        change("/import/{import}/book",       BOOKS,     post(import::book)),
        page("/registrations",                DEVICES,   get(registration::page)),
        change("/registrations",              DEVICES,   post(registration::open)),
        change("/registrations/{slot}/confirm", DEVICES, post(registration::confirm)),
        page("/cases",                        EVERYBODY, get(cases::page)),
        page("/cases/{case}",                 EVERYBODY, get(cases::detail)),
        change("/cases/{case}/take",          EVERYBODY, post(cases::take)),
        change("/cases/{case}/note",          EVERYBODY, post(cases::note)),
        page("/wristbands",                   EVERYBODY, get(wristband::page)),
        change("/wristbands/block",           DEVICES,   post(wristband::block)),
        change("/wristbands/unblock",         DEVICES,   post(wristband::unblock)),
        change("/wristbands/credit",          BOOKS,     post(purse::credit)),
        change("/wristbands/replace",         DEVICES,   post(purse::replace)),
        page("/batches",                      EVERYBODY, get(batches::page)),
        change("/batches/{batch}/freeze",     ADMIN,     post(batches::freeze)),
        change("/batches/{batch}/thaw",       ADMIN,     post(batches::thaw)),
        change("/batches/{batch}/switch",     ADMIN,     post(batches::switch)),
        change("/batches/{batch}/revoke",     ADMIN,     post(batches::revoke)),
        page("/tse",                          EVERYBODY, get(tse::page)),
        page("/reports",                      BOOKS,     get(reports::start)),
        page("/reports/day/{day}",            BOOKS,     get(reports::day)),
        data("/reports/day/{day}/{form}",     BOOKS,     get(reports::day_file)),
        page("/reports/till/{till}",          BOOKS,     get(reports::till)),
        data("/reports/till/{till}/{form}",   BOOKS,     get(reports::till_file)),
        page("/reports/shift/{till}/{session}", BOOKS,   get(reports::shift)),
        data("/reports/shift/{till}/{session}/{form}", BOOKS, get(reports::shift_file)),
        page("/reports/locations",            BOOKS,     get(reports::locations)),
        data("/reports/locations/{form}",     BOOKS,     get(reports::locations_file)),
        page("/reports/settlement/{taxpayer}", BOOKS,    get(reports::settlement)),
        data("/reports/settlement/{taxpayer}/{form}", BOOKS, get(reports::settlement_file)),
        page("/reports/vat",                  BOOKS,     get(reports::vat)),
        data("/reports/vat/{form}",           BOOKS,     get(reports::vat_file)),
        page("/closings",                     BOOKS,     get(closings::page)),
        page("/closings/{closing}",           BOOKS,     get(closings::detail)),
        data("/closings/{closing}/{form}",    BOOKS,     get(closings::file)),
        page("/tse/{tse}",                    EVERYBODY, get(tse::one::page)),
        change("/tse/{tse}/retire",           ADMIN,     post(tse::one::retire)),
        page("/tse/tills/{till}",             EVERYBODY, get(tse::till::page)),
        change("/tse/tills/{till}/move",      ADMIN,     post(tse::till::change)),
        page("/exports",                      BOOKS,     get(exporting::page)),
        data("/live/exports",                 BOOKS,     get(live::exports)),
        change("/exports",                    BOOKS,     post(exporting::start)),
        page("/exports/{export}",             BOOKS,     get(exporting::detail)),
        change("/exports/{export}/cancel",    BOOKS,     post(exporting::cancel)),
        change("/exports/{export}/delete",    ADMIN,     post(exporting::delete)),
        data("/exports/{export}/file",        BOOKS,     get(exporting::file)),
        page("/verify",                       EVERYBODY, get(judging::page)),
        change("/verify/receipt",             EVERYBODY, post(judging::receipt)),
        change("/verify/file",                EVERYBODY, post(judging::file).layer(judging::room())),
        page("/tax",                          BOOKS,     get(tax::page)),
        change("/tax/{choice}",               ADMIN,     post(tax::choose)),
        change("/tax/notification/say",       ADMIN,     post(tax::say)),
        data("/tax/procedures/{form}",        BOOKS,     get(tax::procedures)),
        data("/tax/notification/{taxpayer}",  BOOKS,     get(tax::download)),
        change("/tax/notification/{taxpayer}/sent", ADMIN, post(tax::sent)),
        page("/audit",                        BOOKS,     get(audit::page)),
        page("/users",                        ADMIN,     get(users::page)),
        change("/users",                      ADMIN,     post(users::add)),
        change("/users/change",               ADMIN,     post(users::change)),
        change("/users/password",             ADMIN,     post(users::reset)),
    ]
}

/// Who may call an endpoint, without its handler: pages ask it for every link they show.
pub(crate) fn who(method: &Method, path: &str) -> Option<Who> {
    static ALL: LazyLock<Vec<(Method, &'static str, Who)>> =
        LazyLock::new(|| table().into_iter().map(|row| (row.method, row.path, row.who)).collect());
    let row = ALL.iter().find(|(known, at, _)| known == method && *at == path);
    row.map(|(.., who)| *who)
}

/// The console's routes: the table, style and script, preferences; all of it behind the guards.
pub fn routes(context: &Arc<Context>) -> Router {
    let mut router = Router::new();
    for endpoint in table() {
        let guarded = Guarded {
            context: Arc::clone(context),
            who: endpoint.who,
            kind: endpoint.kind,
        };
        let route = endpoint.route.layer(from_fn_with_state(guarded, let_in));
        router = router.route(endpoint.path, route);
    }
    router
        .merge(context.assets.routes())
        .merge(preferences::routes())
        .layer(axum::extract::DefaultBodyLimit::max(FORM_MAX_BYTES))
        .layer(from_fn(guard::same_origin))
        .layer(from_fn(guard::headers))
        .with_state(Arc::clone(context))
}

/// The largest form: a resolution text and some fields.
const FORM_MAX_BYTES: usize = 64 * 1024;

#[derive(Clone)]
struct Guarded {
    context: Arc<Context>,
    who: Who,
    kind: Kind,
}

/// Where a request came from, where the server knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct From(pub(crate) Option<IpAddr>);

async fn let_in(State(guarded): State<Guarded>, mut request: Request, next: Next) -> Response {
    let Guarded { context, who, kind } = guarded;
    let preferences = Preferences::of(request.headers());
    let refuse = |fault: &Fault| Page::bare(&context, preferences, None).fault(fault);
    let visitor = match session::visitor(&context, request.headers()).await {
        Ok(visitor) => visitor,
        Err(fault) => return refuse(&fault),
    };
    match (&visitor, who) {
        (_, Who::Anyone) => {}
        (None, Who::Roles(_)) => return to_login(kind, &request),
        (Some(visitor), who) if !who.includes(visitor.role) => {
            return Page::bare(&context, preferences, Some(visitor.clone())).fault(&Fault::NotAllowed);
        }
        (Some(_), _) => {}
    }
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    let from = From(peer.map(|ConnectInfo(Peer(address))| address.ip()));
    let path = request.uri().path().to_owned();
    let frame = match Page::load(&context, preferences, visitor, path).await {
        Ok(frame) => frame,
        Err(fault) => return refuse(&fault),
    };
    request.extensions_mut().insert(from);
    request.extensions_mut().insert(frame);
    next.run(request).await
}

fn to_login(kind: Kind, request: &Request) -> Response {
    match kind {
        Kind::Data => (
            StatusCode::UNAUTHORIZED,
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            "Bitte melde dich an.\nPlease log in.\n",
        )
            .into_response(),
        Kind::Change => Redirect::to("/login").into_response(),
        Kind::Page => {
            let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
            Redirect::to(&crate::frame::address("/login", &[("next", wanted)])).into_response()
        }
    }
}
