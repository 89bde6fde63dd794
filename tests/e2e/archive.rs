//! Archive, the default: what it leaves is proven by restoring it into another site.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenant_operator::api::{DeletionPolicy, RegistryOnDelete};

use crate::bench::{GATEWAY_16, INGRESS_15, Place};
use crate::case::{self, Case, Company, id};
use crate::edge::Door;
use crate::inside::Inside;
use crate::lab::CUSTOMERS;
use crate::tenant::{NASTY, tenant, whole_plan};
use crate::{master, remains};

#[test]
fn an_archive_from_frappe_15_brings_back_data_files_and_secrets() {
    case::run("arch-a", Company::On(INGRESS_15.namespace), async |case| archived_and_restored(case, INGRESS_15).await);
}

#[test]
fn an_archive_from_frappe_16_brings_back_data_files_and_secrets() {
    case::run("arch-b", Company::On(GATEWAY_16.namespace), async |case| archived_and_restored(case, GATEWAY_16).await);
}

async fn archived_and_restored(case: &Case, place: Place) {
    let (plan, bench) = (case.plan(whole_plan).await, case.bench(place).await);
    let mut wanted = tenant(&case.name, CUSTOMERS, &plan, bench);
    wanted.spec.deletion_policy = Some(DeletionPolicy::Archive);
    case.apply(&wanted).await;
    let id = id(&case.ready(&place, &case.name).await.0);
    leave_something(case, &place).await;
    let key = case.lab.secret(CUSTOMERS, &format!("{}-credentials", case.name)).await.expect("a key");

    let history = case.delete(&case.name).await;
    assert!(history.message("SiteReady", "Archiving").is_some(), "the condition must say what takes so long");
    only_the_archive_is_left(case, &place, &id).await;

    let site = format!("restored-{}", place.api_host(&case.name));
    case.finally({
        let site = site.clone();
        move |case| take_away(case, &place, &site)
    });
    let archive = checked_archive(&case.inside(&place), &id);
    restore(case, &place, &archive, &site).await;
    everything_is_back(case, &place, &site, &key).await;
}

const SECRET: &str = "s3cret: 'quoted' \"twice\" $(HOME) ü";

/// A record, a file of each kind, and a secret that only the site's own key can read.
async fn leave_something(case: &Case, place: &Place) {
    let api = case.api(place, &case.name).await;
    let mut made = vec![api.post("/api/resource/Customer", &json!({"customer_name": NASTY})).await];
    for (name, private) in FILES {
        let file = json!({"file_name": name, "is_private": private, "content": content(name)});
        made.push(api.post("/api/resource/File", &file).await);
    }
    assert!(made.iter().all(|answer| answer.status == 200), "{:?}", made.iter().map(|answer| &answer.text).collect::<Vec<_>>());
    let set = "from frappe.utils.password import set_encrypted_password\n\
               set_encrypted_password('User', 'Administrator', given, 'kept_secret')\nreturn True";
    case.inside(place).python(&place.api_host(&case.name), set, &json!(SECRET));
}

const FILES: [(&str, u8); 2] = [("open.txt", 0), ("closed.txt", 1)];

fn content(name: &str) -> String {
    format!("of {name}: Grüße\n").repeat(1000)
}

async fn only_the_archive_is_left(case: &Case, place: &Place, id: &str) {
    remains::none(&case.lab.client, id).await;
    let inside = case.inside(place);
    assert!(inside.databases().iter().chain(&inside.database_users()).all(|one| !one.contains(id)));
    let folders = inside.folders();
    assert!(!folders.contains(&place.api_host(&case.name)) && folders.contains(id), "{folders:?}");
    let row = master::row(&case.lab, place, &case.name).await;
    match place.on_delete {
        RegistryOnDelete::Delete => assert_eq!(row, None),
        RegistryOnDelete::SetStatus => assert_eq!(row.map(|row| row["status"].clone()), Some(json!("Archived"))),
    }
}

