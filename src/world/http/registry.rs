//! The Master's REST: what its DocType has, and one tenant's row.
//!
//! A row is found by its key field, never by its name, which the DocType may form as it likes. Writing and deleting look again
//! whose row it is, and fail on a row that changed in between.

use std::collections::BTreeMap;

use reqwest::header::{ACCEPT, AUTHORIZATION, HOST};
use reqwest::{Client, Method, RequestBuilder, Url};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::{Key, SITE_HEADER, send};
use crate::core::op::{Cell, Row};
use crate::core::seen::RegistryAnswer;
use crate::world::Error;

/// A DocType describes each field at length: of the Master's answers more is read than of others.
const LIMIT: usize = 1024 * 1024;

/// Of a DocType: field name to field type.
pub type Fields = BTreeMap<String, String>;
type Values = BTreeMap<String, Value>;

/// The Master, and who asks.
#[derive(Clone, Copy)]
pub struct Master<'a> {
    pub client: &'a Client,
    pub url: &'a str,
    pub site: &'a str,
    pub token: Key<'a>,
}

/// Which row is meant, and whose it must be to be written.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub doc_type: &'a str,
    pub key_field: &'a str,
    pub key: &'a str,
    pub id_field: &'a str,
    pub id: &'a str,
}

/// Why the Master did not do it.
enum Refusal {
    Denied(String),
    /// There is no such document, or no such DocType.
    Missing,
    Other(String),
}

/// What the DocType has, its own fields and those that were added to it.
///
/// # Errors
/// What the Master says instead.
pub async fn fields(master: &Master<'_>, doc_type: &str, key_field: &str) -> Result<Fields, RegistryAnswer> {
    let fields = master.fields(doc_type).await.map_err(Refusal::answer)?;
    if !fields.contains_key(key_field) {
        let problem = format!("its {doc_type} has no field {key_field:?} (the Bench's registry.keyField)");
        return Err(RegistryAnswer::Unreachable(problem));
    }
    Ok(fields)
}

/// All that is to be known of a tenant's row.
pub async fn look(master: &Master<'_>, place: &Place<'_>) -> RegistryAnswer {
    match fields(master, place.doc_type, place.key_field).await {
        Ok(fields) => row(master, place, fields).await,
        Err(answer) => answer,
    }
}

/// The row if there is one, beside the DocType's fields.
pub async fn row(master: &Master<'_>, place: &Place<'_>, fields: Fields) -> RegistryAnswer {
    // A row cannot be missing from a list: if anything is, it is the DocType, gone since.
    match master.row(place, &master.token.hidden()).await {
        Ok(row) => RegistryAnswer::Known { fields, row },
        Err(refusal) => refusal.answer(),
    }
}

/// Creates the row, or changes it while it is ours or nobody's. `published` fills the cells of the key.
///
/// # Errors
/// [`Error::Registry`], with the Master's own short words.
pub async fn write(master: &Master<'_>, place: &Place<'_>, row: &Row, published: Option<Key<'_>>) -> Result<(), Error> {
    let verb = if row.create { "creating" } else { "changing" };
    let failed = |refusal| place.error(verb, refusal);
    let mut values = values(row, published.as_ref()).map_err(failed)?;
    let hidden: Vec<&str> = published.iter().chain([&master.token]).flat_map(|key| key.hidden()).collect();
    if row.create {
        return master.call(Method::POST, &[place.doc_type], Some(values), &hidden).await.map(|_| ()).map_err(failed);
    }
    let now = master.row(place, &hidden).await.map_err(failed)?.ok_or_else(|| failed(Refusal::Missing))?;
    if !matches!(owner(&now, place), None | Some("")) && owner(&now, place) != Some(place.id) {
        return Err(failed(Refusal::Other("it belongs to another tenant by now".to_owned())));
    }
    // With the time of the last change that we know, Frappe refuses to write over a later one.
    if let Some(modified) = now.get("modified") {
        values.insert("modified".to_owned(), modified.clone());
    }
    let name = name(&now).map_err(failed)?;
    master.call(Method::PUT, &[place.doc_type, name], Some(values), &hidden).await.map(|_| ()).map_err(failed)
}

/// Deletes the row if it is there and ours; one that is not is left as it is.
///
/// # Errors
/// [`Error::Registry`], with the Master's own short words.
pub async fn remove(master: &Master<'_>, place: &Place<'_>) -> Result<(), Error> {
    let failed = |refusal| place.error("deleting", refusal);
    let row = match master.row(place, &master.token.hidden()).await {
        Ok(Some(row)) if owner(&row, place) == Some(place.id) => row,
        Ok(_) | Err(Refusal::Missing) => return Ok(()),
        Err(refusal) => return Err(failed(refusal)),
    };
    let name = name(&row).map_err(failed)?;
    match master.call(Method::DELETE, &[place.doc_type, name], None, &master.token.hidden()).await {
        Ok(_) | Err(Refusal::Missing) => Ok(()),
        Err(refusal) => Err(failed(refusal)),
    }
}

impl Refusal {
    fn answer(self) -> RegistryAnswer {
        match self {
            Self::Missing => RegistryAnswer::DocTypeMissing,
            Self::Denied(words) => RegistryAnswer::Denied(words),
            Self::Other(words) => RegistryAnswer::Unreachable(words),
        }
    }
}

