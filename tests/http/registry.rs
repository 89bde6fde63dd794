//! The Master's rows, read and written over REST.

use std::collections::BTreeMap;

use axum::response::Response;
use serde_json::{Value, json};
use tenant_operator::core::op::{Cell, Row};
use tenant_operator::core::seen::RegistryAnswer;
use tenant_operator::world::error::Class;
use tenant_operator::world::http::registry::{Master, Place, look, remove, write};
use tenant_operator::world::http::{Key, client};

use super::fake::{Asked, Fake, exception, json, page};

const SITE: &str = "master.example.com";
const TOKEN: Key<'_> = Key { key: "master-key", secret: "master-secret" };
const PUBLISHED: Key<'_> = Key { key: "tenant-key", secret: "tenant-secret" };
const PLACE: Place<'_> =
    Place { doc_type: "SaaS Tenant", key_field: "subdomain", key: "acme", id_field: "operator_id", id: "7f3a9c1e5b2d4a60" };

/// A Master with these rows; the DocType has `operator_id` as a customization.
fn master(asked: &Asked, rows: &[Value]) -> Response {
    let field = |name: &str, type_: &str| json!({"fieldname": name, "fieldtype": type_, "permlevel": 0});
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/api/resource/DocType/SaaS%20Tenant") => json(
            200,
            json!({"data": {"name": "SaaS Tenant", "fields": [field("subdomain", "Data"), field("secret", "Password")]}}),
        ),
        ("GET", "/api/resource/Custom%20Field") => json(200, json!({"data": [field("operator_id", "Data")]})),
        ("GET", "/api/resource/SaaS%20Tenant") => json(200, json!({"data": rows})),
        ("DELETE", _) => json(202, json!({"data": "ok"})),
        _ => json(200, json!({"data": {"name": "T/1"}})),
    }
}

fn row(id: &str) -> Value {
    json!({"name": "T/1", "subdomain": "acme", "operator_id": id, "modified": "2026-11-21 13:30:41.123456", "secret": "*****"})
}

struct Call {
    fake: Fake,
    client: reqwest::Client,
    url: String,
}

impl Call {
    async fn to(answer: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> Self {
        let fake = Fake::start(answer).await;
        let url = fake.url();
        Self { fake, client: client().unwrap(), url }
    }

    fn master(&self) -> Master<'_> {
        Master { client: &self.client, url: &self.url, site: SITE, token: TOKEN }
    }

    fn written(&self) -> Vec<Asked> {
        self.fake.asked().into_iter().filter(|asked| asked.method != "GET").collect()
    }
}