/// The one archive's folder, after sums and modes were compared by other means than the operator's own.
fn checked_archive(inside: &Inside<'_>, id: &str) -> String {
    let folder = format!("sites/archived_sites/{id}");
    let times = inside.shell(&format!("ls -1A {folder}"), "").expect("a list");
    let [time] = times.lines().collect::<Vec<_>>()[..] else { panic!("one archive was expected: {times}") };
    let archive = format!("{folder}/{time}");
    let modes = inside.shell(&format!("stat -c '%a' {folder} {archive}; stat -c '%a' {archive}/* | sort -u"), "").expect("modes");
    assert_eq!(modes.lines().collect::<Vec<_>>(), ["700", "700", "600"]);
    let manifest: Value =
        serde_json::from_str(&inside.shell(&format!("cat {archive}/manifest.json"), "").expect("a manifest")).expect("JSON");
    let files = manifest["files"].as_object().expect("files");
    assert_eq!(files.len(), 4, "{files:?}");
    let sums = inside
        .shell(&format!("cd {archive} && sha256sum $(ls | grep -v manifest.json) && stat -c '%s  %n' *"), "")
        .expect("sums");
    for (name, said) in files {
        for value in [said["sha256"].as_str().expect("a sum").to_owned(), said["bytes"].to_string()] {
            assert!(sums.lines().any(|line| line == format!("{value}  {name}")), "{name} {value}: {sums}");
        }
    }
    archive
}

/// As a person would, with the bench's own commands; passwords come through standard input, the root's first.
async fn restore(case: &Case, place: &Place, archive: &str, site: &str) {
    let root = case.lab.secret(place.namespace, "erpnext").await.expect("the bench's Secret")["mariadb-root-password"].clone();
    let inside = case.inside(place);
    let new = format!("bench new-site {site} --db-name {} --mariadb-user-host-login-scope=%", database(case));
    inside.shell(&new, &format!("{root}\nadmin-7-Pass\nadmin-7-Pass\n")).expect("a new site");
    let restore = format!(
        "bench --site {site} restore $PWD/{archive}/database.sql.gz --force \
         --with-public-files $PWD/{archive}/files.tar --with-private-files $PWD/{archive}/private-files.tar"
    );
    inside.shell(&restore, &format!("{root}\n")).expect("a restored site");
    let key = "import json, sys\nold, new = (json.load(open(path)) for path in sys.argv[1:])\n\
               new['encryption_key'] = old['encryption_key']\njson.dump(new, open(sys.argv[2], 'w'))\n";
    inside
        .shell(&format!("env/bin/python - {archive}/site_config_backup.json sites/{site}/site_config.json"), key)
        .expect("the old key");
}

fn database(case: &Case) -> String {
    format!("r_{}", case.name.replace('-', "_"))
}

async fn everything_is_back(case: &Case, place: &Place, site: &str, key: &BTreeMap<String, String>) {
    let api = Door::inside(&case.lab, place.namespace, site).await.with_key(&key["api-key"], &key["api-secret"]);
    let user = api.get("/api/method/frappe.auth.get_logged_user").await;
    assert_eq!(user.status, 200, "the API user's own secret must be readable: {}", user.text);
    let customers = api.get("/api/resource/Customer").await.json();
    assert_eq!(customers["data"], json!([{"name": NASTY}]));
    let inside = case.inside(place);
    for (name, private) in FILES {
        let folder = if private == 1 { "private" } else { "public" };
        let file = inside.shell(&format!("cat sites/{site}/{folder}/files/{name}"), "");
        assert_eq!(file.as_deref(), Ok(content(name).as_str()));
    }
    let read = "from frappe.utils.password import get_decrypted_password\n\
                return get_decrypted_password('User', 'Administrator', 'kept_secret')";
    assert_eq!(inside.python(site, read, &json!(null)), json!(SECRET));
}

/// Also where the test failed half-way. `restore` leaves a database user of its own for the address it came from.
fn take_away(case: &Case, place: &Place, site: &str) {
    let (inside, database) = (case.inside(place), database(case));
    inside.query(&format!("DROP DATABASE IF EXISTS `{database}`"));
    for user in inside.database_users() {
        if let Some((name, host)) = user.split_once('@').filter(|(name, _)| *name == database) {
            inside.query(&format!("DROP USER `{name}`@`{host}`"));
        }
    }
    inside.shell(&format!("rm -rf sites/{site}"), "").expect("an end");
}