impl Master<'_> {
    /// Field name to field type: the DocType's own, and those that were added to it by customizing.
    async fn fields(&self, doc_type: &str) -> Result<Fields, Refusal> {
        let hidden = self.token.hidden();
        let filters = json!([["dt", "=", doc_type]]);
        let path = ["DocType", doc_type];
        let (own, added) = tokio::join!(
            self.call(Method::GET, &path, None, &hidden),
            self.list("Custom Field", &filters, &["fieldname", "fieldtype"], 0, &hidden),
        );
        let own = own?;
        let added = match added {
            // Whoever may not read what was added sees the DocType as it was made.
            Err(Refusal::Missing | Refusal::Denied(_)) => vec![],
            added => added?,
        };
        let all = own.get("fields").and_then(Value::as_array).into_iter().flatten().chain(&added);
        let pair =
            |field: &Value| Some((field.get("fieldname")?.as_str()?.to_owned(), field.get("fieldtype")?.as_str()?.to_owned()));
        Ok(all.filter_map(pair).collect())
    }

    async fn row(&self, place: &Place<'_>, hidden: &[&str]) -> Result<Option<Values>, Refusal> {
        let filters = json!([[place.key_field, "=", place.key]]);
        let mut rows = self.list(place.doc_type, &filters, &["*"], 2, hidden).await?;
        if rows.len() > 1 {
            let problem =
                format!("several rows of {} have the {} {}: leave only one", place.doc_type, place.key_field, place.key);
            return Err(Refusal::Other(problem));
        }
        match rows.pop() {
            None => Ok(None),
            Some(Value::Object(row)) => Ok(Some(row.into_iter().collect())),
            Some(_) => Err(Refusal::Other("the Master's list has no rows in it".to_owned())),
        }
    }

    /// Without a limit Frappe lists twenty; with 0, all.
    async fn list(
        &self,
        doc_type: &str,
        filters: &Value,
        fields: &[&str],
        limit: u32,
        hidden: &[&str],
    ) -> Result<Vec<Value>, Refusal> {
        let mut url = self.address(&[doc_type])?;
        url.query_pairs_mut()
            .append_pair("fields", &json!(fields).to_string())
            .append_pair("filters", &filters.to_string())
            .append_pair("limit_page_length", &limit.to_string());
        match self.ask(self.client.get(url), hidden).await? {
            Value::Array(rows) => Ok(rows),
            _ => Err(Refusal::Other("the Master answers a list with something else".to_owned())),
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &[&str],
        body: Option<Map<String, Value>>,
        hidden: &[&str],
    ) -> Result<Value, Refusal> {
        let request = self.client.request(method, self.address(path)?);
        self.ask(if let Some(body) = &body { request.json(body) } else { request }, hidden).await
    }

    async fn ask(&self, request: RequestBuilder, hidden: &[&str]) -> Result<Value, Refusal> {
        let token =
            self.token.header().ok_or_else(|| Refusal::Denied("the token has characters that cannot be sent".to_owned()))?;
        let mut request = request.header(SITE_HEADER, self.site).header(ACCEPT, "application/json").header(AUTHORIZATION, token);
        if !self.url.starts_with("https:") {
            // Inside the cluster the URL is a Service's; over TLS its host has to be the Master's public name anyway.
            request = request.header(HOST, self.site);
        }
        let answer = send(request, LIMIT).await.map_err(|failure| Refusal::Other(failure.words))?;
        if answer.status.is_success() {
            return answer.data().cloned().ok_or_else(|| Refusal::Other("what answers is not Frappe".to_owned()));
        }
        Err(refusal(&answer, hidden))
    }

    /// Names of DocTypes and rows may hold anything.
    fn address(&self, path: &[&str]) -> Result<Url, Refusal> {
        let unusable = || Refusal::Other("the Bench's registry.url is no http or https URL".to_owned());
        let mut url = Url::parse(self.url).map_err(|_| unusable())?;
        url.path_segments_mut().map_err(|()| unusable())?.pop_if_empty().extend(["api", "resource"]).extend(path);
        Ok(url)
    }
}

impl Place<'_> {
    fn error(&self, verb: &'static str, refusal: Refusal) -> Error {
        let (problem, denied) = match refusal {
            Refusal::Denied(words) => (words, true),
            Refusal::Missing => ("it is not there".to_owned(), false),
            Refusal::Other(words) => (words, false),
        };
        Error::Registry { verb, name: self.key.to_owned(), problem, denied }
    }
}

fn refusal(answer: &Answer, hidden: &[&str]) -> Refusal {
    match answer.status.as_u16() {
        401 | 403 => Refusal::Denied(answer.words(hidden)),
        404 if answer.exc_type() == Some("DoesNotExistError") => Refusal::Missing,
        404 if answer.json.is_none() => Refusal::Other("404, it does not know the site".to_owned()),
        _ => Refusal::Other(answer.words(hidden)),
    }
}

fn values(row: &Row, published: Option<&Key<'_>>) -> Result<Map<String, Value>, Refusal> {
    let text = |cell: &Cell| {
        let key = || published.ok_or_else(|| Refusal::Other("the tenant's key is not published yet".to_owned()));
        Ok(match cell {
            Cell::Text(text) => text.clone(),
            Cell::ApiKey => key()?.key.to_owned(),
            Cell::ApiSecret => key()?.secret.to_owned(),
        })
    };
    row.fields.iter().map(|(name, cell)| Ok((name.clone(), Value::String(text(cell)?)))).collect()
}

fn owner<'a>(row: &'a Values, place: &Place<'_>) -> Option<&'a str> {
    row.get(place.id_field).and_then(Value::as_str)
}

fn name(row: &Values) -> Result<&str, Refusal> {
    row.get("name").and_then(Value::as_str).ok_or_else(|| Refusal::Other("the row has no name".to_owned()))
}