async fn seen(answer: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> RegistryAnswer {
    let call = Call::to(answer).await;
    look(&call.master(), &PLACE).await
}

fn cells(create: bool) -> Row {
    let fields = [("subdomain", Cell::Text("acme".to_owned())), ("key", Cell::ApiKey), ("secret", Cell::ApiSecret)];
    Row { create, fields: fields.map(|(name, cell)| (name.to_owned(), cell)).into() }
}

#[tokio::test]
async fn fields_are_the_doctypes_own_and_those_added_to_it() {
    let call = Call::to(|asked| master(asked, &[row("")])).await;
    let RegistryAnswer::Known { fields, row: Some(seen) } = look(&call.master(), &PLACE).await else { panic!("not known") };
    let expected = [("operator_id", "Data"), ("secret", "Password"), ("subdomain", "Data")];
    assert_eq!(fields, BTreeMap::from(expected.map(|(name, type_)| (name.to_owned(), type_.to_owned()))));
    assert_eq!(seen["name"], json!("T/1"));
    let asked = call.fake.asked();
    let list = asked.iter().find(|asked| asked.path == "/api/resource/SaaS%20Tenant").unwrap();
    assert_eq!(list.query("filters").as_deref(), Some(r#"[["subdomain","=","acme"]]"#));
    assert_eq!(list.query("fields").as_deref(), Some(r#"["*"]"#));
    assert_eq!((list.header("host"), list.header("x-frappe-site-name")), (SITE, SITE));
    assert_eq!(list.header("authorization"), "token master-key:master-secret");
}

#[tokio::test]
async fn no_row_no_doctype_and_no_site_are_three_things() {
    let RegistryAnswer::Known { row, .. } = seen(|asked| master(asked, &[])).await else { panic!("not known") };
    assert_eq!(row, None);
    let missing = |_: &Asked| exception(404, "DoesNotExistError", "DocType SaaS Tenant not found");
    assert_eq!(seen(missing).await, RegistryAnswer::DocTypeMissing);
    let nowhere = seen(|_| page(404, "<p>master.example.com does not exist</p>")).await;
    assert_eq!(nowhere, RegistryAnswer::Unreachable("404, it does not know the site".to_owned()));
}

#[tokio::test]
async fn who_is_refused_is_told_so_and_who_is_not_heard_as_well() {
    let denied = seen(|_| exception(401, "AuthenticationError", "master-secret")).await;
    assert_eq!(denied, RegistryAnswer::Denied("401 AuthenticationError: ***".to_owned()));
    let down = seen(|_| json(503, json!({"exc_type": "SessionStopped"}))).await;
    assert_eq!(down, RegistryAnswer::Unreachable("503 SessionStopped".to_owned()));
    let page = seen(|_| page(200, "<h1>Welcome</h1>")).await;
    assert_eq!(page, RegistryAnswer::Unreachable("what answers is not Frappe".to_owned()));
}

#[tokio::test]
async fn customizations_that_may_not_be_read_are_left_out() {
    let strict = |asked: &Asked| match asked.path.as_str() {
        "/api/resource/Custom%20Field" => exception(403, "PermissionError", ""),
        _ => master(asked, &[]),
    };
    let RegistryAnswer::Known { fields, .. } = seen(strict).await else { panic!("not known") };
    assert!(!fields.contains_key("operator_id") && fields.contains_key("subdomain"));
    let late = |asked: &Asked| match asked.path.as_str() {
        "/api/resource/Custom%20Field" => page(502, ""),
        _ => master(asked, &[]),
    };
    assert_eq!(seen(late).await, RegistryAnswer::Unreachable("502 Bad Gateway".to_owned()), "not a field that is missing");
}

#[tokio::test]
async fn two_rows_for_one_tenant_are_for_a_person_to_settle() {
    let RegistryAnswer::Unreachable(words) = seen(|asked| master(asked, &[row("a"), row("b")])).await else { panic!("known") };
    assert_eq!(words, "several rows of SaaS Tenant have the subdomain acme: leave only one");
}

#[tokio::test]
async fn a_new_row_has_the_cells_and_the_published_key() {
    let call = Call::to(|asked| master(asked, &[])).await;
    write(&call.master(), &PLACE, &cells(true), Some(PUBLISHED)).await.unwrap();
    let [post] = &call.written()[..] else { panic!("one write") };
    assert_eq!((post.method.as_str(), post.path.as_str()), ("POST", "/api/resource/SaaS%20Tenant"));
    assert_eq!(post.json(), json!({"subdomain": "acme", "key": "tenant-key", "secret": "tenant-secret"}));
}

#[tokio::test]
async fn a_row_is_changed_only_from_the_version_that_was_read() {
    for id in ["", PLACE.id] {
        let call = Call::to(move |asked| master(asked, &[row(id)])).await;
        write(&call.master(), &PLACE, &cells(false), Some(PUBLISHED)).await.unwrap();
        let [put] = &call.written()[..] else { panic!("one write") };
        assert_eq!((put.method.as_str(), put.path.as_str()), ("PUT", "/api/resource/SaaS%20Tenant/T%2F1"));
        assert_eq!(put.json()["modified"], json!("2026-11-21 13:30:41.123456"));
    }
}

#[tokio::test]
async fn a_row_of_another_tenant_is_neither_changed_nor_deleted() {
    let call = Call::to(|asked| master(asked, &[row("0000000000000000")])).await;
    let error = write(&call.master(), &PLACE, &cells(false), Some(PUBLISHED)).await.unwrap_err();
    assert!(error.to_string().contains("another tenant"), "{error}");
    remove(&call.master(), &PLACE).await.unwrap();
    assert!(call.written().is_empty());
}

#[tokio::test]
async fn only_our_own_row_is_deleted_and_a_missing_one_is_as_good() {
    let call = Call::to(|asked| master(asked, &[row(PLACE.id)])).await;
    remove(&call.master(), &PLACE).await.unwrap();
    assert_eq!(call.written()[0].path, "/api/resource/SaaS%20Tenant/T%2F1");
    let nobodys = Call::to(|asked| master(asked, &[row("")])).await;
    remove(&nobodys.master(), &PLACE).await.unwrap();
    assert!(nobodys.written().is_empty());
    let gone = Call::to(|asked| match asked.method.as_str() {
        "DELETE" => exception(404, "DoesNotExistError", ""),
        _ => master(asked, &[row(PLACE.id)]),
    })
    .await;
    remove(&gone.master(), &PLACE).await.unwrap();
}

async fn refused(status: u16, type_: &'static str, message: &'static str) -> (String, Class) {
    let call = Call::to(move |asked| match asked.method.as_str() {
        "POST" => exception(status, type_, message),
        _ => master(asked, &[]),
    })
    .await;
    let error = write(&call.master(), &PLACE, &cells(true), Some(PUBLISHED)).await.unwrap_err();
    (error.to_string(), error.class())
}

#[tokio::test]
async fn what_the_master_refuses_is_said_in_its_words_without_secrets() {
    let (words, class) = refused(417, "MandatoryError", "[SaaS Tenant, b2]: domain").await;
    assert_eq!(words, "creating the row of acme in the Master: 417 MandatoryError: [SaaS Tenant, b2]: domain");
    assert_eq!(class, Class::Transient);
    let (words, class) = refused(409, "DuplicateEntryError", "SaaS Tenant acme already exists").await;
    assert!(words.contains("409 DuplicateEntryError"), "{words}");
    assert_eq!(class, Class::Transient, "the next look finds the row");
    let (words, class) = refused(403, "PermissionError", "no tenant-secret, no tenant-key, no master-secret").await;
    assert_eq!(class, Class::Denied);
    assert!(words.ends_with("403 PermissionError: no ***, no ***, no ***"), "{words}");
}

#[tokio::test]
async fn a_secret_that_is_not_published_yet_is_waited_for() {
    let call = Call::to(|asked| master(asked, &[])).await;
    let error = write(&call.master(), &PLACE, &cells(true), None).await.unwrap_err();
    assert_eq!(error.class(), Class::Transient);
    assert!(call.fake.asked().is_empty());
}
