//! Hands a file out, a part at a time, with a row in the audit log.

use std::fs::File;
use std::io::{self, Read as _};

use axum::body::Body;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use shared_protocol::ids::hex;

use super::row;
use crate::fault::Fault;
use crate::frame::Page;

/// Bytes that are read at once.
const PART_BYTES: usize = 256 * 1024;

pub(crate) async fn file(page: Page, Path(id): Path<String>) -> Response {
    let made = handed(&page, &id).await;
    page.done(made)
}

async fn handed(page: &Page, id: &str) -> Result<Response, Fault> {
    let row = row(page, id).await?;
    if !row.is_there() {
        return Err(Fault::NotFound);
    }
    let opened = page.context.exports.open(&row).map_err(|error| {
        tracing::error!(id = row.id, %error, "the file of an export is not there");
        Fault::refused(
            "Die Datei dieses Exports ist nicht mehr im Ordner exports des Servers. Erstell den Export neu.",
            "The file of this export is no longer in the folder exports of the server. Make the export again.",
        )
    })?;
    let detail = row.sha256.map(|sha256| hex(&sha256)).unwrap_or_default();
    let note = page
        .context
        .note(page.visitor()?, "export.download", format!("export {}", row.id), detail);
    note.await?;
    let disposition = format!("attachment; filename=\"{}\"", row.file);
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_LENGTH, row.bytes.to_string()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    let parts = stream::unfold(Some(opened), async |file| {
        let file = file?;
        let read = tokio::task::spawn_blocking(move || part(file)).await;
        match read.map_err(io::Error::other) {
            Ok(Ok(None)) => None,
            Ok(Ok(Some((bytes, file)))) => Some((Ok(bytes), Some(file))),
            // A file that breaks off must not look like a whole one: the connection ends with an error.
            Ok(Err(error)) | Err(error) => Some((Err(error), None)),
        }
    });
    Ok((headers, Body::from_stream(parts)).into_response())
}

fn part(mut file: File) -> io::Result<Option<(Vec<u8>, File)>> {
    let mut bytes = vec![0; PART_BYTES];
    let count = file.read(&mut bytes)?;
    bytes.truncate(count);
    Ok((count > 0).then_some((bytes, file)))
}
