//! The tenant's row in the Master site, read with the operator's own token.

use serde_json::Value;

use crate::bench::Place;
use crate::edge::{Door, encoded};
use crate::lab::Lab;

const DOCTYPE: &str = "SaaS Tenant";

async fn door(lab: &Lab, place: &Place) -> Door {
    let token = lab.secret(place.master_in, "master-token").await.expect("the Master's token");
    Door::inside(lab, place.master_in, place.master()).await.with_key(&token["api-key"], &token["api-secret"])
}

fn path(subdomain: &str) -> String {
    format!("/api/resource/{}/{}", encoded(DOCTYPE), encoded(subdomain))
}

pub async fn row(lab: &Lab, place: &Place, subdomain: &str) -> Option<Value> {
    let answer = door(lab, place).await.get(&path(subdomain)).await;
    match answer.status {
        200 => Some(answer.json()["data"].clone()),
        404 => None,
        status => panic!("the Master answers {status}: {}", answer.text),
    }
}

pub async fn remove(lab: &Lab, place: &Place, subdomain: &str) {
    let answer = door(lab, place).await.delete(&path(subdomain)).await;
    assert!([202, 404].contains(&answer.status), "{} {}", answer.status, answer.text);
}
